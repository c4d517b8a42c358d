"""Running Python in a process of its own, for what one process can be asked only once."""

import os
import subprocess
import sys
from pathlib import Path


def python(
    code: str, *arguments: str, path: Path | None = None, check: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run code in a new interpreter.

    Args:
        code: The program.
        arguments: Its arguments.
        path: A folder to put in front of the import path.
        check: Fail the test if the program fails.
        variables: Environment variables to set.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("D2LCONV")}
    environment.update(variables)
    if path is not None:
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(path), environment.get("PYTHONPATH")])
        )
    child = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if check:
        assert child.returncode == 0, f"the child failed:\n{child.stdout}\n{child.stderr}"
    return child


def told(stderr: str) -> str:
    """What a command says on stderr, without its signs of life."""
    return "".join(line for line in stderr.splitlines(True) if not line.startswith("... "))


def alive(pid: int) -> bool:
    """Whether a process runs."""
    state = Path(f"/proc/{pid}/stat")
    if state.exists():  # what has ended may be listed until somebody asks for its status
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files, given by their path under the folder."""
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder

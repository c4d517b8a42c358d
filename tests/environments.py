"""Environments that differ from this one: built for real, from links to what is installed here."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import distribution

from children import told

from d2lconv.core import registry


class Environment:
    """A virtual environment with all that is installed here, but for some distributions.

    Args:
        folder: Where to make it.
        without: Names of distributions that are left out.
        versions: For a distribution, the version that it says it has.
    """

    def __init__(self, folder, without=(), versions=None):
        versions = versions or {}
        self.folder = folder
        self.work = folder / "work"  # where its programs run
        self.work.mkdir(parents=True)
        venv.create(folder / "env", symlinks=True)
        self.python = folder / "env" / "bin" / "python"
        (packages,) = (folder / "env" / "lib").glob("*/site-packages")
        hidden = {top for name in without for top in tops(name)}
        for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
            for entry in os.scandir(place):
                if entry.name not in hidden and not (packages / entry.name).exists():
                    (packages / entry.name).symlink_to(entry.path)
        for name, version in versions.items():
            (metadata,) = (top for top in tops(name) if top.endswith(".dist-info"))
            original = (packages / metadata).resolve()
            (packages / metadata).unlink()
            shutil.copytree(original, packages / metadata)
            file = packages / metadata / "METADATA"
            text = file.read_text(encoding="utf-8")
            file.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", text, count=1))

    def d2lconv(self, *arguments, **variables):
        """Run the command there."""
        return self._run("-m", "d2lconv", *arguments, **variables)

    def python_runs(self, code, *arguments):
        """Run a program there."""
        return self._run("-c", code, *arguments)

    def _run(self, *arguments, **variables):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.work,
            env={**environment, "NO_COLOR": "1", **variables},
            capture_output=True,
            text=True,
            timeout=300,
        )


def examine(environment, name, **variables):
    """What the doctor says of one backend, and with which status."""
    done = environment.d2lconv("doctor", "-b", name, "--json", **variables)
    assert told(done.stderr) == ""
    (found,) = json.loads(done.stdout)
    return done.returncode, found


def main_distribution(name):
    """The distribution that brings a backend's framework."""
    manifest, _ = registry.manifests()[name]
    return manifest.distribution or manifest.modules[0]


def tops(name):
    """What a distribution has at the top of the folder of packages."""
    found = distribution(name)
    parts = {file.parts[0] for file in found.files or () if len(file.parts) > 1}
    modules = {str(file) for file in found.files or () if len(file.parts) == 1}
    return {part for part in parts | modules if part not in ("..", "__pycache__")}


def without_privileges():
    """Let permissions hold for root too, in a child of the tests before its program starts."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: 24 is PR_CAPBSET_DROP
        libc.prctl(24, capability, 0, 0, 0)


def read_only(folder):
    """A folder that takes no new files."""
    folder.mkdir()
    folder.chmod(0o500)
    return folder


def pty(command, columns, **variables):
    """Run a command in a terminal of its own, and give its status and what it wrote."""
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "TERM")}
    child = subprocess.Popen(
        [sys.executable, "-m", "d2lconv", *command],
        stdin=theirs, stdout=theirs, stderr=theirs,
        env={**environment, "TERM": "xterm-256color", **variables},
    )  # fmt: skip
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # so Linux says that the other side is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    return child.wait(timeout=60), written.decode()

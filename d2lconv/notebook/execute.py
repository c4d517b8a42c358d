"""Running a notebook, and leaving nothing in it that changes by itself."""

import atexit
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from d2lconv.core import registry
from d2lconv.errors import D2LConvError
from d2lconv.extras import needed

with needed("notebooks"):
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from nbformat import NotebookNode

SECONDS = 300


class NotebookFailed(D2LConvError):
    """A cell of a notebook raised an error, or the kernel died."""


class _Here(KernelSpecManager):
    """One kernel, on this very Python, whatever kernels the user has besides."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


def execute(notebook: NotebookNode, done: Callable[[], None] = lambda: None) -> None:
    """Run a notebook's cells in a kernel of its own, and put their outputs into it.

    What is written to stderr is left out: frameworks tell there about the machine.

    Args:
        notebook: The notebook; its outputs are replaced.
        done: Called after each cell of code.

    Raises:
        NotebookFailed: A cell raised an error, or the kernel died.
    """
    before = notebook.metadata.copy()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        manager = AsyncKernelManager(
            kernel_spec_manager=_Here(), kernel_name="python3", **_transport(folder)
        )
        client = NotebookClient(
            notebook,
            km=manager,
            shutdown_kernel="immediate",
            timeout=SECONDS,
            coalesce_streams=True,
            record_timing=False,
            on_cell_executed=lambda **_: done(),
            resources={"metadata": {"path": folder}},
        )
        try:
            _run(client, manager, env=_environment(folder), stdout=log, stderr=log)
        except CellExecutionError as error:
            raise NotebookFailed(f"a cell raised {error.ename}: {error.evalue}") from None
        except (DeadKernelError, TimeoutError, RuntimeError) as error:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise NotebookFailed(
                f"the kernel died or hung ({type(error).__name__}){': ' if said else ''}{said}"
            ) from error
    notebook.metadata = before
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [kept for output in cell.outputs if (kept := _kept(output))]


def _run(client: NotebookClient, manager: AsyncKernelManager, **options: Any) -> None:
    """Run a notebook, and end its kernel whatever happens.

    In a thread, because in the main one nbclient takes over the signals that ask for an end, and
    then reports a dead kernel. So they arrive here, as a KeyboardInterrupt.
    """
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(client.execute, cleanup_kc=True, **options)
        try:
            running.result()
        finally:
            while not running.done():  # we were interrupted, perhaps before the kernel was there
                process = getattr(manager.provisioner, "process", None)
                if process is not None:
                    process.kill()
                wait([running], timeout=0.2)
            atexit.unregister(client._cleanup_kernel)  # it would look for a kernel, and fail


def _transport(folder: str) -> dict[str, str]:
    """How to talk to the kernel: by files where there are such, which nobody else can listen to."""
    return {"transport": "ipc", "ip": f"{folder}/kernel"} if os.name == "posix" else {}


def _kept(output: Any) -> Any:
    """An output as it is kept, or None."""
    if output.output_type == "stream" and output.name == "stderr":
        return None
    data = output.get("data", {})
    if data.pop("application/vnd.jupyter.widget-view+json", None) and "image/png" not in data:
        return None  # it is alive only where it is run, and has another name each time
    if "image/png" in data:
        data["image/png"] = data["image/png"].replace("\n", "")
    if "text/html" in data or "image/png" in data:
        data.pop("text/plain", None)  # says only what kind of object it was
    return output


def _environment(folder: str) -> dict[str, str]:
    """The kernel's environment: this one, without what would show in the notebook."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("D2LCONV")}
    kept.update(IPYTHONDIR=folder, MPLBACKEND="agg", NO_COLOR="1", PYTHONHASHSEED="0")
    for manifest, _ in registry.manifests().values():
        kept.update(dict(manifest.quiet))
    return kept

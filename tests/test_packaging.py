"""What is shipped: the wheel and the sdist, built from the checkout, carry every backend."""

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BACKENDS = ("numpy", "torch", "tf", "mxnet", "jax")
PARTS = (
    "__init__.py",
    "ops.py",
    "layers.py",
    "learning.py",
    "exercises.py",
    "timing.py",
    "py.typed",
)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The sdist of the checkout, and the wheel that is built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def test_the_wheel_carries_every_backend(built):
    with zipfile.ZipFile(built[1]) as archive:
        names = set(archive.namelist())
    for backend in BACKENDS:
        assert {f"d2lconv_{backend}/{part}" for part in PARTS} <= names
    assert {"d2lconv/py.typed", "d2lconv/published.json", "d2lconv_mxnet/numpy_view.py"} <= names
    assert "d2lconv/photographs.npz" in names
    parts = [path for folder in ("widgets", "notebook", "notebook/reveal")
             for path in (ROOT / "d2lconv" / folder).iterdir() if path.is_file()]  # fmt: skip
    assert {"window.js", "slides.html.j2", "reveal.js", "LICENSE"} <= {path.name for path in parts}
    assert {path.relative_to(ROOT).as_posix() for path in parts} <= names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"d2lconv", "d2lconv-0.1.0.dist-info", *(f"d2lconv_{b}" for b in BACKENDS)}
    for licence in ("LICENSE", "d2lconv/notebook/reveal/LICENSE"):
        assert f"d2lconv-0.1.0.dist-info/licenses/{licence}" in names


def test_the_sdist_carries_every_backend_and_the_tests(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for backend in BACKENDS:
        assert {f"backends/{backend}/d2lconv_{backend}/{part}" for part in PARTS} <= names
    assert {"LICENSE", "README.md", "constraints.txt", "tox.ini", "tests/conftest.py"} <= names


def test_the_installed_wheel_knows_and_runs_every_backend_it_can(built, tmp_path):
    """Installed alone in a new environment, beside the dependencies of this one."""
    venv.create(tmp_path / "env", with_pip=False)
    (site,) = (tmp_path / "env").glob("lib/python*/site-packages")
    with zipfile.ZipFile(built[1]) as archive:
        archive.extractall(site)
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(here))
    code = """
import d2lconv as dc, d2lconv_torch
print([b.name for b in dc.backends()], dc.__file__, d2lconv_torch.__file__)
assert dc.corr2d([[1, 2]], [[1, 1]]).tolist() == [[3]]
"""
    python = tmp_path / "env" / "bin" / "python"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "['numpy', 'jax', 'mxnet', 'torch', 'tf']" in done.stdout
    assert done.stdout.count(str(site)) == 2


def test_no_package_hides_a_framework():
    """No __init__.py in backends/ or backends/<fw>/: pytest would import our folder as torch."""
    for folder in [ROOT / "backends", *(ROOT / "backends").iterdir()]:
        assert not (folder / "__init__.py").exists()
        assert not list(folder.glob("test_*"))

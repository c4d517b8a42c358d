"""What is shipped: the wheel and the sdist, built from the checkout, carry every backend."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import d2lconv as dc

pytestmark = pytest.mark.slow(reason="it builds the sdist and the wheel, and installs them")

ROOT = Path(__file__).parent.parent
BACKENDS = ("numpy", "torch", "tf", "mxnet", "jax")
PARTS = (
    "__init__.py",
    "scratch.py",
    "tensors.py",
    "autodiff.py",
    "exact.py",
    "methods.py",
    "layers.py",
    "learning.py",
    "networks.py",
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
    assert {"d2lconv/photographs.npz", "d2lconv/digits.npz", "d2lconv/digits.LICENSE"} <= names
    folders = (
        "widgets",
        "notebook",
        *(f"notebook/{one}" for one in ("reveal", "minisearch", "reference")),
    )
    parts = [
        path for one in folders for path in (ROOT / "d2lconv" / one).iterdir() if path.is_file()
    ]
    wanted = {"window.js", "slides.html.j2", "reveal.js", "minisearch.js", "custom.css", "LICENSE"}
    assert wanted <= {path.name for path in parts}
    assert {path.relative_to(ROOT).as_posix() for path in parts} <= names
    tops = {name.partition("/")[0] for name in names}
    about = f"d2lconv-{dc.__version__}.dist-info"
    assert tops == {"d2lconv", about, *(f"d2lconv_{b}" for b in BACKENDS)}
    licences = ("LICENSE", "d2lconv/digits.LICENSE")
    for licence in (
        *licences,
        *(f"d2lconv/notebook/{one}/LICENSE" for one in ("reveal", "minisearch")),
    ):
        assert f"{about}/licenses/{licence}" in names


def test_the_sdist_carries_every_backend_and_the_tests(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for backend in BACKENDS:
        assert {f"backends/{backend}/d2lconv_{backend}/{part}" for part in PARTS} <= names
    assert {
        "LICENSE",
        "README.md",
        "CITATION.cff",
        "constraints.txt",
        "tox.ini",
        "tests/conftest.py",
    } <= names


def test_what_is_built_installs_and_runs_every_backend_it_can(built, tmp_path):
    """Made from the sdist, installed alone in a new environment, beside this one's dependencies."""
    venv.create(tmp_path / "env", with_pip=False)
    (site,) = (tmp_path / "env").glob("lib/python*/site-packages")
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(here))
    python, command = (tmp_path / "env" / "bin" / name for name in ("python", "d2lconv"))

    def run(*arguments):
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(
            arguments, capture_output=True, text=True, cwd=tmp_path, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    options = ("--no-deps", "--ignore-installed", "--no-compile")
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", *options, built[1])
    code = """
import d2lconv as dc, d2lconv_torch
print([b.name for b in dc.backends()], dc.__file__, d2lconv_torch.__file__)
assert dc.corr2d([[1, 2]], [[1, 1]]).tolist() == [[3]]
"""
    said = run(python, "-c", code)
    assert "['numpy', 'jax', 'mxnet', 'torch', 'tf']" in said
    assert said.count(str(site)) == 2
    assert run(command, "--version") == f"d2lconv {dc.__version__}\n"


def test_no_package_hides_a_framework():
    """No __init__.py in backends/ or backends/<fw>/: pytest would import our folder as torch."""
    for folder in [ROOT / "backends", *(ROOT / "backends").iterdir()]:
        assert not (folder / "__init__.py").exists()
        assert not list(folder.glob("test_*"))

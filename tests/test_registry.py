"""Backends are found by entry points; a missing or broken framework is told, not tripped over."""

import pytest
from children import python, write
from chosen import demand

import d2lconv as dc
from d2lconv.core import registry

FRAMEWORKS = ("torch", "tensorflow", "keras", "mxnet", "jax", "jaxlib", "flax")

# A sixth framework, with a tensor type of its own, and a backend for it: a manifest, its
# modules, and an entry point in the metadata of a distribution. Nothing in the core.
TOY = {
    "toyframe.py": """
import numpy

class Tensor(numpy.ndarray):
    pass
""",
    "d2lconv_toy/__init__.py": """
from d2lconv.core.manifest import Manifest

manifest = Manifest(
    "toy", "ToyFrame", ("toyframe",), aliases=("toyframe",), type_roots=("toyframe",)
)
""",
    "d2lconv_toy/tensors.py": """
import numpy
from toyframe import Tensor
from d2lconv.core.data import to_array
from d2lconv_numpy import tensors

def toy(array): return numpy.asarray(array).view(Tensor)
def plain(t): return numpy.asarray(t) if isinstance(t, Tensor) else t
def wrapped(function): return lambda *args: toy(function(*map(plain, args)))
def tensor(data, dtype=None): return toy(to_array(plain(data), dtype))
def to_numpy(t): return to_array(plain(t))
def dtype_name(t): return t.dtype.name
def shape(t): return t.shape
def unusable(t): return None
def has_values(t): return True
def ready(*tensors): return False
def compiling(): return False
def cast(t, dtype): return t.astype(dtype)
def reshape(t, shape): return t.reshape(shape)
transpose, flip, integers = map(wrapped, (tensors.transpose, tensors.flip, tensors.integers))
""",
    "d2lconv_toy/autodiff.py": """
from d2lconv_numpy.autodiff import differentiable, vjp
""",
    "d2lconv_toy/methods.py": """
import numpy
from d2lconv.core.derivatives import Bilinear
from d2lconv_numpy import methods
from d2lconv_toy.tensors import plain, toy, wrapped

by_numpy = methods.METHODS["exact"]
def corr2d(X, K, geometry):
    return toy(by_numpy.corr2d(plain(X), plain(K), geometry))
def any_method(name):
    if name == "exact":
        return Bilinear(corr2d, *map(wrapped, (by_numpy.image_gradient, by_numpy.kernel_gradient)))
    method = methods.METHODS[name]
    return Bilinear(*map(wrapped, (method.corr2d, method.image_gradient, method.kernel_gradient)))
METHODS = {name: any_method(name) for name in methods.METHODS}
POOLS = {
    method: {mode: wrapped(pool) for mode, pool in pools.items()}
    for method, pools in methods.POOLS.items()
}
PIECES = {name: wrapped(piece) for name, piece in methods.PIECES.items()}
add_bias, windows, toeplitz = map(wrapped, (methods.add_bias, methods.windows, methods.toeplitz))
compiled = methods.compiled
""",
    "d2lconv_toy/layers.py": """
from d2lconv.core import operations
from d2lconv.core.parameters import convolution
from d2lconv.core.registry import load
from d2lconv_toy.tensors import tensor

class Conv2D:
    def __init__(self, kernel_size, **options):
        self.made = convolution(kernel_size, **options)
        self.weight, self.bias = tensor(self.made.weight), self.made.bias
    def __call__(self, X):
        bias = None if self.bias is None else tensor(self.bias)
        made = self.made
        return operations.layer(load("toy"), X, self.weight, bias, made.options, made.method)

def Pool2D(size, **options):
    return lambda X: operations.pool2d(load("toy"), X, size, **options)
""",
    "d2lconv_toy/learning.py": """
from d2lconv_numpy import learning
from d2lconv_toy.tensors import plain, toy

LAYERS = learning.LAYERS

def learn_kernel(X, Y, initial, **options):
    return toy(learning.learn_kernel(plain(X), plain(Y), initial, **options))
""",
    "d2lconv_toy-1.0.dist-info/METADATA": """\
Metadata-Version: 2.1
Name: d2lconv-toy
Version: 1.0
""",
    "d2lconv_toy-1.0.dist-info/entry_points.txt": """\
[d2lconv.backends]
toy = d2lconv_toy:manifest
""",
    "toyframe-3.1.dist-info/METADATA": """\
Metadata-Version: 2.1
Name: toyframe
Version: 3.1
""",
}


def test_a_sixth_backend_serves_the_api_through_its_entry_point_alone(tmp_path):
    python(
        """
import d2lconv as dc
from d2lconv import toy as d2l
import toyframe

(status,) = [b for b in dc.backends() if b.name == "toy"]
assert (status.framework, status.installed, status.version) == ("ToyFrame", True, "3.1"), status
Y = d2l.corr2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])
assert type(Y) is toyframe.Tensor and Y.tolist() == [[19, 25], [37, 43]]
assert type(dc.conv2d(Y, [[1]])) is toyframe.Tensor          # native tensors decide
with dc.backend("toyframe"):                                 # by its alias
    X = dc.edge_image()
    assert type(X) is toyframe.Tensor
    assert type(dc.transpose(X)) is toyframe.Tensor
    learned = dc.learn_kernel(X, dc.corr2d(X, [[1, -1]]), (1, 2))
    assert learned.backend == "toy" and type(learned.kernel) is toyframe.Tensor
    assert dc.Conv2D((1, 2), bias=1)(X).shape == (6, 7)
    Y = dc.to_numpy(dc.corr2d(X, [[1, -1]]))
assert learned.losses == dc.learn_kernel(dc.to_numpy(X), Y, (1, 2)).losses
try:
    dc.corr2d([[1, 2]], [[1, 2, 3]])
except dc.ShapeError:
    pass
""",
        path=write(tmp_path, TOY),
    )


@pytest.mark.together
def test_listing_backends_imports_no_framework_and_tells_what_is_there():
    statuses = {status.name: status for status in dc.backends()}
    assert list(statuses) == ["numpy", "jax", "mxnet", "torch", "tf"]
    assert statuses["numpy"].installed
    assert statuses["numpy"].version
    assert statuses["tf"].framework == "TensorFlow"
    assert statuses["tf"].aliases == ("tensorflow", "keras")
    assert statuses["torch"].install == 'pip install "d2lconv[torch]"'
    for status in statuses.values():
        assert status.installed == (status.problem is None)
        assert status.installed == (status.version is not None)


def test_a_missing_framework_is_reported_with_the_command_that_installs_it(tmp_path):
    files = dict(TOY)
    del files["toyframe.py"]
    python(
        """
import d2lconv as dc
(status,) = [b for b in dc.backends() if b.name == "toy"]
assert not status.installed and status.version is None
assert status.problem == "ToyFrame is not installed: there is no module toyframe.", status.problem
assert status.install == "pip install toyframe"

def refuses(call):
    try:
        call()
    except dc.BackendNotInstalled as error:
        assert isinstance(error, ImportError) and isinstance(error, dc.D2LConvError)
        assert "ToyFrame is not installed" in str(error) and "pip install toyframe" in str(error)
    else:
        raise AssertionError(call)

refuses(lambda: dc.use("toy"))
refuses(lambda: dc.backend("toy").__enter__())
refuses(lambda: dc.toy)
assert dc.current_backend() == "numpy"
""",
        path=write(tmp_path, files),
    )


def test_a_folder_with_the_frameworks_name_is_no_framework(tmp_path):
    files = dict(TOY)
    del files["toyframe.py"]
    files["toyframe/readme.txt"] = "not a package"
    python(
        """
import d2lconv as dc
(status,) = [b for b in dc.backends() if b.name == "toy"]
assert not status.installed
""",
        path=write(tmp_path, files),
    )


def test_the_variable_with_a_missing_framework_is_an_error_at_the_first_call(tmp_path):
    files = dict(TOY)
    del files["toyframe.py"]
    child = python(
        "import d2lconv as dc; print(dc.current_backend()); dc.corr2d([[1]], [[1]])",
        path=write(tmp_path, files),
        check=False,
        D2LCONV_BACKEND="toy",
    )
    assert child.stdout == "toy\n"
    assert "BackendNotInstalled: ToyFrame is not installed" in child.stderr


@pytest.mark.parametrize("name", ["torch", "jax", "mxnet", "tf"])
def test_an_installed_but_broken_framework_is_reported_with_its_reason(tmp_path, name):
    """A package of that name which raises on import, in front of the real one if there is one."""
    modules = {"tf": ("tensorflow", "keras"), "jax": ("jax", "flax")}.get(name, (name,))
    files = {f"{m}/__init__.py": "raise RuntimeError('libcudnn.so is missing')\n" for m in modules}
    python(
        f"""
import d2lconv as dc
(status,) = [b for b in dc.backends() if b.name == {name!r}]
assert status.installed and status.problem is None

def refuses(call):
    try:
        call()
    except dc.BackendBroken as error:
        assert isinstance(error, ImportError) and isinstance(error, dc.D2LConvError)
        message = str(error)
        assert "is installed, but does not import: RuntimeError: libcudnn.so is missing" in message
        assert 'pip install "d2lconv[{name}]"' in message and "d2lconv doctor" in message, message
        assert isinstance(error.__cause__, RuntimeError)
    else:
        raise AssertionError(call)

refuses(lambda: dc.use({name!r}))
refuses(lambda: dc.backend({name!r}).__enter__())     # again, and with the first reason
refuses(lambda: dc.{name})
(status,) = [b for b in dc.backends() if b.name == {name!r}]
assert status.problem == "importing it raised RuntimeError: libcudnn.so is missing", status.problem
assert dc.current_backend() == "numpy"
assert dc.corr2d([[2]], [[3]]).tolist() == [[6]]      # nothing else is harmed
""",
        path=write(tmp_path, files),
    )


def test_a_broken_package_does_not_take_the_others_along(tmp_path):
    files = {**TOY, "d2lconv_toy/__init__.py": "raise ValueError('half installed')\n"}
    child = python(
        "import d2lconv as dc; print([b.name for b in dc.backends()])",
        path=write(tmp_path, files),
    )
    assert "'numpy'" in child.stdout
    assert "toy" not in child.stdout
    assert "the backend 'toy' is left out: d2lconv_toy:manifest raised ValueError" in child.stderr


@pytest.mark.together
def test_keras_on_another_backend_is_reported(tmp_path):
    demand("tf")
    demand("jax")
    child = python("import d2lconv as dc; dc.use('tf')", check=False, KERAS_BACKEND="jax")
    assert "Keras runs on 'jax' here" in child.stderr
    assert "KERAS_BACKEND=tensorflow" in child.stderr


# Laziness.

HEAVY = f"""
import sys
heavy = [name for name in {FRAMEWORKS!r} if name in sys.modules]
assert not heavy, f"imported: {{heavy}}"
"""


@pytest.mark.together
def test_importing_and_using_numpy_imports_no_framework():
    python(
        """
import d2lconv as dc
dc.backends()
dc.use("numpy")
X = dc.edge_image()
dc.learn_kernel(X, dc.corr2d(X, [[1, -1]]), (1, 2))
import d2lconv.cli.app, d2lconv.published, d2lconv.cli.steps, d2lconv.parity
"""
        + HEAVY
    )


def test_the_test_of_laziness_can_fail(tmp_path):
    folder = write(tmp_path, {"jax.py": ""})
    child = python("import d2lconv, jax" + HEAVY, path=folder, check=False)
    assert child.returncode == 1
    assert "imported: ['jax']" in child.stderr


@pytest.mark.together
def test_one_backend_imports_its_own_framework_alone(framework):
    own = {"tf": {"tensorflow", "keras"}, "jax": {"jax", "jaxlib", "flax"}}.get(
        framework, {framework}
    )
    others = [name for name in FRAMEWORKS if name not in own]
    if framework == "tf":
        others.remove("jax")  # TensorFlow's own lite converter looks for it
        others.remove("jaxlib")
    python(f"""
import sys
from d2lconv import {framework} as d2l
X = d2l.edge_image()
d2l.learn_kernel(X, d2l.corr2d(X, [[1, -1]]), (1, 2), epochs=1)
found = [name for name in {others!r} if name in sys.modules]
assert not found, found
""")


def test_every_name_and_alias_is_one_backends_own():
    names = [
        name
        for manifest, _ in registry.manifests().values()
        for name in (manifest.name, *manifest.aliases)
    ]
    assert len(names) == len(set(names))

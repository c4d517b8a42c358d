"""The five backends are one contract five times: the same files, functions, order, signatures."""

import ast
import importlib.util
import inspect
from pathlib import Path

import pytest
from chosen import STATUS

from d2lconv.core import protocols, registry

PARTS = {
    "tensors": protocols.Tensors,
    "autodiff": protocols.Autodiff,
    "methods": protocols.Methods,
    "layers": protocols.Layers,
    "learning": protocols.Learning,
}
FILES = (*PARTS, "scratch", "exact", "rounded", "networks", "native_layers")
FILES += ("exercises", "timing")
# Only what a framework forces on top of the contract.
EXTRA_FILES = {
    "torch": {"conventions.py", "operators.py", "private.py"},
    "tf": {"conventions.py", "private.py", "programs.py"},
    "mxnet": {"conventions.py", "numpy_view.py", "private.py", "process.py"},
    "jax": {"conventions.py", "private.py", "runtime.py"},
}


def source(name, part):
    """The file of a backend's module; the framework need not be there."""
    _, package = registry.manifests()[name]
    folder = Path(importlib.util.find_spec(package).origin).parent
    return folder if part is None else folder / f"{part}.py"


def public(protocol):
    return {
        name: f for name, f in vars(protocol).items() if inspect.isfunction(f) and name[0] != "_"
    }


def names_in(path):
    """The public functions and classes of a file, in order."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, kinds) and node.name[0] != "_"]


@pytest.mark.parametrize("name", STATUS)
def test_every_backend_has_the_same_files(name):
    expected = {"__init__.py", "py.typed", *(f"{part}.py" for part in FILES)}
    found = {path.name for path in source(name, None).iterdir() if path.is_file()}
    assert found == expected | EXTRA_FILES.get(name, set())


def order(expected, found):
    """Which of the expected names are there, in the order in which they are."""
    return [name for name in found if name in expected]


@pytest.mark.parametrize("part", FILES)
@pytest.mark.parametrize("name", STATUS)
def test_every_backend_has_the_same_functions_in_the_same_order(name, part):
    """Those of NumPy's; a framework may force more."""
    expected = names_in(source("numpy", part))
    if part == "scratch" and name != "numpy":
        expected.remove("kernel_gradient")  # the frameworks differentiate by themselves
    if part == "learning":
        expected = ["learn_kernel"]
    if part == "exact":
        expected = [n for n in expected if n not in SHARED]
    assert order(expected, names_in(source(name, part))) == expected


# What NumPy's exact form takes from the contract, or what frameworks have by other means.
SHARED = {"stack"}


@pytest.mark.parametrize("name", STATUS)
def test_shift_and_add_and_what_stands_on_it_is_one_text_for_all(name):
    for function in ("shift_and_add", "corr2d_multi_in"):
        text = function_text("numpy", function)
        assert function_text(name, function) == text


def function_text(name, function):
    """A function of a backend's scratch.py, without its annotations."""
    tree = ast.parse(source(name, "scratch").read_text(encoding="utf-8"))
    (node,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function)
    return ast.unparse(node)


@pytest.mark.parametrize("part", PARTS)
def test_every_backend_has_the_signatures_of_the_contract(backend, part):
    module = getattr(registry.load(backend), part)
    for name, promised in public(PARTS[part]).items():
        _, *expected = inspect.signature(promised).parameters.values()  # without self
        found = inspect.signature(getattr(module, name)).parameters
        for parameter in expected:
            assert parameter.name in found, f"{name} lacks {parameter.name}"
            actual = found[parameter.name]
            assert (actual.kind, actual.default) == (parameter.kind, parameter.default), name
        for extra in list(found.values())[len(expected) :]:  # what a native layer takes besides
            assert part == "layers"
            assert extra.kind is extra.VAR_KEYWORD or extra.default is not extra.empty


def test_the_check_of_signatures_can_fail():
    expected = names_in(source("numpy", "tensors"))
    found = names_in(source("torch", "tensors"))
    assert order(expected, found) == expected
    assert order(expected, found[1:]) != expected
    assert order(expected, [found[1], found[0], *found[2:]]) != expected


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", STATUS)
def test_every_public_function_has_a_docstring(name, part):
    tree = ast.parse(source(name, part).read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_":
            assert ast.get_docstring(node), node.name


NAMES = ("tensor", "transpose", "corr2d", "conv2d", "pool2d", "explain", "im2col", "toeplitz")
NAMES += (
    "dense",
    "sigmoid",
    "tanh",
    "relu",
    "cross_entropy",
    "learn_kernel",
    "edge_image",
)  # of layers see above: they take what is native besides


def test_the_bound_api_takes_what_the_neutral_api_takes(d2l):
    import d2lconv as dc

    for name in NAMES:
        ours = inspect.signature(getattr(dc, name)).parameters.values()
        theirs = inspect.signature(getattr(d2l, name)).parameters.values()
        assert [(p.name, p.kind, p.default) for p in ours] == [
            (p.name, p.kind, p.default) for p in theirs
        ], name


def test_the_core_names_no_framework_in_its_code():
    """Not in an identifier, and not in a string that is not prose."""
    core = Path(importlib.util.find_spec("d2lconv").origin).parent
    frameworks = {"torch", "tensorflow", "tf", "mxnet", "jax", "flax", "keras", "gluon"}
    for path in core.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            words = set()
            if isinstance(node, ast.Name):
                words = {node.id}
            elif isinstance(node, ast.Attribute):
                words = {node.attr}
            elif isinstance(node, ast.alias):
                words = set(node.name.split("."))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = {node.value}
            assert not words & frameworks, f"{path}:{node.lineno}"

"""The core needs NumPy and nothing else, and its modules import each other without a circle."""

import ast
import importlib.util
from pathlib import Path

import pytest
from children import python

CORE = Path(importlib.util.find_spec("d2lconv").origin).parent
LIBRARIES = ("execnet", "jinja2", "packaging", "pyperf", "rich", "typer")
WITHOUT = f"import sys\nsys.modules.update(dict.fromkeys({LIBRARIES!r}))\n"  # as if not installed


def test_the_core_needs_numpy_alone():
    python(
        WITHOUT
        + """
import numpy as np
import d2lconv as dc

X = dc.edge_image()
Y = dc.corr2d(X, [[1, -1]])
assert dc.parity.compare(Y, Y).verdict == "identical"
assert dc.learn_kernel(X, Y, (1, 2)).losses[0] > 1
assert dc.Conv2D((3, 3), in_channels=1, out_channels=2)(np.ones((1, 1, 5, 5))).shape == (1, 2, 3, 3)
assert dc.check("2b", [[1, -2, 1]]).right
"""
    )


@pytest.mark.parametrize(
    "code",
    [
        "from d2lconv.cli import main; sys.argv = ['d2lconv', 'run']; main()",
        "import d2lconv as dc; dc.parity.run(['numpy'], ['lesson'])",
        "import d2lconv.bench.report",
        "import d2lconv.parity.page",
    ],
)
def test_what_needs_more_says_which_extra(code):
    python(
        WITHOUT
        + f"""
import contextlib, io
said = io.StringIO()
try:
    with contextlib.redirect_stderr(said):
        {code}
except SystemExit as end:
    assert end.code == 2
except ImportError as error:
    said.write(str(error))
assert 'pip install "d2lconv[cli]"' in said.getvalue(), said.getvalue()
"""
    )


def imports(lazy=True):
    """Which module of the core imports which, inside functions too."""
    paths = {}
    for path in CORE.rglob("*.py"):
        parts = path.relative_to(CORE.parent).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found = {}
    for name, path in paths.items():
        needed = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                full = {f"{node.module}.{alias.name}" for alias in node.names}
                needed |= {module if module in paths else node.module for module in full}
            elif isinstance(node, ast.Import):
                needed |= {alias.name for alias in node.names}
        found[name] = (needed & set(paths)) - {name}
    return found


def circle(graph):
    """Modules that need each other in a circle; empty if none do."""
    left = dict(graph)
    while True:
        free = [name for name, needed in left.items() if not needed & set(left)]
        if not free:
            return set(left) - {n for n in left if not any(n in needed for needed in left.values())}
        for name in free:
            del left[name]


def test_no_modules_import_each_other_in_a_circle():
    assert not circle(imports())


def test_the_check_finds_a_circle():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == {"b", "c"}
    assert not circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def test_choosing_a_backend_needs_no_rules_of_data_and_the_other_way_round():
    graph = imports()

    def reach(name, seen):
        for other in graph[name] - seen:
            seen.add(other)
            reach(other, seen)
        return seen

    assert "d2lconv.core.data" not in reach("d2lconv.core.selection", set())
    assert "d2lconv.core.selection" not in reach("d2lconv.core.data", set())

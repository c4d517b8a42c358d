"""The backends' own code, to be put into a notebook: read, not imported."""

import ast
import builtins
import importlib.util
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from d2lconv.core import registry
from d2lconv.errors import ArgumentError

REMARK = re.compile(r"  # (type: ignore|noqa)\S*( - .*)?$", re.MULTILINE)  # for tools, not readers
Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Origin:
    """Where a name of a module comes from: a module's name in it, or an expression."""

    module: str
    name: str

    def binding(self, local: str) -> str:
        """The statement that binds the name."""
        if self.module == "=":
            return f"{local} = {self.name}"
        alias = "" if local == self.name else f" as {local}"
        if not self.name:
            alias = "" if local == self.module else f" as {local}"
            return f"import {self.module}{alias}"
        return f"from {self.module} import {self.name}{alias}"


class Module:
    """One file of a backend."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)

    @cached_property
    def names(self) -> dict[str, ast.stmt]:
        """The statements that bind the module's names."""
        found: dict[str, ast.stmt] = {}
        for node in self.tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found.update({alias.asname or alias.name: node for alias in node.names})
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found[node.name] = node
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found[node.targets[0].id] = node
        return found

    def definition(self, name: str) -> Definition:
        """A function or class of the module."""
        node = self.names.get(name)
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            raise ArgumentError(f"{self.name} defines no function or class {name!r}.")
        return node

    def source(self, name: str) -> str:
        """The text of a function or class, decorators included."""
        node = self.definition(name)
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        lines = self.text.splitlines()[first - 1 : node.end_lineno]
        return REMARK.sub("", "\n".join(lines))

    def used(self, name: str) -> Iterator[str]:
        """The module's names that a function or class uses, in the order of first use."""
        node = self.definition(name)
        words = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
        for word in dict.fromkeys(words):
            if word in self.names and word != name and not hasattr(builtins, word):
                yield word


class Library:
    """The files of one backend.

    Args:
        name: The backend's name.
        folder: Where its files are; None is where they would be imported from.
    """

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self.manifest, self.package = registry.manifests()[name]
        if folder is None:
            spec = importlib.util.find_spec(self.package)
            assert spec is not None
            assert spec.origin is not None
            folder = Path(spec.origin).parent
        self.folder = folder
        self._modules: dict[str, Module] = {}

    def module(self, part: str) -> Module:
        """One of the backend's modules, such as "scratch"."""
        if part not in self._modules:
            path = self.folder / f"{part}.py"
            if not path.is_file():
                raise ArgumentError(f"{self.package} has no module {part!r}.")
            self._modules[part] = Module(f"{self.package}.{part}", path)
        return self._modules[part]

    def find(self, path: str) -> tuple[Module, str]:
        """The module and the name that a path such as "scratch.corr2d" means."""
        part, _, name = path.partition(".")
        return self.module(part), name

    def origin(self, module: Module, name: str) -> Origin:
        """Where a name of a module comes from, looked up through the backend's other modules."""
        node = module.names[name]
        if isinstance(node, ast.Import):
            (alias,) = (a for a in node.names if (a.asname or a.name) == name)
            return Origin(alias.name, "")
        if isinstance(node, ast.ImportFrom):
            (alias,) = (a for a in node.names if (a.asname or a.name) == name)
            package, _, part = (node.module or "").rpartition(".")
            if package == self.package and alias.name in self.module(part).names:
                return self.origin(self.module(part), alias.name)
            return Origin(node.module or "", alias.name)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            return Origin("=", node.value.id)
        return Origin(module.name, name)

    @cached_property
    def digest(self) -> str:
        """A fingerprint of all the backend's files."""
        digest = sha256()
        for path in sorted(self.folder.glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_text(encoding="utf-8").encode())
        return digest.hexdigest()[:16]


@dataclass
class Inliner:
    """Writes a backend's code into the cells of one notebook, each name once.

    Attributes:
        library: The backend.
        known: What earlier cells have bound.
    """

    library: Library
    known: dict[str, Origin] = field(default_factory=dict)

    def inline(self, paths: Sequence[str]) -> str:
        """The code of functions and classes, after the imports that it needs."""
        wanted = [self.library.find(path) for path in paths]
        own = {name: Origin(module.name, name) for module, name in wanted}
        needed: dict[str, Origin] = {}
        for module, name in wanted:
            for word in module.used(name):
                self._need(module, word, needed, own)
        self.known.update(needed | own)
        head = _bindings(needed)
        code = "\n\n".join(module.source(name) for module, name in wanted)
        return f"{head}\n\n{code}" if head else code

    def _need(
        self, module: Module, word: str, needed: dict[str, Origin], own: dict[str, Origin]
    ) -> None:
        origin = self.library.origin(module, word)
        if own.get(word) == origin or self.known.get(word) == origin:
            return
        if word in self.known or word in own or needed.get(word, origin) != origin:
            raise ArgumentError(
                f"{module.name} needs {word} from {origin}, but an earlier cell of the notebook "
                "calls something else so."
            )
        if origin.module == "=" and origin.name in module.names:
            self._need(module, origin.name, needed, own)
        needed[word] = origin


@dataclass
class Imports:
    """The imports of a notebook's cells, lifted out of them, to stand once at its beginning.

    Attributes:
        found: What they bind.
    """

    found: dict[str, Origin] = field(default_factory=dict)

    def lift(self, code: str) -> str:
        """The code without its imports; one that gives a known name to something else stays."""
        tree = ast.parse(re.sub("^%", "#", code, flags=re.MULTILINE))  # IPython's own lines
        lines: list[str | None] = [*code.split("\n")]
        for node in tree.body:
            if isinstance(node, ast.Import):
                bound = {a.asname or a.name: Origin(a.name, "") for a in node.names}
            elif isinstance(node, ast.ImportFrom):
                bound = {a.asname or a.name: Origin(node.module or "", a.name) for a in node.names}
            else:
                continue
            if all(self.found.setdefault(name, it) == it for name, it in bound.items()):
                last = node.end_lineno or node.lineno
                lines[node.lineno - 1 : last] = [None] * (last - node.lineno + 1)
        return "\n".join(line for line in lines if line is not None).strip("\n")

    @property
    def code(self) -> str:
        """The statements."""
        return _bindings(self.found)


def _bindings(needed: dict[str, Origin]) -> str:
    """Import statements for names, in the usual order, and below them the names of other names."""
    plain: list[tuple[int, bool, str, str]] = []
    lists: dict[str, list[str]] = {}
    assignments: list[str] = []
    for local, origin in needed.items():
        if origin.module == "=":
            assignments.append(origin.binding(local))
        elif not origin.name:
            plain.append((_rank(origin.module), False, origin.module, origin.binding(local)))
        else:
            _, _, item = origin.binding(local).partition(" import ")
            lists.setdefault(origin.module, []).append(item)
    for module, items in lists.items():
        line = f"from {module} import {', '.join(sorted(items))}"
        if len(line) > 88:
            line = f"from {module} import (\n    " + ",\n    ".join(sorted(items)) + ",\n)"
        plain.append((_rank(module), True, module, line))
    return "\n".join([line for *_, line in sorted(plain)] + assignments)


def _rank(module: str) -> int:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return 0
    return 2 if top.startswith("d2lconv") else 1

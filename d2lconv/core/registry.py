"""The backends that are installed: found by entry points, imported when first used."""

import importlib
import importlib.util
import os
import sys
import threading
import warnings
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from d2lconv.core.checks import suggestion
from d2lconv.core.manifest import Manifest
from d2lconv.errors import (
    ArgumentError,
    BackendBroken,
    BackendNotInstalled,
    ExtraNotInstalled,
    UnknownBackend,
)

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from d2lconv.core.protocols import Autodiff, Layers, Learning, Methods, Tensors

GROUP = "d2lconv.backends"
PARTS = ("tensors", "autodiff", "methods", "layers", "learning")


@dataclass(frozen=True, eq=False)
class Backend:
    """A backend whose framework is imported: its manifest and its modules."""

    manifest: Manifest
    tensors: "Tensors"
    autodiff: "Autodiff"
    methods: "Methods"
    layers: "Layers"
    learning: "Learning"

    @property
    def name(self) -> str:
        return self.manifest.name


@dataclass(frozen=True)
class BackendStatus:
    """What is known of a backend without importing its framework.

    Attributes:
        name: The name to write in ``dc.use(name)``.
        framework: The framework's name as people write it.
        aliases: Other names for the same backend.
        installed: Whether everything that the backend imports is there.
        version: The framework's version, None if it is not installed or does not tell.
        problem: What is in the way, None if nothing is known to be.
        install: The shell command that installs the framework.
    """

    name: str
    framework: str
    aliases: tuple[str, ...]
    installed: bool
    version: str | None
    problem: str | None
    install: str


@cache
def manifests() -> dict[str, tuple[Manifest, str]]:
    """Every announced backend: its manifest and the package that holds its modules.

    NumPy comes first, then the others in the alphabetical order of their frameworks.
    """
    from importlib.metadata import entry_points  # here, because it costs half of our own import

    found: dict[str, tuple[Manifest, str]] = {}
    for entry in entry_points(group=GROUP):
        manifest = _announced(entry)
        if manifest is None:
            continue
        kept, package = found.setdefault(manifest.name, (manifest, entry.module))
        if package != entry.module:
            rivals.setdefault(kept.name, {})[entry.module] = _owner(entry)
            warnings.warn(
                f"two packages offer a backend {kept.name!r}: {package} is used, {entry.module} is "
                f"not; uninstall one of them (pip uninstall {_owner(entry)})",
                stacklevel=2,
            )

    def place(item: tuple[str, tuple[Manifest, str]]) -> tuple[bool, str]:
        return item[0] != "numpy", item[1][0].framework.lower()

    return dict(sorted(found.items(), key=place))


# What was found besides, for those who ask why: packages whose backend's name was taken already,
# with their distributions; and entry points that were left out, with their distributions and why.
rivals: dict[str, dict[str, str]] = {}
left_out: dict[str, tuple[str, str]] = {}
# Entry points that are not to be tried, because they are known to end the process, and how.
deadly: dict[str, str] = {}


def _announced(entry: "EntryPoint") -> Manifest | None:
    """The manifest behind an entry point; None, with a warning, if it is no good."""
    reason = deadly.get(entry.value)
    if reason is None:
        try:
            manifest = entry.load()
        except (Exception, SystemExit) as error:  # broken: it must not take the others along
            reason = f"raised {type(error).__name__}: {error}"
        else:
            if isinstance(manifest, Manifest):
                return manifest
            reason = f"is a {type(manifest).__name__}, and no Manifest"
    left_out[entry.name] = _owner(entry), f"{entry.value} {reason}"
    warnings.warn(f"the backend {entry.name!r} is left out: {entry.value} {reason}", stacklevel=3)
    return None


def _owner(entry: "EntryPoint") -> str:
    """The distribution that an entry point is of."""
    return entry.dist.name if entry.dist is not None else entry.module


def resolve(name: str, where: str = "") -> str:
    """The backend's own name for a name or an alias of it."""
    known = manifests()
    name = name if isinstance(name, str) else repr(name)
    if name in known:
        return name
    aliases = {alias: key for key, (manifest, _) in known.items() for alias in manifest.aliases}
    if name in aliases:
        return aliases[name]
    raise UnknownBackend(
        f"unknown backend {name!r}{where}{suggestion(name.lower(), [*known, *aliases])}"
        f" Known: {', '.join(known) or 'none, because d2lconv itself is not installed by pip'}."
    )


def missing(manifest: Manifest) -> list[str]:
    """The modules that the backend needs and that are not there; imports none of them."""

    def present(module: str) -> bool:
        try:
            spec = importlib.util.find_spec(module)
        except ValueError:  # a module that was put into sys.modules by hand has no spec
            return True
        except ImportError:  # its parent package is not there
            return False
        # A folder of that name on the path is a namespace package, which has no origin.
        return spec is not None and spec.origin is not None

    return [module for module in manifest.modules if not present(module)]


def _not_installed(manifest: Manifest, absent: list[str]) -> str:
    text = f"{manifest.framework} is not installed: there is no module {' and no '.join(absent)}."
    return " ".join(filter(None, [text, manifest.hint]))


_loaded: dict[str, Backend] = {}
_broken: dict[str, BaseException] = {}
_lock = threading.RLock()
_inherited: frozenset[str] = frozenset()  # what was imported when this process was forked


def _forked() -> None:
    global _inherited, _lock
    _inherited = frozenset(sys.modules)
    _lock = threading.RLock()  # another thread may have held it
    _loaded.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_forked)


def load(name: str) -> Backend:
    """The backend of that name (not an alias), with its framework imported.

    Raises:
        BackendNotInstalled: The framework is not there; the message has the command that helps.
        BackendBroken: Importing the framework raised; the reason is the ``__cause__``.
    """
    backend = _loaded.get(name)
    if backend is not None:
        return backend
    manifest, package = manifests()[name]
    with _lock:
        if name in _loaded:
            return _loaded[name]
        if not manifest.forks and manifest.modules[0] in _inherited:
            raise BackendBroken(
                f"{manifest.framework} was imported before this process was forked, and would "
                "hang here. Start processes by multiprocessing.get_context('spawn'), or import "
                f"{manifest.framework} in them alone."
            )
        absent = missing(manifest)
        if absent:
            raise BackendNotInstalled(
                f"{_not_installed(manifest, absent)} Run: {manifest.install_command}"
            )
        # A framework whose import failed once is left half-imported by Python, and fails
        # differently when asked again: the first reason is the one to tell.
        if name not in _broken:
            try:
                modules = [importlib.import_module(f"{package}.{part}") for part in PARTS]
                return _loaded.setdefault(name, _backend(manifest, modules))
            except (Exception, SystemExit) as error:  # whatever it is, it is told below
                _broken[name] = error
        reason = _broken[name]
        raise BackendBroken(
            f"{manifest.framework} is installed, but does not import: "
            f"{type(reason).__name__}: {reason}. {_likely(manifest)}Repair it "
            f"({manifest.install_command}) and start Python again; `d2lconv doctor` shows every "
            f"backend's state. {manifest.suspicion}".rstrip()
        ) from reason


def optional(name: str, part: str, what: str) -> Any:
    """A module that not every backend has to have, with the backend's framework imported.

    Args:
        name: The backend's own name.
        part: The module's name.
        what: What it is needed for.
    """
    load(name)
    _, package = manifests()[name]
    try:
        return importlib.import_module(f"{package}.{part}")
    except ModuleNotFoundError as error:
        if error.name != f"{package}.{part}":
            raise
        raise ArgumentError(
            f"the backend {name!r} has no module {error.name}, so it has no {what}."
        ) from None


def _likely(manifest: Manifest) -> str:
    """A sentence about the likely cause, if there is one to be seen."""
    try:
        from d2lconv.diagnosis import findings
    except ExtraNotInstalled:  # it compares releases by a library that the command brings
        return ""
    return "".join(f"{found.problem}: {found.remedy}. " for found in findings(manifest)[:1])


def _backend(manifest: Manifest, modules: list[ModuleType]) -> Backend:
    return Backend(manifest, *(cast(Any, module) for module in modules))


def backends() -> tuple[BackendStatus, ...]:
    """The status of every known backend. Imports no framework.

    Returns:
        One :class:`BackendStatus` for each backend, NumPy first.

    Example:
        >>> import d2lconv as dc
        >>> dc.backends()[0].name
        'numpy'
    """
    return tuple(_status(manifest) for manifest, _ in manifests().values())


def _status(manifest: Manifest) -> BackendStatus:
    absent = missing(manifest)
    problem = None
    if absent:
        problem = _not_installed(manifest, absent)
    elif manifest.name in _broken:
        reason = _broken[manifest.name]
        problem = f"importing it raised {type(reason).__name__}: {reason}"
    return BackendStatus(
        name=manifest.name,
        framework=manifest.framework,
        aliases=manifest.aliases,
        installed=not absent,
        version=None if absent else _version(manifest),
        problem=problem,
        install=manifest.install_command,
    )


def _version(manifest: Manifest) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(manifest.distribution or manifest.modules[0])
    except PackageNotFoundError:
        return None

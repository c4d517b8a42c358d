"""MXNet's own view of NumPy.

MXNet 1.9 was written for a NumPy that still had `np.bool` and other names that have been removed
since, so that `import mxnet` fails. This module gives MXNet's own modules, and nobody else, a
NumPy with those names: while an `mxnet` module runs, `import numpy` answers with a facade that
passes everything on to the real NumPy and adds what is missing.

How: a finder for `mxnet` and `mxnet.*` loads each of their modules with builtins of its own,
in which `__import__` is ours. Neither `numpy` nor `sys.modules` is touched, no other package sees
the facade, and there is nothing to undo.
"""

import builtins
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

import numpy


def _moved_away(name: str) -> Any:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"NumPy no longer has {name}; the package numpy-financial has it, and mxnet.np does not"
        )

    function.__name__ = name
    return function


# Each removed name that MXNet asks for, and what it was.
REMOVED: dict[str, Any] = {
    "bool": bool,
    "Inf": numpy.inf,
    "NAN": numpy.nan,
    "NaN": numpy.nan,
    "NINF": -numpy.inf,
    "PINF": numpy.inf,
    "NZERO": -0.0,
    "PZERO": 0.0,
    "alltrue": numpy.all,
    "compat": SimpleNamespace(basestring=str),
    "in1d": lambda a, b, **options: numpy.isin(numpy.ravel(a), b, **options),
    "msort": lambda a: numpy.sort(a, axis=0),
    "product": numpy.prod,
    "round_": numpy.round,
    "sometrue": numpy.any,
    "trapz": getattr(numpy, "trapezoid", None) or getattr(numpy, "trapz", None),
    **{name: _moved_away(name) for name in ("mirr", "npv", "pmt", "ppmt", "pv", "rate")},
}


class _Facade(ModuleType):
    """NumPy as MXNet remembers it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(numpy, name)


facade = _Facade("numpy", numpy.__doc__)
vars(facade).update(REMOVED)


def _import(
    name: str,
    globals: Any = None,
    locals: Any = None,
    fromlist: Sequence[str] = (),
    level: int = 0,
) -> ModuleType:
    module = builtins.__import__(name, globals, locals, fromlist, level)
    return facade if module is numpy else module


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": _import}
        with warnings.catch_warnings():
            # It compares versions by distutils, about which no user can do anything.
            warnings.filterwarnings("ignore", "distutils Version classes", DeprecationWarning)
            super().exec_module(module)


class _Finder:
    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] != "mxnet":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def install() -> None:
    """Give MXNet's modules their view of NumPy from now on. Calling it again changes nothing.

    Raises:
        ImportError: Python leaves docstrings out, which MXNet puts together while it is imported.
    """
    if sys.flags.optimize > 1:
        raise ImportError(
            "MXNet does not import without docstrings: start Python without -OO, and without "
            "PYTHONOPTIMIZE=2"
        )
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)

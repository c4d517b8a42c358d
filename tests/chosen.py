"""Which backends this test run is about, and which tests are about a backend."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import d2lconv as dc

STATUS = {status.name: status for status in dc.backends()}
CHOSEN: list[str] = []  # filled by conftest.py, from the option or from what is installed
RUNNING: list[Any] = []  # the test that runs, kept by conftest.py
DEMANDED: list[str] = []  # what it has demanded so far
GITHUB = Path(__file__).parent.parent / ".github"


def demand(name: str) -> str:
    """The name of a backend that is tested; else skip, or fail where it is missing."""
    status = STATUS[name]
    if name not in CHOSEN:
        _runs_elsewhere(name)
        pytest.skip(f"{status.framework} is not tested here")
    if not status.installed:
        pytest.fail(f"{status.framework} is not installed ({status.install})")
    DEMANDED.append(name)
    return name


def _runs_elsewhere(name: str) -> None:
    """Fail a test that would be skipped here, and run in no environment of tox.ini."""
    (item,) = RUNNING
    if item.get_closest_marker("together"):
        return
    given = item.callspec.params if hasattr(item, "callspec") else {}
    others = [*DEMANDED, *(given[name] for name in ("backend", "framework") if name in given)]
    if others:
        pytest.fail(f"it needs {others[0]} and {name}, so it is to be marked as together")
    if not about_a_framework(item):
        pytest.fail("it asks for a framework in a way that is not seen, see about_a_framework")


OF_A_FRAMEWORK = {"backend", "d2l", "framework", "measured"}


def about_a_framework(item: Any) -> bool:
    """Whether a test takes a fixture of a framework, or demands one.

    Who demands is the test, a fixture that it takes, or a function of their files that these call.
    """
    if OF_A_FRAMEWORK & set(getattr(item, "fixturenames", ())):
        return True
    fixtures = (made[-1].func for made in item._fixtureinfo.name2fixturedefs.values())
    return any("demand" in _names(function) for function in (item.function, *fixtures))


def _names(function: Any) -> set[str]:
    """All the names that a function uses, with those of its own file's functions that it calls."""
    found, left = set(), [function]
    while left:
        function = left.pop()
        function = getattr(function, "hypothesis", None) or function
        function = getattr(function, "inner_test", function)
        new = set(_in_code(function.__code__)) - found
        found |= new
        known = [function.__globals__.get(name) for name in new]
        here = [f for f in known if getattr(f, "__module__", None) == function.__module__]
        left += [f for f in here if isinstance(f, FunctionType)]
    return found


def _in_code(code: Any) -> Iterator[str]:
    yield from code.co_names
    for part in code.co_consts:
        if hasattr(part, "co_names"):
            yield from _in_code(part)


def demand_extra(module: str, extra: str) -> Any:
    """A module that an extra brings; else skip, or fail where D2LCONV_EXTRAS names the extra."""
    if extra in os.environ.get("D2LCONV_EXTRAS", "").split(","):
        return importlib.import_module(module)
    return pytest.importorskip(module, reason=f"{module} is not installed (the extra {extra})")


def demand_github() -> Path:
    """The folder .github; an sdist has none, and a clone has to have it."""
    if not GITHUB.exists():
        if (GITHUB.parent / ".git").exists():
            pytest.fail("there is no .github in this clone")
        pytest.skip("an sdist has no .github")
    return GITHUB

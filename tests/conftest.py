"""Fixtures: every test that takes `backend` or `d2l` runs once for each backend.

A framework that is not installed is skipped with a reason, unless the environment is there to
test it: the variable D2LCONV_REQUIRE lists the backends that must be there, separated by commas.
"""

import os
from collections.abc import Iterator

import pytest

import d2lconv as dc
from d2lconv import selection
from d2lconv.bound import BoundBackend, bind

STATUS = {status.name: status for status in dc.backends()}
REQUIRED = set(filter(None, os.environ.get("D2LCONV_REQUIRE", "").split(",")))


def pytest_configure(config: pytest.Config) -> None:
    unknown = REQUIRED - set(STATUS)
    if unknown:
        raise pytest.UsageError(f"D2LCONV_REQUIRE names no backends: {', '.join(sorted(unknown))}")


def demand(name: str) -> str:
    """The name of a backend whose framework is there; else skip, or fail where it is required."""
    status = STATUS[name]
    if not status.installed:
        reason = f"{status.framework} is not installed ({status.install})"
        (pytest.fail if name in REQUIRED else pytest.skip)(reason)
    return name


@pytest.fixture(params=list(STATUS), scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """The name of each backend in turn."""
    return demand(request.param)


@pytest.fixture(params=[name for name in STATUS if name != "numpy"], scope="session")
def framework(request: pytest.FixtureRequest) -> str:
    """The name of each backend in turn that differentiates, which NumPy does not."""
    return demand(request.param)


@pytest.fixture
def d2l(backend: str) -> BoundBackend:
    """The API bound to each backend in turn."""
    return bind(backend)


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test starts, and leaves the next one, with no backend chosen."""
    monkeypatch.delenv(selection.VARIABLE, raising=False)
    monkeypatch.setattr(selection, "_process", None)
    assert selection._block.get() is None
    yield
    assert selection._block.get() is None

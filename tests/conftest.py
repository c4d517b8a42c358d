"""Fixtures: `backend` and `d2l` are those of our own pytest plugin; `framework` is beside them.

A test of a framework that is not installed is not there, unless `--d2lconv-backends` names it:
then it fails. A test that needs one certain framework asks for it with `demand`; one that needs
several is marked as `together`.
"""

from collections.abc import Iterator

import pytest
from chosen import CHOSEN, DEMANDED, RUNNING, about_a_framework, demand
from hypothesis import settings

from d2lconv import pytest_plugin
from d2lconv.core import selection

settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True, database=None)
settings.register_profile("long", max_examples=3000, deadline=None, print_blob=True)
settings.load_profile("ci")  # pytest --hypothesis-profile=long, or tox -e fuzz, takes the other one

pytest_plugins = ["pytester", "chromium"]


def pytest_configure(config: pytest.Config) -> None:
    CHOSEN.extend(pytest_plugin.chosen(config))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what is about no framework to the runs that test NumPy too."""
    if "numpy" not in CHOSEN:
        items[:] = [item for item in items if about_a_framework(item)]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note what runs, for `demand`."""
    RUNNING[:] = [item]
    DEMANDED.clear()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `framework` once for each backend that differentiates."""
    if "framework" in metafunc.fixturenames:
        names = [name for name in CHOSEN if name != "numpy"]
        metafunc.parametrize("framework", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def framework(request: pytest.FixtureRequest) -> str:
    """The name of each backend in turn that differentiates, which NumPy does not."""
    return demand(request.param)


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test starts, and leaves the next one, with no backend chosen."""
    monkeypatch.delenv(selection.VARIABLE, raising=False)
    monkeypatch.setattr(selection, "_process", None)
    assert selection._blocks.get() == ()
    yield
    assert selection._blocks.get() == ()

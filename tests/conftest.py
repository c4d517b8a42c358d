"""Fixtures: `backend` and `d2l` are those of our own pytest plugin; `framework` is beside them.

A test of a framework that is not installed is not there, unless `--d2lconv-backends` names it:
then it fails. A test that needs one certain framework asks for it with `demand`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chosen import CHOSEN, demand
from hypothesis import settings

from d2lconv import pytest_plugin, selection

settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True, database=None)
settings.register_profile("long", max_examples=3000, deadline=None)
settings.load_profile("ci")  # pytest --hypothesis-profile=long takes the other one

pytest_plugins = ["pytester", "chromium"]
NEUTRAL = {
    "test_cli.py",
    "test_cli_parity.py",
    "test_figures.py",
    "test_packaging.py",
    "test_page.py",
    "test_page_browser.py",
    "test_parity_run.py",
    "test_pytest_plugin.py",
    "test_recording.py",
    "test_slides_browser.py",
    "test_ulp.py",
    "test_widgets.py",
    "test_widgets_browser.py",
    "test_widgets_exercises.py",
}
ONCE = {"test_doctor_alone.py", "test_ending.py"}  # takes long, and is about no framework
# Of these files, what takes one of those fixtures is about a framework, and nothing else is.
MIXED = {"test_bench.py", "test_compare.py", "test_exercises.py", "test_notebooks.py"}
OF_A_FRAMEWORK = {"backend", "d2l", "files", "framework"}


def pytest_configure(config: pytest.Config) -> None:
    CHOSEN.extend(pytest_plugin.chosen(config))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave what is about no framework in particular to the runs that test NumPy too.

    And of that, what takes long, to the run that tests NumPy alone, or that asks for it by name.
    """
    name = collection_path.name
    if name in ONCE:
        return True if CHOSEN != ["numpy"] and name not in str(config.args) else None
    return True if name in NEUTRAL and "numpy" not in CHOSEN else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The same as for whole files, for tests in a file that has others too."""
    if "numpy" not in CHOSEN:
        items[:] = [
            item
            for item in items
            if item.path.name not in MIXED
            or OF_A_FRAMEWORK & set(getattr(item, "fixturenames", ()))
        ]


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

"""Fixtures: `backend` and `d2l` are those of our own pytest plugin; `framework` is beside them.

A test of a framework that is not installed is not there, unless `--d2lconv-backends` names it:
then it fails. A test that needs one certain framework asks for it with `demand`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chosen import CHOSEN, demand
from hypothesis import settings

from d2lconv import pytest_plugin
from d2lconv.core import selection

settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True, database=None)
settings.register_profile("long", max_examples=3000, deadline=None, print_blob=True)
settings.load_profile("ci")  # pytest --hypothesis-profile=long, or tox -e fuzz, takes the other one

pytest_plugins = ["pytester", "chromium"]
NEUTRAL = {
    "test_causes.py",
    "test_cli.py",
    "test_cli_parity.py",
    "test_cli_train.py",
    "test_compare_blind.py",
    "test_contributing.py",
    "test_doctests.py",
    "test_figures.py",
    "test_gallery.py",
    "test_honest_fuzz.py",
    "test_packaging.py",
    "test_page.py",
    "test_page_browser.py",
    "test_parity_run.py",
    "test_precision.py",
    "test_pytest_plugin.py",
    "test_recording.py",
    "test_release.py",
    "test_rounding.py",
    "test_rounding_cross_entropy.py",
    "test_rounding_flushed.py",
    "test_rounding_functions.py",
    "test_rounding_network.py",
    "test_site.py",
    "test_slides_browser.py",
    "test_told.py",
    "test_ulp.py",
    "test_widgets.py",
    "test_widgets_browser.py",
    "test_widgets_channels.py",
    "test_widgets_exercises.py",
    "test_widgets_lenet.py",
    "test_widgets_places.py",
}
ONCE = {"test_doctor_alone.py", "test_ending.py"}  # takes long, and is about no framework
# Of these files, what takes one of those fixtures is about a framework, and nothing else is.
MIXED = {
    "test_bench.py",
    "test_compare.py",
    "test_digits.py",
    "test_exercises.py",
    "test_notebooks.py",
    "test_probes.py",
    "test_trace.py",
    "test_training.py",
}
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

"""The pytest plugin: one test over every framework, and a message that says what is wrong."""

import re
from pathlib import Path

import pytest
from chosen import CHOSEN, STATUS, demand

INSTALLED = [name for name, status in STATUS.items() if status.installed]
README = Path(__file__).parent.parent / "README.md"


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest on a test file, in a process of its own, as a user of d2lconv would."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run(code, *options):
        pytester.makepyfile(code)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)

    return run


def test_a_test_over_the_neutral_api_runs_once_for_each_installed_backend(run):
    result = run(
        """
        def test_figure(backend, d2l):
            assert d2l.name == backend
            Y = d2l.corr2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])
            assert d2l.to_numpy(Y).tolist() == [[19, 25], [37, 43]]
        """,
        "-v",
    )
    result.assert_outcomes(passed=len(INSTALLED))
    result.stdout.fnmatch_lines([f"*test_figure[[]{name}[]] PASSED*" for name in INSTALLED])


def test_the_option_chooses_backends_by_name_or_alias(run):
    result = run("def test_it(backend): pass", "-v", "--d2lconv-backends", "np, numpy")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*test_it[[]numpy[]] PASSED*"])


@pytest.mark.parametrize(
    ("names", "words"), [("nunpy", "unknown backend 'nunpy'; did you mean 'numpy'?"), (",", "no")]
)
def test_a_wrong_option_is_told(run, names, words):
    result = run("def test_it(backend): pass", "--d2lconv-backends", names)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str() + result.stdout.str()


def test_a_missing_framework_that_is_asked_for_fails(run):
    missing = [name for name in STATUS if name not in INSTALLED]
    if not missing:
        pytest.skip("every framework is installed, none can be missing")
    result = run("def test_it(backend): pass", "--d2lconv-backends", missing[0])
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{STATUS[missing[0]].framework} is not installed*"])


def test_a_project_may_have_a_fixture_backend_of_its_own(run):
    result = run(
        """
        import pytest

        @pytest.fixture
        def backend():
            return "mine"

        def test_it(backend):
            assert backend == "mine"
        """
    )
    result.assert_outcomes(passed=1)


def test_a_bug_is_told_with_the_worst_element_and_both_values(run):
    result = run(
        """
        import numpy as np

        def test_bits(parity):
            parity(np.float32([[1, 2]]), np.float32([[1, 2.5]]))

        def test_bound(parity):
            X, K = np.float32([[1, 2, 4]]), np.float32([[1, -1]])
            parity({"ours": [[-1, -2]], "theirs": [[-1, 2]]}, X=X, K=K)

        def test_rounding(parity):
            parity([[1.0000001]], [[1]], bound=1e-6)

        def test_several_with_the_same_bits(parity):
            parity({"a": [[1]], "b": np.float32([[1]]), "c": [[1.0]]})
        """
    )
    result.assert_outcomes(passed=2, failed=2)
    text = result.stdout.str()
    assert "actual against expected: bug (4,194,304 ulp): at (0, 1), 2.0 is not 2.5" in re.sub(
        r"\(([\d,]+) ulp\)", "(4,194,304 ulp)", text
    )
    assert "theirs against ours: bug" in text
    assert "The true value is -2.0, so theirs is wrong" in text
    assert "pytest_plugin.py" not in text  # the traceback ends in the test


def test_parity_takes_one_result_or_several(run):
    result = run(
        """
        def test_one(parity):
            parity({"a": [[1]]})
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ArgumentError: parity takes one result and what is expected*"])


def test_the_readmes_example_does_what_the_readme_says(run):
    for name in ("numpy", "torch"):
        demand(name)
    (code,) = re.findall(r"```python\n(# test_port\.py.*?)```", README.read_text("utf-8"), re.S)
    result = run(code, "--d2lconv-backends", ",".join(CHOSEN))
    result.assert_outcomes(passed=1 + len(CHOSEN), failed=1)
    printed = " ".join(result.stdout.str().split())
    assert (
        "FAILED test_the_readmes_example_does_what_the_readme_says.py::test_port[port_with_a_bug]"
        in printed
    )
    (message,) = re.findall(r"```text\n(actual against.*?)```", README.read_text("utf-8"), re.S)
    assert " ".join(message.split()) in printed

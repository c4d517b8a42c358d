"""The pytest plugin: one test over every framework, and a message that says what is wrong."""

import re
from pathlib import Path

import pytest
from chosen import CHOSEN, STATUS, demand

import d2lconv as dc

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


@pytest.mark.together
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


def test_a_test_may_choose_its_backends_itself(run):
    result = run(
        """
        import pytest

        @pytest.mark.parametrize("backend", ["np"], indirect=True)
        def test_one(backend, d2l):
            assert backend == d2l.name == "numpy"

        @pytest.mark.parametrize("n, backend", [(1, "numpy"), (2, "np")], indirect=["backend"])
        def test_two(n, backend):
            assert n in (1, 2)
        """,
    )
    result.assert_outcomes(passed=3)


@pytest.mark.parametrize("results", [{}, {"numpy": 1}])
def test_one_result_alone_agrees_with_nothing(parity, results):
    with pytest.raises(dc.ArgumentError, match="a mapping of several results"):
        parity(results)


@pytest.mark.parametrize(
    ("names", "words"), [("nunpy", "unknown backend 'nunpy'; did you mean 'numpy'?"), (",", "no")]
)
def test_a_wrong_option_is_reported(run, names, words):
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


def test_a_bug_is_reported_with_the_worst_element_and_both_values(run):
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

        def test_bias(parity):
            X, K = np.float32([[1, 2, 4]]), np.float32([[1, -1]])
            parity({"with": [[4, 3]], "without": [[-1, -2]]}, X=X, K=K, bias=5)

        def test_several_with_the_same_bits(parity):
            parity({"a": [[1]], "b": np.float32([[1]]), "c": [[1.0]]})
        """
    )
    result.assert_outcomes(passed=2, failed=3)
    text = result.stdout.str()
    assert "actual against expected: bug (4,194,304 ulp): at (0, 1), 2.0 is not 2.5" in re.sub(
        r"\(([\d,]+) ulp\)", "(4,194,304 ulp)", text
    )
    assert "theirs against ours: bug" in text
    assert "The true value is -2.0, so theirs is wrong" in text
    assert "The true value is 4.0, so without is wrong" in text
    assert "pytest_plugin.py" not in text  # the traceback ends in the test


def test_a_test_that_can_tell_nothing_passes_with_a_warning(run):
    result = run(
        """
        import numpy as np

        def test_blind(parity):
            rng = np.random.default_rng(0)
            X, K = (rng.standard_normal(n).astype("f2") for n in ((24, 24), (21, 21)))
            results = np.zeros((4, 4), "f2"), np.ones((4, 4), "f2")
            parity(*results, X=X, K=K, precision="any")

        def test_imprecise(parity):
            rng = np.random.default_rng(0)
            X, K = (rng.standard_normal(n).astype("f2") for n in ((24, 24), (21, 21)))
            parity(np.zeros((4, 4), "f2"), np.ones((4, 4), "f2"), X=X, K=K)
        """
    )
    result.assert_outcomes(passed=1, failed=1, warnings=1)
    assert "actual against expected: imprecise" in result.stdout.str()
    assert "the bound is larger than the values in 16 of the 16 elements" in result.stdout.str()


def test_parity_takes_one_result_or_several(run):
    result = run(
        """
        def test_one(parity):
            parity({"a": [[1]]})
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ArgumentError: parity takes one result and what is expected*"])


@pytest.mark.together
def test_the_readmes_example_finds_one_mistake_after_the_other(run):
    for name in ("numpy", "torch", "tf"):
        demand(name)
    (code,) = re.findall(r"```python\n(# test_port\.py.*?)```", README.read_text("utf-8"), re.S)
    result = run(code, "--d2lconv-backends", ",".join(CHOSEN))
    result.assert_outcomes(passed=3 + len(CHOSEN), failed=5)
    printed = " ".join(result.stdout.str().split())
    reports = dict(re.findall(r"_ (test_port\S+) _(.*?)(?=_ test_port|= short)", printed))
    (shown,) = re.findall(r"```text\n(\[11-first\].*?)```", README.read_text("utf-8"), re.S)
    for line in shown.splitlines():
        name, words = line.split(maxsplit=1)
        for part in words.split("[...]"):
            assert part.strip() in reports[f"test_port{name}"], (line, reports)
    assert not {f"test_port[11-{port}]" for port in ("third", "fourth")} & set(reports)

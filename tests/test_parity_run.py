"""A parity run: what it finds, and that a backend that dies, hangs or is not there is a red cell.

The backend under test is a toy whose faults are planted; it runs in a process of its own beside
NumPy's, in a child of the tests, because backends are found once per process.
"""

import json
import sys

import pytest
from children import alive, python, write
from chosen import STATUS
from test_registry import TOY

import d2lconv as dc
from d2lconv.parity import cases
from d2lconv.parity.cases import inputs

LESSON = ["lesson/figure", "lesson/edges", "lesson/edges turned", "lesson/diagonal"]
EDGES = "X.shape == (1, 1, 6, 8)"  # the image of the second of them

RUN = """
import json, sys
import d2lconv as dc

options = json.loads(sys.argv[1])
seen = []
report = dc.parity.run(watch=lambda *news: seen.append(news[:2]), **options)
cells = {
    f"{backend}:{case}": [cell.verdict, cell.reason, cell.details, cell.ulp]
    for (case, backend), cell in report.cells.items()
}
assert len(seen) == len(set(seen)) == len(cells)
print(json.dumps([report.ok, report.totals, cells, report.backends]))
"""


def toy(folder, before="", after="return Y", deviations=""):
    """A toy backend whose corr2d does something before and after the computation."""
    old = "return toy(by_numpy.corr2d(plain(X), plain(K), geometry))\n"
    new = f"{before}\n    Y = toy(by_numpy.corr2d(plain(X), plain(K), geometry))\n    {after}\n"
    files = dict(TOY)
    assert old in files["d2lconv_toy/methods.py"]
    files["d2lconv_toy/methods.py"] = (
        "import os, signal, sys, time\n"
        f"with open({str(folder / 'pids')!r}, 'a') as file: file.write(f'{{os.getpid()}}\\n')\n"
        + files["d2lconv_toy/methods.py"].replace(old, new)
    )
    manifest = files["d2lconv_toy/__init__.py"]
    files["d2lconv_toy/__init__.py"] = manifest.replace(
        "import Manifest", "import Deviation, Manifest"
    ).replace('type_roots=("toyframe",)', f'type_roots=("toyframe",), deviations=({deviations})')
    return write(folder, files)


def run(folder, **options):
    """Run it beside NumPy; return whether all is well, totals, the toy's cells, and the columns."""
    options = {"backends": ["numpy", "toy"], "cases": ["lesson"], **options}
    child = python(RUN, json.dumps(options), path=folder)
    ok, totals, cells, columns = json.loads(child.stdout)
    for case in LESSON:
        if "numpy" in options["backends"]:
            assert cells[f"numpy:{case}"][0] == "identical", "the other backend is harmed"
    for pid in processes(folder):
        assert not alive(pid), f"the worker {pid} is left behind"
    return ok, totals, [cells[f"toy:{case}"] for case in LESSON], columns


def processes(folder):
    file = folder / "pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def verdicts(cells):
    return [cell[0] for cell in cells]


def test_a_backend_that_is_right_is_identical(tmp_path):
    ok, totals, cells, columns = run(toy(tmp_path))
    assert ok
    assert totals == {"identical": 8, "rounding": 0, "known": 0, "imprecise": 0, "bug": 0}
    assert verdicts(cells) == ["identical"] * 4
    assert columns["toy"]["framework"] == "ToyFrame"
    assert columns["toy"]["version"] == "3.1"
    assert len(processes(tmp_path)) == 1


def test_one_ulp_in_one_element_is_a_bug(tmp_path):
    wrong = f"if {EDGES}: Y[..., 2, 3] = numpy.nextafter(Y[..., 2, 3], numpy.float32(9))"
    ok, totals, cells, _ = run(toy(tmp_path, after=f"{wrong}\n    return Y"))
    assert not ok
    assert totals["bug"] == 1
    assert verdicts(cells) == ["identical", "bug", "identical", "identical"]
    assert cells[1][3] == 1
    assert "at (2, 3)" in cells[1][1]
    assert "nothing may differ" in cells[1][1]


@pytest.mark.parametrize(
    ("case", "fault", "words"),
    [
        ("lesson/figure", "Y = toy(by_numpy.corr2d(plain(X), plain(K)[..., ::-1, ::-1], geometry))",
         "actual is what a kernel flipped in both axes gives"),
        ("random/17x10-4x2/float32", "Y = Y * numpy.float32(2)", "a factor of 2"),
        ("random/17x10-4x2/float32", "Y = Y * numpy.float32(1 + 2**-23)",
         "nothing may differ; other than that, it is rounding"),
    ],
)  # fmt: skip
def test_a_red_cell_says_why(tmp_path, case, fault, words):
    options = {"backends": ["numpy", "toy"], "cases": [case]}
    path = toy(tmp_path, after=f"{fault}\n    return Y")
    _, _, cells, _ = json.loads(python(RUN, json.dumps(options), path=path).stdout)
    verdict, reason, *_ = cells[f"toy:{case}"]
    assert verdict == "bug"
    assert words in reason


def test_an_exception_is_a_bug_with_its_traceback(tmp_path):
    fault = f"if {EDGES}: raise RuntimeError('no such kernel')"
    _, _, cells, _ = run(toy(tmp_path, f"    {fault}".strip()))
    assert verdicts(cells) == ["identical", "bug", "identical", "identical"]
    assert cells[1][1] == "RuntimeError: no such kernel"
    assert "Traceback" in cells[1][2]
    assert "methods.py" in cells[1][2]
    assert len(processes(tmp_path)) == 1


def test_a_killed_worker_is_a_bug_with_its_signal_and_a_new_one_goes_on(tmp_path):
    fault = (
        f"if {EDGES}: print('last words', file=sys.stderr); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ok, totals, cells, _ = run(toy(tmp_path, fault))
    assert not ok
    assert totals == {"identical": 7, "rounding": 0, "known": 0, "imprecise": 0, "bug": 1}
    assert verdicts(cells) == ["identical", "bug", "identical", "identical"]
    assert cells[1][1] == "the process died of SIGKILL"
    assert "last words" in cells[1][2]
    assert len(processes(tmp_path)) == 2


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("os.abort()", "died of SIGABRT"), ("os._exit(3)", "ended with status 3")],
)
def test_other_deaths_are_reported_too(tmp_path, fault, reason):
    _, _, cells, _ = run(toy(tmp_path, f"if {EDGES}: {fault}"))
    assert verdicts(cells) == ["identical", "bug", "identical", "identical"]
    assert reason in cells[1][1]


def test_a_backend_that_always_dies_is_given_up_after_three_times(tmp_path):
    _, _, cells, _ = run(toy(tmp_path, "if X.size > 1: os.kill(os.getpid(), signal.SIGKILL)"))
    assert verdicts(cells) == ["bug"] * 4
    assert [cell[1] for cell in cells[:3]] == ["the process died of SIGKILL"] * 3
    assert cells[3][1] == "not tried after 3 crashes; the last one: the process died of SIGKILL"
    assert len(processes(tmp_path)) == 3


def test_a_backend_that_dies_while_it_is_loaded_is_not_tried_again(tmp_path):
    _, _, cells, _ = run(toy(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)"))
    assert {(cell[0], cell[1]) for cell in cells} == {("bug", "the process died of SIGKILL")}
    assert len(processes(tmp_path)) == 1


def test_a_worker_that_hangs_is_stopped_and_the_rest_goes_on(tmp_path):
    _, _, cells, _ = run(toy(tmp_path, f"if {EDGES}: time.sleep(1000)"), seconds=5)
    assert verdicts(cells) == ["identical", "bug", "identical", "identical"]
    assert cells[1][1] == "no answer within 5 s"
    assert len(processes(tmp_path)) == 2


def test_a_worker_that_would_hang_at_its_exit_is_not_left_behind(tmp_path):
    fault = "import atexit; atexit.register(time.sleep, 1000)"
    ok, _, _, _ = run(toy(tmp_path, fault))
    assert ok
    assert len(processes(tmp_path)) == 1


def test_an_interpreter_that_is_not_there_is_reported(tmp_path):
    _, _, cells, columns = run(toy(tmp_path), at={"toyframe": "/no/such/python"})
    assert verdicts(cells) == ["bug"] * 4
    assert "no worker starts at popen//python=/no/such/python" in cells[0][1]
    assert columns["toy"] == {"backend": "toy", "framework": "ToyFrame"}


@pytest.mark.parametrize(
    "place", ["popenx", "popen//popen", "popen//via=nobody", "popen//nice=x", "popen//env:A"]
)
def test_a_place_that_is_written_wrongly_is_reported(tmp_path, place):
    """What execnet makes of each is another exception, of any type."""
    _, _, cells, _ = run(toy(tmp_path), at={"toy": place})
    assert verdicts(cells) == ["bug"] * 4
    assert cells[0][1].startswith(f"no worker starts at {place}: ")
    assert "\n" not in cells[0][1]


def test_places_with_one_id_are_two_places_and_each_may_start_again(tmp_path):
    place = f"popen//python={sys.executable}//id=one"
    fault = f"if {EDGES}: os.kill(os.getpid(), signal.SIGKILL)"
    _, _, cells, _ = run(toy(tmp_path, fault), at={"toy": place, "numpy": place})
    assert verdicts(cells) == ["identical", "bug", "identical", "identical"]
    assert len(processes(tmp_path)) == 2


def test_a_place_where_d2lconv_is_not_is_reported(tmp_path):
    """An interpreter that ignores what is installed beside it."""
    bare = tmp_path / "bare-python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    _, _, cells, _ = run(toy(tmp_path), at={"toy": str(bare)})
    assert verdicts(cells) == ["bug"] * 4
    assert "d2lconv is not installed at" in cells[0][1]


def test_a_framework_that_is_missing_is_reported(tmp_path):
    toy(tmp_path)
    (tmp_path / "toyframe.py").unlink()
    _, _, cells, _ = run(tmp_path)
    assert verdicts(cells) == ["bug"] * 4
    assert "ToyFrame is not installed" in cells[0][1]


def test_a_known_deviation_is_known_only_as_long_as_it_is_true(tmp_path):
    """For an error: where it is raised it is known, where it is not, that is a bug."""
    stated = "Deviation('lesson', 'a toy cannot', raises='cannot'),"
    fault = f"if {EDGES}: raise ValueError('this toy cannot do that')"
    ok, totals, cells, _ = run(toy(tmp_path, fault, deviations=stated))
    assert not ok
    assert totals == {"identical": 4, "rounding": 0, "known": 1, "imprecise": 0, "bug": 3}
    assert verdicts(cells) == ["bug", "known", "bug", "bug"]
    assert cells[0][1] == "a known deviation is no longer true: a toy cannot"
    assert cells[1][1] == "a toy cannot"


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [("Y[abs(Y) < numpy.finfo(Y.dtype).tiny] = 0", "known"), ("Y += numpy.float32(1e-30)", "bug")],
)
def test_a_known_difference_is_known_within_its_bound_alone(tmp_path, fault, verdict):
    """The case with subnormal numbers states a bound: flushing is within, a wrong value is not."""
    toy(tmp_path, after=f"{fault}\n    return Y", deviations="Deviation('values/subnormal', 'so'),")
    options = {"backends": ["toy"], "cases": ["values/subnormal"]}
    _, _, cells, _ = json.loads(python(RUN, json.dumps(options), path=tmp_path).stdout)
    assert cells["toy:values/subnormal"][0] == verdict


# In this process, with what is installed.


@pytest.mark.together
def test_a_run_of_a_few_cases_in_every_backend():
    installed = [name for name, status in STATUS.items() if status.installed]
    report = dc.parity.run(cases=["lesson", "layer/float64"])
    assert report.ok, list(report.bugs)
    assert set(report.backends) == set(installed)
    assert [case.name for case in report.cases] == [*LESSON, "layer/float64"]
    same = 5 * len(installed)
    assert report.totals["identical"] == len(report.cells) == same
    assert str(report).startswith(f"5 cases in {', '.join(report.backends)}: {same} same bits; 0 ")
    assert all(facts["version"] for facts in report.backends.values())


def test_every_layer_gradient_and_pooling_has_cases_of_the_frameworks_themselves():
    names = {case.name for case in cases.cases()}
    for name in inputs.LAYERS:
        assert {f"layers/{name}/float32", f"native/{name}/float32", f"own/layers/{name}"} <= names
        assert name == "dilation" or f"autodiff/native/{name}" in names
    for name in inputs.POOLS:
        assert {f"pooling/{name}/float32", f"own/pooling/{name}"} <= names


def test_patterns_choose_cases_in_the_order_of_the_report():
    names = [case.name for case in cases.choose(["native/6x8-1x2", "lesson/f*", "lesson/figure"])]
    assert names == ["lesson/figure", *(f"native/6x8-1x2/float{bits}" for bits in (16, 32, 64))]
    assert len(cases.choose(None)) == len({case.name for case in cases.cases()}) > 100


def test_the_inputs_of_a_case_are_the_same_every_time():
    from d2lconv.parity.worker import digest

    for case in cases.choose(["random/6x8-1x2", "values/special", "views"]):
        assert digest(case.inputs()) == digest(case.inputs())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"backends": ["theano"]}, dc.UnknownBackend, "theano"),
        ({"at": {"theano": "python"}}, dc.UnknownBackend, "theano"),
        ({"cases": ["lessons"]}, dc.ArgumentError, "no parity case matches 'lessons'"),
        ({"backends": []}, dc.ArgumentError, "no backend is left"),
        ({"backends": 3}, dc.ArgumentError, "backends is 3; it must be a list of names"),
        ({"backends": "theano"}, dc.UnknownBackend, "'theano'"),
        ({"cases": [3]}, dc.ArgumentError, "cases is .3.; it must be a list of names"),
        ({"cases": b"x"}, dc.ArgumentError, "it must be a list of names"),
        ({"seconds": 0}, dc.ArgumentError, "greater than 0"),
        ({"seconds": float("nan")}, dc.ArgumentError, "greater than 0"),
    ],
)
def test_what_cannot_be_run_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        dc.parity.run(**{"backends": ["numpy"], **options})

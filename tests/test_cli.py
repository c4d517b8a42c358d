"""The command line: the lesson side by side, and the doctor."""

import json
import os
import runpy
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from children import told, write
from chosen import STATUS, demand
from test_registry import TOY

import d2lconv as dc
from d2lconv.cli.run import run

GITHUB = Path(__file__).parent.parent / ".github"
INSTALLED = [name for name, status in STATUS.items() if status.installed]


def d2lconv(*arguments, path=None, width=100, **variables):
    environment = {**os.environ, "COLUMNS": str(width), "NO_COLOR": "1", **variables}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, "-m", "d2lconv", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )


@pytest.fixture(scope="module")
def lesson():
    """The lesson in all installed frameworks."""
    done = d2lconv("run", width=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.together
def test_run_puts_every_framework_in_a_column(lesson):
    heads = [line.split() for line in lesson.stdout.splitlines()]
    assert [STATUS[name].framework for name in INSTALLED] in heads
    for name in INSTALLED:
        assert f"{STATUS[name].framework} {STATUS[name].version}" in lesson.stdout


@pytest.mark.together
def test_run_shows_what_each_step_computes(lesson):
    n = len(INSTALLED)
    rows = {
        "the figure": ["19 25"] * n,
        "the edges": ["0 1 0 0 0 -1 0"] * n,
        "the published runs": ["1.0637 -0.9139"] * n,
        "all five as printed": ["5 of 5 runs"] * n,
        "the learned flipped kernel": ["-0.9999 1.0001"] * n,
        "the paths of the receptive field": ["2 4 2"] * n,
    }
    lines = [" ".join(line.split()) for line in lesson.stdout.splitlines()]
    for what, cells in rows.items():
        assert any(" ".join(cells) in line for line in lines), what


@pytest.mark.together
def test_run_ends_in_one_line_that_counts_the_same_bits(lesson):
    *_, last = lesson.stdout.strip().splitlines()
    if len(INSTALLED) == 1:
        assert last == "26 results from NumPy; with a second framework they are compared."
        return
    frameworks = [STATUS[name].framework for name in INSTALLED]
    everywhere = ", ".join(frameworks[:-1]) + " and " + frameworks[-1]
    assert last == f"Same bits in {everywhere}: 25 of 25 results."


@pytest.mark.together
def test_run_says_nothing_on_stderr_but_what_is_missing(lesson):
    assert told(lesson.stderr).count("\n") == len(STATUS) - len(INSTALLED)


def test_run_tells_which_framework_is_missing_and_how_to_install_it(lesson):
    for name, status in STATUS.items():
        told = f"{status.framework} is not installed" in lesson.stderr
        assert told == (name not in INSTALLED)
        if told:
            assert status.install in lesson.stderr


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.together
def test_run_fits_the_terminal(width, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(width))
    assert run(INSTALLED, "exact", quiet=False, as_json=False) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    for name in INSTALLED:
        assert STATUS[name].framework in out


@pytest.mark.together
def test_the_readmes_picture_is_what_the_command_prints(monkeypatch, capsys):
    for name in STATUS:  # the picture shows every one
        demand(name)
    drawn = {}
    for element in ElementTree.parse(GITHUB / "run.svg").iter("{http://www.w3.org/2000/svg}text"):
        drawn.setdefault(element.get("y"), []).append(element.text)
    lines = [" ".join("".join(parts).split()) for parts in drawn.values()]
    monkeypatch.setenv("COLUMNS", str(runpy.run_path(str(GITHUB / "picture.py"))["WIDTH"]))
    run([], "exact", quiet=False, as_json=False)
    printed = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    versions = [line for line in lines if line.startswith("NumPy 1")]
    assert len(versions) == 1
    own = {"d2lconv run", "$ d2lconv run", "...", *versions}  # versions may be others here
    assert set(lines) - own <= printed
    assert any("same bits" in line for line in lines)


def test_backends_can_be_chosen_by_alias_and_repeated():
    done = d2lconv("run", "-b", "np", "--backend", "numpy", "--quiet")
    assert done.returncode == 0
    assert done.stdout == "26 results from NumPy; with a second framework they are compared.\n"
    assert told(done.stderr) == ""


def test_quiet_prints_the_closing_line_alone():
    done = d2lconv("run", "--quiet", "-b", "numpy")
    assert len(done.stdout.splitlines()) == 1


def test_json_is_all_that_is_printed():
    done = d2lconv("run", "--json", "-b", "numpy")
    assert done.returncode == 0
    assert json.loads(done.stdout)["closing"].startswith("26 results from NumPy")
    assert told(done.stderr) == ""


def test_json_has_every_value_and_verdict(framework, capsys):
    assert run(["numpy", framework], "exact", quiet=False, as_json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["method"] == "exact"
    assert set(document["backends"]) == {"numpy", framework}
    results = [result for step in document["steps"] for result in step["results"]]
    (figure,) = [step for step in document["steps"] if step["title"] == "Cross-correlation"]
    assert figure["results"][0]["values"][framework] == [[19, 25], [37, 43]]
    exact = [result for result in results if result["exact"]]
    compared = [result for result in exact if result["same_bits"] is not None]
    assert len(compared) == 25
    assert all(result["same_bits"] and result["ulp"] == 0 for result in compared)
    assert document["closing"].startswith("Same bits in NumPy and ")
    assert document["closing"].endswith(": 25 of 25 results.")


def test_the_loop_can_be_run_instead(framework, capsys):
    assert run(["numpy", framework], "loop", quiet=False, as_json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["method"] == "loop"
    (figure,) = [step for step in document["steps"] if step["title"] == "Cross-correlation"]
    assert not figure["results"][0]["exact"]
    assert figure["results"][0]["ulp"] == 0  # small integers


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["run", "--backend", "tensorflw"],
            "unknown backend 'tensorflw'; did you mean 'tensorflow'",
        ),
        (["run", "--method", "exakt"], "unknown method 'exakt'; did you mean 'exact'"),
        (["run", "--nonsense"], "No such option"),
        (["walk"], "No such command"),
    ],
)
def test_a_wrong_call_is_reported_and_has_status_2(arguments, words):
    done = d2lconv(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def missing_toy(tmp_path):
    files = dict(TOY)
    del files["toyframe.py"]
    manifest = files["d2lconv_toy/__init__.py"]
    files["d2lconv_toy/__init__.py"] = manifest.replace("aliases=", 'extra="toy", aliases=')
    return write(tmp_path, files)


def test_a_missing_framework_that_was_asked_for_is_a_failure(tmp_path):
    done = d2lconv("run", "-b", "numpy", "-b", "toy", "-q", path=missing_toy(tmp_path))
    assert done.returncode == 1
    assert "ToyFrame is not installed: there is no module toyframe." in done.stderr
    assert 'pip install "d2lconv[toy]"' in done.stderr
    assert "26 results from NumPy" in done.stdout


def test_a_missing_framework_that_was_not_asked_for_is_reported_and_no_failure(tmp_path):
    done = d2lconv("run", path=missing_toy(tmp_path))
    assert done.returncode == 0
    assert "ToyFrame is not installed" in done.stderr
    assert "ToyFrame" not in done.stdout


def test_nothing_left_to_run_is_a_failure(tmp_path):
    done = d2lconv("run", "-b", "toy", path=missing_toy(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""


def test_a_broken_framework_is_reported_and_the_others_run(tmp_path):
    noise = "import os\nos.write(2, b'loading...\\n')\nraise RuntimeError('no such symbol')\n"
    path = write(tmp_path, {**TOY, "toyframe.py": noise})
    done = d2lconv("run", "-b", "toy", "-b", "numpy", "-q", path=path)
    assert done.returncode == 1
    assert "ToyFrame is installed, but does not import: RuntimeError: no such symbol" in done.stderr
    assert "loading..." in done.stderr  # what it said is shown, as it failed
    assert "26 results from NumPy" in done.stdout


def test_what_a_framework_logs_while_it_loads_is_held_back(tmp_path):
    path = write(
        tmp_path, {**TOY, "toyframe.py": "import os\nos.write(2, b'noise')\n" + TOY["toyframe.py"]}
    )
    done = d2lconv("run", "-b", "toy", "-b", "numpy", "-q", path=path)
    assert done.returncode == 0, done.stderr
    assert told(done.stderr) == ""
    assert "Same bits in ToyFrame and NumPy: 25 of 25 results." in done.stdout


def test_different_bits_are_shown_and_fail(tmp_path):
    wrong = TOY["d2lconv_toy/methods.py"].replace(
        "return toy(by_numpy.corr2d(plain(X), plain(K), geometry))",
        "return toy(by_numpy.corr2d(plain(X), plain(K), geometry) * numpy.float32(1 + 2**-23))",
    )
    path = write(tmp_path, {**TOY, "d2lconv_toy/methods.py": wrong})
    done = d2lconv("run", "-b", "toy", "-b", "numpy", path=path)
    assert done.returncode == 1
    assert "1 ulp" in done.stdout
    assert "25 of 25" not in done.stdout


# The doctor.


@pytest.mark.together
def test_the_doctor_finds_every_installed_framework_working():
    done = d2lconv("doctor", "--json")
    assert done.returncode == 0, done.stdout
    found = {diagnosis["name"]: diagnosis for diagnosis in json.loads(done.stdout)}
    for name, status in STATUS.items():
        assert found[name]["state"] == ("works" if status.installed else "not installed")
        assert found[name]["version"] == status.version
        assert found[name]["remedy"] == ("" if status.installed else status.install)


@pytest.mark.parametrize(
    ("toyframe", "state", "problem"),
    [
        (TOY["toyframe.py"], "works", ""),
        (None, "not installed", "ToyFrame is not installed: there is no module toyframe."),
        ("raise RuntimeError('no such symbol')", "broken", "RuntimeError: no such symbol"),
        ("import os; os.kill(os.getpid(), 9)", "broken", "it crashed with signal 9"),
        ("import os; os._exit(3)", "broken", "it gave no reason"),
        ("import os; os._exit(0)", "broken", "instead of 19.0"),
    ],
    ids=["works", "missing", "raises", "crashes", "exits", "exits well"],
)
def test_the_doctor_tells_states_problems_and_remedies(tmp_path, toyframe, state, problem):
    files = {**TOY, "toyframe.py": toyframe}
    if toyframe is None:
        del files["toyframe.py"]
    done = d2lconv("doctor", "-b", "toyframe", "--json", path=write(tmp_path, files))
    (toy,) = json.loads(done.stdout)
    assert toy["state"] == state
    assert problem in toy["problem"]
    assert toy["remedy"] == ("" if state == "works" else "pip install toyframe")
    assert done.returncode == (1 if state == "broken" else 0)


def test_the_doctor_prints_a_table(tmp_path):
    done = d2lconv("doctor", "-b", "numpy", "-b", "toy", path=missing_toy(tmp_path))
    assert done.returncode == 0
    (numpy,) = [line.split() for line in done.stdout.splitlines() if line.startswith("numpy")]
    assert numpy == ["numpy", "NumPy", STATUS["numpy"].version, "works"]
    assert "toy" in done.stdout
    assert 'Run: pip install "d2lconv[toy]"' in done.stdout


def test_the_command_is_installed():
    script = os.path.join(os.path.dirname(sys.executable), "d2lconv")
    done = subprocess.run([script, "--version"], capture_output=True, text=True)
    assert done.stdout == f"d2lconv {dc.__version__}\n"


def test_a_command_in_a_pipe_shows_at_once_that_it_lives_and_a_quiet_one_does_not():
    done = d2lconv("run", "-b", "numpy", "--json")
    first = done.stderr.splitlines()[0]
    assert first == "... 0 of 1: loading NumPy"
    assert len(done.stderr.splitlines()) <= 3  # then one every ten seconds
    assert d2lconv("run", "-b", "numpy", "--quiet").stderr == ""


@pytest.mark.parametrize("command", ["run", "doctor", "parity", "bench", "lesson check"])
def test_help_breaks_lines_where_the_terminal_ends_and_nowhere_else(command):
    lines = [
        line.strip()
        for line in d2lconv(*command.split(), "--help", width=80)
        .stdout.partition("╭")[0]
        .splitlines()
    ]
    for line, following in pairwise(lines):
        if line and following:
            assert len(line) + 1 + len(following.split()[0]) > 76, (line, following)


@pytest.mark.together
def test_every_half_of_a_table_has_the_verdict(monkeypatch, capsys):
    five = [demand(name) for name in STATUS]  # fewer fit side by side
    monkeypatch.setenv("COLUMNS", "80")
    run(five, "exact", quiet=False, as_json=False)
    lines = [line for line in capsys.readouterr().out.splitlines() if "corr2d(X, K)" in line]
    assert len(lines) == 6  # three steps, each in two halves
    assert all("same bits" in line for line in lines)


WRONG = {  # settings that end the process, or the import, of a framework that reads them
    "torch": ("TORCH_LOGS", "nonsense"),
    "tf": ("KERAS_BACKEND", "nonsense"),
    "mxnet": ("MXNET_CPU_WORKER_NTHREADS", "nonsense"),
    "jax": ("XLA_FLAGS", "--nonsense=1"),
}
COMMANDS = [
    ["run", "-q"],
    ["train", "--images", "64", "--epochs", "1"],
    ["parity", "--case", "lesson/figure"],
    ["bench", "--size", "6x8-1x2", "-m", "exact", "--seconds", "0.01"],
    ["conventions"],
    ["lesson", "check", "pooling"],
    ["doctor"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_variable_that_breaks_a_framework_is_named(framework, command):
    name, value = WRONG[framework]
    child = d2lconv(*command, "-b", framework, width=3000, **{name: value})
    assert child.returncode in (1, 2)
    said = child.stdout + child.stderr
    assert f"{name}={value!r}" in said
    assert ("correct or unset" if command == ["doctor"] else "Correct it, or unset it.") in said
    assert "Traceback" not in child.stderr

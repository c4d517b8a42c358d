"""The command that tells same bits, rounding and bugs apart."""

import json
import sys

import pytest
from children import told, write
from chosen import CHOSEN, STATUS
from test_cli import d2lconv
from test_registry import TOY

BACKENDS = [part for name in CHOSEN for part in ("-b", name)]
SOME = ["--case", "lesson", "--case", "native/17x10-4x2/float32", "--case", "builtin/book-jax"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A run over some cases in all backends, with all the files that it writes."""
    folder = tmp_path_factory.mktemp("parity")
    names = [part for name in CHOSEN for part in ("-b", name)]
    done = d2lconv(
        "parity", *names, *SOME, "--all", "--json", str(folder / "a.json"),
        "--html", str(folder / "a.html"),
        "--save", str(folder / "a.npz"), width=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done


@pytest.mark.together
def test_the_matrix_has_a_row_for_each_case_and_a_column_for_each_framework(files):
    _, done = files
    lines = done.stdout.splitlines()
    for name in CHOSEN:
        assert STATUS[name].framework in lines[0]
        assert STATUS[name].version in lines[1]
    (figure,) = [line for line in lines if line.split()[:1] == ["lesson/figure"]]
    assert figure.count("same bits") == len(CHOSEN)
    assert told(done.stderr) == ""


@pytest.mark.together
def test_the_last_line_has_the_totals(files):
    _, done = files
    assert f"6 cases in {', '.join(CHOSEN)}" in done.stdout.splitlines()[-1]
    assert done.stdout.splitlines()[-1].endswith("; 0 bug")


@pytest.mark.together
def test_the_json_has_every_cell_and_where_it_comes_from(files):
    folder, _ = files
    document = json.loads((folder / "a.json").read_text(encoding="utf-8"))
    assert document["ok"] is True
    assert set(document["backends"]) == set(CHOSEN)
    for name, facts in document["backends"].items():
        assert facts["version"] == STATUS[name].version
        assert facts["python"]
    assert len(document["cases"]) == 6
    for case in document["cases"]:
        assert set(case["cells"]) == set(CHOSEN)
        for cell in case["cells"].values():
            assert cell["verdict"] in ("identical", "rounding", "known")
            assert cell["share"] is None or cell["share"] <= 1


@pytest.mark.together
def test_the_page_needs_nothing_else(files):
    folder, _ = files
    page = (folder / "a.html").read_text(encoding="utf-8")
    for outside in ("http://", "https://", "src=", "@import", "url(", "<script", "<link"):
        assert outside not in page
    for name in CHOSEN:
        assert STATUS[name].framework in page
    assert any("rounding" in cell for cell in page.split("<td"))
    assert "<svg" in page


@pytest.mark.together
def test_comparing_the_recording_gives_the_same_totals(files):
    folder, done = files
    again = d2lconv("parity", *SOME, "--compare", str(folder / "a.npz"), width=200)
    assert again.returncode == 0
    totals = done.stdout.splitlines()[-1].partition(": ")[2]
    assert again.stdout.splitlines()[-1].endswith(totals)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--case", "nonsense"], "no parity case matches 'nonsense'. Cases begin with: lesson"),
        (["--backend", "tensorflw"], "did you mean 'tensorflow'"),
        (["--at", "nonsense"], "write NAME=PYTHON"),
        (["--at", "nunpy=python"], "did you mean 'numpy'"),
        (["--timeout", "0"], "seconds is 0.0; it must be greater than 0"),
        (["--compare", "none.npz"], "none.npz cannot be read: No such file"),
        (["--compare", "none.npz", "-b", "numpy"], "it takes no --backend"),
        (["--json", "no/such/folder/a.json"], "there is no folder"),
        (["a.npz"], "files are for --compare"),
    ],
    ids=str,
)
def test_a_wrong_call_is_reported_before_anything_runs(arguments, words):
    done = d2lconv("parity", *arguments)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert done.stdout == ""


def test_a_bug_is_reported_and_the_status_is_1(tmp_path):
    wrong = TOY["d2lconv_toy/methods.py"].replace(
        "return toy(by_numpy.corr2d(plain(X), plain(K), geometry))",
        "return toy(by_numpy.corr2d(plain(X), plain(K), geometry) * numpy.float32(1 + 2**-23))",
    )
    path = write(tmp_path, {**TOY, "d2lconv_toy/methods.py": wrong})
    page = tmp_path / "<b>.html"
    done = d2lconv(
        "parity", "-b", "toy", "-b", "numpy", "--case", "lesson", "--html", str(page), path=path
    )
    assert done.returncode == 1
    assert "BUG in toy: lesson/figure" in done.stdout
    assert "19.000002 is not 19.0, and nothing may differ" in " ".join(done.stdout.split())
    assert "<h2>Bugs</h2>" in page.read_text(encoding="utf-8")


def test_what_a_framework_says_is_escaped_on_the_page(tmp_path):
    raises = TOY["d2lconv_toy/methods.py"].replace(
        "def corr2d(X, K, geometry):",
        "def corr2d(X, K, geometry):\n    if numpy.size(plain(X)) > 1:\n"
        "        raise ValueError('<script>alert(1)</script>')",
    )
    path = write(tmp_path, {**TOY, "d2lconv_toy/methods.py": raises})
    page = tmp_path / "a.html"
    done = d2lconv("parity", "-b", "toy", "--case", "lesson", "--html", str(page), path=path)
    assert done.returncode == 1
    assert "<script>" in done.stdout
    assert "<script>" not in page.read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page.read_text(encoding="utf-8")


def test_cases_that_are_all_same_bits_are_counted_and_not_printed():
    asked = ["parity", "-b", "numpy", "--case", "lesson"]
    done = d2lconv(*asked)
    assert "4 cases: same bits in every framework (--all shows them)." in done.stdout
    assert "lesson/figure" not in done.stdout
    assert "lesson/figure" in d2lconv(*asked, "--all").stdout


def test_another_interpreter_serves_a_backend(tmp_path):
    """Here a link to this one: `--at` takes whatever Python has d2lconv and the framework."""
    done = d2lconv("parity", "--at", f"numpy={sys.executable}", "-b", "numpy", "--case", "lesson")
    assert done.returncode == 0
    assert "4 same bits" in done.stdout
    done = d2lconv("parity", "--at", "numpy=/no/such/python", "-b", "numpy", "--case", "lesson")
    assert done.returncode == 1
    assert "no worker starts at popen//python=/no/such/python" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--json", "{}/a", "--html", "{}/../{name}/a"), "would be written twice"),
        (("--at", "numpy=python", "--at", "np=python3"), "--at places numpy twice"),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_runs(tmp_path, options, words):
    options = [option.format(tmp_path, name=tmp_path.name) for option in options]
    done = d2lconv("parity", "-b", "numpy", "--case", "lesson/figure", *options)
    assert done.returncode == 2
    assert words in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.together
def test_a_comparison_counts_the_cases_that_were_recorded(files):
    folder, done = files
    again = d2lconv("parity", "--compare", str(folder / "a.npz"), "--quiet")
    expected = done.stdout.splitlines()[-1].split()[0]
    assert again.stdout.split()[:2] == [expected, "cases"]
    assert int(expected) < 20

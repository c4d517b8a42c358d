"""The benchmark: what it measures, and what it makes of it. No test asserts a speed."""

import json
import sys

import pytest
from chosen import CHOSEN, STATUS
from test_cli import d2lconv

from d2lconv import ArgumentError, BackendBroken
from d2lconv.bench import measure, points, report
from d2lconv.bench.points import Point, parse

pytestmark = pytest.mark.slow(reason="it measures")


@pytest.fixture(scope="module")
def measured():
    """Two backends, if there are so many; where each is alone, each is measured."""
    return CHOSEN[:2]


@pytest.fixture(scope="module")
def files(tmp_path_factory, measured):
    """A run over two tiny sizes in those backends, with the files that it writes."""
    folder = tmp_path_factory.mktemp("bench")
    chosen = [part for name in measured for part in ("-b", name)]
    done = d2lconv(
        "bench", *chosen, "--size", "6x8-1x2", "--size", "8-3", "--seconds", "0.001",
        "--json", str(folder / "a.json"), "--plot", str(folder / "a.svg"), width=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done, json.loads((folder / "a.json").read_text(encoding="utf-8"))


def rows(document, **wanted):
    return [row for row in document["rows"] if wanted.items() <= row.items()]


@pytest.mark.together
def test_every_backend_is_measured_in_every_respect(files, measured):
    _, _, document = files
    assert document["schema"] == report.SCHEMA
    assert set(document["backends"]) == set(measured)
    for name in measured:
        assert document["backends"][name]["version"] == STATUS[name].version
        whats = {row["what"] for row in rows(document, backend=name)}
        learns = {"backward", "learning"} if name != "numpy" else set()
        assert whats == {"forward", "overhead", "layer"} | learns


@pytest.mark.together
def test_gradients_of_a_layer_are_measured_by_every_method_but_the_loop(measured):
    layer = parse("1x2x5x6-4x1x3x2-p1-s2-g2")
    found = report.run(
        measured, [layer], methods=["rounded", "native", "loop"], seconds=0.001, memory=False,
        starting=0,
    )  # fmt: skip
    for name in measured:
        kinds = {row["method"] for row in rows(found, backend=name, what="backward")}
        assert kinds == ({"rounded", "native"} if name != "numpy" else set())
    loop = report.run(measured, [layer], methods=["loop"], memory=False, starting=0)
    assert {row["what"] for row in loop["rows"]} == {"forward"}


def test_starting_is_measured_where_everything_is():
    start = report.run(["numpy"], [parse("8-3")], methods=["exact"], memory=False)["start"]
    assert 0 < start["numpy"]["python"] < start["numpy"]["backend"] < start["numpy"]["run"]


@pytest.mark.together
def test_every_method_is_compared_with_the_loop_and_with_the_frameworks_own(files, measured):
    _, _, document = files
    for name in measured:
        found = rows(document, backend=name, what="forward", image=[8, 8])
        assert [row["method"] for row in found] == [*report.METHODS, "own"]
        for row in found:
            others = {"loop", "native", "own"} - {row["method"]}
            assert set(row["against"]) == others
            assert 0 < row["low"] <= row["time"] <= row["high"]
            assert row["start"] >= 0
            assert row["peak"] >= 0


@pytest.mark.together
def test_the_table_and_the_closing_lines_name_every_framework(files, measured):
    _, done, _ = files
    for name in measured:
        framework = STATUS[name].framework
        assert f"{framework} {STATUS[name].version}" in done.stdout
        said = f"{framework}, times as fast as its own convolution, geometric mean over 2 sizes"
        assert f"{said} from 6x8-1x2 to 8-3: exact " in " ".join(done.stdout.split())
    for head in ("size", "what", "method", "time", "±", "own", "native", "loop", "first", "MiB"):
        assert head in done.stdout.partition("\n\n")[0]  # the legend
    assert "…" not in done.stdout


@pytest.mark.together
def test_the_picture_has_a_column_for_each_framework(files, measured):
    folder, _, document = files
    from d2lconv.bench.plot import plot

    picture = (folder / "a.svg").read_bytes()
    assert picture.startswith(b"<svg")
    assert b"prefers-color-scheme: dark" in picture
    assert b"fill: #ffffff" not in picture  # no ground but the page's
    assert len(picture) < 100_000
    titles = [ax.get_title() for ax in plot(document).axes[: len(measured)]]
    assert [title.split()[0] for title in titles] == [
        facts["framework"] for facts in document["backends"].values()
    ]


def test_calls_are_timed_in_turns_and_as_often():
    said = []
    times = measure.interleaved(
        {"a": lambda: said.append("a"), "b": lambda: said.append("b")}, 0.01
    )
    assert len(times["a"].samples) == len(times["b"].samples) >= measure.TURNS[0]
    assert all(sample > 0 for sample in times["a"].samples)


def test_what_comes_before_the_steady_state_is_reported_apart():
    import time

    calls = []

    def slow_at_first():
        time.sleep(0.05 if not calls else 0.001)
        calls.append(1)

    (times,) = measure.interleaved({"a": slow_at_first}, 0.02).values()
    assert times.start > 0.03
    assert max(times.samples) < 0.04 + times.samples[0]


def test_ratios_are_those_of_each_turn():
    assert measure.ratios([2.0, 40.0, 6.0], [1.0, 10.0, 2.0]).median == 3.0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the mark is not reset")
def test_the_peak_is_what_a_call_takes():
    size = 50_000_000
    assert 0.8 * size < measure.peak(lambda: bytes(b"x" * size)[:1]) < 1.5 * size


def test_sizes_are_read_and_written():
    for text in ("6x8-1x2", "28-3", "28-3x1"):
        assert str(parse(text)) == text
    assert parse("28x28-3x3") == Point((28, 28), (3, 3))
    assert Point((6, 8), (1, 2)).windows == 42
    for wrong in ("28", "3-28", "0-0", "a-b", "6x8x1-2", "-3-2"):
        with pytest.raises(ArgumentError, match="write image-kernel"):
            parse(wrong)
    assert all(str(p) == str(parse(str(p))) for p in (*points.FULL, *points.IMAGES))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "3-28"], "write image-kernel"),
        (["--method", "exakt"], "did you mean 'exact'?"),
        (["--seconds", "0"], "must be greater than 0"),
        (["-b", "torhc"], "did you mean 'torch'?"),
        (["--json", "no/such/folder.json"], "there is no folder"),
        (["--plot", "picture.txt"], "unknown ending 'txt'"),
        (["--json", "a.svg", "--plot", "./a.svg"], "a.svg would be written twice"),
    ],
)
def test_a_mistake_is_reported_before_anything_is_measured(options, message):
    done = d2lconv("bench", *options)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())


def test_a_worker_that_fails_says_why():
    words = r"the benchmark of NumPy ended with status 1: .*write image-kernel"
    with pytest.raises(BackendBroken, match=words):
        list(report._ask(report.Job("numpy", ("9",), ("exact",)), lambda *_: None))

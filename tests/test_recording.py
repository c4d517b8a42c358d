"""Recordings: results in a file, compared with those of another environment."""

import errno
import io
import json
import os
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from chosen import CHOSEN, demand

import d2lconv as dc
from d2lconv.files import filling, replacing, writable
from d2lconv.parity import cases, recording
from d2lconv.parity.page import page
from d2lconv.parity.precision import narrowed
from d2lconv.parity.report import document
from d2lconv.parity.workers import Outcome

CASES = ["lesson", "random/6x8-1x2", "matmul/6x8-1x2", "builtin/book-jax"]


@pytest.fixture(scope="module")
def report():
    """A run over some exact and bounded cases in all backends that are tested."""
    return dc.parity.run(CHOSEN, CASES)


def test_a_recording_gives_back_what_was_saved(report, tmp_path):
    recording.save(report, tmp_path / "a.npz")
    columns = recording.load(tmp_path / "a.npz")
    assert list(columns) == list(report.backends)
    for column, (facts, outcomes) in columns.items():
        assert facts == report.backends[column]
        for case, outcome in outcomes.items():
            saved = report.outcomes[case, column]
            assert (outcome.digest, outcome.error) == (saved.digest, saved.error)
            if saved.results is None:
                assert outcome.results is None
                continue
            for name, array in saved.results.items():
                assert dc.parity.same_bits(outcome.results[name], array)


@pytest.mark.together
def test_comparing_a_recording_gives_the_verdicts_of_the_run(report, tmp_path):
    recording.save(report, tmp_path / "a.npz")
    again = recording.compare_recordings([tmp_path / "a.npz"], CASES)
    assert again.ok
    assert again.totals == report.totals
    assert [case.name for case in again.cases] == [case.name for case in report.cases]


def test_recordings_of_one_backend_stand_side_by_side(tmp_path):
    run = dc.parity.run(["numpy"], ["lesson/figure"])
    for name in ("old", "new"):
        recording.save(run, tmp_path / f"{name}.npz")
    both = recording.compare_recordings([tmp_path / "old.npz", tmp_path / "new.npz"], ["lesson"])
    first, second = both.backends
    assert first.startswith("numpy ")
    assert second == f"{first} (new)"
    assert both.totals["identical"] == 2
    assert both.ok


def test_a_result_that_was_changed_by_one_bit_is_a_bug(tmp_path):
    run = dc.parity.run(["numpy"], ["random/6x8-1x2/float32"])
    ((key, outcome),) = run.outcomes.items()
    changed = outcome.results["Y"].copy()
    changed[2, 3] = np.nextafter(changed[2, 3], np.float32(9))
    run.outcomes[key] = Outcome({"Y": changed}, digest=outcome.digest)
    recording.save(run, tmp_path / "a.npz")
    again = recording.compare_recordings([tmp_path / "a.npz"])
    assert not again.ok
    ((_, _, cell),) = again.bugs
    assert cell.ulp == 1
    assert "at (2, 3)" in cell.reason


def recorded(tmp_path, case, change):
    """The cell of NumPy's result after a change, by way of a recording."""
    run = dc.parity.run(["numpy"], [case])
    ((key, outcome),) = run.outcomes.items()
    (made,) = [one for one in cases.cases() if one.name == case]
    run.outcomes[key] = Outcome({"Y": change(**made.inputs())}, digest=outcome.digest)
    recording.save(run, tmp_path / "a.npz")
    report = recording.compare_recordings([tmp_path / "a.npz"])
    (cell,) = report.cells.values()
    return cell, document(report)["cases"][0]["cells"], page(report)


def test_a_recording_is_told_its_cause_and_its_precision(tmp_path):
    def flipped(X, K):
        return dc.numpy.corr2d(X, K[..., ::-1, ::-1], method="native")

    cell, cells, html = recorded(tmp_path, "native/channels/float32", flipped)
    assert (cell.verdict, cell.cause) == ("bug", "a kernel flipped in both axes")
    assert ">bug: a kernel flipped in both axes</td>" in html
    ((name, plain),) = cells.items()
    assert name.startswith("numpy ")
    assert plain["results"]["Y"]["causes"] == ["a kernel flipped in both axes"]

    def narrow(X, K):
        return dc.numpy.corr2d(narrowed(X, 16), narrowed(K, 16), method="native")

    cell, cells, html = recorded(tmp_path, "native/channels/float32", narrow)
    assert cell.verdict == "imprecise"
    assert cell.error > 4
    assert ">imprecise: " in html
    assert "times that of the worst honest order" in html
    ((_, plain),) = cells.items()
    assert plain["results"]["Y"]["error"] == cell.error
    assert plain["verdict"] == "imprecise"


def test_other_inputs_are_reported_apart_from_other_results(tmp_path):
    run = dc.parity.run(["numpy"], ["random/6x8-1x2/float32"])
    ((key, outcome),) = run.outcomes.items()
    run.outcomes[key] = Outcome(outcome.results, digest="0" * 64)
    recording.save(run, tmp_path / "a.npz")
    ((_, _, cell),) = recording.compare_recordings([tmp_path / "a.npz"]).bugs
    assert "its inputs are not ours" in cell.reason


@pytest.mark.together
def test_a_backend_can_be_compared_across_frameworks_files(report, tmp_path):
    demand("torch")
    columns = list(report.backends)
    paths = []
    for column in columns:  # what an environment with one framework records
        alone = dc.parity.run([column], ["lesson/figure"])
        paths.append(tmp_path / f"{column}.npz")
        recording.save(alone, paths[-1])
    together = recording.compare_recordings(paths, ["lesson/figure"])
    assert len(together.backends) == len(columns)
    assert together.totals["identical"] == len(columns)


# Files that are no recordings.


def archive(path, document=None, **arrays):
    if document is not None:
        text = document if isinstance(document, bytes) else json.dumps(document).encode()
        arrays["contents"] = np.frombuffer(text, np.uint8)
    np.savez(path, **arrays)


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_in_a_recording_is_refused_and_never_opened(tmp_path):
    trap = tmp_path / "sprung"
    np.savez(tmp_path / "a.npz", contents=np.array([Trap(trap)], dtype=object))
    with pytest.raises(dc.ArgumentError, match="no recording of a parity run"):
        recording.load(tmp_path / "a.npz")
    assert not trap.exists()


OUTCOME = {"results": {"Y": "x"}, "digest": "", "error": "", "details": ""}


@pytest.mark.parametrize(
    ("document", "arrays"),
    [
        (None, {}),
        (b"\xff{", {}),
        ([], {}),
        ({"format": 99}, {}),
        ({"format": 1}, {}),
        ({"format": 1, "columns": []}, {}),
        ({"format": 1, "columns": {"a": {"facts": {"backend": 3}, "outcomes": {}}}}, {}),
        ({"format": 1, "columns": {"a": {"facts": {}, "outcomes": {"c": {}}}}}, {}),
        ({"format": 1, "columns": {"a": {"facts": {}, "outcomes": {"c": OUTCOME}}}}, {}),
        (
            {"format": 1, "columns": {"a": {"facts": {}, "outcomes": {"c": OUTCOME}}}},
            {"x": np.array(["text"])},
        ),
        (b"[" * 100_000, {}),
    ],
    ids=str,
)
def test_a_file_of_another_kind_is_a_clear_error(tmp_path, document, arrays):
    archive(tmp_path / "a.npz", document, **arrays)
    with pytest.raises(dc.ArgumentError, match=r"a\.npz is no recording of a parity run"):
        recording.load(tmp_path / "a.npz")


def test_damaged_files_are_clear_errors(tmp_path):
    run = dc.parity.run(["numpy"], ["lesson/figure"])
    recording.save(run, tmp_path / "a.npz")
    whole = (tmp_path / "a.npz").read_bytes()
    rng = np.random.default_rng(0)
    for cut in (0, 1, 100, len(whole) - 30):
        (tmp_path / "a.npz").write_bytes(whole[:cut])
        with pytest.raises(dc.ArgumentError):
            recording.load(tmp_path / "a.npz")
    for _ in range(300):  # some bytes changed: an error that says so, or no harm done
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            damaged[place] = rng.integers(0, 256)
        (tmp_path / "a.npz").write_bytes(damaged)
        with suppress(dc.ArgumentError):
            recording.load(tmp_path / "a.npz")


@pytest.mark.parametrize("kind", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_STORED])
def test_damaged_files_of_every_compression_and_header_are_clear_errors(tmp_path, kind):
    """Each of the bytes that say what an array is, and how it is packed, changed in turn."""
    packed = io.BytesIO()
    np.save(packed, np.zeros(3))
    whole = tmp_path / "whole.npz"
    with zipfile.ZipFile(whole, "w", kind) as archive:
        archive.writestr("contents.npy", packed.getvalue())
    content = whole.read_bytes()
    for place in range(0, len(content), 2):
        for value in (0, 0x28, 0xFF):  # 0x28 opens a bracket
            (tmp_path / "a.npz").write_bytes(
                content[:place] + bytes([value]) + content[place + 1 :]
            )
            with pytest.raises(dc.ArgumentError):
                recording.load(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (" + b"9" * 11 + b",), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }" + b" " * 20_000,
        b"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
        b"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,), }",
        b"__import__('os').abort()",
        b"(" * 5000,
    ],
    ids=["huge", "negative", "long", "objects", "records", "code", "nested"],
)
def test_what_an_array_says_of_itself_is_not_believed(tmp_path, header):
    whole = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 24
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("contents.npy", whole)
    with pytest.raises(dc.ArgumentError, match="no recording"):
        recording.load(tmp_path / "a.npz")


def test_what_a_recording_says_cannot_command_the_terminal(tmp_path):
    facts = {"backend": "\x1b]0;owned\x07", "version": "1\r2"}
    document = {"format": 1, "columns": {"a": {"facts": facts, "outcomes": {}}}}
    archive(tmp_path / "a.npz", document)
    ((_, (found, _)),) = recording.load(tmp_path / "a.npz").items()
    assert found == {"backend": "\ufffd]0;owned\ufffd", "version": "1\ufffd2"}


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "LARGEST", 1000)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("contents.npy", b"\0" * 10_000)
    with pytest.raises(dc.ArgumentError, match="it would unpack to 10,000 bytes"):
        recording.load(tmp_path / "a.npz")


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(dc.ArgumentError, match="cannot be read: No such file"):
        recording.load(tmp_path / "none.npz")


# Files are whole or not there.


def test_a_file_is_replaced_only_when_all_went_well(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write(content, fails):
        with replacing(path) as file:
            file.write(content)
            if fails:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(b"half of the n", fails=True)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]
    write(b"new", fails=False)
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_text("")
    with replacing(tmp_path / "ours") as file:
        assert isinstance(file, io.IOBase)
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_is_filled_whole_or_not_at_all(tmp_path, there):
    path = tmp_path / "site"
    if there:
        path.mkdir()
        (path / "index.html").write_text("old")
    before = sorted(tmp_path.rglob("*"))

    def end_with(error):
        with filling(path) as new:
            (new / "index.html").write_text("new")
            raise error

    with pytest.raises(dc.errors.FileError, match=r"No space.*is unchanged"):
        end_with(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    with pytest.raises(KeyboardInterrupt):
        end_with(KeyboardInterrupt())
    assert sorted(tmp_path.rglob("*")) == before
    assert not there or (path / "index.html").read_text() == "old"
    with filling(path) as new:
        (new / "api").mkdir()
        for name in ("index.html", "api/a.html"):
            (new / name).write_text("new")
    assert sorted(path.rglob("*")) == [path / "api", path / "api" / "a.html", path / "index.html"]
    assert (path / "index.html").read_text() == "new"


def test_where_no_file_can_be_written_is_reported_before(tmp_path):
    assert writable(tmp_path / "a") == tmp_path / "a"
    with pytest.raises(dc.ArgumentError, match="there is no folder"):
        writable(tmp_path / "no" / "a")
    with pytest.raises(dc.ArgumentError, match="is a folder; give the name of a file"):
        writable(tmp_path)
    for path in (None, 3, b"a"):
        with pytest.raises(dc.ArgumentError, match="it must be the path of a file"):
            writable(path)

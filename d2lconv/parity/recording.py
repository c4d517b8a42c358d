"""Results in a file, to be compared with those of another environment, machine or day.

A recording is a NumPy ``.npz`` archive: the arrays, and a JSON document that says what they are.
It holds results, not verdicts: those come from comparing again. Reading one never runs anything
that is in it.
"""

import io
import json
import zipfile
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from d2lconv.core.data import FLOATS
from d2lconv.errors import ArgumentError
from d2lconv.files import replacing
from d2lconv.parity.cases import choose
from d2lconv.parity.report import Judge, ParityReport
from d2lconv.parity.workers import Outcome

FORMAT = 1
LARGEST = 2**30  # bytes of arrays in one recording
CONTENTS = "contents"


def save(report: ParityReport, path: str | PathLike[str]) -> None:
    """Write the results of a parity run to a file, whole or not at all."""
    arrays: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    for column, facts in report.backends.items():
        outcomes = {}
        for case in report.cases:
            outcome = report.outcomes.get((case.name, column))
            if outcome is None:
                continue
            names = {}
            for name, array in (outcome.results or {}).items():
                names[name] = f"array{len(arrays)}"
                arrays[names[name]] = array
            outcomes[case.name] = {
                "results": None if outcome.results is None else names,
                "digest": outcome.digest,
                "error": outcome.error,
                "details": outcome.details,
            }
        columns[column] = {"facts": facts, "outcomes": outcomes}
    text = json.dumps({"format": FORMAT, "columns": columns})
    arrays[CONTENTS] = np.frombuffer(text.encode(), np.uint8)
    packed = io.BytesIO()  # an archive that cannot be written is tried again when it is freed
    np.savez_compressed(packed, **arrays)
    with replacing(path) as file:
        file.write(packed.getbuffer())


def load(path: str | PathLike[str]) -> dict[str, tuple[dict[str, str], dict[str, Outcome]]]:
    """Read a recording: for each column its facts, and its outcomes by case.

    Raises:
        ArgumentError: The file cannot be read, or is no recording of this format.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST:
            raise _refuse(path, f"it would unpack to {size:,} bytes, more than {LARGEST:,}")
        with np.load(path, allow_pickle=False) as arrays:
            document = json.loads(arrays[CONTENTS].tobytes())
            if not isinstance(document, dict) or document.get("format") != FORMAT:
                found = document.get("format") if isinstance(document, dict) else None
                raise _refuse(path, f"its format is {found!r}, and {FORMAT} is the one known")
            return {
                _text(column): (
                    {_text(key): _text(value) for key, value in part["facts"].items()},
                    {
                        _text(case): _outcome(arrays, outcome)
                        for case, outcome in part["outcomes"].items()
                    },
                )
                for column, part in document["columns"].items()
            }
    except OSError as error:
        raise ArgumentError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ArgumentError:
        raise
    except Exception as error:  # whatever a hostile file provokes in zipfile, NumPy or json
        raise _refuse(path, f"{type(error).__name__}: {error}") from error


def compare_recordings(
    paths: Iterable[str | PathLike[str]], cases: Iterable[str] | None = None
) -> ParityReport:
    """Judge recorded results, each backend of each recording in a column of its own.

    Args:
        paths: The recordings, as ``d2lconv parity --save`` writes them.
        cases: Names of cases, beginnings of names, or shell patterns; None takes all.

    Returns:
        The :class:`~d2lconv.parity.report.ParityReport`. A case that a recording lacks is left
        out of its column, and one that all of them lack, out of the report.

    Raises:
        ArgumentError: A file is no recording, or no case matches.
    """
    chosen = choose(None if cases is None else list(cases))
    columns: dict[str, tuple[dict[str, str], dict[str, Outcome]]] = {}
    for path in paths:
        for facts, outcomes in load(path).values():
            label = f"{facts.get('backend', '?')} {facts.get('version', '?')}".strip()
            if label in columns:
                label = f"{label} ({Path(path).stem})"
            while label in columns:
                label += "'"
            columns[label] = facts, outcomes
    recorded = {case for _, outcomes in columns.values() for case in outcomes}
    chosen = tuple(case for case in chosen if case.name in recorded)
    report = ParityReport(chosen, {label: facts for label, (facts, _) in columns.items()})
    judge = Judge()
    for case in chosen:
        for label, (facts, outcomes) in columns.items():
            if case.name in outcomes:
                outcome = outcomes[case.name]
                report.outcomes[case.name, label] = outcome
                report.cells[case.name, label] = judge(case, facts.get("backend", ""), outcome)
    return report


def _outcome(arrays: Any, plain: dict[str, Any]) -> Outcome:
    results = plain["results"]
    if results is not None:
        results = {_text(name): _array(arrays[_text(key)]) for name, key in results.items()}
    return Outcome(
        results, _text(plain["digest"]), _text(plain["error"]), _text(plain.get("details", ""))
    )


def _array(array: Any) -> Any:
    if array.dtype.name not in FLOATS:
        raise ValueError(f"an array of {array.dtype.name}")
    return array


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    # It is printed later, and what is printed can command a terminal.
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in value)


def _refuse(path: Path, reason: str) -> ArgumentError:
    return ArgumentError(
        f"{path} is no recording of a parity run ({reason}). Make one with d2lconv parity --save."
    )

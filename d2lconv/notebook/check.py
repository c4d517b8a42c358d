"""Whether two notebooks say and show the same: text exactly, numbers and pictures by a verdict."""

import base64
import io
import re
from collections.abc import Iterator
from difflib import unified_diff
from html.parser import HTMLParser
from typing import Any

import numpy as np

from d2lconv.extras import needed
from d2lconv.parity import compare

with needed("notebooks"):
    from nbformat import NotebookNode
    from PIL import Image

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?![\w])")
VERDICT = re.compile(r"(✓ |≈ )?(identical|rounding)")
PICTURE = re.compile(r'src="data:image/png;base64,([^"]*)"')


def structure(committed: NotebookNode, built: NotebookNode) -> Iterator[str]:
    """Where a notebook's cells are not those that the source and the library make, in sentences."""
    made_from = "backends"
    theirs = committed.metadata.get("d2lconv", {}).get(made_from, {})
    for name, digest in built.metadata["d2lconv"][made_from].items():
        if theirs.get(name) != digest:
            yield f"the backend {name!r} has changed since the notebook was built"
    one, other = (_sources(notebook) for notebook in (committed, built))
    if one != other:
        lines = list(unified_diff(one, other, "notebook", "built now", n=0, lineterm=""))
        yield "the cells differ from what is built now:\n" + "\n".join(lines[2:14])
    elif _bare(committed) != _bare(built):
        yield "the ids or the metadata differ from what is built now"


def outputs(committed: NotebookNode, fresh: NotebookNode) -> Iterator[str]:
    """Where two runs of the same cells gave different outputs, in sentences."""
    for number, (one, other) in enumerate(zip(committed.cells, fresh.cells, strict=True), 1):
        if one.cell_type != "code":
            continue
        rounding = bool(other.metadata.get("d2lconv", {}).get("rounding"))
        theirs, ours = list(_parts(one)), list(_parts(other))
        kinds = [[kind for kind, _ in parts] for parts in (theirs, ours)]
        if kinds[0] != kinds[1]:
            yield f"cell {number} shows {_list(kinds[1])}, and in the notebook {_list(kinds[0])}"
            continue
        for (kind, then), (_, now) in zip(theirs, ours, strict=True):
            difference = pictures(now, then) if kind == "picture" else texts(now, then, rounding)
            if difference:
                yield f"cell {number}, {kind}: {difference}"


def texts(now: str, then: str, rounding: bool = False) -> str | None:
    """How a text differs from an earlier one, None if it does not.

    Args:
        now: The text.
        then: The earlier one.
        rounding: Whether a number may differ by one unit of its last printed digit. What rounding
            changes is far below that digit, but may carry the number over the middle between two.
            And whether the verdicts "identical" and "rounding" may stand for each other.
    """
    if rounding:
        now, then = (VERDICT.sub("rounding", text) for text in (now, then))
    if now == then:
        return None
    words = [" ".join(NUMBER.sub("#", text).split()) for text in (now, then)]
    if words[0] != words[1]:
        return f"{_around(now, then)!r} is not {_around(then, now)!r}"
    numbers = [NUMBER.findall(text) for text in (now, then)]
    if not numbers[0]:
        return "the spaces differ"
    units = [[_unit(number) for number in found] for found in numbers]
    bound = 1.001 * np.maximum(*map(np.array, units)) if rounding else None  # decimals as binaries
    values = [np.array([float(number) for number in found]) for found in numbers]
    verdict = compare(*values, bound=bound)
    return str(verdict) if verdict.verdict == "bug" else None


def pictures(now: str, then: str) -> str | None:
    """How a picture differs from an earlier one, None if it does not.

    What rounding changes in a number that is drawn moves a colour by one level of 256 at most.
    """
    if now == then:
        return None
    one, other = _pixels(now), _pixels(then)
    verdict = compare(one, other, bound=1)
    return f"its pixels: {verdict}" if verdict.verdict == "bug" else None


def _pixels(data: str) -> Any:
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        return np.asarray(image.convert("RGB"), np.float64)


def _unit(number: str) -> float:
    """One unit of the last digit of a printed number."""
    mantissa, _, exponent = number.lower().partition("e")
    return float(10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2])))


def _sources(notebook: NotebookNode) -> list[str]:
    return [line for cell in notebook.cells for line in [f"[{cell.id}]", *cell.source.split("\n")]]


def _bare(notebook: NotebookNode) -> Any:
    cells = [(cell.id, cell.cell_type, dict(cell.metadata)) for cell in notebook.cells]
    return cells, dict(notebook.metadata), notebook.nbformat, notebook.nbformat_minor


def _parts(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """The texts and the pictures that a cell shows."""
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            yield "text", output.text
            continue
        for kind, data in sorted(output.get("data", {}).items()):
            if kind == "image/svg+xml":
                continue  # drawn from the same figure as the PNG beside it, whose pixels count
            if kind == "image/png":
                yield "picture", data
            elif kind == "text/html":
                yield "table", _Words().read(data)
                yield from (("picture", found) for found in PICTURE.findall(data))
            else:
                yield "text", str(data)


class _Words(HTMLParser):
    """What is to be read in a piece of HTML."""

    def read(self, html: str) -> str:
        self.words: list[str] = []
        self.feed(html)
        return "\n".join(self.words)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _around(text: str, other: str) -> str:
    """The first line of a text that is not in the other one."""
    known = set(other.splitlines())
    return next((line for line in text.splitlines() if line not in known), text)[:160]


def _list(kinds: list[str]) -> str:
    return ", ".join(kinds) or "nothing"

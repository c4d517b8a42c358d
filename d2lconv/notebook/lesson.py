"""The lesson's one source: MyST Markdown as jupytext writes it, with cells for some frameworks.

A cell's tags say where it goes:

- a backend's name: only into the notebooks of the backends that are named; else into all;
- ``together`` only into the notebook of all frameworks, ``apart`` only into those of one;
- ``once``: in the notebook of all frameworks it is run once, with the neutral API, not in columns;
- ``notes``: a speaker's, for slides; ``install``: the cell that installs what the lesson needs.

Further options of a code cell: ``step`` names the step of the lesson that it belongs to; ``same``
lists names whose values have the same bits in every framework; ``within`` gives for a name the two
operands of the cross-correlation that it is, or the name of a bound; ``collect`` names a value that
later cells want from every framework; ``rounding`` says that the last printed digit of a number may
be another one elsewhere, and so the verdict whether there is any rounding; ``widget`` names the
widget that the cell shows.

A line ``# {source} ops.corr2d`` stands for the code of that function in each framework, and a
Markdown cell with the directive ``{exercise}`` for one of the section's exercises.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from d2lconv import registry
from d2lconv.errors import ArgumentError
from d2lconv.extras import needed

with needed("notebooks"):
    import jupytext

PLACES = ("together", "apart", "once", "notes", "install")
OPTIONS = ("step", "same", "within", "collect", "rounding", "widget")
SOURCE = "conv_layer.md"
EXERCISE = re.compile(r"^```\{exercise\} (\S+)\n```\n*", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One cell of the source.

    Attributes:
        kind: "markdown" or "code".
        text: What is in it.
        backends: The backends that it is for; empty for all.
        places: Its other tags, see above.
        options: Its options, see above.
        slide: The type of slide that it begins, if any.
    """

    kind: str
    text: str
    backends: tuple[str, ...] = ()
    places: frozenset[str] = frozenset()
    options: dict[str, Any] = field(default_factory=dict)
    slide: str | None = None

    @property
    def exercises(self) -> list[str]:
        """The names of the exercises that the cell stands for."""
        return EXERCISE.findall(self.text) if self.kind == "markdown" else []

    def shown_to(self, backend: str) -> bool:
        """Whether the cell is for that backend."""
        return not self.backends or backend in self.backends


def read(path: Path) -> list[Cell]:
    """The cells of the source.

    Raises:
        ArgumentError: There is no such file, or a cell has a tag or an option that means nothing.
    """
    if not path.is_file():
        raise ArgumentError(f"there is no {path.name} in {path.parent}, the source of the lesson.")
    notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md:myst")
    return [_cell(cell) for cell in notebook.cells if cell.source.strip()]


def folder() -> Path:
    """The checkout's folder ``notebooks``.

    Raises:
        ArgumentError: d2lconv runs from somewhere else than a checkout.
    """
    import d2lconv

    found = Path(d2lconv.__file__).parent.parent / "notebooks"
    for place in (found, Path.cwd() / "notebooks", Path.cwd()):
        if (place / SOURCE).is_file():
            return place
    raise ArgumentError(
        f"there is no notebooks/{SOURCE} here: the lesson is built in a checkout of the "
        "repository, not from an installed package. Clone it, and run this at its top."
    )


def _cell(cell: Any) -> Cell:
    metadata = dict(cell.metadata)
    tags = list(metadata.pop("tags", []))
    slide = metadata.pop("slideshow", {}).get("slide_type")
    start = cell.source.strip().partition("\n")[0]
    for tag in tags:
        if tag not in PLACES and tag not in registry.manifests():
            raise ArgumentError(f"unknown tag {tag!r} at the cell {start!r}.")
    for option in metadata:
        if option not in OPTIONS:
            raise ArgumentError(f"unknown option {option!r} at the cell {start!r}.")
    if "{exercise}" in EXERCISE.sub("", cell.source) or (
        EXERCISE.search(cell.source) and EXERCISE.sub("", cell.source).strip()
    ):
        raise ArgumentError(f"exercises want a cell of their own, not the one at {start!r}.")
    return Cell(
        kind=cell.cell_type,
        text=cell.source.strip("\n"),
        backends=tuple(tag for tag in tags if tag not in PLACES),
        places=frozenset(tag for tag in tags if tag in PLACES),
        options=metadata,
        slide=slide,
    )

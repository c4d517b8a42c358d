"""A lesson's one source: MyST Markdown as jupytext writes it, with cells for some frameworks.

A lesson is a folder with a file ``lesson.md`` in it, beside which its notebooks are built. At the
top of the file, under ``lesson``, stand its ``title``, the book's ``section`` by which lessons are
ordered, the section's ``address``, ``about`` (a sentence for those who choose), and ``first`` (the
backend that a page shows first). A picture ``hero.svg`` in the folder, of what one will be able to
do, is what its page, its decks and the site open with.

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
widget that the cell shows. Any cell may have ``fold``: it is what a question before it asks for,
and the page shows it when its reader asks, under this title, together with its neighbours.

A line ``# {source} scratch.corr2d`` stands for the code of that function in each framework, and a
Markdown cell with the directive ``{exercise}`` for one of the exercises.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from d2lconv.core import checks, registry
from d2lconv.errors import ArgumentError
from d2lconv.extras import needed

PLACES = ("together", "apart", "once", "notes", "install")
OPTIONS = ("step", "same", "within", "collect", "rounding", "widget", "fold")
SOURCE = "lesson.md"
HEAD = ("title", "section", "address", "about", "first")
TOP = re.compile(r"\A---\n(?:.*\n)*?lesson:\n((?:  .*\n)*)(?:.*\n)*?---\n")
ENTRY = re.compile(
    r'^  (\w+):(?! *[\d.]+ *$) *(["\']?)(.*)\2 *$', re.MULTILINE
)  # texts, no numbers
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


@dataclass(frozen=True)
class Lesson:
    """A lesson: its folder, what is known of it, and its cells.

    Attributes:
        folder: Where its source and its notebooks are.
        title: Its title.
        section: The section of the book whose order of ideas and numbers it has.
        address: Where that section is to be read.
        about: What one learns in it, in a sentence.
        first: The backend that its page shows first.
        cells: Its cells.
    """

    folder: Path
    title: str
    section: str
    address: str
    about: str
    first: str
    cells: list[Cell]

    @property
    def name(self) -> str:
        """Its name, which is its folder's."""
        return self.folder.name

    @property
    def exercises(self) -> list[str]:
        """The names of its exercises."""
        return [name for cell in self.cells for name in cell.exercises]

    @property
    def backends(self) -> list[str]:
        """The backends that it is taught in, in the one order that they have everywhere."""
        taught = {name for cell in self.cells for name in cell.backends}
        return [name for name in registry.manifests() if name in taught]


def read(folder: Path) -> Lesson:
    """The lesson in a folder.

    Raises:
        ArgumentError: There is no source, it does not say what it should at its top, or a cell has
            a tag or an option that means nothing.
    """
    with needed("notebooks"):
        import jupytext
    top = head(folder)
    notebook = jupytext.reads((folder / SOURCE).read_text(encoding="utf-8"), fmt="md:myst")
    cells = [_cell(cell) for cell in notebook.cells if cell.source.strip()]
    return Lesson(folder=folder, cells=cells, **top)


def head(folder: Path) -> dict[str, str]:
    """What stands at the top of the source in a folder, read without what reads its cells.

    Raises:
        ArgumentError: There is no source, or it does not say what it should at its top.
    """
    path = folder / SOURCE
    if not path.is_file():
        raise ArgumentError(f"there is no {SOURCE} in {folder}, the source of a lesson.")
    top = TOP.match(path.read_text(encoding="utf-8"))
    found = {key: text for key, _, text in ENTRY.findall(top[1] if top else "")}
    if set(found) != set(HEAD):
        raise ArgumentError(
            f"{path} should have at its top, under 'lesson', a line for each of these, indented by "
            f"two spaces: {', '.join(HEAD)}; it has {', '.join(found) or 'none'}."
        )
    return found


def lessons() -> list[Lesson]:
    """All lessons, in the order of the book's sections."""
    return [read(each) for each in folders()]


def folders() -> list[Path]:
    """The folders of all lessons, in the order of the book's sections."""
    sections = {path.parent: head(path.parent)["section"] for path in folder().glob(f"*/{SOURCE}")}
    return sorted(sections, key=lambda each: [int(n) for n in sections[each].split(".")])


def find(name: str) -> Lesson:
    """The lesson of that name.

    Raises:
        ArgumentError: There is none.
    """
    known = sorted(path.parent.name for path in folder().glob(f"*/{SOURCE}"))
    return read(folder() / checks.choice("lesson", name, known))


def folder() -> Path:
    """The checkout's folder ``notebooks``.

    Raises:
        ArgumentError: d2lconv runs from somewhere else than a checkout.
    """
    import d2lconv

    found = Path(d2lconv.__file__).parent.parent / "notebooks"
    for place in (found, Path.cwd() / "notebooks", Path.cwd()):
        if any(place.glob(f"*/{SOURCE}")):
            return place
    raise ArgumentError(
        "there is no folder notebooks with lessons here: they are built in a checkout of the "
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

"""From a lesson's source to notebooks: one for each framework, and one for all of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from d2lconv.extras import needed
from d2lconv.notebook import fragments
from d2lconv.notebook.fragments import Page
from d2lconv.notebook.lesson import Cell, Lesson
from d2lconv.notebook.library import Imports, Inliner, Library

with needed("notebooks"):
    import nbformat
    from nbformat import NotebookNode, v4

TOGETHER: Final = "side_by_side"
EXTRAS = ("plots", "widgets")  # what the notebooks need besides the frameworks
KEPT = ("step", "rounding", "widget")  # the options of the source that a notebook's cell keeps
SETUP = "# {setup}"
SOURCE = re.compile(r"^# \{source\} (\S+)$", re.MULTILINE)


def notebook(lesson: Lesson, libraries: Sequence[Library]) -> NotebookNode:
    """The notebook for one framework, or for several side by side, without outputs."""
    made = [_cell(*page) for _, page in _pages(lesson, libraries)]
    seen: dict[str, int] = {}
    for cell in made:  # nbformat replaces ids that are there twice by random ones
        seen[cell.id] = seen.get(cell.id, 0) + 1
        cell.id += f"-{seen[cell.id]}" if seen[cell.id] > 1 else ""
    built = v4.new_notebook(
        cells=made,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "name": "python"},
            "d2lconv": {
                "backends": {library.manifest.name: library.digest for library in libraries},
            },
        },
    )
    built.nbformat_minor = 5
    nbformat.validate(built)
    return built


def origins(lesson: Lesson, libraries: Sequence[Library]) -> list[int | None]:
    """For each cell of the notebook, the number of the lesson's cell that it was made from.

    What stands for several neighbours counts as made from the first, and badges as from none.
    """
    return [number for number, _ in _pages(lesson, libraries)]


def filename(libraries: Sequence[Library]) -> str:
    """The name of the notebook for these frameworks."""
    return f"{libraries[0].manifest.name if len(libraries) == 1 else TOGETHER}.ipynb"


def text(built: NotebookNode) -> str:
    """The notebook as it is written to its file."""
    return nbformat.writes(built) + "\n"


def load(path: Path) -> NotebookNode:
    """The notebook in a file."""
    return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)


Numbered = tuple[int | None, Page]


def slot(cell: Cell) -> tuple[str, bool, Any]:
    """Neighbours with the same slot are the same cell, in several frameworks."""
    return cell.kind, bool(cell.backends), cell.options.get("step")


def _pages(lesson: Lesson, libraries: Sequence[Library]) -> Iterator[Numbered]:
    """The cells of a notebook, each with the number of what it was made from.

    Below the cell with ``# {setup}``, imports are lifted out of the others, and stand there once,
    after that of d2lconv, which MXNet's needs; in the notebook of all frameworks, what one of them
    needs stands in the columns that follow.
    """
    start = next((n for n, cell in enumerate(lesson.cells) if SETUP in cell.text), None)
    imports = Lifted(len(lesson.cells) if start is None else start)
    made = list(
        _alone(lesson, libraries[0], imports)
        if len(libraries) == 1
        else _together(lesson, libraries, imports)
    )
    for number, (kind, text, metadata) in made:
        if number == start and kind == "code":
            lifted = imports.by.pop("").code
            yield number, (kind, "\n".join(filter(None, [text, lifted])), metadata)
            codes = {name: each.code for name, each in imports.by.items()}
            if codes:
                yield None, _table(codes, {}, libraries, dict(metadata))
        elif text:
            yield number, (kind, text, metadata)


@dataclass
class Lifted:
    """The imports of a notebook, by the backend in whose columns they are needed, "" for none.

    Attributes:
        start: The number of the lesson's cell below which they are lifted.
        by: The imports.
    """

    start: int
    by: dict[str, Imports] = field(default_factory=lambda: {"": Imports()})

    def lift(self, number: int, code: str, name: str = "") -> str:
        """The code of a cell, without its imports."""
        if number <= self.start:
            return code
        return self.by.setdefault(name, Imports()).lift(code)


def _alone(lesson: Lesson, library: Library, imports: Lifted) -> Iterator[Numbered]:
    """The cells of a notebook for one framework."""
    name = library.manifest.name
    inliner = Inliner(library)
    words = fragments.words([library])
    for number, cell in _without(lesson.cells, "together"):
        if not cell.shown_to(name):
            continue
        if number == 0:
            yield number, _page(cell, fragments.fill(cell.text, words))
            yield None, ("markdown", fragments.badges(f"{lesson.name}/{filename([library])}"), {})
        elif cell.exercises:
            for item in cell.exercises:
                yield from ((number, page) for page in fragments.exercise(item, library))
        elif "install" in cell.places:
            extras = [library.manifest.extra, *EXTRAS]
            yield number, _page(cell, fragments.install([extra for extra in extras if extra]))
        else:
            text = _expand(fragments.fill(cell.text, words), inliner)
            yield number, _page(cell, imports.lift(number, text) if cell.kind == "code" else text)


def _together(lesson: Lesson, libraries: Sequence[Library], imports: Lifted) -> Iterator[Numbered]:
    """The cells of the notebook for all frameworks."""
    inliners = {library.manifest.name: Inliner(library) for library in libraries}
    words = fragments.words(libraries)
    for (kind, tagged, _), found in groupby(
        _without(lesson.cells, "apart"), lambda item: slot(item[1])
    ):
        items = list(found)
        if kind == "code" and tagged:
            yield items[0][0], _columns(items, libraries, inliners, imports)
            continue
        for number, cell in items:
            if cell.exercises:
                for item in cell.exercises:
                    yield from ((number, page) for page in fragments.exercise(item, None))
            elif kind == "markdown":
                own = [each for each in libraries if cell.shown_to(each.manifest.name)]
                known = fragments.words(own) if cell.backends else words
                yield number, _page(cell, fragments.fill(cell.text, known))
                if number == 0:
                    badges = fragments.badges(f"{lesson.name}/{filename(libraries)}")
                    yield None, ("markdown", badges, {})
            elif "install" in cell.places:
                yield number, _page(cell, fragments.install(["all", *EXTRAS]))
            elif cell.places & {"once", "together"}:
                text = fragments.fill(cell.text, words)
                yield number, _page(cell, imports.lift(number, text))
            else:
                yield number, _columns([(number, cell)], libraries, inliners, imports)


def _columns(
    items: Sequence[tuple[int, Cell]],
    libraries: Sequence[Library],
    inliners: dict[str, Inliner],
    imports: Lifted,
) -> Page:
    """A cell that runs each framework's code, and shows code and outputs in columns."""
    cells = [cell for _, cell in items]
    codes: dict[str, str] = {}
    for library in libraries:
        name = library.manifest.name
        own = [cell for cell in cells if cell.shown_to(name)]
        if own:
            texts = [fragments.fill(cell.text, fragments.words([library])) for cell in own]
            code = _expand("\n\n".join(texts), inliners[name])
            codes[name] = imports.lift(items[0][0], code, name)
    merged: dict[str, Any] = {}
    for cell in cells:
        merged.update(cell.options)
    return _table(codes, merged, libraries, _page(cells[0], "")[2])


def _table(
    codes: dict[str, str],
    options: dict[str, Any],
    libraries: Sequence[Library],
    metadata: dict[str, Any],
) -> Page:
    """A cell of columns, whose own text is hidden: the table shows it."""
    hidden = {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}
    return "code", fragments.columns(codes, options, len(libraries)), metadata | hidden


def _expand(code: str, inliner: Inliner) -> str:
    """The code, with the library's own where a line names it."""
    paths = SOURCE.findall(code)
    if not paths:
        return code
    rest = SOURCE.sub("", code).strip()
    return "\n\n".join(filter(None, [inliner.inline(paths), rest]))


def _without(cells: Sequence[Cell], place: str) -> Iterator[tuple[int, Cell]]:
    """The cells that are not only for a place, nor only for a speaker, with their numbers."""
    return (
        (number, cell) for number, cell in enumerate(cells) if not cell.places & {place, "notes"}
    )


def _page(cell: Cell, text: str) -> Page:
    metadata: dict[str, Any] = {}
    if cell.slide:
        metadata["slideshow"] = {"slide_type": cell.slide}
    about = {key: cell.options[key] for key in KEPT if key in cell.options}
    if about:
        metadata["d2lconv"] = about
    return cell.kind, text, metadata


def _cell(kind: str, text: str, metadata: dict[str, Any]) -> NotebookNode:
    make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
    digest = sha256(f"{kind}\0{text}".encode()).hexdigest()[:12]
    return make(text, id=digest, metadata=metadata)

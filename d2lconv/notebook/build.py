"""From the lesson's source to notebooks: one for each framework, and one for all of them."""

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from d2lconv.extras import needed
from d2lconv.notebook import fragments
from d2lconv.notebook.lesson import Cell
from d2lconv.notebook.library import Inliner, Library

with needed("notebooks"):
    import nbformat
    from nbformat import NotebookNode, v4

TOGETHER: Final = "side_by_side"
EXTRAS = ("plots", "widgets")  # what the notebooks need besides the frameworks
KEPT = ("step", "rounding", "widget")  # the options of the source that a notebook's cell keeps
SOURCE = re.compile(r"^# \{source\} (\S+)$", re.MULTILINE)


def notebook(cells: Sequence[Cell], libraries: Sequence[Library]) -> NotebookNode:
    """The notebook for one framework, or for several side by side, without outputs.

    Args:
        cells: The lesson.
        libraries: The frameworks.
    """
    made = [_cell(*page) for _, page in _pages(cells, libraries)]
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


def origins(cells: Sequence[Cell], libraries: Sequence[Library]) -> list[int | None]:
    """For each cell of the notebook, the number of the lesson's cell that it was made from.

    What stands for several neighbours counts as made from the first, and badges as from none.
    """
    return [number for number, _ in _pages(cells, libraries)]


def filename(libraries: Sequence[Library]) -> str:
    """The name of the notebook for these frameworks."""
    return f"{libraries[0].manifest.name if len(libraries) == 1 else TOGETHER}.ipynb"


def text(built: NotebookNode) -> str:
    """The notebook as it is written to its file."""
    return nbformat.writes(built) + "\n"


def load(path: Path) -> NotebookNode:
    """The notebook in a file."""
    return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)


Page = tuple[str, str, dict[str, Any]]
Numbered = tuple[int | None, Page]


def slot(cell: Cell) -> tuple[str, bool, Any]:
    """Neighbours with the same slot are the same cell, in several frameworks."""
    return cell.kind, bool(cell.backends), cell.options.get("step")


def _pages(cells: Sequence[Cell], libraries: Sequence[Library]) -> Iterator[Numbered]:
    """The cells of a notebook, each with the number of what it was made from."""
    if len(libraries) == 1:
        yield from _alone(cells, libraries[0])
    else:
        yield from _together(cells, libraries)


def _alone(cells: Sequence[Cell], library: Library) -> Iterator[Numbered]:
    """The cells of a notebook for one framework."""
    name = library.manifest.name
    inliner = Inliner(library)
    words = fragments.words([library])
    for number, cell in _without(cells, "together"):
        if not cell.shown_to(name):
            continue
        if number == 0:
            yield number, _page(cell, fragments.fill(cell.text, words))
            yield None, ("markdown", fragments.badges(filename([library])), {})
        elif cell.exercises:
            for item in cell.exercises:
                yield from ((number, page) for page in fragments.exercise(item, library))
        elif "install" in cell.places:
            extras = [library.manifest.extra, *EXTRAS]
            yield number, _page(cell, fragments.install([extra for extra in extras if extra]))
        else:
            yield number, _page(cell, _expand(fragments.fill(cell.text, words), inliner))


def _together(cells: Sequence[Cell], libraries: Sequence[Library]) -> Iterator[Numbered]:
    """The cells of the notebook for all frameworks."""
    inliners = {library.manifest.name: Inliner(library) for library in libraries}
    words = fragments.words(libraries)
    for (kind, tagged, _), found in groupby(_without(cells, "apart"), lambda item: slot(item[1])):
        items = list(found)
        if kind == "code" and tagged:
            yield items[0][0], _columns([cell for _, cell in items], libraries, inliners)
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
                    yield None, ("markdown", fragments.badges(f"{TOGETHER}.ipynb"), {})
            elif "install" in cell.places:
                yield number, _page(cell, fragments.install(["all", *EXTRAS]))
            elif cell.places & {"once", "together"}:
                yield number, _page(cell, fragments.fill(cell.text, words))
            else:
                yield number, _columns([cell], libraries, inliners)


def _columns(
    cells: Sequence[Cell], libraries: Sequence[Library], inliners: dict[str, Inliner]
) -> Page:
    """A cell that runs each framework's code, and shows code and outputs in columns."""
    codes: dict[str, str] = {}
    for library in libraries:
        name = library.manifest.name
        own = [cell for cell in cells if cell.shown_to(name)]
        if own:
            texts = [fragments.fill(cell.text, fragments.words([library])) for cell in own]
            codes[name] = _expand("\n\n".join(texts), inliners[name])
    merged: dict[str, Any] = {}
    for cell in cells:
        merged.update(cell.options)
    page = _page(cells[0], fragments.columns(codes, merged, len(libraries)))
    page[2]["jupyter"] = {"source_hidden": True}
    page[2]["tags"] = ["hide-input"]
    return page


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

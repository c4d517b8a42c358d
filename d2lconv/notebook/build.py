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
SOURCE = re.compile(r"^# \{source\} (\S+)$", re.MULTILINE)


def notebook(cells: Sequence[Cell], libraries: Sequence[Library]) -> NotebookNode:
    """The notebook for one framework, or for several side by side, without outputs.

    Args:
        cells: The lesson.
        libraries: The frameworks.
    """
    alone = len(libraries) == 1
    pages = _alone(cells, libraries[0]) if alone else _together(cells, libraries)
    made = [_cell(kind, text, metadata) for kind, text, metadata in pages]
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


def _alone(cells: Sequence[Cell], library: Library) -> Iterator[Page]:
    """The cells of a notebook for one framework."""
    name = library.manifest.name
    inliner = Inliner(library)
    for number, cell in enumerate(_without(cells, "together")):
        if not cell.shown_to(name):
            continue
        words = fragments.words([library])
        if number == 0:
            yield _page(cell, fragments.fill(cell.text, words))
            yield "markdown", fragments.badges(filename([library])), {}
        elif cell.exercises:
            for item in cell.exercises:
                yield from fragments.exercise(item, library)
        elif "install" in cell.places:
            extras = [library.manifest.extra, "plots"]
            yield _page(cell, fragments.install([extra for extra in extras if extra]))
        else:
            yield _page(cell, _expand(fragments.fill(cell.text, words), inliner))


def _together(cells: Sequence[Cell], libraries: Sequence[Library]) -> Iterator[Page]:
    """The cells of the notebook for all frameworks."""
    inliners = {library.manifest.name: Inliner(library) for library in libraries}
    words = fragments.words(libraries)
    yet = True
    for (kind, tagged, _), group in groupby(_without(cells, "apart"), _slot):
        for cells_ in [list(group)] if tagged else ([cell] for cell in group):
            cell = cells_[0]
            if cell.exercises:
                for item in cell.exercises:
                    yield from fragments.exercise(item, None)
            elif kind == "markdown":
                for each in cells_:
                    own = [x for x in libraries if each.shown_to(x.manifest.name)]
                    known = fragments.words(own) if each.backends else words
                    yield _page(each, fragments.fill(each.text, known))
                if yet:
                    yield "markdown", fragments.badges(f"{TOGETHER}.ipynb"), {}
                    yet = False
            elif "install" in cell.places:
                yield _page(cell, fragments.install(["all", "plots"]))
            elif cell.places & {"once", "together"}:
                yield _page(cell, fragments.fill(cell.text, words))
            else:
                yield _columns(cells_, libraries, inliners)


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


def _without(cells: Sequence[Cell], place: str) -> Iterator[Cell]:
    return (cell for cell in cells if not cell.places & {place, "notes"})


def _slot(cell: Cell) -> tuple[str, bool, Any]:
    """Neighbours with the same slot are the same cell, in several frameworks."""
    return cell.kind, bool(cell.backends), cell.options.get("step")


def _page(cell: Cell, text: str) -> Page:
    metadata: dict[str, Any] = {}
    if cell.slide:
        metadata["slideshow"] = {"slide_type": cell.slide}
    about = {key: cell.options[key] for key in ("step", "rounding") if key in cell.options}
    if about:
        metadata["d2lconv"] = about
    return cell.kind, text, metadata


def _cell(kind: str, text: str, metadata: dict[str, Any]) -> NotebookNode:
    make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
    digest = sha256(f"{kind}\0{text}".encode()).hexdigest()[:12]
    return make(text, id=digest, metadata=metadata)

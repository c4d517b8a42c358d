"""A lesson for a reader's eyes: what stands in the notebooks, cell by cell and view by view.

A page shows the lesson in several views: one for each framework, and one with all of them
together. Each view is a notebook, and nothing is shown that is not in one: a page is built in
seconds, from the outputs of the last run, without any framework.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from itertools import groupby
from typing import Any

from markupsafe import Markup

from d2lconv.core import registry
from d2lconv.errors import ArgumentError
from d2lconv.extras import needed
from d2lconv.notebook import build, check, markup
from d2lconv.notebook.lesson import Cell, Lesson
from d2lconv.notebook.library import Library

with needed("notebooks"):
    from nbformat import NotebookNode

TOGETHER = "together"
WIDE = 150  # characters of code that fit next to each other on a screen of 1280 pixels
OUTPUT = 44  # characters after which a line of output may be broken
MARGIN = 6  # what a panel takes besides, in characters


@dataclass(frozen=True)
class View:
    """One notebook: a framework's, or that of all of them together.

    Attributes:
        name: The backend's name, or "together".
        title: The framework's name, for readers.
        cells: The notebook's cells, by the number of the lesson's cell that they are made from.
    """

    name: str
    title: str
    cells: dict[int, list[NotebookNode]]

    def of(self, numbers: Iterable[int], kind: str = "code") -> list[NotebookNode]:
        """The notebook's cells of a kind that are made from these cells of the lesson."""
        found = [cell for number in numbers for cell in self.cells.get(number, [])]
        return [cell for cell in found if cell.cell_type == kind]


@dataclass(frozen=True)
class Document:
    """A lesson, and its views."""

    lesson: Lesson
    views: Sequence[View]

    def view(self, name: str) -> View:
        """The view of that name."""
        return next(view for view in self.views if view.name == name)

    @property
    def frameworks(self) -> list[View]:
        """The views of one framework each."""
        return [view for view in self.views if view.name != TOGETHER]


@dataclass(frozen=True)
class Varied:
    """Something that is not the same in every view.

    Attributes:
        parts: Pieces of HTML, each with the names of the views that show it; each view has one
            piece or none.
        everywhere: Whether it is one piece in all views.
    """

    parts: Sequence[tuple[tuple[str, ...], Markup]]
    everywhere: bool


@dataclass(frozen=True)
class Panels:
    """Code and outputs of each framework, next to each other where they are shown together.

    Attributes:
        panels: Framework, the views that show it, and the HTML.
        columns: How many fit next to each other on a wide screen.
    """

    panels: Sequence[tuple[str, tuple[str, ...], Markup]]
    columns: int


@dataclass(frozen=True)
class Widget:
    """A widget, with what it starts with."""

    name: str
    state: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fold:
    """What the reader shall predict first: shown when asked for.

    Attributes:
        title: What to press.
        blocks: What is shown then.
    """

    title: str
    blocks: "Sequence[Block]"


Block = Varied | Panels | Widget | Fold


def load(taught: Lesson) -> Document:
    """A lesson with its notebooks.

    Raises:
        ArgumentError: A notebook is not there, or is not what the source makes.
    """
    libraries = [Library(name) for name in taught.backends]
    views = [_view(taught, [library]) for library in libraries]
    return Document(taught, [*views, _view(taught, libraries)])


def blocks(document: Document) -> Iterator[Block]:
    """The lesson from top to bottom, without what is for speakers."""
    numbered = [
        (number, cell)
        for number, cell in enumerate(document.lesson.cells)
        if "notes" not in cell.places
    ]
    for title, group in groupby(numbered, lambda item: item[1].options.get("fold")):
        found = _unfolded(document, list(group))
        if title is None:
            yield from found
        else:
            yield Fold(title, list(found))


def _unfolded(document: Document, numbered: Sequence[tuple[int, Cell]]) -> Iterator[Block]:
    for _, group in groupby(numbered, lambda item: (*build.slot(item[1]), item[1].places)):
        items = list(group)
        if "install" in items[0][1].places:
            yield from _install(document)
        elif items[0][1].kind == "code":
            yield from _code(document, [number for number, _ in items], items[0][1])
        else:
            for number, cell in items:
                yield from (_exercises if cell.exercises else _text)(document, number)


def hero(taught: Lesson) -> Markup:
    """What one will be able to do: the picture ``hero.svg`` beside the source, if there is one."""
    path = taught.folder / "hero.svg"
    if not path.is_file():
        return Markup("")
    drawn = path.read_text(encoding="utf-8")
    words = re.search('aria-label="([^"]*)"', drawn)
    return Markup('<img class="hero" alt="{}" src="data:image/svg+xml;base64,{}">').format(
        words[1] if words else "", b64encode(drawn.encode()).decode()
    )


def exercise(cells: Sequence[NotebookNode]) -> Iterator[tuple[NotebookNode, str, NotebookNode]]:
    """Each exercise of a view: what is asked, its name, and its solution."""
    for asked, place, solved in zip(cells[::3], cells[1::3], cells[2::3], strict=True):
        yield asked, place.metadata["d2lconv"]["step"].removeprefix("exercise-"), solved


def _view(taught: Lesson, libraries: Sequence[Library]) -> View:
    name = build.filename(libraries)
    path = taught.folder / name
    again = f"; build it with: d2lconv lesson build {taught.name} -b {path.stem}"
    if not path.is_file():
        raise ArgumentError(f"there is no {name} in {taught.folder}{again}")
    committed, built = build.load(path), build.notebook(taught, libraries)
    for problem in check.structure(committed, built):
        raise ArgumentError(f"{taught.name}/{name}: {problem}{again}")
    found: dict[int, list[NotebookNode]] = {}
    for number, cell in zip(build.origins(taught, libraries), committed.cells, strict=True):
        if number is not None:
            found.setdefault(number, []).append(cell)
    if len(libraries) == 1:
        manifest = libraries[0].manifest
        return View(manifest.name, manifest.framework, found)
    return View(TOGETHER, "Side by side", found)


def _varied(document: Document, pieces: dict[str, Markup]) -> Iterator[Varied]:
    """Pieces of HTML by view, equal ones only once."""
    views: dict[Markup, tuple[str, ...]] = {}
    for name, piece in pieces.items():
        if piece:
            views[piece] = (*views.get(piece, ()), name)
    if views:
        everywhere = len(views) == 1 and len(pieces) == len(document.views)
        yield Varied([(names, piece) for piece, names in views.items()], everywhere)


def _text(document: Document, number: int) -> Iterator[Varied]:
    """Text; its heading is apart, because what is below it may vary where it does not."""
    heads, bodies = {}, {}
    for view in document.views:
        for cell in view.of([number], "markdown"):
            head, _, body = cell.source.partition("\n")
            if not head.startswith("#"):
                head, body = "", cell.source
            heads[view.name], bodies[view.name] = markup.text(head), markup.text(body)
    yield from _varied(document, heads)
    yield from _varied(document, bodies)


def _install(document: Document) -> Iterator[Varied]:
    """How to run what stands on the page."""
    lines = {}
    for view in document.views:
        together = view.name == TOGETHER
        extra = "all" if together else registry.manifests()[view.name][0].extra
        extras = ",".join(filter(None, [extra, *build.EXTRAS]))
        notebook = f"{build.TOGETHER if together else view.name}.ipynb"
        lines[view.name] = Markup(
            "<p>To run what stands here, in a clone of the repository:</p>\n"
        ) + markup.terminal(
            f'pip install -c constraints.txt ".[{extras}]" jupyterlab',
            f"jupyter lab notebooks/{document.lesson.name}/{notebook}",
        )
    yield from _varied(document, lines)


def _exercises(document: Document, number: int) -> Iterator[Block]:
    """What is asked, a place to work, a hint, and a solution."""
    found = {view.name: list(exercise(view.cells[number])) for view in document.views}
    for items in zip(*found.values(), strict=True):
        pieces = [_pieces(asked, solved) for asked, _, solved in items]
        heading, statement, hint, solution = (
            dict(zip(found, each, strict=True)) for each in zip(*pieces, strict=True)
        )
        yield from _varied(document, heading)
        yield from _varied(document, statement)
        yield Widget("exercises", {"id": items[0][1], "framework": document.lesson.first})
        yield from _varied(document, hint)
        yield from _varied(document, solution)


def _pieces(asked: NotebookNode, solved: NotebookNode) -> tuple[Markup, ...]:
    """An exercise's heading, statement, hint and solution as HTML."""
    heading, _, rest = asked.source.partition("\n")
    statement, fold, hint = rest.partition("<details>")
    return tuple(map(markup.text, (heading, statement, fold + hint, solved.source)))


def _code(document: Document, numbers: Sequence[int], cell: Cell) -> Iterator[Block]:
    if "widget" in cell.options:
        yield Widget(cell.options["widget"])
        return
    sources = {view.name: view.of(numbers) for view in document.views}
    codes = {name: _codes(cells) for name, cells in sources.items() if cells}
    shown = {name: _outputs(cells) for name, cells in sources.items() if cells}
    if cell.places & {"once", "together"}:
        yield from _varied(document, codes)
        yield from _varied(document, shown)
        return
    for each in (codes, shown):
        each.pop(TOGETHER, None)
    both = () if "apart" in cell.places else (TOGETHER,)
    code_is_one, shown_is_one = (
        len(each) > 1 and len(set(each.values())) == 1 for each in (codes, shown)
    )
    if code_is_one:
        yield from _varied(document, codes | {name: next(iter(codes.values())) for name in both})
    items = []
    for view in document.frameworks:
        if view.name in codes:
            code = Markup("") if code_is_one else codes[view.name]
            html = Markup("\n").join(
                filter(None, (code, Markup("") if shown_is_one else shown[view.name]))
            )
            items.append((view.title, (view.name, *both), html))
    if any(html for *_, html in items):
        yield Panels(items, _columns([html for *_, html in items]))
    if shown_is_one:
        yield from _varied(document, shown | {name: next(iter(shown.values())) for name in both})
    yield from _verdicts(document, sources.get(TOGETHER, []))


def _columns(panels: Sequence[str]) -> int:
    """How many panels fit next to each other: code must not wrap, long outputs may."""
    code = [len(unescape(line)) for html in panels for line in _lines(html, "code")]
    output = [len(unescape(line)) for html in panels for line in _lines(html, "output")]
    longest = max([1, *code, min(OUTPUT, max(output, default=0))])
    fit = max(2, min(len(panels), (WIDE + MARGIN) // (longest + MARGIN)))
    return -(-len(panels) // -(-len(panels) // fit))


def _lines(html: str, kind: str) -> list[str]:
    """The lines in all that is preformatted, of that kind."""
    found = re.findall(f'<pre class="{kind}"[^>]*>(.*?)</pre>', html, re.DOTALL)
    return [line for text in found for line in markup.TAGS.sub("", text).split("\n")]


def _codes(cells: Sequence[NotebookNode]) -> Markup:
    return Markup("\n").join(markup.code(cell.source) for cell in cells)


def _outputs(cells: Sequence[NotebookNode]) -> Markup:
    return Markup("\n").join(filter(None, (markup.outputs(cell) for cell in cells)))


def _verdicts(document: Document, cells: Sequence[NotebookNode]) -> Iterator[Varied]:
    """What the notebook of all frameworks found when it compared them."""
    lines = [
        Markup('<p class="agreement" data-cell="{}"><code>{}</code>: {}</p>').format(
            cell.id, name, verdict
        )
        for cell in cells
        for output in cell.outputs
        for name, verdict in _said(output).items()
    ]
    if lines:
        html = Markup("\n").join(lines)
        yield from _varied(document, {view.name: html for view in document.views})


def _said(output: Any) -> dict[str, str]:
    """The verdicts below a table of columns."""
    about = output.get("metadata", {}).get("text/html", {}).get("d2lconv", {})
    verdicts: dict[str, str] = about.get("verdicts", {})
    return verdicts

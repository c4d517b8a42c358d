"""The lesson as slides: a deck of reveal.js for each framework, in a file that needs no other."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from markupsafe import Markup

from d2lconv import widgets
from d2lconv.notebook import markup
from d2lconv.notebook.document import Document, View, exercise
from d2lconv.notebook.lesson import Cell
from d2lconv.notebook.page import place, programs, rendered, resource

TALL = 10  # lines of code; more of them stand beside the text, not below it
LONG = 32  # lines of code; more of them stand in two columns below it


@dataclass
class Slide:
    """One slide.

    Attributes:
        below: Whether it stands below the one before it, not beside it.
        text: What is to be read.
        shown: What is to be looked at: code, outputs, pictures, widgets.
        notes: What the speaker sees.
        layout: Where it stands: "below" the text, "beside" it, or below it in "columns".
        step: How often the speaker has pressed the key to see what comes next.
    """

    below: bool = False
    text: list[Markup] = field(default_factory=list)
    shown: list[Markup] = field(default_factory=list)
    notes: list[Markup] = field(default_factory=list)
    layout: str = "below"
    step: int = 0

    def read(self, html: Markup) -> None:
        """Add something to be read."""
        self.text.append(self._stepped(html))

    def look(self, html: Markup, layout: str = "below") -> None:
        """Add something to be looked at; what is tall decides for the whole slide."""
        if self.layout == "below":
            self.layout = layout
        (self.text if self.layout == "below" else self.shown).append(self._stepped(html))

    def _stepped(self, html: Markup) -> Markup:
        if not self.step:
            return html
        return Markup('<div class="fragment" data-fragment-index="{}">{}</div>').format(
            self.step, html
        )


def slides(document: Document, name: str) -> str:
    """The deck for one framework.

    Args:
        document: The lesson.
        name: The backend's name.
    """
    view = document.view(name)
    stacks: list[list[Slide]] = []
    for slide in _slides(document, view):
        if slide.below:
            stacks[-1].append(slide)
        else:
            stacks.append([slide])
    kinds = dict.fromkeys(
        cell.options["widget"] for cell in document.lesson if "widget" in cell.options
    )
    return rendered(
        "slides",
        view=view,
        stacks=stacks,
        shared_style=resource("shared.css"),
        reveal_style=resource("reveal/reveal.css"),
        style=resource("slides.css"),
        widget_style=Markup(widgets.style()),
        licence=resource("reveal/LICENSE"),
        programs=programs([*kinds, "exercises"]),
        reveal=resource("reveal/reveal.js"),
        notes=resource("reveal/notes.js"),
        script=resource("slides.js"),
    )


def _slides(document: Document, view: View) -> Iterator[Slide]:
    slide = Slide()
    for number, cell in enumerate(document.lesson):
        if cell.places & {"together", "install"} or not cell.shown_to(view.name):
            continue
        if cell.slide in ("slide", "subslide") and (slide.text or slide.shown):
            yield slide
            slide = Slide(below=cell.slide == "subslide")
        slide.step += cell.slide == "fragment"
        if "notes" in cell.places:
            slide.notes.append(markup.text(cell.text))
        elif cell.exercises:
            yield slide
            *others, slide = _exercises(view, number)
            yield from others
        elif cell.slide == "notes":
            slide.notes += [markup.text(each.source) for each in view.of([number], "markdown")]
        elif cell.slide != "skip":
            _add(slide, view, number, cell)
    yield slide


def _add(slide: Slide, view: View, number: int, cell: Cell) -> None:
    """Put a cell of the lesson on a slide."""
    if "widget" in cell.options:
        slide.look(place(cell.options["widget"]), "beside")
        return
    for each in view.of([number], "markdown"):
        slide.read(markup.text(each.source))
    for each in view.of([number]):
        lines = each.source.count("\n")
        layout = "columns" if lines >= LONG else "beside" if lines >= TALL else "below"
        slide.look(markup.code(each.source), layout)
        shown = markup.outputs(each)
        if shown:
            slide.look(shown, "beside" if "<img" in shown else "below")


def _exercises(view: View, number: int) -> Iterator[Slide]:
    for asked, name, solved in exercise(view.cells[number]):
        slide = Slide(below=True)
        slide.read(markup.text(asked.source))
        slide.read(markup.text(solved.source))
        slide.look(place("exercises", id=name, framework=view.name), "beside")
        yield slide

"""A lesson as slides: a deck of reveal.js for each framework, in a file that needs no other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from d2lconv import widgets
from d2lconv.notebook import markup
from d2lconv.notebook.document import Document, View, exercise, hero
from d2lconv.notebook.lesson import Cell
from d2lconv.notebook.page import place, programs, rendered, resource

TALL = 10  # lines of code; more of them stand beside the text, not below it
WIDE = 58  # characters of a line of code that fit beside the text
FIRST = 8  # lines of code that fit below a heading and words, and leave room for what they show
ALONE = 13  # lines of code that fit below a heading and a few words, if nothing else is to follow
FEW = 400  # characters: about five lines of words
LONG = 16  # lines of code that fit on a slide of their own, or beside the text


@dataclass
class Slide:
    """One slide.

    Attributes:
        below: Whether it stands below the one before it, not beside it.
        text: What is to be read.
        shown: What is to be looked at: code, outputs, pictures, widgets.
        notes: What the speaker sees.
        layout: Where it stands: "below" the text, or "beside" it.
        step: How often the speaker has pressed the key to see what comes next.
        full: Whether code has taken all the room, so that what follows goes on the next slide.
    """

    below: bool = False
    text: list[Markup] = field(default_factory=list)
    shown: list[Markup] = field(default_factory=list)
    notes: list[Markup] = field(default_factory=list)
    layout: str = "below"
    step: int = 0
    full: bool = False

    @property
    def room(self) -> int:
        """How many lines of code fit here if what they show goes on the next slide."""
        if not self.text:
            return LONG
        code = any("<pre" in html for html in self.text)
        return FIRST if code or sum(len(html.striptags()) for html in self.text) > FEW else ALONE

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
        cell.options["widget"] for cell in document.lesson.cells if "widget" in cell.options
    )
    return rendered(
        "slides",
        lesson=document.lesson,
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
    picture = hero(document.lesson)
    for number, cell in enumerate(document.lesson.cells):
        if cell.places & {"together", "install"} or not cell.shown_to(view.name):
            continue
        if cell.slide in ("slide", "subslide") and (slide.text or slide.shown):
            yield slide
            slide = Slide(below=cell.slide == "subslide")
        slide.step += cell.slide == "fragment" or "fold" in cell.options
        if "notes" in cell.places:
            slide.notes.append(markup.text(cell.text))
        elif cell.exercises:
            yield slide
            *others, slide = _exercises(view, number)
            yield from others
        elif cell.slide == "notes":
            slide.notes += [markup.text(each.source) for each in view.of([number], "markdown")]
        elif cell.slide != "skip":
            *others, slide = _add(slide, view, number, cell)
            yield from others
        if number == 0 and picture:
            slide.look(picture)
    yield slide


def _add(slide: Slide, view: View, number: int, cell: Cell) -> Iterator[Slide]:
    """Put a cell of the lesson on a slide, and what does not fit there on further ones."""
    if slide.full:
        yield slide
        slide = Slide(below=True, step=slide.step)
    if "widget" in cell.options:
        slide.look(place(cell.options["widget"]), "beside")
        yield slide
        return
    for each in view.of([number], "markdown"):
        slide.read(markup.text(each.source))
    for each in view.of([number]):
        shown = markup.outputs(each)
        if "<img" in shown:  # the picture says more than the line that draws it
            if any("pre class" in html for html in slide.text):  # code wants the whole width
                yield slide
                slide = Slide(below=True, step=slide.step)
            slide.look(shown, "beside")
            continue
        lines = each.source.splitlines()
        narrow = len(lines) <= LONG and max(map(len, lines), default=0) <= WIDE
        if slide.shown and not narrow:  # there is no room below what stands beside the text
            yield slide
            slide = Slide(below=True, step=slide.step)
        if narrow or len(lines) <= FIRST:
            tall = narrow and len(lines) > TALL
            slide.look(markup.code(each.source), "beside" if tall else "below")
        else:
            first, *rest = pieces(lines, slide.room)
            slide.full = bool(slide.text) and not rest
            slide.look(markup.code(first))
            for piece in rest:
                yield slide
                slide = Slide(below=True, step=slide.step)
                slide.look(markup.code(piece))
        if shown and slide.full:
            yield slide
            slide = Slide(below=True, step=slide.step)
        if shown:
            slide.look(shown)
    yield slide


def pieces(lines: Sequence[str], first: int) -> list[str]:
    r"""Code in pieces that fit on slides, cut where a function or a paragraph ends if one does.

    Args:
        lines: The code.
        first: The number of lines that fit on the first slide.

    Example:
        >>> pieces(["a", "b", "", "c", "d"], 4)
        ['a\nb', 'c\nd']
    """
    found, rest, room = [], list(lines), first
    while rest:
        cut = len(rest)
        if cut > room:
            even = -(-cut // -(-cut // room))  # about as much on each slide
            blank = [n for n in range(even // 2, room) if not rest[n].strip()]
            cut = blank[-1] if blank else even
        found.append("\n".join(rest[:cut]).strip("\n"))
        rest, room = rest[cut:], LONG
    return [piece for piece in found if piece.strip()]


def _exercises(view: View, number: int) -> Iterator[Slide]:
    for asked, name, solved in exercise(view.cells[number]):
        slide = Slide(below=True)
        slide.read(markup.text(asked.source))
        slide.read(markup.text(solved.source))
        slide.look(place("exercises", id=name, framework=view.name), "beside")
        yield slide

"""A lesson as slides: a deck of reveal.js for each framework, in a file that needs no other."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from d2lconv import widgets
from d2lconv.extras import needed
from d2lconv.notebook import markup
from d2lconv.notebook.document import Document, View, exercise, hero
from d2lconv.notebook.lesson import Cell
from d2lconv.notebook.page import place, programs, rendered, resource

with needed("notebooks"):
    from nbformat import NotebookNode

TALL = 10  # lines of code; more of them stand beside the text, not below it
WIDE = 58  # characters of a line of code that fit beside the text
LONG = 16  # lines of code that fit on a slide of their own, or beside the text
HEIGHT = 25  # of a slide, in lines of code
SHRUNK = 0.15  # of the words' height is saved where they are shown smaller, so that all fits
LEAST = 5  # lines of code that are worth a place of their own below what is there already
CHARACTERS = 85  # in a line of words
HEADING = re.compile("<h[123][^>]*>(.*?)</h[123]>", re.DOTALL)


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
        id: By what others link to it, if they do.
        again: The heading that still holds, where a slide has none of its own.
    """

    below: bool = False
    text: list[Markup] = field(default_factory=list)
    shown: list[Markup] = field(default_factory=list)
    notes: list[Markup] = field(default_factory=list)
    layout: str = "below"
    step: int = 0
    id: str = ""
    again: str = ""

    @property
    def room(self) -> int:
        """How many lines of code still fit below."""
        return max(0, int(HEIGHT - sum(map(height, self.text))))

    @property
    def heading(self) -> str:
        """What stands above the slide: its own first heading."""
        found = HEADING.search("".join(self.text[:1]))
        return found[1] if found else ""

    def holds(self, html: Markup) -> bool:
        """Whether this still fits below; what stands beside something does."""
        if not self.text or self.layout == "beside":
            return True
        every = [*self.text, html]
        words = sum(height(each) for each in every if "<pre" not in each)
        return sum(map(height, every)) <= HEIGHT + 2 + SHRUNK * words

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
    heading = ""
    for slide in (slide for stack in stacks for slide in stack):
        slide.again = "" if slide.heading else heading
        heading = slide.heading or heading
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
            found = list(exercise(view.cells[number]))
            slide.read(_contents(found))
            yield slide
            *others, slide = _exercises(view, found)
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
    if "widget" in cell.options:
        slide.look(place(cell.options["widget"]), "beside")
        yield slide
        return
    for each in view.of([number], "markdown"):
        html = markup.text(each.source)
        if not slide.holds(html):
            following = _following(slide, html)
            yield slide
            slide = following
        slide.read(html)
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
        code = markup.code(each.source)
        if narrow and len(lines) > TALL:
            slide.look(code, "beside")
        else:
            if not slide.holds(code) and (slide.room < LEAST or len(lines) <= LONG // 2):
                following = _following(slide, code)
                yield slide
                slide = following
            first, *rest = [each.source] if slide.holds(code) else pieces(lines, slide.room - 1)
            slide.look(markup.code(first))
            for piece in rest:
                yield slide
                slide = Slide(below=True, step=slide.step)
                slide.look(markup.code(piece))
        if not slide.holds(shown):
            following = _following(slide, shown)
            yield slide
            slide = following
        if shown:
            slide.look(shown)
    yield slide


def _following(slide: Slide, html: Markup) -> Slide:
    """The slide for what no longer fits, with what it belongs to."""
    following = Slide(below=True, step=slide.step)
    while len(slide.text) > 1 and _belongs(html, slide.text[-1]):
        html = slide.text.pop()
        following.text.insert(0, html)
    return following


def _belongs(html: Markup, before: Markup) -> bool:
    """Whether something should not be torn from what is before it.

    Words stay with the output that they are about, an output with its code if that is short, and
    code with the words that introduce it.
    """
    if 'class="output"' in html:
        return 'class="code"' in before and height(before) <= TALL
    if 'class="code"' in html:
        return "<pre" not in before and not HEADING.search(before)
    return 'class="output"' in before


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


def height(html: Markup) -> float:
    """About how many lines of code something to be read is as high as.

    Args:
        html: Words, code, or what code has shown.

    Example:
        >>> height(markup.text("# One line")), height(markup.code("one = 1"))
        (2.5, 2.0)
    """
    if not html:
        return 0
    if "<pre" in html:
        return html.count("\n") + 2.0 * html.count("<pre") - html.count("\n<pre")
    words = HEADING.sub("", html)
    blocks = re.findall("<(?:p|li|tr|summary)\\b.*?(?=<(?:p|li|tr|summary)\\b|$)", words, re.DOTALL)
    lines = sum(-(-len(Markup(block).striptags()) // CHARACTERS) for block in blocks)
    formulas = html.count('<div class="math')
    return 2.5 * len(HEADING.findall(html)) + 1.4 * lines + 0.5 * len(blocks) + 2 * formulas


def _contents(found: Sequence[tuple[NotebookNode, str, NotebookNode]]) -> Markup:
    """The exercises that follow, so that a class sees what awaits it."""
    lines = [
        Markup('<li><a href="#/exercise-{}">{}</a></li>').format(name, _title(asked))
        for asked, name, _ in found
    ]
    return Markup('<ul class="contents">\n{}\n</ul>').format(Markup("\n").join(lines))


def _title(asked: NotebookNode) -> str:
    heading: str = asked.source.partition("\n")[0]
    return heading.lstrip("# ")


def _exercises(
    view: View, found: Sequence[tuple[NotebookNode, str, NotebookNode]]
) -> Iterator[Slide]:
    for asked, name, solved in found:
        slide = Slide(below=True, id=f"exercise-{name}")
        slide.read(markup.text(asked.source))
        slide.read(markup.text(solved.source))
        slide.look(place("exercises", id=name, framework=view.name), "beside")
        yield slide

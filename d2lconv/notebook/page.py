"""A lesson as one page of HTML that needs nothing else: views to switch, and widgets alive."""

import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from d2lconv import widgets
from d2lconv.notebook.document import Block, Document, Fold, Varied, Widget, blocks, hero
from d2lconv.version import __version__
from d2lconv.widgets.pages import given

HEADING: Final = re.compile(r'<h2 id="([^"]*)">(.*?)</h2>')

# What runs before anything is drawn, so that nothing flickers: the reader's last choices.
EARLY: Final = """
try {
  const [view, theme] = ["view", "theme"].map((name) => localStorage.getItem(`d2lconv-${name}`));
  if (VIEWS.includes(view)) document.documentElement.dataset.view = view;
  if (["light", "dark"].includes(theme)) document.documentElement.dataset.theme = theme;
} catch {}
"""


def page(document: Document, neighbours: Any = None) -> str:
    """The page; in a site it knows its neighbours."""
    shown = list(blocks(document))
    kinds = dict.fromkeys(block.name for block in _flat(shown) if isinstance(block, Widget))
    return rendered(
        "page",
        lesson=document.lesson,
        neighbours=neighbours,
        views=document.views,
        blocks=[_plain(block) for block in shown],
        contents=list(_contents(shown)),
        hero=hero(document.lesson),
        version=__version__,
        shared_style=resource("shared.css"),
        style=resource("page.css"),
        widget_style=Markup(widgets.style()),
        early=Markup(EARLY.replace("VIEWS", as_json([view.name for view in document.views]))),
        programs=programs(kinds),
        script=resource("page.js"),
    )


def programs(names: Iterable[str]) -> Markup:
    """The modules of widgets, each of which draws itself wherever the page has a place for it."""
    return Markup("\n").join(
        Markup(
            '<script type="module">\n{}\n'
            "for (const el of document.querySelectorAll('[data-d2lconv=\"{}\"]')) {{\n"
            "  const given = JSON.parse(el.dataset.state);\n"
            "  render({{ model: {{ get: (key) => given[key] }}, el }});\n"
            "}}\n</script>"
        ).format(Markup(widgets.module(name)), name)
        for name in names
    )


def place(name: str, **state: str) -> Markup:
    """Where a widget draws itself, with what it starts with; a finger on it turns no slide."""
    return Markup(
        '<div class="widget" data-prevent-swipe data-d2lconv="{}" data-state="{}"></div>'
    ).format(name, str(given(name, **state)))


def resource(name: str) -> Markup:
    """A file that goes into pages as it is."""
    return Markup(files("d2lconv.notebook").joinpath(name).read_text(encoding="utf-8"))


def rendered(template: str, **values: Any) -> str:
    """A page from a template."""
    environment = Environment(
        loader=PackageLoader("d2lconv.notebook", "."),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"{template}.html.j2").render(values)


def _flat(shown: Iterable[Block]) -> Iterator[Block]:
    for block in shown:
        yield from _flat(block.blocks) if isinstance(block, Fold) else [block]


def _plain(block: Block) -> dict[str, Any]:
    if isinstance(block, Fold):
        inside = [_plain(each) for each in block.blocks]
        return {"kind": "fold", "title": block.title, "blocks": inside}
    if isinstance(block, Widget):
        return {"kind": "widget", "html": place(block.name, **block.state)}
    return {"kind": type(block).__name__.lower(), **vars(block)}


def as_json(value: Any) -> Markup:
    """A value as JSON that may stand in a script."""
    return Markup(htmlsafe_json_dumps(value))


def _contents(shown: Iterable[Block]) -> Iterator[tuple[str, Markup]]:
    """The lesson's sections: the ids of their headings, and their titles."""
    for block in shown:
        if isinstance(block, Varied) and block.everywhere:
            for id, title in HEADING.findall(block.parts[0][1]):
                yield id, Markup(title)

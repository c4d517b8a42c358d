"""All lessons as a site that opens from disk: pages, decks, notebooks, reference, and a search.

The public questions that parity answers have a page, too, with the conventions of the frameworks.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from d2lconv import files
from d2lconv.notebook import document, lesson, reference
from d2lconv.notebook.document import Document
from d2lconv.notebook.guides import pages
from d2lconv.notebook.page import as_json, page, rendered, resource
from d2lconv.notebook.slides import slides
from d2lconv.parity import defaults, gallery
from d2lconv.version import __version__

FOLDED: Final = re.compile(r"<details.*?</details>", re.DOTALL)  # it would be given away
PICTURE: Final = re.compile(r'<div class="picture"[^>]*>(<img[^>]*>)')
MAIN: Final = re.compile(r"<main\b.*?</main>", re.DOTALL)
LONGEST: Final = 4000  # characters of a section that are searched
MEANING: Final = {
    "identical": ("The same bits", "No difference at all: here two conventions agree."),
    "rounding": (
        "Rounding",
        "Different last digits, and both results are as near to the true value as honest "
        "arithmetic comes, in whatever order it adds.",
    ),
    "imprecise": (
        "Imprecise",
        "Within the worst case that can be proven, and many times further from the true value "
        "than honest arithmetic: somewhere a type is narrower than it is called.",
    ),
    "bug": ("A bug", "Two different things were computed, and the cause says which."),
}


@dataclass(frozen=True)
class Neighbours:
    """Where a lesson's page stands in the site.

    Attributes:
        previous: Address and title of the lesson before it, None for the first one.
        following: Those of the lesson after it, None for the last one.
    """

    previous: tuple[str, str] | None
    following: tuple[str, str] | None


def write(folder: Path) -> None:
    """Write the site, whole or not at all.

    Args:
        folder: Where to; it is made if it is not there.

    Raises:
        ArgumentError: A notebook is not there, or is not what its source makes; or the folder
            cannot be made.
        FileError: A file cannot be written.
    """
    with files.filling(folder) as new:
        _fill(new)


def _fill(folder: Path) -> None:
    documents = [document.load(each) for each in lesson.lessons()]
    found: list[dict[str, str]] = []
    cards = []

    def put(name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")

    for each, where in zip(documents, _neighbours(documents), strict=True):
        name = each.lesson.name
        html = page(each, where)
        put(f"{name}.html", html)
        for view in each.frameworks:
            put(f"{name}/slides/{view.name}.html", slides(each, view.name))
        for path in sorted(each.lesson.folder.glob("*.ipynb")):
            put(f"{name}/notebooks/{path.name}", path.read_text(encoding="utf-8"))
        found += _sections(each.lesson.title, f"{name}.html", html)
        picture = PICTURE.search(FOLDED.sub("", html))
        cards.append({"lesson": each.lesson, "views": each.views, "picture": Markup(picture[1])
                      if picture else Markup("")})  # fmt: skip
    guides = []
    for address, title, html in pages():
        put(address, html)
        guides.append((address, title))
        found += _sections(title, address, html)
    html = _gallery()
    put("gallery.html", html)
    found += _sections("Public questions", "gallery.html", html)
    reference.write(folder / "api")
    found += [
        {"address": f"api/{address}", "title": name, "where": "Reference", "text": text[:LONGEST]}
        for address, name, text in reference.entries()
    ]
    put("index.html", _start(cards, guides, found))


def _start(
    cards: Sequence[dict[str, Any]],
    guides: Sequence[tuple[str, str]],
    found: Sequence[dict[str, str]],
) -> str:
    numbered = [{"id": number, **each} for number, each in enumerate(found)]
    return rendered(
        "site",
        cards=cards,
        guides=guides,
        hero=next(filter(None, map(document.hero, (card["lesson"] for card in cards))), ""),
        version=__version__,
        shared_style=resource("shared.css"),
        style=resource("site.css"),
        licence=resource("minisearch/LICENSE"),
        library=resource("minisearch/minisearch.js"),
        index=as_json(numbered),
        script=resource("site.js"),
    )


def _gallery() -> str:
    asked = defaults.measured()
    return rendered(
        "gallery",
        reports=gallery.reports(),
        meaning=MEANING,
        backends=asked["backends"].values(),
        versions=[each["framework"] for each in asked["backends"].values()],
        conventions=asked["conventions"],
        version=__version__,
        shared_style=resource("shared.css"),
        style=resource("site.css"),
    )


def _neighbours(documents: Sequence[Document]) -> Iterator[Neighbours]:
    links = [(f"{each.lesson.name}.html", each.lesson.title) for each in documents]
    ends = [None, *links, None]
    for before, after in zip(ends, ends[2:], strict=False):
        yield Neighbours(before, after)


def _sections(where: str, address: str, html: str) -> Iterator[dict[str, str]]:
    """What can be found on a page: the page, and each heading, with the words below it."""
    main = MAIN.search(html)
    assert main is not None
    for id, title, words in _Sections().read(main[0]):
        yield {
            "address": f"{address}{'#' if id else ''}{id}",
            "title": title or where,
            "where": where if title else "the whole page",
            "text": words[:LONGEST],
        }


class _Sections(HTMLParser):
    """The sections of a page: ids and titles of headings, and the words below them.

    The first one is the page, without id and title: a lesson has a title for each framework.
    """

    def read(self, html: str) -> Iterator[tuple[str, str, str]]:
        self.found: list[tuple[str, list[str], list[str]]] = [("", [], [])]
        self.heading = self.of_page = False
        self.feed(html)
        for id, title, words in self.found:
            seen = dict.fromkeys(words)  # what several frameworks say is found once
            yield id, "".join(title).strip(), " ".join(" ".join(seen).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "h1":
            self.of_page = True
        if tag in ("h2", "h3"):
            self.heading = True
            self.found.append((dict(attrs).get("id") or "", [], []))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("h1", "h2", "h3"):
            self.heading = self.of_page = False

    def handle_data(self, data: str) -> None:
        if not self.of_page:
            _, title, words = self.found[-1]
            (title if self.heading else words).append(data)

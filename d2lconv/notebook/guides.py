"""The guides: what the README leads to, in Markdown that a forge shows, as pages of the site."""

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from markupsafe import Markup

from d2lconv.notebook import REPOSITORY, lesson, markup
from d2lconv.notebook.page import rendered, resource

LINK: Final = re.compile(r'(href|src)="(?!https?:|#)([^"]*)"')
TITLE: Final = re.compile(r"^# (.*)$", re.MULTILINE)


def pages() -> Iterator[tuple[str, str, str]]:
    """The guides' addresses in the site, their titles, and their pages; none outside a checkout."""
    root = lesson.folder().parent
    for path in sorted((root / ".github" / "guide").glob("*.md")):
        source = path.read_text(encoding="utf-8")
        title = TITLE.findall(source)[0]
        text = LINK.sub(partial(_link, path, root), markup.text(source))
        yield (
            f"guide/{path.stem}.html",
            title,
            rendered(
                "guide",
                title=title,
                text=Markup(text),
                shared_style=resource("shared.css"),
                style=resource("site.css"),
            ),
        )


def _link(path: Path, root: Path, found: re.Match[str]) -> str:
    """A link as the site has it: to a guide, to a lesson, or to a file of the repository."""
    kind, link = found.groups()
    target = (path.parent / link).resolve()
    if kind == "src":
        drawn = b64encode(target.read_bytes()).decode()
        return f'src="data:image/svg+xml;base64,{drawn}"'
    if target.parent == path.parent:
        return f'href="{target.stem}.html"'
    if (target / lesson.SOURCE).is_file():
        return f'href="../{target.name}.html"'
    return f'href="https://github.com/{REPOSITORY}/blob/main/{target.relative_to(root.resolve())}"'

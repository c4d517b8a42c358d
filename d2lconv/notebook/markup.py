"""Cells of a notebook as HTML: text, mathematics, code, and what the code showed."""

import re
from base64 import b64encode
from functools import cache
from html import escape
from typing import Any

from markupsafe import Markup

from d2lconv.extras import needed

with needed("notebooks"):
    from latex2mathml.converter import convert
    from markdown_it import MarkdownIt
    from mdit_py_plugins.anchors import anchors_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from nbformat import NotebookNode
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

TAGS = re.compile(r"<[^>]*>")
# A formula with the marks behind it, which must not begin the next line.
FORMULA = re.compile(r'<span class="math inline">.*?</span>[.,;:?)]+')


def text(source: str) -> Markup:
    """Markdown as HTML, mathematics as MathML, headings with ids, wide tables to be scrolled."""
    html = _markdown().render(source)
    html = FORMULA.sub(r'<span class="unbroken">\g<0></span>', html)
    html = html.replace("<table>", '<div class="table" tabindex="0"><table>')
    return Markup(html.replace("</table>", "</table></div>"))


def code(source: str) -> Markup:
    """Python in colours."""
    inner = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")
    return Markup(f'<pre class="code" tabindex="0"><code>{_by_lines(inner)}</code></pre>')


def terminal(*commands: str) -> Markup:
    """Commands for a terminal, whose prompt is not copied with them."""
    inner = _by_lines(escape("\n".join(commands)))
    return Markup(f'<pre class="code terminal" tabindex="0"><code>{inner}</code></pre>')


def outputs(cell: NotebookNode) -> Markup:
    """What a cell of code showed; each part knows the cell that it is from."""
    return Markup("\n").join(_output(output, cell.id) for output in cell.outputs)


def _output(output: Any, cell: str) -> Markup:
    data = output.get("data", {})
    if "image/svg+xml" in data:
        source = b64encode(data["image/svg+xml"].encode()).decode()
        about = output.metadata["image/svg+xml"]
        return _picture(cell, about["alt"], about["width"], f"svg+xml;base64,{source}")
    if "image/png" in data:
        about = output.metadata["image/png"]
        width = f"{about['width']}px"
        return _picture(cell, about["alt"], width, f"png;base64,{data['image/png']}")
    words = output.text if output.output_type == "stream" else data.get("text/plain")
    if words is None:
        return Markup("")
    return Markup('<pre class="output" tabindex="0" data-cell="{}">{}</pre>').format(
        cell, words.rstrip("\n")
    )


def _by_lines(inner: str) -> str:
    """Code with each line in an element, so that where it must be broken, it goes on indented."""
    found = []
    for line in inner.split("\n"):
        plain = TAGS.sub("", line)
        indent = len(plain) - len(plain.lstrip())
        found.append(f'<span class="line" style="--indent: {indent}">{line}\n</span>')
    return "".join(found).removesuffix("\n</span>") + "</span>"


def _picture(cell: str, words: str, width: str, source: str) -> Markup:
    """A picture in its own size, to be scrolled where it is wider than its place."""
    return Markup(
        '<div class="picture" tabindex="0"><img data-cell="{}" alt="{}" style="--width: {}" '
        'src="data:image/{}"></div>'
    ).format(cell, words, width, source)


@cache
def _markdown() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": True, "highlight": _coloured}).enable("table")
    reader.use(dollarmath_plugin, renderer=_mathematics)
    return reader.use(anchors_plugin, max_level=3)


def _mathematics(latex: str, options: dict[str, Any]) -> str:
    return convert(latex, display="block" if options["display_mode"] else "inline")


def _coloured(source: str, language: str, attributes: str) -> str:
    if language == "python":
        return str(code(source.rstrip("\n")))
    return f'<pre tabindex="0">{escape(source)}</pre>'

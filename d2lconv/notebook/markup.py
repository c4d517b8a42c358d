"""Cells of a notebook as HTML: text, mathematics, code, and what the code showed."""

from base64 import b64decode
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


def text(source: str) -> Markup:
    """Markdown as HTML, mathematics as MathML, headings with ids."""
    return Markup(_markdown().render(source))


def code(source: str) -> Markup:
    """Python in colours."""
    inner = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")
    return Markup(f'<pre class="code" tabindex="0"><code>{inner}</code></pre>')


def outputs(cell: NotebookNode) -> Markup:
    """What a cell of code showed; each part knows the cell that it is from."""
    return Markup("\n").join(_output(output, cell.id) for output in cell.outputs)


def _output(output: Any, cell: str) -> Markup:
    data = output.get("data", {})
    if "image/png" in data:
        about = output.metadata["image/png"]
        return Markup(
            '<img class="picture" data-cell="{}" alt="{}" width="{}" height="{}" '
            'src="data:image/png;base64,{}">'
        ).format(cell, about["alt"], *_size(data["image/png"]), data["image/png"])
    words = output.text if output.output_type == "stream" else data.get("text/plain")
    if words is None:
        return Markup("")
    return Markup('<pre class="output" tabindex="0" data-cell="{}">{}</pre>').format(
        cell, words.rstrip("\n")
    )


def _size(png: str) -> tuple[int, int]:
    """The width and height of a picture, which are in the first bytes of its file."""
    head = b64decode(png[:44])
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


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
    return f"<pre>{escape(source)}</pre>"

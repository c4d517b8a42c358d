"""The cell magic ``%%columns``: code in every framework at once, and a verdict on the results."""

import ast
import contextlib
import io
import linecache
import shlex
from argparse import ArgumentParser
from dataclasses import dataclass
from html import escape
from typing import Any

from d2lconv.binding import bind
from d2lconv.core import registry
from d2lconv.errors import ArgumentError
from d2lconv.extras import needed
from d2lconv.parity import compare
from d2lconv.parity.compare import VERDICTS, Comparison

with needed("notebooks"):
    from IPython.display import HTML, display
    from IPython.lib.pretty import pretty

WIDE = 132  # the characters of code that fit next to each other
SIGNS = {"identical": "✓", "rounding": "≈", "bug": "✗"}


@dataclass(frozen=True)
class Column:
    """What one framework's code was, and what it showed."""

    framework: str
    code: str
    output: str


def register(shell: Any) -> None:
    """Add the magic to a notebook's shell."""
    columns = Columns(shell)
    shell.register_magic_function(columns.run, magic_kind="cell", magic_name="columns")


class Columns:
    """A namespace for each framework, which lasts as long as the notebook's kernel.

    Args:
        shell: IPython's shell.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.spaces: dict[str, dict[str, Any]] = {}
        self.count = 0
        self.parser = ArgumentParser("%%columns", add_help=False, exit_on_error=False)
        self.parser.add_argument("--same", action="append", default=[])
        self.parser.add_argument("--within", action="append", default=[], nargs="+")
        self.parser.add_argument("--collect")

    def run(self, line: str, cell: str) -> None:
        """Run a cell in every framework, and show code, outputs and verdicts as a table.

        Lines such as ``# %% name`` say for which backend the code below is; without any, all run
        the same. ``--same NAME`` claims that a value has the same bits in every framework;
        ``--within NAME X K`` that the differences are rounding, of the cross-correlation of X with
        K; ``--within NAME BOUND`` that they are within a bound; ``--collect NAME`` keeps the values
        of a name for later cells, by framework.
        """
        wanted = self.parser.parse_args(shlex.split(line))
        self.count += 1
        codes = split(cell)
        shared = len(codes) == 1 and "" in codes
        if shared:
            code = codes.pop("")
            codes = {s.name: code for s in registry.backends() if s.installed}
        shown = [self._column(name, code) for name, code in codes.items()]
        spaces = {registry.manifests()[name][0].framework: self.spaces[name] for name in codes}
        verdicts = [(name, self._verdict(spaces, name, [])) for name in wanted.same]
        verdicts += [(name, self._verdict(spaces, name, of)) for name, *of in wanted.within]
        if wanted.collect:
            self.shell.user_ns[wanted.collect] = {
                framework: space[wanted.collect] for framework, space in spaces.items()
            }
        about = {"d2lconv": {"verdicts": dict(verdicts)}} if verdicts else {}
        display(HTML(_table(shown, shared, verdicts), metadata=about))

    def _column(self, name: str, code: str) -> Column:
        """Run one framework's code."""
        if name not in self.spaces:
            import d2lconv

            start = {"__name__": "__main__", "dc": d2lconv, "d2l": bind(name)}
            self.spaces[name] = start
        framework = registry.manifests()[name][0].framework
        file = f"<cell {self.count}, {framework}>"
        linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
        tree = ast.parse(code, file)
        last = tree.body[-1] if tree.body else None
        space = self.spaces[name]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            value = None
            if not isinstance(last, ast.Expr):
                exec(compile(tree, file, "exec"), space)
            else:
                exec(compile(ast.Module(tree.body[:-1], []), file, "exec"), space)
                value = eval(compile(ast.Expression(last.value), file, "eval"), space)
        text = escape(printed.getvalue().rstrip("\n"))
        return Column(framework, code, "\n".join(filter(None, [text, _shown(value)])))

    def _verdict(self, spaces: dict[str, Any], name: str, of: list[str]) -> str:
        """The worst verdict on a value in every framework, each compared with the first."""
        (first, space), *others = spaces.items()
        values = {framework: space[name] for framework, space in spaces.items()}
        options: dict[str, Any] = {}
        if len(of) == 2:
            options = {"X": _neutral(space[of[0]]), "K": _neutral(space[of[1]])}
        elif of:
            options = {"bound": space[of[0]]}
        found = [
            (framework, compare(_neutral(values[framework]), _neutral(values[first]), **options))
            for framework, _ in others
        ]
        if not found:
            return f"{first} alone: nothing to compare"
        framework, worst = max(found, key=_badness)
        text = (
            f"{SIGNS[worst.verdict]} {worst.verdict} in {first}, {', '.join(n for n, _ in found)}"
        )
        return text if worst.verdict != "bug" else f"{text}: {framework}, {worst.reason}"


def _badness(item: tuple[str, Comparison]) -> tuple[int, float]:
    return VERDICTS.index(item[1].verdict), item[1].share


def split(cell: str) -> dict[str, str]:
    r"""The code for each backend; under "" what stands before the first line that names one.

    Example:
        >>> split("# %% numpy\nX = 1\n")
        {'numpy': 'X = 1'}
    """
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line in cell.splitlines():
        if line.startswith("# %% "):
            name = registry.resolve(line.removeprefix("# %% ").strip())
            found[name] = []
        else:
            found[name].append(line)
    codes = {key: "\n".join(lines).strip("\n") for key, lines in found.items()}
    if len(codes) > 1 and not codes.pop(""):
        return codes
    if len(codes) > 1:
        raise ArgumentError("in %%columns, code stands before the first line '# %% name'.")
    return codes


def _neutral(value: Any) -> Any:
    """A value that can be compared without regard to whose it is."""
    from d2lconv.core.data import detached

    return detached(value)


def _shown(value: Any) -> str:
    """A value as the notebook would show it."""
    if value is None:
        return ""
    if hasattr(value, "savefig"):
        from d2lconv.figures.canvas import bundle

        data, metadata = bundle(value)
        about = metadata["image/png"]
        source = f"data:image/png;base64,{data['image/png']}"
        return f'<img alt="{escape(about["alt"])}" width="{about["width"]}" src="{source}">'
    return escape(pretty(value))


CODE = 'style="text-align: left; vertical-align: top; padding: 4px 8px"'
PRE = 'style="white-space: pre-wrap; font: 85%/1.35 monospace; margin: 0"'


def _table(columns: list[Column], shared: bool, verdicts: list[tuple[str, str]]) -> str:
    """As many columns next to each other as fit, the others below."""
    lines = [
        line for c in columns for line in f"{'' if shared else c.code}\n{c.output}".split("\n")
    ]
    widest = max([len(line) for line in lines if "<img" not in line] + [12])
    fit = max(2, min(len(columns), WIDE // widest))
    bands = -(-len(columns) // fit)
    fit = -(-len(columns) // bands)
    rows = []
    if shared:
        rows.append(_row("td", [_pre(_coloured(columns[0].code))], f' colspan="{fit}"'))
    for start in range(0, len(columns), fit):
        band = columns[start : start + fit]
        rows.append(_row("th", [escape(column.framework) for column in band], ' scope="col"'))
        if not shared:
            rows.append(_row("td", [_pre(_coloured(column.code)) for column in band]))
        if any(column.output for column in band):
            rows.append(_row("td", [_pre(column.output) for column in band]))
    for name, verdict in verdicts:
        said = f"<code>{escape(name)}</code>: {escape(verdict)}"
        rows.append(_row("td", [said], f' colspan="{fit}"'))
    body = "\n".join(rows)
    return f'<table style="width: 100%; table-layout: fixed">\n{body}\n</table>'


def _row(tag: str, cells: list[str], attributes: str = "") -> str:
    inner = "".join(f"<{tag}{attributes} {CODE}>{cell}</{tag}>" for cell in cells)
    return f"<tr>{inner}</tr>"


def _pre(text: str) -> str:
    return f"<pre {PRE}>{text}</pre>"


def _coloured(code: str) -> str:
    """Code as HTML, keywords and the like in colours."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return highlight(code, PythonLexer(), HtmlFormatter(nowrap=True, noclasses=True)).rstrip("\n")

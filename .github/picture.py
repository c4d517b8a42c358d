"""Make .github/run.svg, the README's picture, from what `d2lconv run` prints.

    python .github/picture.py

A test holds the picture against the command's real output.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 118
STEP = "5. Learning the kernel"


def main() -> None:
    """Run the lesson, cut out the heading, one step and the closing lines, and draw them."""
    command = [sys.executable, "-m", "d2lconv", "run"]
    environment = {**os.environ, "COLUMNS": str(WIDTH), "FORCE_COLOR": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    lines = [Text.from_ansi(line) for line in done.stdout.splitlines()]
    headings = [i for i, line in enumerate(lines) if re.match(r"\d+\. ", line.plain)]
    first = next(i for i in headings if lines[i].plain == STEP)
    after = next(i for i in headings if i > first)
    closing = max(i for i, line in enumerate(lines) if not line.plain.strip()) + 1
    gap = [Text("..."), Text()]
    shown = [Text("$ d2lconv run"), *lines[: headings[0]], *gap, *lines[first:after], *gap]
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere)
        for line in [*shown, *lines[closing:]]:
            console.print(line, no_wrap=True)
        svg = console.export_svg(title="d2lconv run")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # no fonts from the network
    svg = re.sub(r"[ \t]+\n", "\n", svg)
    Path(__file__).with_name("run.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()

"""What the builder writes itself: badges, the first cells, exercises, and columns."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import dedent
from typing import Any
from urllib.parse import quote

from d2lconv import exercise as exercises
from d2lconv.notebook import REPOSITORY
from d2lconv.notebook.library import Library

Page = tuple[str, str, dict[str, Any]]

ANSWER = """
answer = ...  # your answer to {id}
print("Waiting for your answer." if answer is ... else dc.check("{id}", answer))
"""


def words(libraries: Sequence[Library]) -> dict[str, str]:
    """What ``{{ framework }}`` and the like mean in the notebook for these frameworks."""
    names = [library.manifest.framework for library in libraries]
    framework = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    if len(names) == 1:
        name = libraries[0].manifest.name
        return {
            "framework": framework,
            "each": framework,
            "backend": name,
            "setup": f"import d2lconv as dc\nfrom d2lconv import {name} as d2l",
        }
    return {
        "framework": framework,
        "each": "each framework",
        "setup": "import d2lconv as dc\n\n%load_ext d2lconv.notebook\n"
        "d2l = dc  # in the columns below, d2l is the API bound to the column's framework",
    }


def fill(text: str, words: Mapping[str, str]) -> str:
    """The text, with words in the place of ``{{ framework }}`` and the like."""
    for name, word in words.items():
        text = text.replace("{{ " + name + " }}", word)
    return text.replace("# {setup}", words["setup"])


def badges(path: str) -> str:
    """Links that open the notebook, at that path in the folder of all, where it can be run."""
    file = f"{REPOSITORY}/blob/main/notebooks/{path}"
    labpath = quote(f"notebooks/{path}", safe="")
    binder = f"https://mybinder.org/v2/gh/{REPOSITORY}/main?labpath={labpath}"
    kaggle = "https://kaggle.com/kernels/welcome?src=https://github.com/"
    return "\n".join(
        [
            "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
            f"(https://colab.research.google.com/github/{file})",
            "[![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)]"
            f"({kaggle}{file})",
            f"[![Launch Binder](https://mybinder.org/badge_logo.svg)]({binder})",
        ]
    )


def install(extras: Sequence[str]) -> str:
    """Code that installs d2lconv where it is not there yet, as on a machine in the cloud."""
    wanted = f"d2lconv[{','.join(extras)}] @ git+https://github.com/{REPOSITORY}"
    return (
        "import importlib.util\n\n"
        'if importlib.util.find_spec("d2lconv") is None:  # on a machine in the cloud\n'
        f'    %pip install -q "{wanted}"'
    )


def exercise(name: str, library: Library | None) -> Iterator[Page]:
    """The cells of an exercise: what is asked, a place to work, a hint, a folded solution."""
    item = exercises.find(name)
    slide = {"slideshow": {"slide_type": "subslide"}}
    step = {"d2lconv": {"step": f"exercise-{item.id}"}}
    asked = f"### Exercise {item.id}: {item.title[0].lower()}{item.title[1:]}\n\n{item.statement}"
    yield "markdown", f"{asked}\n\n{_folded('A hint', item.hint)}", slide | step
    yield "code", ANSWER.format(id=item.id).strip(), step
    solution = item.explanation
    if item.points:
        solution += "\n\nIt says:\n\n" + "\n".join(f"- {point}" for point in item.points)
    else:
        solution += f"\n\n```python\n{dedent(item.code).strip()}\n```"
    if item.shows is not None and library is not None:
        module, function = library.find(f"scratch.{item.shows}")
        solution += (
            f"\n\nWhat `d2l.{item.shows}` does:\n\n```python\n{module.source(function)}\n```"
        )
    yield "markdown", _folded("A solution", solution), step


def columns(codes: Mapping[str, str], options: Mapping[str, Any], count: int) -> str:
    """A cell of the magic that runs code in every framework, and what it shall compare."""
    magic = ["%%columns"]
    for name in options.get("same", []):
        magic += ["--same", name]
    for name, bound in options.get("within", {}).items():
        magic += ["--within", name, *([bound] if isinstance(bound, str) else bound)]
    if "collect" in options:
        magic += ["--collect", options["collect"]]
    if len(codes) == count and len(set(codes.values())) == 1:
        body = next(iter(codes.values()))
    else:
        body = "\n\n".join(f"# %% {name}\n{code}" for name, code in codes.items())
    return f"{' '.join(magic)}\n{body}"


def _folded(title: str, text: str) -> str:
    return f"<details>\n<summary>{title}</summary>\n\n{text}\n\n</details>"

"""The reference: pages of the public API, made from the docstrings by pdoc (the extra "site")."""

import re
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from d2lconv.extras import needed

with needed("site"):
    import pdoc
    import pdoc.doc
    import pdoc.render

MODULES: Final = (
    "d2lconv",
    "d2lconv.kernels",
    "d2lconv.parity",
    "d2lconv.figures",
    "d2lconv.widgets",
)
# As pdoc wants to hear it: the package without its modules, then these, without theirs.
WANTED: Final = (MODULES[0], r"!d2lconv\.", *MODULES[1:], r"!d2lconv\.\w+\.")


def write(folder: Path) -> None:
    """Write the pages."""
    _load()
    with as_file(files("d2lconv.notebook.reference")) as templates:
        pdoc.render.configure(
            docformat="google", search=False, show_source=False, template_directory=templates
        )
        pdoc.render.env.globals["modules"] = MODULES
        with warnings.catch_warnings():  # in a clone of the repository there is such a folder too
            warnings.filterwarnings("ignore", ".* may refer to either", RuntimeWarning)
            pdoc.pdoc(*WANTED, output_directory=folder)


def entries() -> Iterator[tuple[str, str, str]]:
    """What can be found in the pages: the file's address in them, the name, and what is said."""
    _load()
    for name in MODULES:
        module = pdoc.doc.Module(import_module(name))
        page = f"{name.replace('.', '/')}.html"
        yield page, name, module.docstring
        for member in module.own_members + module.variables:
            if member.docstring and member.kind != "module":
                yield f"{page}#{member.name}", f"{name}.{member.name}", _plain(member)


def _plain(member: Any) -> str:
    return re.sub(r"\s+", " ", member.docstring)


def _load() -> None:
    """Fetch what modules give only when asked for: pdoc looks at what is there."""
    for name in MODULES:
        module = import_module(name)
        for public in module.__all__:
            vars(module).setdefault(public, getattr(module, public))

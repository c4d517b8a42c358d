"""Lessons as notebooks: built from one source, executed, and held against it.

- :mod:`~d2lconv.notebook.lesson` reads the source, ``lesson.md`` in a folder of its own.
- :mod:`~d2lconv.notebook.library` puts the backends' own code into it.
- :mod:`~d2lconv.notebook.build` makes a notebook for each framework, and one for all together.
- :mod:`~d2lconv.notebook.execute` runs a notebook, and leaves nothing in it that changes by itself.
- :mod:`~d2lconv.notebook.check` says whether two runs of a notebook show the same.

Inside a notebook, ``%load_ext d2lconv.notebook`` gives the cell magic ``%%columns``, which runs
code in every framework at once.
"""

from typing import Any, Final

# Where the notebooks' badges and install cells find the project on GitHub. Nobody can have an
# account with an underscore in its name, so until this is changed they lead nowhere, not astray.
REPOSITORY: Final = "YOUR_ACCOUNT/d2lconv"


def load_ipython_extension(shell: Any) -> None:
    """What ``%load_ext d2lconv.notebook`` does."""
    from d2lconv.notebook import columns

    columns.register(shell)

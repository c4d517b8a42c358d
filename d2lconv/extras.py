"""What only some functions need, and pip installs on request."""

from collections.abc import Iterator
from contextlib import contextmanager

from d2lconv.errors import ExtraNotInstalled


@contextmanager
def needed(extra: str) -> Iterator[None]:
    """A block of imports that an extra of d2lconv provides.

    Raises:
        ExtraNotInstalled: A module is not there; the message has the command that installs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ExtraNotInstalled(
            f'this needs {error.name}, which is not installed. Run: pip install "d2lconv[{extra}]"'
        ) from error

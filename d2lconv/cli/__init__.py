"""The command ``d2lconv``."""

import os
import sys

from d2lconv.cli.ending import status_of
from d2lconv.extras import needed


def main() -> None:
    """The entry point of the command."""
    sys.exit(status_of(_run))


def _run() -> None:
    # This process and its children are ours, so TensorFlow may be told here to log nothing.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with needed("cli"):
        from d2lconv.cli.app import app
    app()

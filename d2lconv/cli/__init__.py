"""The command ``d2lconv``."""

from d2lconv.cli.app import main

__all__ = ["main"]

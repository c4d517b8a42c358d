"""Which backends this test run is about."""

import importlib
import os
from typing import Any

import pytest

import d2lconv as dc

STATUS = {status.name: status for status in dc.backends()}
CHOSEN: list[str] = []  # filled by conftest.py, from the option or from what is installed


def demand(name: str) -> str:
    """The name of a backend that is tested; else skip, or fail where it is missing."""
    status = STATUS[name]
    if name not in CHOSEN:
        pytest.skip(f"{status.framework} is not tested here")
    if not status.installed:
        pytest.fail(f"{status.framework} is not installed ({status.install})")
    return name


def demand_extra(module: str, extra: str) -> Any:
    """A module that an extra brings; else skip, or fail where D2LCONV_EXTRAS names the extra."""
    if extra in os.environ.get("D2LCONV_EXTRAS", "").split(","):
        return importlib.import_module(module)
    return pytest.importorskip(module, reason=f"{module} is not installed (the extra {extra})")

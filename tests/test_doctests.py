"""The examples in the docstrings do what they show."""

import doctest
import importlib
import pkgutil

import pytest

import d2lconv

MODULES = [m.name for m in pkgutil.walk_packages(d2lconv.__path__, "d2lconv.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    if name == "d2lconv.__main__":
        return
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_the_public_functions_have_examples():
    """Except use() and backends whose example would leave a choice behind, all have one."""
    for name in d2lconv.__all__:
        value = getattr(d2lconv, name)
        if callable(value) and not isinstance(value, type):
            assert ">>> " in value.__doc__, name

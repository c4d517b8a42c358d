"""Which tests run where: none is skipped in every environment of tox.ini."""

from types import SimpleNamespace

import chosen
import pytest
from chosen import about_a_framework, demand
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def alone(monkeypatch):
    """As in an environment that has NumPy alone; what runs there is given."""
    monkeypatch.setattr(chosen, "CHOSEN", ["numpy"])
    return lambda item: monkeypatch.setattr(chosen, "RUNNING", [item])


def item(function, *fixtures, marks=(), **given):
    """As much of a test as is looked at."""
    return SimpleNamespace(
        function=function,
        fixturenames=given,
        _fixtureinfo=SimpleNamespace(
            name2fixturedefs={f.__name__: [SimpleNamespace(func=f)] for f in fixtures}
        ),
        callspec=SimpleNamespace(params=given),
        get_closest_marker=lambda name: name in marks,
    )


def asks():
    demand("torch")


def asks_inside():
    [asks() for _ in range(2)]


@given(st.none())
def draws_and_asks(_):
    asks()


def asks_for_nothing():
    item(asks_for_nothing)


@pytest.mark.parametrize("function", [asks, asks_inside, draws_and_asks])
def test_a_framework_may_be_asked_for_in_a_test_a_fixture_or_what_they_call(function):
    assert about_a_framework(item(function))
    assert about_a_framework(item(asks_for_nothing, function))


def test_what_takes_a_fixture_of_a_framework_is_about_one():
    assert about_a_framework(item(asks_for_nothing, framework="torch"))
    assert not about_a_framework(item(asks_for_nothing, seed=1))


def test_what_runs_elsewhere_is_skipped(alone):
    alone(item(asks))
    with pytest.raises(pytest.skip.Exception, match="PyTorch is not tested here"):
        demand("torch")


def test_a_test_that_would_run_nowhere_fails(alone):
    alone(item(asks_for_nothing))
    with pytest.raises(pytest.fail.Exception, match="in a way that is not seen"):
        demand("torch")
    alone(item(asks, framework="jax"))
    with pytest.raises(pytest.fail.Exception, match="needs jax and torch, so it is to be marked"):
        demand("torch")
    alone(item(asks))
    demand("numpy")
    with pytest.raises(pytest.fail.Exception, match="needs numpy and torch, so it is to be marked"):
        demand("torch")
    alone(item(asks, framework="jax", marks=["together"]))
    with pytest.raises(pytest.skip.Exception):
        demand("torch")

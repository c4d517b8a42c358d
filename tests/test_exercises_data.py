"""Exercises that are data: right and wrong answers, in Python and on the page, word for word."""

import ast
from math import prod

import numpy as np
import pytest
from answers import garbage, in_python, plain
from javascript import judged

import d2lconv as dc
from d2lconv.core.lenet import lenet

DATA = [name for name, one in dc.exercises.items() if one.page and "expected" in one.page]
WORDS = [name for name, one in dc.exercises.items() if one.points]


def page(name):
    return dc.exercises[name].page


def nested(values):
    """An answer as a reader may type it, and as programs have it."""
    array = np.array(values)
    yield from (values, array, array.astype(np.float32), dc.numpy.tensor(array), array[None])


def near(values, random):
    """An answer of the same shape with one element that is wrong."""
    array = np.array(values, np.float64)
    place = tuple(int(random.integers(n)) for n in array.shape)
    array[place] += random.choice([-1, 1, 0.5, 100])
    return array.tolist()


def test_every_lesson_has_about_five_exercises_and_some_of_either_kind():
    for section in ("7.3", "7.4", "7.5", "7.6"):
        own = [name for name in dc.exercises if name.startswith(f"{section}-")]
        assert [name.partition("-")[2] for name in own] == [str(n) for n in range(1, len(own) + 1)]
        assert 5 <= len(own) <= 8
        assert 1 <= len([name for name in own if name in WORDS]) <= 3


@pytest.mark.parametrize("name", DATA)
def test_a_right_answer_is_right_in_whatever_form(name):
    for answer in nested(page(name)["expected"]):
        verdict = dc.check(name, answer)
        assert verdict.right
        assert verdict.message == f"Right. {page(name)['right']}"
        assert verdict.counterexample is None


@pytest.mark.parametrize("name", DATA)
def test_a_slip_is_told_what_it_is(name):
    assert page(name)["slips"]
    for slip, reason in page(name)["slips"]:
        verdict = dc.check(name, slip)
        assert verdict.right is False
        assert verdict.message == f"Wrong. {reason}"


@pytest.mark.parametrize("name", DATA)
def test_the_page_says_what_the_library_says(name):
    random = np.random.default_rng(list(name.encode()))
    expected = page(name)["expected"]
    answers = [expected, [expected], *(slip for slip, _ in page(name)["slips"])]
    answers += [near(expected, random) for _ in range(30)]
    answers += [plain(garbage(random)) for _ in range(150)]
    here = [in_python(name, answer) for answer in answers]
    there = judged(name, [repr(answer) for answer in answers], task=page(name))
    assert [pair for pair in zip(answers, here, there, strict=True) if pair[1] != pair[2]][:3] == []
    assert {right for right, _ in here} == {True, False}


@pytest.mark.parametrize("name", DATA)
def test_a_wrong_element_is_named(name):
    random = np.random.default_rng(3)
    slips = [slip for slip, _ in page(name)["slips"]]
    for _ in range(20):
        answer = near(page(name)["expected"], random)
        verdict = dc.check(name, answer)
        assert verdict.right is False
        if answer not in slips:
            said = float(verdict.message.rpartition(" is not ")[2].removesuffix("."))
            flat = np.ravel(answer)
            assert np.min(np.abs(flat - said)) <= 1e-5 * abs(said)
            assert said not in np.ravel(page(name)["expected"]) or flat.size > 1


@pytest.mark.parametrize("name", [name for name in DATA if page(name)["labels"]])
def test_a_function_is_tried_with_every_sample(name):
    program = {}
    exec(dc.exercises[name].solution("numpy"), program)
    own = program["answer"]
    assert dc.check(name, own)
    for n, label in enumerate(page(name)["labels"]):
        calls = []

        def wrong(*given, n=n, calls=calls):
            calls.append(given)
            found = np.array(own(*given))
            return (found + (len(calls) == n + 1)).tolist()

        verdict = dc.check(name, wrong)
        assert f"For {label} it is not" in verdict.message
    assert "raises ZeroDivisionError" in dc.check(name, lambda *given: 1 / 0).message


@pytest.mark.parametrize("name", WORDS)
def test_a_text_is_not_judged_but_compared(name):
    verdict = dc.check(name, "Because.")
    assert verdict.right is None
    assert not verdict
    for point in dc.exercises[name].points:
        assert point in verdict.message
    assert dc.check(name, "").right is False
    assert dc.check(name, 3).right is False


@pytest.mark.parametrize("name", WORDS)
def test_the_model_answer_is_a_text(name):
    code = dc.exercises[name].solution("numpy").partition("\nanswer")[2]
    assert dc.exercises[name].explanation.split() == ast.literal_eval(code.strip("= \n")).split()


# The numbers that the solutions state, counted.


def test_same_is_what_the_library_pads():
    expected = page("7.3-2")["expected"]
    for (before, after), (n, k, s) in zip(
        expected, ((8, 3, 2), (5, 3, 2), (5, 2, 2), (3, 2, 1), (4, 1, 2)), strict=True
    ):
        X = dc.numpy.tensor([list(range(1, n + 1))])
        K = dc.numpy.tensor([list(range(1, k + 1))])
        own = dc.numpy.corr2d(X, K, padding=((0, 0), (before, after)), stride=(1, s))
        assert own.tolist() == dc.numpy.corr2d(X, K, padding="same", stride=(1, s)).tolist()


def test_two_layers_are_one_kernel():
    X = dc.numpy.tensor(np.random.default_rng(0).integers(-3, 4, (12, 1)))
    for height, (a, b) in zip(
        page("7.4-1")["expected"], ((3, 3), (3, 5), (1, 4), (2, 2)), strict=True
    ):
        one, other = ([[w] for w in range(1, n + 1)] for n in (a, b))
        both = np.convolve(np.ravel(one), np.ravel(other))[:, None]
        assert len(both) == height
        twice = dc.numpy.corr2d(dc.numpy.corr2d(X, one), other)
        assert twice.tolist() == dc.numpy.corr2d(X, both).tolist()


def test_the_means_are_those_of_pooling():
    X = dc.numpy.tensor([[4 * i + j for j in range(4)] for i in range(4)])
    for value, counted in zip(page("7.5-7")["expected"], (False, True), strict=True):
        found = dc.numpy.pool2d(X, 3, mode="avg", padding=1, stride=2, count_include_pad=counted)
        assert found[0, 0] == np.float32(value)


def test_the_parameters_and_the_heights_are_those_of_lenet():
    layers = lenet().layers
    assert page("7.6-1")["expected"] == [
        one.output[1] for one in layers if one.kind in ("conv", "avg")
    ]
    assert page("7.6-2")["expected"] == [one.size for one in layers if one.size]
    places = {one.name: one.output[1:] for one in layers}
    weights = {one.name: one.shapes["weight"] for one in layers if one.size}
    work = [prod(shape) * prod(places[name]) for name, shape in weights.items()]
    assert page("7.6-4")["expected"] == work


def test_a_number_is_flattened_to_the_two_positions():
    X = np.arange(400).reshape(16, 5, 5)
    last = np.argwhere(X.transpose(1, 2, 0).reshape(-1) == X[3, 2, 1])
    assert page("7.6-3")["expected"] == [int(X[3, 2, 1]), int(last[0, 0])]


def test_who_knows_nothing_has_the_loss_of_the_plateau():
    for value, logits in zip(
        page("7.6-5")["expected"], ([0.0] * 10, [np.log(9.0), *[0.0] * 9]), strict=True
    ):
        loss = dc.numpy.cross_entropy(dc.numpy.tensor([logits]), [0])
        assert abs(float(loss) - value) < 1e-6

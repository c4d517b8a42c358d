"""Elementwise functions: every result is the true value, by mpmath, rounded once."""

import math

import mpmath
import numpy as np
import pytest
from multiprecision import rounded

from d2lconv.errors import DTypeError, ShapeError
from d2lconv.parity import same_bits
from d2lconv.rounding import functions
from d2lconv.rounding.ziv import ASSUMED, ziv

VALUES = ["exp", "sigmoid", "tanh"]
GRADIENTS = ["sigmoid_gradient", "tanh_gradient"]
EVERY_FLOAT16 = np.arange(2**16, dtype=np.uint16).view(np.float16)
FINITE = EVERY_FLOAT16[np.isfinite(EVERY_FLOAT16)]

# Found by a search through all float32 numbers: the values are nearest to midpoints, within 2**-52
# of themselves or less. Both 0x1.65cf3p+6 are results that are subnormal or nearly so.
HARDEST = {
    "exp": """-0x1.d2259ap+3 -0x1.65cf3p+6 -0x1.c1c4b8p-10 -0x1.e1dbe2p-8 0x1.fdff02p-17
        0x1.8d7cb6p-12 0x1.cd3982p-14 0x1.344e9cp-5 0x1.747de2p-15 0x1.036492p+1 0x1.112856p+6
        0x1.62b666p+1""",
    "sigmoid": "-0x1p-24 -0x1.04p-18 -0x1.08p-19 -0x1.0cp-18 -0x1.14p-18 0x1.2ap-17 -0x1.2cp-18",
    "tanh": """0x1.86fbc4p-10 0x1.dc0accp-2 0x1.a83722p-6 0x1.5969ap+2 0x1.8bd194p+2 0x1.f860aap-5
        0x1.2d5c5cp-6 0x1.4ddf04p+2 0x1.416cfep-1 0x1.f178fcp+0 0x1.279b08p+1 0x1.916c0ap-8""",
    "sigmoid_gradient": """0x1.65cf3p+6 0x1.2a9e3cp+1 0x1.20d886p+2 0x1.3988e2p-11 0x1.e9f666p-2
        0x1.6a09e6p-12 0x1.beb094p+1 0x1.43f18p-4 0x1.d5dc32p+3 0x1.1bcf52p-6 0x1.d00746p+1""",
}
HARDEST["tanh_gradient"] = " ".join(
    (float.fromhex(x) / 2).hex() for x in HARDEST["sigmoid_gradient"].split()
)


def operands(name, x):
    """x, and for a gradient, another array: of ones, so that nothing else is rounded."""
    return (x, np.ones_like(x)) if name in GRADIENTS else (x,)


def computed(name, *operands):
    return getattr(functions, name)(*operands)


@pytest.mark.parametrize("name", VALUES)
def test_every_float16_gives_the_true_value_rounded_once(name):
    assert same_bits(computed(name, FINITE), rounded(name, FINITE))


@pytest.mark.parametrize("name", GRADIENTS)
def test_every_float16_gives_the_true_gradient_rounded_once(name):
    g = np.random.default_rng(0).permutation(FINITE)
    ordinary = np.abs(FINITE) < 50  # further out, all gradients are 0, with the sign of g
    x = FINITE[ordinary]
    assert same_bits(computed(name, x, g[ordinary]), rounded(name, x, g[ordinary], digits=90))
    far = np.abs(FINITE) >= 50
    assert same_bits(computed(name, FINITE[far], g[far]), np.copysign(np.float16(0), g[far]))


@pytest.mark.parametrize("name", VALUES)
def test_a_million_float32_give_the_true_value_rounded_once(name):
    bits = np.random.default_rng(1).integers(0, 2**32, 10**6, dtype=np.uint32)
    x = bits.view(np.float32)
    small, large = np.abs(x) < 2.0**-26, np.abs(x) > 110
    at_zero = {"exp": np.float32(1), "sigmoid": np.float32(0.5), "tanh": x[small]}
    at_end = {"exp": (0, np.inf), "sigmoid": (0, 1), "tanh": (-1, 1)}
    Y = computed(name, x)
    assert same_bits(Y[small], np.broadcast_to(at_zero[name], small.sum()))
    assert same_bits(Y[large], np.where(x[large] < 0, *np.float32(at_end[name])))
    some = ~small & ~large & ~np.isnan(x)
    assert some.sum() > 120_000
    assert same_bits(Y[some], rounded(name, x[some], digits=35))


@pytest.mark.parametrize("name", GRADIENTS)
def test_float32_gradients_are_the_true_ones_rounded_once(name):
    rng = np.random.default_rng(2)
    x = rng.normal(0, 2.0 ** rng.integers(-30, 7, 20_000)).astype(np.float32)
    g = rng.integers(0, 2**32, len(x), dtype=np.uint32).view(np.float32)
    g[~np.isfinite(g)] = 1
    assert same_bits(computed(name, x, g), rounded(name, x, g))


@pytest.mark.parametrize("name", VALUES + GRADIENTS)
def test_the_float32_numbers_that_are_hardest_to_round_are_rounded_right(name):
    x = np.array([float.fromhex(text) for text in HARDEST[name].split()], np.float32)
    given = operands(name, x)
    assert same_bits(computed(name, *given), rounded(name, *given))


def test_without_a_bound_of_the_error_float64_rounds_some_of_them_wrong():
    x = np.float32([float.fromhex(text) for text in HARDEST["sigmoid"].split()])
    twice, undecided = ziv(1 / (1 + np.exp(-x.astype(np.float64))), -2, "float32")
    assert not undecided.any()
    assert (twice != functions.sigmoid(x)).any()


@pytest.mark.parametrize("name", VALUES + GRADIENTS)
def test_float64_is_rounded_once_too(name):
    rng = np.random.default_rng(3)
    x = rng.normal(0, 2.0 ** rng.integers(-60, 10, 300))
    x = np.append(x, [1e-300, -5e-324, 2.0**-30, 709.78, -745.2, 0.0, 18.9, 36.9])
    given = operands(name, x)
    assert same_bits(computed(name, *given), rounded(name, *given, digits=700))


def arguments(name, n):
    """Random arguments as the functions here need them, of all sizes."""
    rng = np.random.default_rng(4)
    x = rng.uniform(1, 2, n) * 2.0 ** rng.integers(-150, 9, n)
    signs = {"exp": rng.choice([-1.0, 1.0], n), "expm1": -1.0, "log1p": 1.0}
    return np.clip(signs[name] * x, -500, 500)


@pytest.mark.parametrize("name", ASSUMED)
def test_numpy_errs_by_no_more_than_is_assumed(name):
    x = arguments(name, 20_000)
    with mpmath.workdps(40):
        pairs = zip(x.tolist(), getattr(np, name)(x).tolist(), strict=True)
        errors = [abs(getattr(mpmath, name)(mpmath.mpf(a)) - b) / math.ulp(b) for a, b in pairs]
    assert max(errors) <= ASSUMED[name]


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double is no wider here")
@pytest.mark.parametrize("name", ASSUMED)
def test_numpy_errs_by_no_more_than_that_for_a_million_arguments(name):
    x = arguments(name, 10**6)
    near, wide = getattr(np, name)(x), getattr(np, name)(x.astype(np.longdouble))
    error = np.abs(wide - near) / np.spacing(np.abs(near))  # wide is off by some 2**-11 units
    assert error.max() <= ASSUMED[name]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_infinities_nan_and_zeros(dtype):
    x = np.array([-np.inf, np.inf, np.nan, -np.nan, 0, -0.0], dtype)
    ends = {
        "exp": [0, np.inf, np.nan, np.nan, 1, 1],
        "sigmoid": [0, 1, np.nan, np.nan, 0.5, 0.5],
        "tanh": [-1, 1, np.nan, np.nan, 0, -0.0],
        "relu": [0, np.inf, np.nan, -np.nan, 0, 0],
    }
    for name, expected in ends.items():
        assert same_bits(computed(name, x), np.array(expected, dtype)), name
    g = np.array([-1, np.inf, 1, 1, -8, 4], dtype)
    ends = {
        "sigmoid_gradient": [-0.0, np.nan, np.nan, np.nan, -2, 1],
        "tanh_gradient": [-0.0, np.nan, np.nan, np.nan, -8, 4],
        "relu_gradient": [0, np.inf, np.nan, np.nan, 0, 0],
    }
    for name, expected in ends.items():
        assert same_bits(computed(name, x, g), np.array(expected, dtype)), name
    x, g = np.array([1, -20000, 1], dtype), np.array([np.inf, -np.inf, -0.0], dtype)
    for name in GRADIENTS:
        assert same_bits(computed(name, x, g), g), name


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_quarter_of_a_subnormal_gradient_is_a_tie_that_goes_to_even(dtype):
    least = float(np.finfo(dtype).smallest_subnormal)
    g = np.array([1, 2, 3, 5, 6, -6, 10], dtype) * np.dtype(dtype).type(least)
    found = functions.sigmoid_gradient(np.zeros_like(g), g)
    assert same_bits(found, np.array([0, 0, 1, 1, 2, -2, 2], dtype) * np.dtype(dtype).type(least))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_beside_a_tie_the_true_value_decides(dtype):
    least = np.finfo(dtype).smallest_subnormal
    x, g = np.array([0, least], dtype), np.array([6, 6], dtype) * least
    found = functions.sigmoid_gradient(x, g)  # 1.5 times the least number, and a little less
    assert (found / least).tolist() == [2, 1]


def test_every_float16_is_rectified_exactly():
    Y = functions.relu(FINITE)
    assert same_bits(Y, np.where(FINITE > 0, FINITE, np.float16(0)))
    ones = functions.relu_gradient(FINITE, np.ones_like(FINITE))
    assert same_bits(ones, (FINITE > 0).astype(np.float16))


def test_shapes_and_types_are_kept():
    for shape in ((), (0,), (2, 3)):
        x = np.ones(shape, np.float16)
        for name in [*VALUES, *GRADIENTS, "relu", "relu_gradient"]:
            given = (x, x) if name.endswith("gradient") else (x,)
            Y = computed(name, *given)
            assert (Y.shape, Y.dtype) == (shape, np.float16), name


def test_integers_and_mixed_types_and_shapes_are_refused():
    with pytest.raises(DTypeError, match="got int64; give float16"):
        functions.exp(np.arange(3))
    with pytest.raises(DTypeError, match="float32 and float64"):
        functions.tanh_gradient(np.float32([1]), np.float64([1]))
    with pytest.raises(ShapeError, match=r"\(2,\) and \(1,\)"):
        functions.relu_gradient(np.float32([1, 2]), np.float32([1]))

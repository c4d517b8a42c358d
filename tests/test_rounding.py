"""The true value, rounded once: sums against rational arithmetic, and when to trust float64."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rationals import round_exactly, round_sum

from d2lconv.errors import ArgumentError, DTypeError, ShapeError
from d2lconv.parity import same_bits
from d2lconv.rounding import (
    Counts,
    bound,
    certify,
    error_factor,
    round_pair,
    settle,
    settle_sum,
    surely,
    zeros_are_positive,
)
from d2lconv.rounding.integers import dot, nearest

TYPES = ["float16", "float32", "float64"]


def floats(dtype):
    """Any finite numbers of a type, and often those at its ends and the simplest ones."""
    width = np.finfo(dtype).bits
    edges = [0.0, -0.0, 1.0, -1.0, float(np.finfo(dtype).max), float(np.finfo(dtype).tiny)]
    edges += [float(np.finfo(dtype).smallest_subnormal), 1 + float(np.finfo(dtype).eps)]
    anything = st.floats(allow_nan=False, allow_infinity=False, width=width)
    return st.one_of(anything, st.sampled_from(edges), st.integers(-32, 32).map(float))


@st.composite
def sums(draw):
    """A type, and rows of factors that often cancel: some terms come again with the other sign."""
    dtype = draw(st.sampled_from(TYPES))
    n = draw(st.integers(1, 6))
    x = draw(st.lists(floats(dtype), min_size=n, max_size=n))
    k = draw(st.lists(floats(dtype), min_size=n, max_size=n))
    again = draw(st.lists(st.integers(0, n - 1), max_size=n))
    x, k = x + [-x[i] for i in again], k + [k[i] for i in again]
    order = draw(st.permutations(range(len(x))))
    return dtype, np.array(x, dtype)[order], np.array(k, dtype)[order]


def expected(x, k, dtype):
    """The exactly rounded value, with the sign that IEEE 754 gives to a sum of zeros."""
    products = np.signbit(x) ^ np.signbit(k)
    if products.all() and not np.any((x != 0) & (k != 0)):
        return np.dtype(dtype).type(-0.0)
    return round_sum(x, k, dtype)


@given(sums(), st.sampled_from(TYPES))
def test_a_sum_of_products_is_the_true_value_rounded_once(case, target):
    _, x, k = case
    assert same_bits(settle(x[None], k, target).values[0], expected(x, k, target))


@given(sums(), st.sampled_from(TYPES), st.data())
def test_a_bias_is_one_more_term(case, target, data):
    dtype, x, k = case
    bias = np.array([data.draw(floats(dtype))], dtype)
    values = settle(x[None], k, target, bias=bias).values
    one = np.ones(1, dtype)
    assert same_bits(values[0], expected(np.append(x, bias), np.append(k, one), target))


@given(st.lists(floats("float64"), min_size=1, max_size=8), st.sampled_from(TYPES))
def test_a_sum_of_float64_terms_is_the_true_value_rounded_once(terms, target):
    row = np.array(terms)
    assert same_bits(
        settle_sum(row[None], target).values[0], expected(row, np.ones(len(row)), target)
    )


def odd(rng, shape, bits, dtype):
    """Random numbers of that many bits, and of any sign and size in the type."""
    info = np.finfo(dtype)
    exponent = rng.integers(info.minexp - info.nmant, info.maxexp - bits, shape)
    numbers = np.ldexp(rng.integers(1, 2**bits, shape).astype(float), exponent)
    return (numbers * rng.choice([-1.0, 1.0], shape)).astype(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", [1, 2, 25, 577])
def test_terms_of_all_sizes_that_cancel(dtype, n):
    """Products from the least to the greatest, half of them come again with the other sign."""
    rng = np.random.default_rng(n)
    x, k = (odd(rng, (20, n), 8, dtype) for _ in range(2))
    half = (n + 1) // 2
    x[:, half:], k[:, half:] = -x[:, : n - half], k[:, : n - half]
    turn = rng.permutation(n)
    values, counts = settle(x[:, turn], k[:, turn], dtype)
    truth = np.array([expected(a, b, dtype) for a, b in zip(x, k, strict=True)])
    assert same_bits(values, truth)
    assert counts.total == 20


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("beside", [-1, 0, 1])
@pytest.mark.parametrize("largest", [False, True])
def test_ties_and_one_bit_beside_them(dtype, beside, largest):
    """The midpoint after every power of two and an odd number, and the least product beside it."""
    info = np.finfo(dtype)
    exponents = np.arange(info.minexp, info.maxexp - 1)
    least = Fraction(float(info.smallest_subnormal)) ** 2
    rows = []
    for e in exponents:
        a = math.ldexp(1 + (float(info.eps) if largest else 0), int(e))
        half = Fraction(2) ** (int(e) - info.nmant - 1)
        factor = max(half, Fraction(float(info.smallest_subnormal)))  # both factors in the type
        rows.append(((a, float(factor), info.smallest_subnormal), (1, float(half / factor), 1)))
    x, k = (np.array(part, dtype) for part in zip(*rows, strict=True))
    k[:, 2] = beside * float(info.smallest_subnormal)
    values, counts = settle(x, k, dtype)
    sums = [
        sum(Fraction(float(i)) * Fraction(float(j)) for i, j in zip(a[:2], b[:2], strict=True))
        + beside * least
        for a, b in zip(x, k, strict=True)
    ]
    assert same_bits(values, np.array([round_exactly(s, dtype) for s in sums]))
    up = 1 if beside > 0 or (beside == 0 and largest) else 0
    steps = (values.astype(float) / np.ldexp(1.0, exponents) - 1) / float(info.eps)
    assert set(steps) == {float(largest + up)}
    if dtype == "float32":
        assert counts.one_extraction + counts.more_extractions == (len(x) if beside else 0)
        assert counts.zero_rest == (0 if beside else len(x))


@pytest.mark.parametrize("dtype", TYPES)
def test_both_ends_of_a_type_are_rounded_as_ieee_rounds_them(dtype):
    """Half the least number, and half a unit beyond the largest, and their neighbours."""
    info = np.finfo(dtype)
    least, tiny, most = (float(v) for v in (info.smallest_subnormal, info.tiny, info.max))
    unit = math.ldexp(1.0, info.maxexp - info.nmant - 1)
    rows = [(least, 0.5, 0, 0), (least, 0.5, least, least), (least, 0.5, -least, least)]
    rows += [(3 * least, 0.5, 0, 0), (-least, 0.5, 0, 0), (tiny, 1, -least, 0.5)]
    rows += [(most, 1, unit, 0.5), (most, 1, unit, 0.5 - float(info.eps)), (-most, 1, -unit, 0.5)]
    rows += [(most, most, 0, 0), (most, most, -most, most), (most, 1, most, -1)]
    x = np.array([(a, c) for a, _, c, _ in rows], dtype)
    k = np.array([(b, d) for _, b, _, d in rows], dtype)
    truth = [round_sum(a, b, dtype) for a, b in zip(x, k, strict=True)]
    assert same_bits(settle(x, k, dtype).values, np.array(truth))
    assert [float(v) for v in truth[:3]] == [0, least, 0]
    assert [float(v) for v in truth[6:9]] == [math.inf, most, -math.inf]


@pytest.mark.parametrize(
    ("dtype", "n"), [("float32", 10**5), ("float16", 10**5), ("float64", 10**4)]
)
def test_long_sums(dtype, n):
    """Random, of few grey levels, and cancelled to one least product."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((3, n)).astype(dtype)
    k = rng.standard_normal((3, n)).astype(dtype)
    x[1], k[1] = rng.integers(0, 4, n), rng.integers(-4, 5, n) / 4
    x[2, n // 2 :], k[2, n // 2 :] = -x[2, : n // 2], k[2, : n // 2]
    x[2, 0] = x[2, n // 2] = 0
    x[2, 0] = k[2, 0] = 2.0**-10
    truth = [round_sum(a, b, dtype) for a, b in zip(x, k, strict=True)]
    assert float(truth[2]) == 2.0**-20
    assert same_bits(settle(x, k, dtype).values, np.array(truth))


@pytest.mark.parametrize("levels", [2, 16, 256])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_images_of_few_grey_levels_are_settled_without_integers(levels, dtype):
    """Weights of few bits, so that exact ties are common; the zero rest tells all of them."""
    rng = np.random.default_rng(levels)
    x = (rng.integers(0, levels, (400, 25)) / levels).astype(dtype)
    bits = np.finfo(dtype).nmant
    k = (rng.integers(-(2**bits), 2**bits, (1, 25)) / 2**bits).astype(dtype)
    values, counts = settle(x, k, dtype)
    exact = [
        sum(Fraction(a) * Fraction(b) for a, b in zip(row, k[0].tolist(), strict=True))
        for row in x.tolist()
    ]
    assert same_bits(values, np.array([round_exactly(s, dtype) for s in exact]))
    assert counts == Counts(zero_rest=400)
    ties = sum(tie(s, v) for s, v in zip(exact, values, strict=True))
    assert ties > 0


def tie(exact, value):
    """Whether an exact value is just between a rounded one and a neighbour of it."""
    sides = [np.nextafter(value, value.dtype.type(s)) for s in (-np.inf, np.inf)]
    return any(exact * 2 == Fraction(float(value)) + Fraction(float(side)) for side in sides)


def test_a_sum_that_one_extraction_does_not_decide_is_extracted_again_or_added_in_integers():
    far = [2.0**200, 1, 2.0**-24, 2.0**-100, -(2.0**200)]
    tie_and_little = [1, 2.0**-53, 2.0**-150, -(2.0**-150) * (1 - 2.0**-43)] + [0.0] * 60
    wide = [1e308, 1e308, -1e308, -1e308, 1 + 2.0**-40]
    for terms, dtype, counts in [
        (far, "float32", Counts(more_extractions=1)),
        (tie_and_little, "float64", Counts(integers=1)),  # three float64 apart from each other
        (wide, "float32", Counts(integers=1)),
    ]:
        settled = settle_sum(np.array([terms]), dtype)
        assert settled.counts == counts
        assert same_bits(settled.values[0], round_sum(terms, np.ones(len(terms)), dtype))


def test_infinities_and_nans_are_what_the_sum_makes_of_them():
    inf, nan = math.inf, math.nan
    rows = [(inf, 1, 1, 1, inf), (-inf, 1, inf, 1, nan), (inf, 0, 1, 1, nan), (nan, 1, 1, 1, nan)]
    rows += [(-inf, 2, 1, 1, -inf), (inf, -1, -inf, 1, -inf), (1, 1, 1e38, 1, np.float32(1e38))]
    for dtype in ["float32", "float64"]:
        x = np.array([(r[0], r[2]) for r in rows], dtype)
        k = np.array([(r[1], r[3]) for r in rows], dtype)
        values, counts = settle(x, k, "float32")
        assert same_bits(values, np.array([r[4] for r in rows], np.float32))
        assert not np.signbit(values[np.isnan(values)]).any()
        assert counts.not_finite == 6
    assert settle_sum(np.array([[inf, -inf, 1.0]]), "float64").counts == Counts(not_finite=1)
    beyond = settle(np.array([[1e300, 1e300]]), np.array([[1e300, -1e300]]), "float64")
    assert float(beyond.values[0]) == 0  # two products beyond float64, and no infinity


@pytest.mark.parametrize("dtype", TYPES)
def test_a_sum_that_is_zero_has_the_sign_that_ieee_gives_it(dtype):
    x = np.array([[0, 0], [0, 0], [-0.0, 0], [1, 1], [-0.0, 1]], dtype)
    k = np.array([[-1, -2], [-1, 2], [3, -0.0], [1, -1], [np.finfo(dtype).max, -0.0]], dtype)
    zeros = settle(x, k, dtype).values
    assert not zeros.any()
    assert np.signbit(zeros).tolist() == [True, False, True, False, True]
    assert np.signbit(settle(x, k, dtype, bias=np.zeros(1, dtype)).values).sum() == 0
    assert np.signbit(settle(np.zeros((1, 0), dtype), k[:1, :0], dtype).values).sum() == 0


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_pair_is_rounded_once_at_every_midpoint(dtype):
    """All of float16, and float32 around every power of two: the midpoint, and just beside it."""
    bits = {"float16": np.uint16, "float32": np.uint32}[dtype]
    top = int(np.array(np.inf, dtype).view(bits))
    if dtype == "float16":
        numbers = np.arange(top, dtype=bits)
    else:
        steps = np.arange(-3, 3)
        numbers = (np.arange(1, 255)[:, None] * 2**23 + steps).ravel().astype(bits)
        numbers = np.append(np.append(np.arange(6, dtype=bits), numbers), np.array([top - 1], bits))
    below = numbers.view(dtype).astype(np.float64)
    above = (numbers + 1).view(dtype).astype(np.float64)
    above[np.isinf(above)] = 2.0 ** np.finfo(dtype).maxexp
    middle = (below + above) / 2
    even = np.where(numbers % 2 == 0, numbers, numbers + 1).astype(bits).view(dtype)
    for sign in [1, -1]:
        for low, truth in [
            (0.0, even),
            (-(2.0**-1000), numbers.view(dtype)),
            (2.0**-1000, (numbers + 1).astype(bits).view(dtype)),
        ]:
            rounded = round_pair(sign * middle, np.full_like(middle, sign * low), dtype)
            assert same_bits(rounded, truth * np.dtype(dtype).type(sign))
        with np.errstate(over="ignore"):  # the cast alone, of the neighbours in float64
            assert same_bits(np.nextafter(middle, below).astype(dtype), numbers.view(dtype))
            assert same_bits(np.nextafter(middle, np.inf).astype(dtype), (numbers + 1).view(dtype))


@given(st.integers(-(2**120), 2**120), st.integers(-1200, 950), st.sampled_from(TYPES))
def test_integers_are_rounded_as_fractions_are(number, exponent, dtype):
    truth = round_exactly(Fraction(number) * Fraction(2) ** exponent, dtype)
    assert same_bits(np.dtype(dtype).type(nearest(number, exponent, dtype)), truth)


def test_integers_hold_any_sum_of_products():
    x, k = np.array([1e308, 5e-324, 0.1]), np.array([1e308, 5e-324, -3.0])
    number, exponent = dot(x, k)
    truth = sum(Fraction(a) * Fraction(b) for a, b in zip(x.tolist(), k.tolist(), strict=True))
    assert Fraction(number) * Fraction(2) ** exponent == truth


def orders(products):
    """Sums of the rows in several orders: forward, backward, by size, pairwise."""
    by_size = np.sort(products, axis=1)
    for row in (products, products[:, ::-1], by_size, by_size[:, ::-1]):
        yield np.cumsum(row, axis=1)[:, -1]
    yield products.sum(axis=1)


def near_ties(rng, m, n):
    """Factors whose products sum up to a midpoint of float32, and a little more or less.

    All products but three are pairs that cancel in the true sum, and leave rounding in the sums.
    """
    x = np.zeros((m, n), np.float32)
    k = rng.standard_normal((m, n)).astype(np.float32)
    pairs = (n - 3) // 2
    x[:, :pairs] = rng.standard_normal((m, pairs))
    x[:, pairs : 2 * pairs], k[:, pairs : 2 * pairs] = -x[:, :pairs], k[:, :pairs]
    x[:, -3:] = np.stack([1 + rng.integers(0, 2, m) * 2.0**-23, [2.0**-24] * m, [1] * m], axis=1)
    k[:, -3:] = np.stack(
        [[1] * m, [1] * m, rng.choice([-1, 1], m) * 2.0 ** rng.integers(-60, -35, m)], axis=1
    )
    turn = rng.permutation(n)
    return x[:, turn], k[:, turn]


def by_each(Y, norms, n):
    """Each element by its own bound."""
    return certify(Y, *norms, n, "float32")


def by_greatest(Y, norms, n):
    """All elements by the greatest of their bounds."""
    low, high = np.empty((2, *Y.shape), np.float32)
    where = surely(Y, bound(*norms, n).max(), low, high)
    return high, np.isin(np.arange(len(Y)), where)


TESTS = pytest.mark.parametrize("test", [by_each, by_greatest])


def wrong_bits(test, scale, n=101, m=200):
    """How many values a test gets wrong, its bounds scaled, and how many it decides."""
    rng = np.random.default_rng(1)
    x, k = near_ties(rng, m, n)
    truth = np.array([round_sum(a, b, "float32") for a, b in zip(x, k, strict=True)])
    a, b = x.astype(np.float64), k.astype(np.float64)
    norms = [np.sqrt((c * c).sum(axis=1)) for c in (a, b)]
    wrong = decided = 0
    for Y in orders(a * b):
        values, undecided = test(Y, [norms[0] * scale, norms[1]], n)
        wrong += int((values != truth)[~undecided].sum())
        decided += int((~undecided).sum())
    return wrong, decided


@TESTS
def test_the_certificate_decides_nothing_that_is_wrong(test):
    wrong, decided = wrong_bits(test, 1)
    assert wrong == 0
    assert decided > 100  # the rest is too near to a tie


@TESTS
@pytest.mark.parametrize("scale", [2.0**-6, 2.0**-40])
def test_with_a_smaller_bound_wrong_bits_are_found(test, scale):
    """So the test above can fail."""
    wrong, decided = wrong_bits(test, scale)
    assert 0 < wrong < decided


def test_a_quarter_of_the_bound_is_too_small():
    """Products of 2**-53, each half a unit of a sum of 1 in float64, so that all of them are lost.

    Their true sum is all but the whole bound. The first three products put the midpoint of two
    float32 numbers halfway between the computed sum and the true one.
    """
    lost = 2**20
    x = np.float32([1, 2.0**-12, -(2.0**-17)] + [2.0**-27] * lost)
    k = np.float32([1, 2.0**-12, 2.0**-17] + [2.0**-26] * lost)
    n, error = lost + 3, lost * 2.0**-53
    products = x.astype(np.float64) * k.astype(np.float64)
    Y = np.cumsum(products)[-1]  # one after the other
    assert 1 + 2.0**-24 - error / 2 == Y
    assert settle(x[None], k[None], "float32").values[0] == np.float32(1 + 2.0**-23)
    norms = [math.sqrt(math.fsum(v * v for v in row.tolist())) for row in (x, k)]
    assert error <= bound(*norms, n) <= error * (1 + 2.0**-17)
    value, undecided = certify(Y, norms[0] / 4, norms[1], n, "float32")
    assert not undecided
    assert value == 1  # wrong
    assert certify(Y, *norms, n, "float32")[1]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("scale", [1.0, 2.0**-126, 2.0**-72, 2.0**120])
def test_the_certificate_decides_most_and_the_rest_is_settled(dtype, scale):
    rng = np.random.default_rng(3)
    m, n = 300, 25
    factor = {1.0: 1.0, 2.0**-126: 2.0**-20, 2.0**-72: 2.0**-12, 2.0**120: 2.0**13}
    scale = factor[scale] if dtype == "float16" else scale
    x = (rng.standard_normal((m, n)) * scale).astype(dtype)
    k = rng.standard_normal((m, n)).astype(dtype)
    x[:5] = 0
    bias = rng.standard_normal(m).astype(dtype)
    bias[:100] = 0
    a, b = x.astype(np.float64), k.astype(np.float64)
    Y = (a * b).sum(axis=1) + bias
    norms = [np.sqrt((c * c).sum(axis=1)) for c in (a, b)]
    values, undecided = certify(Y, *norms, n, dtype, bias=bias)
    assert undecided[:5].all()
    assert undecided[5:].mean() < 0.02
    values[undecided] = settle(x[undecided], k[undecided], dtype, bias=bias[undecided]).values
    one = np.ones(1, dtype)
    truth = [
        expected(np.append(i, c), np.append(j, one), dtype)
        for i, j, c in zip(x, k, bias, strict=True)
    ]
    assert same_bits(values, np.array(truth))


def test_operands_that_are_not_finite_are_undecided():
    Y, norms = np.array([np.inf, np.nan, 1.0]), np.array([np.inf, np.nan, np.nan])
    assert certify(Y, norms, 1.0, 25, "float32")[1].all()


@pytest.mark.parametrize("E", [0.0, 2.0**-160, 2.0**-130])
def test_one_bound_for_many_decides_no_zero_and_nothing_subnormal(E):
    """Nor what is not finite. The least numbers that it may decide, it does."""
    small = np.ldexp(1.0, np.arange(-200, -125))
    Y = np.concatenate([[0.0, -0.0, np.inf, np.nan], small, -small, [2.0**-99, 1.0]])
    low, high = np.empty((2, len(Y)), np.float32)
    with np.errstate(invalid="ignore"):
        undecided = surely(Y, E, low, high)
        assert set(range(len(Y) - 2)) - set(undecided) <= {2, 3}
    assert not {len(Y) - 2, len(Y) - 1} & set(undecided)
    for E in (np.inf, np.nan):  # as they are where a factor is one
        assert len(surely(Y, E, low, high)) == len(Y)


def test_zeros_are_decided_where_they_are_known_to_be_positive():
    black = np.array([0.0, -0.0])
    assert certify(black, 0.0, 1.0, 4, "float32")[1].all()
    values, undecided = certify(black, 0.0, 1.0, 4, "float32", positive_zeros=True)
    assert not undecided.any()
    assert same_bits(values, np.zeros(2, np.float32))


@pytest.mark.parametrize(
    ("x", "k", "sure"),
    [([0, 1], [1, -1], True), ([-0.0, 1], [1, -1], False), ([0, 1], [-1, -0.0], False)],
)
def test_it_is_known_when_no_black_window_gives_minus_zero(x, k, sure):
    assert zeros_are_positive(np.float32(x), np.float32([k])) is sure
    if not sure:
        black = np.zeros_like(np.float32([x])) * np.copysign(1, np.float32([x]))
        zeros = [settle(black, np.float32([s]), "float32").values for s in (k, [1, 1], [-1, -1])]
        assert any(np.signbit(z).any() for z in zeros)
    assert not zeros_are_positive(np.float32(x), np.float32([k, [0, 0]]))


def test_counts_add_up():
    total = (
        Counts(certificate=9)
        + settle(np.ones((3, 4), np.float32), np.ones(4, np.float32), "f4").counts
    )
    assert (total.total, total.undecided, total.zero_rest) == (12, 3, 3)


def test_bad_arguments_are_named():
    row = np.ones((1, 3), np.float32)
    with pytest.raises(DTypeError, match="int64"):
        settle(np.ones((1, 3), np.int64), row, "float32")
    with pytest.raises(DTypeError, match="int32"):
        settle(row, row, "int32")
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        settle(row[0], row, "float32")
    with pytest.raises(ShapeError, match=r"k has shape \(1, 2\)"):
        settle(row, row[:, :2], "float32")
    with pytest.raises(ShapeError, match="the bias"):
        settle(row, row, "float32", bias=np.ones(2, np.float32))
    with pytest.raises(DTypeError, match="float16 or float32"):
        certify(1.0, 1.0, 1.0, 3, "float64")
    with pytest.raises(ArgumentError, match="-1 terms"):
        error_factor(-1)

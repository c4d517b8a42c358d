"""Imprecise: within the worst case, and further from the true value than honest arithmetic goes."""

import honest
import numpy as np
import pytest

import d2lconv as dc
from d2lconv.core import reference
from d2lconv.core.options import settings
from d2lconv.parity import compare, precision
from d2lconv.parity.precision import narrowed
from d2lconv.parity.problem import problem

KINDS = ["normal", "constant", "positive", "sparse", "cancelling", "range", "halves", "steps"]
SHAPES = [((1, 1, 6, 7), (1, 1, 1, 2)), ((1, 1, 6, 7), (2, 1, 2, 2)), ((2, 8, 5, 5), (3, 8, 3, 3))]


def data(shape, kind, rng):
    values = rng.standard_normal(shape)
    if kind == "constant":
        values[...] = rng.standard_normal()
    if kind == "positive":
        values = rng.random(shape)
    if kind == "sparse":
        values *= rng.random(shape) < 0.1
    if kind == "cancelling":
        values = np.where(np.indices(shape).sum(0) % 2, 1, -1) * (1 + 1e-3 * values)
    if kind == "range":
        values *= 10.0 ** rng.uniform(-6, 6, shape)
    if kind == "halves":
        values = np.rint(2 * values) / 2
    if kind == "steps":
        values = np.sign(values) * 0.1
    return values


def operands(shapes, dtype, kind, seed=0, kernel="normal"):
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    with np.errstate(over="ignore"):
        return data(shapes[0], kind, rng).astype(dtype), data(shapes[1], kernel, rng).astype(dtype)


ALGORITHMS = [one for one in honest.ALL if one is not honest.fused]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_honest_algorithm_is_imprecise_whatever_the_numbers(kind, dtype):
    """A sample of the fuzz behind MANY; the most that it saw is in precision.py."""
    for seed in range(4):
        for shapes in SHAPES:
            kernel = kind if seed % 2 else "normal"
            terms = problem(*operands(shapes, dtype, kind, seed, kernel)).call.terms()
            places = np.argwhere(np.ones(terms.shape, bool))
            x, k, _ = terms.gather(places)
            with np.errstate(invalid="ignore"):
                products = np.abs(x * k).sum(1)
            told = (np.isfinite(products) & (products > 0)).any()  # else there is no rounding
            for algorithm in ALGORITHMS:
                with np.errstate(all="ignore"):
                    sums = algorithm(x.astype(dtype), k.astype(dtype))
                found = precision.measure(terms, sums.astype(float).reshape(terms.shape), dtype)
                assert (found is not None) == told, (algorithm, seed, shapes)
                if told:
                    assert not found.imprecise, (algorithm, seed, shapes, found.times)


def conv(X, K, **options):
    return reference.corr2d(X, K, *settings(**options), method="matmul")


ROUNDED = [
    ((1, 1, 6, 7), (1, 1, 2, 2)),
    ((1, 64, 9, 9), (4, 64, 3, 3)),
    ((1, 384, 9, 9), (8, 384, 3, 3)),
]
# The more products, the larger the bound, which grows faster than what the rounding is off.
WITHIN = {(8, kind, ROUNDED[2]) for kind in ("normal", "positive")}
WITHIN |= {(11, kind, shapes) for kind in ("normal", "positive") for shapes in ROUNDED[1:]}
WITHIN |= {(11, "range", ROUNDED[2])}


@pytest.mark.parametrize("bits", [8, 11])
@pytest.mark.parametrize("shapes", ROUNDED, ids=str)
@pytest.mark.parametrize("kind", ["normal", "positive", "range"])
def test_rounded_operands_are_told_and_their_bits_with_them(bits, shapes, kind):
    X, K = operands(shapes, "float32", kind)
    actual = conv(narrowed(X, bits), narrowed(K, bits))
    found = compare(actual, conv(X, K), X=X, K=K)
    within = (bits, kind, shapes) in WITHIN
    assert found.verdict == ("imprecise" if within else "bug")
    name = {8: "bfloat16", 11: "TF32"}[bits]
    assert f"X and K rounded to {name}" in found.causes, found
    if within:
        assert f"{bits}-bit significands" in found.reason
        assert name in found.reason
    other = {8: "bfloat16", 11: "tf32"}[bits]
    anyhow = compare(actual, conv(X, K), X=X, K=K, precision="any")
    assert anyhow.verdict == ("rounding" if within else "bug")
    assert compare(actual, conv(X, K), X=X, K=K, precision=other).verdict == "rounding"


def test_a_kernel_that_is_off_by_a_ten_thousandth_is_imprecise():
    X, K = operands(((1, 384, 13, 13), (16, 384, 3, 3)), "float32", "normal")
    found = compare(
        conv(X, K * np.float32(1.0001), padding=1), conv(X, K, padding=1), X=X, K=K, padding=1
    )
    assert found.verdict == "imprecise"
    assert found.cause == "a factor of 1.0001"


def test_a_few_elements_that_are_off_are_seen_among_many():
    X, K = operands(((1, 32, 20, 20), (8, 32, 3, 3)), "float32", "normal")
    right = conv(X, K)
    actual = right.copy()
    actual[0, 3, 5, 7] += np.float32(3e-4)
    found = compare(actual, right, X=X, K=K)
    assert found.verdict == "imprecise", found


def test_the_accumulators_type_is_a_parameter_of_the_verdict():
    """float16 results of sums in float32 are right to a half step; in float16 they are not."""
    X, K = operands(((1, 16, 9, 9), (4, 16, 3, 3)), "float16", "normal")
    wide = conv(X.astype("f4"), K.astype("f4")).astype("f2")
    two_off = np.nextafter(np.nextafter(wide, np.float16(np.inf)), np.float16(np.inf))
    options = {"X": X, "K": K, "accumulator": "float32"}
    assert compare(wide, wide.astype("f8"), X=X, K=K).verdict == "rounding"
    assert compare(wide, conv(X.astype("f8"), K.astype("f8")), **options).verdict == "rounding"
    assert compare(two_off, wide, X=X, K=K).verdict == "rounding"
    found = compare(two_off, wide, **options)
    # X and K have TF32's digits already: to round them changes nothing, and is no cause.
    causes = ("sums in float16", "everything in float16, operands and sums")
    assert (found.verdict, found.causes) == ("imprecise", causes), found
    flipped = conv(X[..., ::-1, ::-1].astype("f4"), K.astype("f4"))[..., ::-1, ::-1].astype("f2")
    assert compare(flipped, wide, **options).cause == "a kernel flipped in both axes"
    narrow = conv(narrowed(X, 8).astype("f4"), narrowed(K, 8).astype("f4")).astype("f2")
    assert "X and K rounded to bfloat16" in compare(narrow, wide, **options).causes


def test_what_narrower_types_hold_too_cannot_be_told():
    X, K = np.arange(36.0, dtype="f4").reshape(6, 6), np.ones((3, 3), "f4")
    assert compare(dc.numpy.corr2d(narrowed(X, 11), K), dc.numpy.corr2d(X, K), X=X, K=K).identical


def test_a_layer_of_384_channels_takes_seconds():
    X, K = operands(((1, 384, 13, 13), (256, 384, 3, 3)), "float32", "normal")
    found = compare(
        conv(X, K, padding=1), conv(X.astype("f8"), K.astype("f8"), padding=1), X=X, K=K, padding=1
    )
    assert found.verdict == "rounding"
    assert found.errors["actual"] < 4

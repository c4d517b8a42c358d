"""The verdict on drawn cross-correlations: every method is honest, and a planted fault is a bug."""

import numpy as np
from fuzzing import examples
from geometries import DTYPES, geometries, geometry_of, values
from hypothesis import assume, given
from hypothesis import strategies as st

from d2lconv.binding import bind
from d2lconv.core import reference, registry
from d2lconv.parity import bounds, compare

METHODS = ("exact", "rounded", "loop", "matmul", "native", "auto")
ACCEPTED = ("identical", "rounding")
seeds = st.integers(0, 99)


def drawn(found, dtype, seed):
    """X, K, the result in the contract's order, and a gradient there."""
    rng = np.random.default_rng(seed)
    X, K = values(rng, found[0], dtype), values(rng, found[1], dtype)
    Y = reference.corr2d(X, K, *geometry_of(*found)[0])
    return X, K, Y, values(rng, Y.shape, dtype)


@given(geometries(), st.sampled_from(DTYPES), st.sampled_from(METHODS), seeds)
def test_no_method_of_no_backend_is_a_bug(backend, found, dtype, method, seed):
    d2l, options = bind(backend), found[2]
    X, K, Y, _ = drawn(found, dtype, seed)
    actual = d2l.corr2d(d2l.tensor(X), d2l.tensor(K), method=method, **options)
    verdict = compare(actual, Y, X=X, K=K, **options)
    assert verdict.verdict in ACCEPTED, verdict


@given(geometries(), st.sampled_from(DTYPES), st.sampled_from(METHODS), seeds)
def test_no_gradient_of_no_framework_is_a_bug(framework, found, dtype, method, seed):
    options = found[2]
    # TensorFlow has no gradient of its own convolution with dilation on CPUs.
    assume(
        not (framework == "tf" and options["dilation"] != (1, 1) and method in ("native", "auto"))
    )
    d2l, (X, K, _, G) = bind(framework), drawn(found, dtype, seed)
    _, (dX, dK) = registry.load(framework).autodiff.vjp(
        lambda X, K: d2l.corr2d(X, K, method=method, **options),
        [d2l.tensor(X), d2l.tensor(K)],
        d2l.tensor(G),
    )
    checked, _ = geometry_of(*found)
    expected = reference.image_gradient(K, G, X.shape, *checked)
    verdict = compare(dX, expected, K=K, G=G, of="input", **options)
    assert verdict.verdict in ACCEPTED, verdict
    expected = reference.kernel_gradient(X, G, K.shape, *checked)
    verdict = compare(dK, expected, X=X, G=G, of="weight", **options)
    assert verdict.verdict in ACCEPTED, verdict


FAULTS = {
    "flipped": lambda X, K: (X, K[..., ::-1, ::-1]),
    "shifted": lambda X, K: (np.roll(X, 1, axis=-1), K),
    "rows for columns": lambda X, K: (
        X,
        K.reshape(*K.shape[:-2], -1, K.shape[-2]).swapaxes(-1, -2),
    ),
    "a tap dropped": lambda X, K: (X, np.where(np.arange(K.shape[-1]) == 0, 0, K).astype(K.dtype)),
    "a sign": lambda X, K: (X, -K),
    "a channel's order": lambda X, K: (X, np.roll(K, 1, axis=0)),
}


@examples(10)
@given(
    geometries(),
    st.sampled_from(DTYPES),
    st.sampled_from(("exact", "matmul", "native")),
    st.sampled_from(sorted(FAULTS)),
    seeds,
)
def test_a_planted_fault_is_a_bug(backend, found, dtype, method, fault, seed):
    """Where the true values differ by more than all that is rounded here, and by the verdict.

    That are four results with their bounds: the right one and the wrong one in float64, of which
    the difference is taken, and both in the type. The verdict allows twice the right one's bound.
    """
    options = found[2]
    X, K, Y, _ = drawn(found, dtype, seed)
    x, k = FAULTS[fault](X, K)
    checked, _ = geometry_of(*found)
    true, wrong = (
        reference.corr2d(a.astype("f8"), b.astype("f8"), *checked) for a, b in ((X, K), (x, k))
    )
    right_bound, wrong_bound = (bounds.corr2d(a, b, **options) for a, b in ((X, K), (x, k)))
    assume((np.abs(true - wrong) > 4 * right_bound + 2 * wrong_bound).any())
    d2l = bind(backend)
    actual = d2l.corr2d(d2l.tensor(x), d2l.tensor(k), method=method, **options)
    verdict = compare(actual, Y, X=X, K=K, **options)
    assert verdict.verdict == "bug", verdict
    assert "so actual is wrong" in verdict.reason

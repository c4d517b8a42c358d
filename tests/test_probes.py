"""Probes betray mistakes by other bits, also those that random numbers hide; and the adjoint."""

from functools import partial

import numpy as np
import pytest
from test_causes import PLANTS, conv
from test_precision import narrowed

import d2lconv as dc
from d2lconv.core import reference
from d2lconv.core.options import settings
from d2lconv.parity import adjoint, compare_pool, probes
from d2lconv.parity.bounds import gamma
from d2lconv.parity.pooling import pooled

SHAPES = [
    ((1, 1, 1, 1), (1, 1, 1, 1)),
    ((1, 1, 5, 5), (1, 1, 2, 2)),
    ((2, 6, 8, 9), (4, 3, 3, 3)),
    ((3, 5, 7, 7), (10, 1, 3, 2)),
    ((1, 384, 5, 5), (4, 384, 3, 3)),
    ((1, 2048, 3, 3), (2, 2048, 3, 3)),
]


def right(probe, **options):
    groups = probe.X.shape[1] // probe.K.shape[1]
    return dc.numpy.corr2d(probe.X, probe.K, groups=groups, **options)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_right_results_have_the_same_bits_in_any_order(shapes):
    for probe in probes(*shapes):
        assert probe.X.dtype == probe.K.dtype == np.float32
        groups = shapes[0][1] // shapes[1][1]
        options = settings(padding=1, groups=groups)
        other = reference.corr2d(probe.X, probe.K, *options, method="matmul")
        wide = reference.corr2d(probe.X.astype("f8"), probe.K.astype("f8"), *options)
        exact = right(probe, padding=1)
        assert np.array_equal(other, exact), probe.name
        assert np.array_equal(wide, exact), probe.name


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant[0])
def test_a_planted_mistake_gives_other_bits_for_some_probe(plant):
    _, mistake, made, options = plant
    made = {"c": 4, "o": 6, "side": 9, "groups": 1, **made}
    image = (2, made["c"], made["side"], made["side"] + 2)
    kernel = (made["o"], made["c"] // made["groups"], 3, 3)
    options = dict(options)
    biased = options.pop("bias", False)
    betrayed = []
    for probe in probes(image, kernel):
        b = np.arange(1, made["o"] + 1, dtype="f4")
        actual = mistake(probe.X, probe.K, b)
        expected = conv(probe.X, probe.K, b if biased else None, **options)
        if actual.shape != expected.shape or not np.array_equal(actual, expected):
            betrayed.append(probe.name)
    assert betrayed


# What random numbers hide, how far it is off there, and which probe betrays it. Each rounding to
# 11 bits is off by 2**-11 at most, and so is a sum of products of which none is negative.
NARROW = 2.0**-11
POSITIVE = np.random.default_rng(0).random((2, 3, 9, 9)).astype("f4")
WEIGHTS = np.random.default_rng(1).random((4, 3, 3, 3)).astype("f4")
HIDDEN = {
    "relu": (lambda X, K: np.maximum(conv(X, K), 0), {}, 0, "negative images"),
    "absolute value": (lambda X, K: np.abs(conv(X, K)), {}, 0, "negative images"),
    "SAME for 1": (
        lambda X, K: conv(X, K, stride=2, padding="same"),
        {"stride": 2, "padding": 1},
        0,
        "one row more",
    ),
    "TF32": (lambda X, K: conv(narrowed(X, 11), K), {}, NARROW, "copied images"),
    "TF32 of K": (lambda X, K: conv(X, narrowed(K, 11)), {}, NARROW, "copied kernels"),
    "sums in float16": (
        lambda X, K: conv(X, K).astype("f2").astype("f4"),
        {},
        NARROW,
        "far and near",
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_probe_betrays_what_random_numbers_hide(name):
    mistake, options, off, betraying = HIDDEN[name]
    hidden, shown = mistake(POSITIVE, WEIGHTS), conv(POSITIVE, WEIGHTS, **options)
    # Beside that, each of the two is a sum of 27 products in float32.
    rtol = off + 3 * gamma(27, "float32") if off else 0
    np.testing.assert_allclose(hidden, shown, rtol=rtol)
    assert np.array_equal(hidden, shown) == (off == 0)
    found = [
        probe.name
        for probe in probes(POSITIVE.shape, WEIGHTS.shape)
        if not np.array_equal(mistake(probe.X, probe.K), conv(probe.X, probe.K, **options))
    ]
    assert betraying in found
    named = {probe.name: probe.reveals for probe in probes(POSITIVE.shape, WEIGHTS.shape)}
    assert named[betraying]


def test_pooling_has_probes_without_kernels():
    """Padding with zeros is hidden by positive numbers; padding that is counted by nothing."""
    options = {"stride": 2, "padding": 1}

    def with_zeros(X):
        return pooled(np.pad(X, [(0, 0), (0, 0), (1, 1), (1, 1)]), 3, stride=2).astype("f4")

    assert (
        compare_pool(
            with_zeros(POSITIVE), pooled(POSITIVE, 3, **options), POSITIVE, 3, **options
        ).identical
        is False
    )
    betrayed = {"max": set(), "avg": set()}
    for probe in probes((2, 3, 8, 8)):
        assert probe.K is None
        true = pooled(probe.X, 3, **options)
        if compare_pool(with_zeros(probe.X), true, probe.X, 3, **options).verdict == "bug":
            betrayed["max"].add(probe.name)
        mean = {"mode": "avg", **options}
        counted = pooled(probe.X, 3, count_include_pad=True, **mean)
        found = compare_pool(counted, pooled(probe.X, 3, **mean), probe.X, 3, **mean)
        if found.verdict == "bug":
            betrayed["avg"].add(probe.name)
    assert "negative images" in betrayed["max"]
    assert "ones" in betrayed["avg"]


def test_impulses_are_in_every_image_and_channel_and_sides_are_odd_even_and_unequal():
    found = {probe.name: probe for probe in probes((2, 6, 8, 8), (4, 3, 3, 3))}
    impulses = found["impulses"].X
    assert (np.count_nonzero(impulses, axis=(2, 3)) == 1).all()
    assert len(set(np.flatnonzero(impulses) % 64)) == 12  # each elsewhere
    sizes = {probe.X.shape[2:] for probe in found.values()}
    assert sizes == {(8, 8), (9, 8), (8, 9)}
    assert (found["negative images"].X < 0).all()
    assert found["copied images"].X.flat[0] == 1 + 2.0**-12


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((3, 8, 8),), r"image is \(3, 8, 8\); it must be a shape \(n, c, h, w\)"),
        (((1, 3, 8, 0),), "image is"),
        (((1, 3, 8, 8), (3, 3)), r"kernel is \(3, 3\) for images"),
        (((1, 3, 8, 8), (4, 2, 3, 3)), "groups fit"),
        (((1, 4, 8, 8), (3, 2, 3, 3)), "groups is 2"),
    ],
)
def test_shapes_of_no_layer_are_refused(shapes, message):
    with pytest.raises(dc.ShapeError, match=message):
        probes(*shapes)


# The adjoint.

OPTIONS = [{}, {"stride": 2, "padding": 1}, {"groups": 2, "dilation": 2, "padding": 2}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients_belong_to_their_forward_pass_without_a_reference(options):
    groups = options.get("groups", 1)
    given = settings(**options)
    for probe in probes((2, 4, 7, 8), (6, 4 // groups, 3, 2)):
        X, K = probe.X, probe.K
        if "copied" in probe.name:
            continue  # the numbers of 24 bits are no small integers

        def of_image(G, K=K, X=X):
            return reference.image_gradient(K, G, X.shape, *given)

        def of_kernel(G, K=K, X=X):
            return reference.kernel_gradient(X, G, K.shape, *given)

        forwards = {
            "image": (lambda X, K=K: dc.numpy.corr2d(X, K, **options), of_image, X),
            "kernel": (lambda K, X=X: dc.numpy.corr2d(X, K, **options), of_kernel, K),
        }
        for name, (forward, gradient, at) in forwards.items():
            assert adjoint(forward, gradient, at).identical, (name, probe.name)
            if probe.name != "integers":
                continue
            for mistake in (
                lambda right, G: 2 * right(G),
                lambda right, G: -right(G),
                lambda right, G: right(G[..., ::-1, :]),
                lambda right, G: right(G[:, ::-1]),
                lambda right, G: np.roll(right(G), 1, -1),
            ):
                found = adjoint(forward, partial(mistake, gradient), at)
                assert found.verdict == "bug", name
                assert "<gradient(G), X> is " in found.reason


def test_every_frameworks_own_gradient_is_an_adjoint(framework):
    from d2lconv.core import registry

    d2l = getattr(dc, framework)
    probe = probes((2, 4, 7, 8), (6, 4, 3, 2))[1]

    def forward(X):
        return d2l.corr2d(X, probe.K, stride=2, method="native")

    def gradient(G):
        vjp = registry.load(framework).autodiff.vjp
        return vjp(forward, [d2l.tensor(probe.X)], d2l.tensor(G))[1][0]

    assert adjoint(forward, gradient, probe.X).identical


def test_an_adjoint_of_any_numbers_takes_a_bound():
    rng = np.random.default_rng(0)
    X, K = (rng.standard_normal(s).astype("f4") for s in ((2, 4, 7, 8), (6, 4, 3, 2)))

    def forward(X):
        return dc.numpy.corr2d(X, K)

    def gradient(G):
        return reference.image_gradient(K, G, X.shape)

    assert adjoint(forward, gradient, X).verdict == "bug"
    assert adjoint(forward, gradient, X, bound=1e-2).verdict == "rounding"
    with pytest.raises(dc.ShapeError, match="the gradient has the shape"):
        adjoint(forward, lambda G: gradient(G)[:1], X)
    assert adjoint(forward, lambda G: np.nan * gradient(G), X, bound=1e9).verdict == "bug"

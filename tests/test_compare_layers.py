"""The comparison answers for layers: every rank, layout and option, in every framework."""

import numpy as np
import pytest

import d2lconv as dc
from d2lconv.core import reference, registry
from d2lconv.core.options import settings
from d2lconv.parity import bounds, compare, compare_pool
from d2lconv.parity.pooling import pooled
from d2lconv.parity.precision import narrowed

RNG = np.random.default_rng(0)
FORMS = [
    ((9, 8), (3, 2)),
    ((3, 9, 8), (3, 3, 2)),
    ((4, 9, 8), (6, 4, 3, 2)),
    ((2, 4, 9, 8), (6, 4, 3, 2)),
]
OPTIONS = [
    {},
    {"stride": (2, 1), "padding": ((1, 0), (2, 1))},
    {"padding": "same", "stride": 2},
    {"dilation": (2, 3), "padding": 2},
]


def draw(*shapes):
    return [RNG.standard_normal(shape).astype("f4") for shape in shapes]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_rank_and_option_is_served(form, options, d2l):
    X, K = draw(*form)
    actual = d2l.to_numpy(d2l.corr2d(X, K, method="native", **options))
    expected = dc.numpy.corr2d(X, K, **options)
    found = compare(actual, expected, X=X, K=K, **options)
    assert found.verdict in ("identical", "rounding"), found
    assert compare(expected[..., ::-1], expected, X=X, K=K, **options).verdict == "bug"
    assert bounds.corr2d(X, K, **options).shape == expected.shape
    if len(expected.shape) < 4:
        assert compare(actual[None], expected, X=X, K=K, **options).verdict == found.verdict


def last(a):
    return np.moveaxis(a, 1, -1)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_layouts_of_operands_and_results(groups):
    X, K = draw((2, 4, 9, 8), (8, 4 // groups, 3, 2))
    expected = dc.numpy.corr2d(X, K, stride=2, groups=groups)
    wrong = expected.copy()
    wrong[1, 5, 2, 3] += 1
    kernels = {"OIHW": K, "HWIO": K.transpose(2, 3, 1, 0), "OHWI": last(K)}
    if groups == 4:
        kernels["HWIM"] = K.reshape(4, 2, 3, 2).transpose(2, 3, 0, 1)
    for layout, kernel in kernels.items():
        options = {"X": last(X), "K": kernel, "stride": 2, "groups": groups, "layout": "NHWC"}
        found = compare(last(wrong), last(expected), kernel_layout=layout, **options)
        assert (found.verdict, found.worst) == ("bug", (1, 2, 3, 5))
        assert compare(last(expected), last(expected), kernel_layout=layout, **options).identical
    options["K"] = kernels["HWIO"]  # the default with channels last
    assert compare(last(expected), last(expected), **options).identical
    found = compare(last(wrong), expected, expected_layout="NCHW", **options)
    assert (found.verdict, found.worst) == ("bug", (1, 5, 2, 3))
    assert found.shares.shape == expected.shape
    found = compare(last(wrong), expected, X=X, K=K, stride=2, groups=groups, actual_layout="NHWC")
    assert (found.verdict, found.worst) == ("bug", (1, 5, 2, 3))


def test_one_image_with_channels_last():
    X, K = draw((3, 9, 8), (5, 3, 3, 3))
    Y = dc.numpy.corr2d(X, K)
    found = compare(
        Y.transpose(1, 2, 0),
        Y.transpose(1, 2, 0),
        X=X.transpose(1, 2, 0),
        K=K.transpose(2, 3, 1, 0),
        layout="HWC",
    )
    assert found.identical


UNDIFFERENTIATED = {  # NumPy's, and TensorFlow's own with dilation on CPUs
    "numpy": "NumPy does not differentiate",
    "tf": "CPU implementations do not yet support dilation",
}


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients_of_frameworks_are_rounding(options, d2l):
    X, K = draw((2, 4, 9, 8), (6, 4, 3, 2))
    Y = dc.numpy.corr2d(X, K, **options)
    (G,) = draw(Y.shape)

    def gradients():
        return registry.load(d2l.name).autodiff.vjp(
            lambda X, K: d2l.corr2d(X, K, method="native", **options),
            [d2l.tensor(X), d2l.tensor(K)],
            d2l.tensor(G),
        )

    if d2l.name in UNDIFFERENTIATED and ("dilation" in options or d2l.name == "numpy"):
        with pytest.raises(Exception, match=UNDIFFERENTIATED[d2l.name]):
            gradients()
        return
    _, (dX, dK) = gradients()
    right = reference.kernel_gradient(X, G, K.shape, *settings(**options))
    found = compare(dK, right, X=X, G=G, of="weight", **options)
    assert found.verdict in ("identical", "rounding"), found
    assert compare(dK, right * np.float32(1.5), X=X, G=G, of="weight", **options).verdict == "bug"
    right = reference.image_gradient(K, G, X.shape, *settings(**options))
    found = compare(dX, right, K=K, G=G, of="input", **options)
    assert found.verdict in ("identical", "rounding"), found
    hwio = {"kernel_layout": "HWIO", "layout": "NHWC"}
    found = compare(
        d2l.to_numpy(dK).transpose(2, 3, 1, 0),
        d2l.to_numpy(dK).transpose(2, 3, 1, 0),
        X=last(X),
        G=last(G),
        of="weight",
        **hwio,
        **options,
    )
    assert found.identical


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"layout": "NHWC"}, dc.ShapeError, "X, shape .* is read as NHWC, and K, .* as HWIO"),
        ({"layout": "HWC"}, dc.ShapeError, "X has the shape .* layout='HWC' has 3 axes"),
        ({"layout": "NCWH"}, dc.ArgumentError, "did you mean"),
        ({"kernel_layout": "HWIO"}, dc.ShapeError, "The shapes fit layout='NCHW' with .*'OIHW'"),
        ({"kernel_layout": "HWI"}, dc.ShapeError, "kernel_layout='HWI' has 3 axes"),
        ({"expected_layout": "HW"}, dc.ShapeError, "expected_layout='HW' has no room"),
        ({"stride": 0}, dc.ArgumentError, "stride is 0"),
        ({"groups": 3}, dc.ShapeError, "groups is 3"),
        ({"bias": [1, 2]}, dc.ShapeError, "one for each of 6 outputs"),
        ({"of": "weights"}, dc.ArgumentError, "did you mean 'weight'"),
        ({"of": "weight"}, dc.ArgumentError, "G is missing: the gradient of the weight takes"),
        ({"of": "input", "bias": 1}, dc.ArgumentError, "G is missing"),
        ({"precision": "tf23"}, dc.ArgumentError, "did you mean 'tf32'"),
        ({"accumulator": "float8"}, dc.ArgumentError, "unknown accumulator"),
        ({"padding": 1}, dc.ShapeError, "give results of shape"),
        ({"algorithm": "winograd", "stride": 2}, dc.ArgumentError, "for 1 alone"),
    ],
    ids=str,
)
def test_what_contradicts_itself_is_refused(given, error, message):
    X, K = draw((2, 4, 9, 8), (6, 4, 3, 2))
    Y = dc.numpy.corr2d(X, K, **({"stride": 2} if given.get("stride") == 2 else {}))
    with pytest.raises(error, match=message):
        compare(Y, Y, X=X, K=K, **given)


@pytest.mark.parametrize("name", ["stride", "padding", "layout", "expected_layout", "of"])
def test_options_without_operands_are_refused(name):
    value = {"stride": 2, "padding": 1, "of": "weight"}.get(name, "NHWC")
    with pytest.raises(dc.ArgumentError, match=f"{name}.* (without X and K|are missing)"):
        compare([[1]], [[1]], **{name: value})


def with_zeros_around(X):
    return pooled(np.pad(X, [(0, 0), (0, 0), (1, 1), (1, 1)]), 3, stride=2)


# What it is called, the mode, and the mistake. Windows of 3, stride 2, padding 1 are right.
POOLS = [
    ("padding with 0 instead of -inf", "max", with_zeros_around),
    ("padding counted", "avg", lambda X: pool(X, "avg", count_include_pad=True)),
    ("the output's size rounded up", "avg", lambda X: pool(X, "avg", ceil_mode=True)),
    ("no padding", "avg", lambda X: pool(X, "avg", padding=0)),
    ("stride (1, 1) instead of (2, 2)", "max", lambda X: pool(X, "max", stride=1)),
    ("a window of (2, 2) instead of (3, 3)", "avg", lambda X: pool(X, "avg", size=2)),
    ("the sum instead of the mean", "avg", lambda X: with_zeros_mean(X) * 9),
    ("the minimum", "max", lambda X: -pool(-X, "max")),
    ("windows shifted by (1, 0)", "avg", lambda X: pool(X, "avg", padding=((0, 2), (1, 1)))),
    ("padding by the edge's values", "avg", lambda X: edge_mean(X)),
    ("the right result in the layout NHWC", "max", lambda X: pool(X, "max").transpose(0, 2, 3, 1)),
    ("channels in reverse order", "max", lambda X: pool(X, "max")[:, ::-1]),
    (
        "images reshaped, not transposed, from channels-last",
        "avg",
        lambda X: pool(X.transpose(0, 2, 3, 1).reshape(X.shape), "avg"),
    ),
    (
        "a result reshaped, not transposed, from channels-last",
        "max",
        lambda X: pool(X, "max").transpose(0, 2, 3, 1).reshape(2, 3, 4, 5),
    ),
    ("relu applied to the result", "avg", lambda X: np.maximum(pool(X, "avg"), 0)),
    ("the sign changed", "max", lambda X: -pool(X, "max")),
    ("X rounded to bfloat16", "avg", lambda X: pool(narrowed(X, 8), "avg")),
    (
        "padding counted together with a factor of 2",
        "avg",
        lambda X: 2 * pool(X, "avg", count_include_pad=True),
    ),
]


def pool(X, mode, size=3, **options):
    return pooled(X, size, mode=mode, **{"stride": 2, "padding": 1, **options})


def with_zeros_mean(X):
    return pool(X, "avg", count_include_pad=True)


def edge_mean(X):
    around = np.pad(X, [(0, 0), (0, 0), (1, 1), (1, 1)], "edge")
    return pooled(around, 3, mode="avg", stride=2)


@pytest.mark.parametrize(("words", "mode", "mistake"), POOLS, ids=[pool[0] for pool in POOLS])
def test_pooling_has_causes(words, mode, mistake):
    X = np.random.default_rng(0).standard_normal((2, 3, 8, 10)).astype("f4")
    X = X if "relu" in words else X - 2  # around which zeros win
    right = pool(X, mode).astype("f4")
    found = compare_pool(mistake(X).astype("f4"), right, X, 3, mode=mode, stride=2, padding=1)
    assert found.verdict == "bug"
    assert words in found.causes, found


def test_pooling_that_is_wrong_otherwise_has_no_cause():
    X = np.random.default_rng(0).standard_normal((2, 3, 8, 10)).astype("f4")
    for mode in ("max", "avg"):
        right = pool(X, mode).astype("f4")
        one = right.copy()
        one[0, 1, 2, 3] += 1
        for wrong in (one, np.zeros_like(right), np.random.default_rng(1).random(right.shape)):
            found = compare_pool(wrong, right, X, 3, mode=mode, stride=2, padding=1)
            assert (found.verdict, found.causes) == ("bug", ())


@pytest.mark.parametrize("padding", [3, ((0, 3), (0, 0)), ((0, 0), (2, 0))])
@pytest.mark.parametrize("mode", ["max", "avg"])
def test_a_window_of_padding_alone_is_refused(mode, padding):
    X, any_result = np.ones((4, 4), "f4"), np.zeros((2, 2))
    with pytest.raises(dc.ArgumentError, match="in the padding alone"):
        compare_pool(any_result, any_result, X, 2, mode=mode, padding=padding)


def test_one_number_is_not_what_two_mistakes_gave():
    found = compare_pool([[6]], [[5]], [[1, 2], [3, 5]], 2)
    assert (found.verdict, found.causes) == ("bug", ())


@pytest.mark.parametrize("mode", ["max", "avg"])
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_pooling_of_infinities_and_nans_is_compared(mode, value):
    X = np.arange(32, dtype="f4").reshape(1, 2, 4, 4)
    X[0, 0, 1, 2] = value
    right = pooled(X, 2, mode=mode).astype("f4")
    assert compare_pool(right, right.astype("f8"), X, 2, mode=mode).verdict == "rounding"
    found = compare_pool(np.where(np.isfinite(right), right, 0), right, X, 2, mode=mode)
    assert (found.verdict, found.causes) == ("bug", ())


def test_equal_values_of_other_types_are_not_the_same_bits():
    X = np.ones((4, 4), "f4")
    right = pooled(X, 2)
    found = compare_pool(right.astype("f4"), right, X, 2)
    assert (found.identical, found.verdict) == (False, "rounding")
    assert "float32 is not float64" in found.reason


@pytest.mark.parametrize("mode", ["max", "avg"])
def test_pooling_of_frameworks_is_right(mode, d2l):
    X = RNG.standard_normal((2, 3, 9, 8)).astype("f4")
    options = {"mode": mode, "stride": 2, "padding": 1}
    actual = d2l.pool2d(X, 3, **options)
    found = compare_pool(actual, actual, X, 3, **options)
    assert found.verdict == "identical"
    assert compare_pool(actual, pooled(X, 3, **options), X, 3, **options).verdict in (
        "identical",
        "rounding",
    )
    with pytest.raises(dc.ShapeError, match="results of shape"):
        compare_pool(actual, actual, X, 3)

"""What went wrong: each mistake that is planted is named, and nothing else is called one."""

import numpy as np
import pytest

import d2lconv as dc
from d2lconv.core import reference
from d2lconv.core.geometry import form
from d2lconv.core.options import settings
from d2lconv.parity import causes, compare
from d2lconv.parity.guess import Guess
from d2lconv.parity.layouts import Axes
from d2lconv.parity.precision import narrowed
from d2lconv.parity.problem import problem

LAST = Axes("NHWC", "NCHW")


def operands(c=4, o=6, side=9, kernel=(3, 3), groups=1, seed=0, n=2):
    rng = np.random.default_rng([seed, c, o, side])
    X = rng.standard_normal((n, c, side, side + 2)).astype("f4")
    K = rng.standard_normal((o, c // groups, *kernel)).astype("f4")
    return X, K, rng.standard_normal(o).astype("f4")


def conv(X, K, bias=None, **options):
    """In float32, by matrix products: another honest order."""
    options.pop("bias", None)
    Y = reference.corr2d(X, K, *settings(**options), method="matmul")
    return Y if bias is None else Y + bias[:, None, None]


def shuffled(n, groups):
    return np.arange(n).reshape(groups, -1).T.ravel()


def block(K, groups):
    o, c = K.shape[:2]
    own = np.arange(o) // (o // groups) * (c // groups)
    return np.stack([K[i, own[i] : own[i] + c // groups] for i in range(o)])


def moved(a, dy, dx):
    """Moved down and right, zeros coming in."""
    found, (h, w) = np.zeros_like(a), a.shape[2:]
    rows, columns = slice(max(0, dy), h + min(0, dy)), slice(max(0, dx), w + min(0, dx))
    kept = a[:, :, max(0, -dy) : h - max(0, dy), max(0, -dx) : w - max(0, dx)]
    found[:, :, rows, columns] = kept
    return found


# Name, how it is called, the mistake, and what is right: options of the operands and of the call.
PLANTS = [
    ("a kernel flipped in both axes", lambda X, K, b: conv(X, K[..., ::-1, ::-1]), {}, {}),
    ("a kernel flipped upside down", lambda X, K, b: conv(X, K[..., ::-1, :]), {}, {}),
    ("a kernel flipped left to right", lambda X, K, b: conv(X, K[..., ::-1]), {}, {}),
    (
        "a kernel with height and width exchanged",
        lambda X, K, b: conv(X, K.swapaxes(2, 3)),
        {},
        {},
    ),
    (
        "a kernel with its in and out channels exchanged",
        lambda X, K, b: conv(X, K.swapaxes(0, 1)),
        {"c": 5, "o": 5},
        {},
    ),
    ("input channels in reverse order", lambda X, K, b: conv(X[:, ::-1], K), {"c": 3}, {}),
    ("output channels in reverse order", lambda X, K, b: conv(X, K)[:, ::-1], {}, {}),
    (
        "groups of every 2th channel instead of neighbours",
        lambda X, K, b: conv(X[:, shuffled(6, 3)], K, groups=2),
        {"c": 6, "groups": 2},
        {"groups": 2},
    ),
    (
        "output channels with the multiplier in the other order",
        lambda X, K, b: conv(X, K, groups=3)[:, shuffled(6, 3)],
        {"c": 3, "groups": 3},
        {"groups": 3},
    ),
    (
        "groups ignored (1, not 2), every output seeing all channels",
        lambda X, K, b: conv(X, np.tile(K, (1, 2, 1, 1))),
        {"groups": 2},
        {"groups": 2},
    ),
    (
        "groups=2 instead of 1, with their part of the kernel",
        lambda X, K, b: conv(X, block(K, 2), groups=2),
        {},
        {},
    ),
    ("no padding", lambda X, K, b: conv(X, K), {}, {"padding": 1}),
    (
        "SAME's padding, ((0, 1), (0, 1))",
        lambda X, K, b: conv(X, K, stride=2, padding=((0, 1), (0, 1))),
        {"side": 8},
        {"padding": 1, "stride": 2},
    ),
    (
        "the odd zero on the other side, padding ((1, 0), (1, 0))",
        lambda X, K, b: conv(X, K, stride=2, padding=((1, 0), (1, 0))),
        {"side": 8},
        {"padding": "same", "stride": 2},
    ),
    *(
        (
            f"padding by {words} values instead of zeros",
            lambda X, K, b, mode=mode: conv(
                np.pad(X, [(0, 0), (0, 0), (1, 1), (1, 1)], mode=mode), K
            ),
            {},
            {"padding": 1},
        )
        for words, mode in (("the edge's", "edge"), ("reflected", "reflect"), ("circular", "wrap"))
    ),
    (
        "padding by mirrored values instead of zeros",
        lambda X, K, b: conv(np.pad(X, [(0, 0), (0, 0), (2, 2), (2, 2)], mode="symmetric"), K),
        {},
        {"padding": 2},
    ),
    (
        "a stride that starts shifted by (1, 1)",
        lambda X, K, b: conv(X, K, padding=1)[:, :, 1::2, 1::2],
        {"side": 10},
        {"padding": 1, "stride": 2},
    ),
    (
        "windows shifted by (0, 1)",
        lambda X, K, b: conv(X, K, padding=((1, 1), (0, 2))),
        {},
        {"padding": 1},
    ),
    ("images rolled right by 1", lambda X, K, b: conv(np.roll(X, 1, 3), K), {}, {}),
    ("images rolled by (1, -1)", lambda X, K, b: conv(np.roll(X, (1, -1), (2, 3)), K), {}, {}),
    (
        "images moved by (1, 2), zeros coming in",
        lambda X, K, b: conv(moved(X, 1, 2), K, padding=1),
        {},
        {"padding": 1},
    ),
    *(
        (
            f"a result moved by {by}, zeros coming in",
            lambda X, K, b, by=by: moved(conv(X, K, b, stride=2), *by),
            {},
            {"stride": 2, "bias": True},
        )
        for by in ((1, -1), (-2, 1))
    ),
    ("a result rolled down by -1", lambda X, K, b: np.roll(conv(X, K), -1, 2), {}, {}),
    ("dilation ignored", lambda X, K, b: conv(X, K), {}, {"dilation": 2}),
    (
        "dilation ignored, and the padding with it",
        lambda X, K, b: conv(X, K, padding=1),
        {},
        {"dilation": 2, "padding": 2},
    ),
    (
        "images reshaped, not transposed, from channels-last",
        lambda X, K, b: conv(X.transpose(0, 2, 3, 1).reshape(X.shape), K),
        {},
        {},
    ),
    (
        "a kernel HWIO reshaped, not transposed, to OIHW",
        lambda X, K, b: conv(X, K.transpose(2, 3, 1, 0).reshape(K.shape)),
        {},
        {},
    ),
    (
        "a result reshaped, not transposed, from channels-last",
        lambda X, K, b: LAST.lower(conv(X, K)).reshape(conv(X, K).shape),
        {},
        {},
    ),
    (
        "kernels in reverse order",
        lambda X, K, b: conv(X, K[::-1], b),
        {},
        {"bias": True},
    ),
    (
        "input channels of each group in reverse order",
        lambda X, K, b: conv(X, K[:, ::-1], groups=2),
        {"groups": 2},
        {"groups": 2},
    ),
    (
        "groups moved on by 1, of kernels",
        lambda X, K, b: conv(X, np.roll(K, 2, 0), groups=3),
        {"c": 6, "groups": 3},
        {"groups": 3},
    ),
    (
        "groups in reverse order, of kernels",
        lambda X, K, b: conv(X, K.reshape(3, 2, 2, 3, 3)[::-1].reshape(K.shape), groups=3),
        {"c": 6, "groups": 3},
        {"groups": 3},
    ),
    (
        "groups that see those of the images in the order (1, 0, 2)",
        lambda X, K, b: conv(X[:, [2, 3, 0, 1, 4, 5]], K, groups=3),
        {"c": 6, "groups": 3},
        {"groups": 3},
    ),
    (
        "output channels in another order (channel 0 is 2)",
        lambda X, K, b: conv(X, K, b)[:, [2, 0, 1, 5, 3, 4]],
        {},
        {"bias": True},
    ),
    (
        "a bias (channel 0 has 3)",
        lambda X, K, b: conv(X, K, np.arange(3, 9, dtype="f4")),
        {},
        {},
    ),
    (
        "all of the padding behind the image, ((0, 2), (0, 2))",
        lambda X, K, b: conv(X, K, padding=((0, 2), (0, 2))),
        {},
        {"padding": 1},
    ),
    ("no bias", lambda X, K, b: conv(X, K), {}, {"bias": True}),
    ("the bias added twice", lambda X, K, b: conv(X, K, b) + b[:, None, None], {}, {"bias": True}),
    (
        "the bias of other channels (channel 0 has that of 5)",
        lambda X, K, b: conv(X, K, b[::-1]),
        {},
        {"bias": True},
    ),
    (
        "relu applied to the result",
        lambda X, K, b: np.maximum(conv(X, K, b), 0),
        {},
        {"bias": True},
    ),
    ("a factor of 2", lambda X, K, b: 2 * conv(X, K), {}, {}),
    (
        "the mean for the sum, a factor of 1/36",
        lambda X, K, b: conv(X, K) / np.float32(36),
        {},
        {},
    ),
    ("a factor of 1/255", lambda X, K, b: conv(X / np.float32(255), K), {}, {}),
    ("a factor of 1.0001", lambda X, K, b: conv(X, K * np.float32(1.0001)), {}, {}),
    (
        "X and K rounded to bfloat16",
        lambda X, K, b: conv(narrowed(X, 8), narrowed(K, 8)),
        {},
        {},
    ),
    ("X and K rounded to TF32", lambda X, K, b: conv(narrowed(X, 11), narrowed(K, 11)), {}, {}),
    (
        "X and K cut off to TF32",
        lambda X, K, b: conv(narrowed(X, 11, cut=True), narrowed(K, 11, cut=True)),
        {},
        {},
    ),
    ("K rounded to bfloat16", lambda X, K, b: conv(X, narrowed(K, 8)), {}, {}),
    (
        "X rounded to integers from 0 to 255 (uint8)",
        lambda X, K, b: conv(np.clip(np.rint(X), 0, 255), K),
        {},
        {},
    ),
    (
        "everything in float16, operands and sums",
        lambda X, K, b: conv(X.astype("f2"), K.astype("f2")).astype("f4"),
        {},
        {},
    ),
    (
        "sums in float16",
        lambda X, K, b: conv(X.astype("f2"), K.astype("f2")).astype("f4") + b[:, None, None],
        {},
        {"bias": True},
    ),
]


def compared(plant, seed=0):
    _, mistake, made, options = plant
    X, K, b = operands(**made, seed=seed)
    options = dict(options)
    bias = b if options.pop("bias", None) else None
    actual, expected = mistake(X, K, b), conv(X, K, bias, **options)
    return compare(actual, expected, X=X, K=K, bias=bias, **options)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant[0])
def test_a_planted_mistake_is_named(plant):
    found = compared(plant)
    assert found.verdict == "bug", found  # of 36 products the bound is small
    assert plant[0] in found.causes, found
    assert f"actual is what {found.cause}" in found.reason


def test_every_row_of_the_table_has_a_plant():
    planted = set()
    for plant in PLANTS:
        options = {name: v for name, v in plant[3].items() if name != "bias"}
        X, K, b = operands(**plant[2])
        call = problem(X, K, bias=b if plant[3].get("bias") else None, **options).call
        result = plant[1](X, K, b).astype(float)
        for row in causes.ROWS:
            if "output" in row.of:
                planted |= {
                    row.name for words, _ in row.steps(Guess(call), result) if words == plant[0]
                }
    beside = {"stride", "layout of the result"}  # which change the shape, and are tested below
    assert planted | beside == {row.name for row in causes.ROWS}


PAIRS = [
    ("a kernel flipped in both axes", "no bias", lambda X, K, b: conv(X, K[..., ::-1, ::-1])),
    ("no bias", "relu applied to the result", lambda X, K, b: np.maximum(conv(X, K), 0)),
    (
        "a factor of 1/255",
        "the bias of other channels (channel 0 has that of 5)",
        lambda X, K, b: conv(X, K, b[::-1]) / np.float32(255),
    ),
    ("X and K rounded to bfloat16", "a factor of 3.7", lambda X, K, b: 3.7 * coarse(X, K, b)),
    ("relu applied to the result", "the sign changed", lambda X, K, b: -relu(conv(X, K, b))),
    (
        "input channels in reverse order",
        "the bias added twice",
        lambda X, K, b: conv(X[:, ::-1], K, b + b),
    ),
    (  # and these two in this order, not in the table's
        "a kernel HWIO reshaped, not transposed, to OIHW",
        "a kernel flipped upside down",
        lambda X, K, b: conv(X, as_if_oihw(K)[..., ::-1, :], b),
    ),
    (
        "a kernel flipped upside down",
        "a kernel HWIO reshaped, not transposed, to OIHW",
        lambda X, K, b: conv(X, as_if_oihw(K[..., ::-1, :]), b),
    ),
]


def as_if_oihw(K):
    return K.transpose(2, 3, 1, 0).reshape(K.shape)


def relu(Y):
    return np.maximum(Y, 0)


def coarse(X, K, b):
    return np.float64(conv(narrowed(X, 8), narrowed(K, 8), b))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]}, {pair[1]}")
def test_two_mistakes_at_once_are_named_together(pair):
    X, K, b = operands(side=6)
    found = compare(pair[2](X, K, b).astype("f4"), conv(X, K, b), X=X, K=K, bias=b)
    assert f"{pair[0]} together with {pair[1]}" in found.causes, found


def test_padding_may_be_elsewhere_and_of_other_values():
    X, K, _ = operands(side=6)
    wrong = conv(np.pad(X, [(0, 0), (0, 0), (2, 0), (2, 0)], "wrap"), K)
    found = compare(wrong, conv(X, K, padding=1), X=X, K=K, padding=1)
    assert found.cause == (
        "all of the padding before the image, ((2, 0), (2, 0)) together with padding by circular "
        "values instead of zeros"
    )


@pytest.mark.parametrize("seed", range(2))
def test_a_mistake_that_is_none_of_these_is_called_none(seed):
    X, K, b = operands(seed=seed, side=6)
    right = conv(X, K, b, padding=1)
    rng = np.random.default_rng(seed)
    one = right.copy()
    one[0, 1, 2, 3] += 1
    tap = K.copy()
    tap[1, 2, 0, 0] *= np.float32(1.5)
    for wrong in (
        one,
        rng.standard_normal(right.shape).astype("f4"),
        np.zeros_like(right),
        conv(X, tap, b, padding=1),
    ):
        found = compare(wrong, right, X=X, K=K, bias=b, padding=1)
        assert (found.verdict, found.causes) == ("bug", ()), found


def test_what_fits_best_is_no_cause_of_an_error_that_it_leaves():
    """Numbers that are fitted to a result come nearer to noise, too."""
    X, K, _ = operands(side=12)
    right = conv(X, K)
    noise = 1 + 3e-6 * np.random.default_rng(0).standard_normal(right.shape)
    found = compare((right * noise).astype("f4"), right.astype("f8"), X=X, K=K)
    assert found.verdict in ("imprecise", "bug")
    assert not any("factor" in words or "bias" in words for words in found.causes), found


def test_zeros_are_not_what_two_mistakes_gave():
    X, K, _ = operands(c=3, o=6, side=6, kernel=(5, 5), n=1)
    right = conv(X, K, stride=3, padding=2)
    found = compare(np.zeros_like(right), right, X=X, K=K, stride=3, padding=2)
    assert (found.verdict, found.causes) == ("bug", ())


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_a_result_without_a_finite_number_has_no_cause(value):
    X, K, _ = operands(side=6)
    right = conv(X, K)
    found = compare(np.full_like(right, value), right, X=X, K=K)
    assert (found.verdict, found.causes) == ("bug", ())
    found = compare(right, right + 1, X=np.full_like(X, value), K=K)
    assert found.verdict in ("rounding", "bug")


def test_honest_results_have_no_cause():
    X, K, b = operands()
    found = compare(
        conv(X, K, b, padding=1),
        dc.numpy.corr2d(X, K, padding=1) + b[:, None, None],
        X=X,
        K=K,
        bias=b,
        padding=1,
    )
    assert (found.verdict, found.causes) == ("rounding", ())


def test_both_results_may_be_off_each_for_its_own_cause():
    X, K, _ = operands()
    found = compare(conv(X, K[..., ::-1, ::-1]), conv(X, K) * 2, X=X, K=K)
    assert "actual is what a kernel flipped in both axes gives" in found.reason
    assert "expected is what a factor of 2 gives" in found.reason


def test_two_causes_that_explain_it_equally_are_both_named():
    X, K, _ = operands(c=1, o=1, n=1)
    K[...] = K + K[..., ::-1, :]  # symmetric in one axis
    found = compare(conv(X, K[..., ::-1]), conv(X, K), X=X, K=K)
    assert {"a kernel flipped in both axes", "a kernel flipped left to right"} <= set(found.causes)


@pytest.mark.parametrize(
    ("words", "options", "wrong"),
    [
        ("no padding", {"padding": 1}, {}),
        ("stride (1, 1) instead of (2, 2)", {"stride": 2}, {}),
        ("dilation ignored", {"dilation": 2}, {}),
    ],
)
def test_shapes_that_differ_have_a_cause(words, options, wrong):
    X, K, _ = operands()
    found = compare(conv(X, K, **wrong), conv(X, K, **options), X=X, K=K, **options)
    assert (found.verdict, found.ulp) == ("bug", None)
    assert words in found.causes, found
    assert "the shapes differ" in found.reason
    unlike = np.zeros_like(conv(X, K, **wrong))
    found = compare(unlike, conv(X, K, **options), X=X, K=K, **options)
    assert found.causes == ()
    shape = found.reason.partition("The shape, not the numbers, is what ")[2]
    assert words in shape


def test_a_result_in_another_layout_is_named():
    X, K, _ = operands()
    found = compare(LAST.lower(conv(X, K)), conv(X, K), X=X, K=K)
    assert found.cause == "the right result in the layout NHWC"
    X, K, _ = operands(c=4, o=7, side=9)  # results (2, 7, 7, 9): the shape does not tell
    square = X[..., :9]
    found = compare(LAST.lower(conv(square, K)), conv(square, K), X=square, K=K)
    assert "the right result in the layout NHWC" in found.causes


# Gradients.


def gradients(groups=1, **options):
    X, K, _ = operands(c=4, o=6, groups=groups)
    options = settings(**options, groups=groups)
    G = (
        np.random.default_rng(1)
        .standard_normal(form(X.shape, K.shape, *options).geometry.shape)
        .astype("f4")
    )
    dK = reference.kernel_gradient(X, G, K.shape, *options, method="matmul")
    dX = reference.image_gradient(K, G, X.shape, *options, method="matmul")
    return X, K, G, dK, dX, G.sum((0, 2, 3))


FACTORS = {2: "a factor of 2", -1: "the sign changed", 0.5: "a factor of 1/2"}
OPTIONS = [
    {},
    {"stride": 2, "padding": 1},
    {"groups": 2, "dilation": 2, "padding": ((2, 1), (0, 3))},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients_are_rounding_and_their_mistakes_are_named(options):
    X, K, G, dK, dX, db = gradients(**options)
    H, W = G.shape[2:]
    given = {
        "weight": (dK, {"X": X, "G": G, "K": K}),
        "input": (dX, {"K": K, "G": G, "X": X}),
    }
    for of, (right, named) in given.items():
        truth = right.astype("f8")
        assert compare(right, truth, of=of, **named, **options).verdict in (
            "identical",
            "rounding",
        )
        for factor, words in FACTORS.items():
            found = compare(right * np.float32(factor), right, of=of, **named, **options)
            assert words in found.causes, found
        mean = right / np.float32(2 * H * W)
        found = compare(mean, right, of=of, **named, **options)
        assert found.cause == f"the mean for the sum, a factor of 1/{2 * H * W}"
    found = compare(dK[..., ::-1, ::-1], dK, of="weight", X=X, G=G, **options)
    assert found.cause == "a gradient flipped in both axes"
    flipped = reference.image_gradient(
        K[..., ::-1, ::-1].copy(), G, X.shape, *settings(**options), method="matmul"
    )
    found = compare(flipped, dX, of="input", K=K, G=G, **options)
    assert found.cause == "a kernel flipped in both axes"
    assert compare(db, db.astype("f8"), of="bias", G=G).verdict == "rounding"
    assert compare(2 * db, db, of="bias", G=G).cause == "a factor of 2"


# Mistakes in gradients: how they are called, of what, the mistake in X, K and G, and in the result.
WRONG_GRADIENTS = [
    ("a kernel flipped left to right", "input", {"K": lambda a: a[..., ::-1]}, None),
    ("input channels in reverse order", "weight", {"X": lambda a: a[:, ::-1]}, None),
    ("input channels in reverse order", "input", {}, lambda d: d[:, ::-1]),
    ("output channels in reverse order", "weight", {"G": lambda a: a[:, ::-1]}, None),
    ("output channels in reverse order", "input", {"G": lambda a: a[:, ::-1]}, None),
    ("output channels in reverse order", "bias", {"G": lambda a: a[:, ::-1]}, None),
    ("kernels with the groups in the other order", "weight", {}, lambda d: d[[0, 3, 1, 4, 2, 5]]),
    (
        "groups of every 2th channel instead of neighbours",
        "input",
        {},
        lambda d: d[:, [0, 2, 1, 3]],
    ),
    ("dilation ignored", "weight", {"dilation": 1}, None),
    ("dilation ignored", "input", {"dilation": 1}, None),
    ("stride (1, 1) instead of (2, 2)", "weight", {"stride": 1}, None),
    ("stride (1, 1) instead of (2, 2)", "input", {"stride": 1}, None),
    (
        "the output's gradient reshaped, not transposed, from channels-last",
        "bias",
        {"G": lambda a: a.transpose(0, 2, 3, 1).reshape(a.shape)},
        None,
    ),
    ("the right result in the layout HWIO", "weight", {}, lambda d: d.transpose(2, 3, 1, 0)),
    ("the right result in the layout NHWC", "input", {}, lambda d: d.transpose(0, 2, 3, 1)),
    ("G rounded to bfloat16", "bias", {"G": lambda a: narrowed(a, 8)}, None),
    ("X and G rounded to TF32", "weight", dict.fromkeys("XG", lambda a: narrowed(a, 11)), None),
    ("the mean over the batch for the sum, a factor of 1/2", "weight", {}, lambda d: d / 2),
    ("the mean over height and width for the sum, a factor of 1/6", "bias", {}, lambda d: d / 6),
]


def gradient(of, X, K, G, **options):
    if of == "bias":
        return G.astype("f8").sum((0, 2, 3))
    options = settings(**options)
    if of == "weight":
        return reference.kernel_gradient(X, G, K.shape, *options, method="matmul")
    return reference.image_gradient(K, G, X.shape, *options, method="matmul")


@pytest.mark.parametrize(
    ("words", "of", "changes", "after"),
    WRONG_GRADIENTS,
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistakes_in_gradients_are_named(words, of, changes, after):
    options = {"groups": 2, "dilation": 2, "stride": 2, "padding": 0}
    X, K, _ = operands(c=4, o=6, side=8, groups=2)  # and 10 wide: G is (2, 6, 2, 3)
    G = np.random.default_rng(1).standard_normal((2, 6, 2, 3)).astype("f4")
    right = gradient(of, X, K, G, **options).astype("f4")
    named = {"X": X, "K": K, "G": G}
    wrong = {name: changes[name](t) if name in changes else t for name, t in named.items()}
    others = {name: changes.get(name, value) for name, value in options.items()}
    if others != options:  # as many windows as G has
        span = 2 * others["dilation"], (np.array([2, 3]) - 1) * others["stride"]
        h, w = span[0] + span[1] + 1
        if of == "input":
            small = gradient(of, X[..., :h, :w], K, G, **others)
            actual = np.pad(small, [(0, 0), (0, 0), (0, 8 - h), (0, 10 - w)])
        else:
            actual = gradient(of, X[..., :h, :w], K, G, **others)
    else:
        actual = gradient(of, *(t.astype("f8") for t in wrong.values()), **options)
    actual = (after(actual) if after else actual).astype("f4")
    given = {"weight": ["X", "G"], "input": ["K", "G"], "bias": ["G"]}[of]
    plain = options if of != "bias" else {}
    found = compare(actual, right, of=of, **{name: named[name] for name in given}, **plain)
    assert found.verdict == "bug"
    assert words in found.causes, found


def test_an_operand_that_a_gradient_does_not_depend_on_is_in_no_cause():
    X, K, G, dK, _, _ = gradients()
    wrong = gradient("weight", narrowed(X, 8), K, narrowed(G, 8)).astype("f4")
    assert compare(wrong, dK, of="weight", X=X, K=K, G=G).cause == "X and G rounded to bfloat16"

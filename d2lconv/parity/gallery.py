"""Questions that people asked in public trackers, rebuilt from their numbers or shapes, answered.

Each :class:`Report` has the number of an issue, the question in our words, and a comparison that is
run: nothing here is an answer that was written down. What was computed on other hardware is
simulated, by the same arithmetic in NumPy, and ``how`` says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lconv.core import reference
from d2lconv.core.options import settings
from d2lconv.parity.compare import compare
from d2lconv.parity.pooling import compare_pool, pooled
from d2lconv.parity.precision import narrowed
from d2lconv.parity.verdict import Comparison

X4 = np.arange(16, dtype=np.float32).reshape(4, 4)
ONES = np.ones((3, 3), np.float32)
TRACKERS = (
    "apache/mxnet", "apache/tvm", "d2l-ai/d2l-en", "dmlc/nnvm", "google/flax", "jax-ml/jax",
    "jax-ml/ml_dtypes", "keras-team/keras", "onnx/onnx-tensorflow", "pytorch/pytorch",
    "tensorflow/tensorflow",
)  # fmt: skip
ADDRESSES = {tracker.split("/")[1]: f"https://github.com/{tracker}/issues" for tracker in TRACKERS}


@dataclass(frozen=True)
class Report:
    """A question, and how it is answered.

    Attributes:
        number: The tracker and number of the issue, or where else it comes up.
        question: What was asked, in our words.
        how: What is computed here.
        run: Computes and compares it.
        verdict: The verdict it gets.
        cause: Words of the cause it gets, or None.
    """

    number: str
    question: str
    how: str
    run: Callable[[], Comparison]
    verdict: str
    cause: str | None = None

    @property
    def link(self) -> str | None:
        """The issue's address; None if it was asked in no tracker, or in a person's own."""
        tracker, _, rest = self.number.partition("#")
        return f"{ADDRESSES[tracker]}/{rest.split()[0]}" if tracker in ADDRESSES else None


def reports() -> tuple[Report, ...]:
    """All of them, in the order of a page."""
    return tuple(REPORTS)


def _conv(X: Any, K: Any, method: str = "matmul", **options: Any) -> Any:
    return reference.corr2d(X, K, *settings(**options), method=method)


def _layer(
    image: tuple[int, ...], kernel: tuple[int, ...], *, uniform: bool = False, **options: Any
) -> Comparison:
    """The same layer in two orders of additions: that of a matrix product, and the exact one."""
    rng = np.random.default_rng(0)
    draw = rng.random if uniform else rng.standard_normal
    X, K = (draw(shape).astype(np.float32) for shape in (image, kernel))
    one, other = (_conv(X, K, method, **options) for method in ("matmul", "exact"))
    return compare(one, other, X=X, K=K, **options)


def _padded_before(size: int, side: int, channels: tuple[int, int], padding: int) -> Comparison:
    """Padding on both sides, and SAME: with stride 2 on an even size."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1, channels[0], size, size)).astype(np.float32)
    K = rng.standard_normal((channels[1], channels[0], side, side)).astype(np.float32)
    same, both = (_conv(X, K, stride=2, padding=p) for p in ("same", padding))
    return compare(same, both, X=X, K=K, stride=2, padding=padding)


def _rounded_operands(
    image: tuple[int, ...], kernel: tuple[int, ...], scales: tuple[float, float] = (1, 1)
) -> Comparison:
    """Operands in TF32, as tensor cores take them, and sums in float32."""
    rng = np.random.default_rng(0)
    X, K = (
        (scale * rng.standard_normal(shape)).astype(np.float32)
        for scale, shape in zip(scales, (image, kernel), strict=True)
    )
    return compare(_conv(narrowed(X, 11), narrowed(K, 11)), _conv(X, K), X=X, K=K)


def _by_hand() -> Comparison:
    """Padding by hand, and then no padding."""
    rng = np.random.default_rng(0)
    X, K = (rng.standard_normal(s).astype(np.float32) for s in ((1, 3, 9, 9), (4, 3, 3, 3)))
    padded = np.pad(X, [(0, 0), (0, 0), (1, 1), (1, 1)])
    actual, expected = _conv(padded, K, stride=2), _conv(X, K, stride=2, padding=1, method="exact")
    return compare(actual, expected, X=X, K=K, stride=2, padding=1)


def _every_second() -> Comparison:
    rng = np.random.default_rng(0)
    X, K = (rng.standard_normal(s).astype(np.float32) for s in ((1, 8, 32, 32), (2, 8, 5, 5)))
    actual = _conv(X, K, padding="same")[:, :, ::2, ::2]
    return compare(
        actual, _conv(X, K, stride=2, padding="same"), X=X, K=K, stride=2, padding="same"
    )


def _dense() -> Comparison:
    rng = np.random.default_rng(0)
    X = np.ones((1, 2048, 1, 1), np.float32)
    K = rng.standard_normal((10, 2048, 1, 1)).astype(np.float32)
    return compare(_conv(X, K), _conv(X, K, "exact"), X=X, K=K)


def _flattened() -> Comparison:
    """LeNet's 400 features, flattened as (c, h, w) by one and as (h, w, c) by the other."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2, 16, 5, 5)).astype(np.float32)
    K = rng.standard_normal((120, 16, 5, 5)).astype(np.float32)
    actual = X.transpose(0, 2, 3, 1).reshape(2, -1) @ K.reshape(120, -1).T
    return compare(actual[:, :, None, None], _conv(X, K), X=X, K=K)


def _multiplier() -> Comparison:
    """Depthwise kernels with a multiplier, their outputs in the other order."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1, 3, 8, 8)).astype(np.float32)
    K = rng.standard_normal((6, 1, 3, 3)).astype(np.float32)
    right = _conv(X, K, groups=3)
    other = right[:, np.arange(6).reshape(3, 2).T.ravel()]
    return compare(other, right, X=X, K=K, groups=3)


def _dilated_same() -> Comparison:
    """SAME computed from the kernel's side, not from what it spans with its dilation."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1, 1, 8, 8)).astype(np.float32)
    K = rng.standard_normal((1, 1, 3, 3)).astype(np.float32)
    options: dict[str, Any] = {"stride": 2, "dilation": 2}
    actual = _conv(X, K, padding=((0, 1), (0, 1)), **options)
    return compare(
        actual, _conv(X, K, padding="same", **options), X=X, K=K, padding="same", **options
    )


def _one_dilation() -> Comparison:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1, 1, 12, 15)).astype(np.float32)
    K = rng.standard_normal((1, 1, 3, 3)).astype(np.float32)
    actual = _conv(X, K, dilation=(2, 2))
    return compare(actual, _conv(X, K, dilation=(2, 3)), X=X, K=K, dilation=(2, 3))


def _transposed_convolution() -> Comparison:
    """The gradient with respect to the input, and the one with the kernel flipped."""
    K, G = np.array([[1, 2, 3]], np.float32), np.array([[1]], np.float32)
    return compare([[3, 2, 1]], [[1, 2, 3]], K=K, G=G, of="input")


def _pool(X: Any, size: Any, wrong: Any, **options: Any) -> Comparison:
    """A result of pooling against the right one."""
    return compare_pool(wrong, pooled(X, size, **options).astype(np.float32), X, size, **options)


def _variance() -> Comparison:
    """The batch's variances of four channels: means of squares, by n - 1 and by n."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4, 32))
    squares = np.square(X - X.mean(1, keepdims=True)).astype(np.float32)
    kernel = np.full((1, 32, 1, 1), 1 / 32, np.float32)
    by = [squares.sum(1) / np.float32(n) for n in (31, 32)]
    return compare(
        by[0].reshape(4, 1, 1, 1), by[1].reshape(4, 1, 1, 1), X=squares[:, :, None, None], K=kernel
    )


def _flattened_before() -> Comparison:
    """The same as a dense layer sees it: 400 numbers, and no axes to tell."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2, 16, 5, 5)).astype(np.float32)
    K = rng.standard_normal((120, 400)).astype(np.float32)
    actual, expected = X.transpose(0, 2, 3, 1).reshape(2, -1) @ K.T, X.reshape(2, -1) @ K.T
    features, kernels = X.reshape(2, 400, 1, 1), K[:, :, None, None]
    return compare(actual[:, :, None, None], expected[:, :, None, None], X=features, K=kernels)


def _mean(X: Any, size: Any, **options: Any) -> Any:
    return pooled(X, size, mode="avg", **options).astype(np.float32)


def _negative() -> Comparison:
    X = -np.float32(1 + X4)
    padded = np.pad(X, 1)  # with zeros
    return _pool(X, 3, pooled(padded, 3, stride=2).astype(np.float32), stride=2, padding=1)


def _single() -> Comparison:
    X = np.zeros((4, 4), np.float32)
    X[2, 1] = 1
    options: dict[str, Any] = {"mode": "avg", "stride": 2, "padding": "same"}
    counted = pooled(X, 3, count_include_pad=True, **options).astype(np.float32)
    return _pool(X, 3, counted, **options)


def _constant(bits: int) -> Comparison:
    """A kernel that only copies: what it copies has fewer digits afterwards."""
    X = np.full((1, 1, 4, 4), 1 + 2.0**-12, np.float32)
    K = np.zeros((1, 1, 3, 3), np.float32)
    K[0, 0, 1, 1] = 1
    actual = _conv(narrowed(X, bits), K, padding=1)
    return compare(actual, X, X=X, K=K, padding=1)


def _sticky() -> Comparison:
    """Ones added up in bfloat16: 256 + 1 is 256."""
    X, K = np.ones((1, 1, 1, 1000), np.float32), np.ones((1, 1, 1, 1000), np.float32)
    stuck = np.full((1, 1, 1, 1), 256, np.float32)
    return compare(stuck, _conv(X, K), X=X, K=K)


def _relative() -> Comparison:
    """Differences that are large only relative to results near zero."""
    rng = np.random.default_rng(1)
    X, K = (rng.standard_normal(s).astype(np.float32) for s in ((1, 64, 20, 20), (8, 64, 5, 5)))
    return compare(_conv(X, K), _conv(X, K, "exact"), X=X, K=K)


def _other_strides() -> Comparison:
    rng = np.random.default_rng(0)
    X, K = (rng.standard_normal(s).astype(np.float32) for s in ((2, 8, 9, 9), (4, 8, 3, 3)))
    last = np.ascontiguousarray(X.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    return compare(_conv(last, K), _conv(X, K, "exact"), X=X, K=K)


WITH_PADDING = "padding counted"
SAME_0_1 = "SAME's padding, ((0, 1), (0, 1))"
SAME_2_3 = "SAME's padding, ((2, 3), (2, 3))"
BOTH = "two orders of the additions"

REPORTS = [
    Report(
        "pytorch#170016",
        "384 to 256 channels, 3x3, padding 1: the results are not equal.",
        BOTH,
        lambda: _layer((1, 384, 13, 13), (256, 384, 3, 3), padding=1),
        "rounding",
    ),
    Report(
        "pytorch#170016 (2)",
        "20 to 20 channels, 5x5: nor are these.",
        BOTH,
        lambda: _layer((1, 20, 10, 10), (20, 20, 5, 5)),
        "rounding",
    ),
    Report(
        "keras#16511",
        "1 to 110 channels, 6x6, stride 2: framework against framework.",
        BOTH,
        lambda: _layer((1, 1, 28, 28), (110, 1, 6, 6), stride=2),
        "rounding",
    ),
    Report(
        "keras#16511 (2)",
        "1 to 52 channels, 3x3, SAME.",
        BOTH,
        lambda: _layer((1, 1, 28, 28), (52, 1, 3, 3), padding="same"),
        "rounding",
    ),
    Report(
        "jax#11790",
        "3x224x224 by 3x3x3x3, uniform: allclose at 1e-8 fails.",
        BOTH,
        lambda: _layer((1, 3, 224, 224), (3, 3, 3, 3), uniform=True),
        "rounding",
    ),
    Report(
        "keras#19291",
        "3 to 64 channels, 3x3, stride 2: padding 1 there, SAME here.",
        "SAME against padding 1 at 32x32",
        lambda: _padded_before(32, 3, (3, 64), 1),
        "bug",
        SAME_0_1,
    ),
    Report(
        "keras#16363",
        "A port of a strided layer differs all over, most at the border.",
        "SAME against padding 1 at 16x16",
        lambda: _padded_before(16, 3, (3, 8), 1),
        "bug",
        SAME_0_1,
    ),
    Report(
        "flax#2993",
        "7x7, stride 2, padding 3 against SAME at 224.",
        "SAME against padding 3 at 224x224",
        lambda: _padded_before(224, 7, (3, 2), 3),
        "bug",
        SAME_2_3,
    ),
    Report(
        "tensorflow#18213",
        "7x7, stride 2 agrees at 225: does it always?",
        "SAME against padding 3 at 225x225: the same padding",
        lambda: _padded_before(225, 7, (1, 1), 3),
        "identical",
    ),
    Report(
        "tensorflow#105829",
        "Padded by hand before a layer without padding.",
        BOTH,
        _by_hand,
        "rounding",
    ),
    Report(
        "tensorflow#32079",
        "5x5, SAME: is stride 2 every second element of stride 1?",
        "every second element against stride 2",
        _every_second,
        "bug",
        "SAME's padding at stride 1, ((2, 2), (2, 2))",
    ),
    Report(
        "flax#963", "A dense layer of 2048 ones gives other last digits.", BOTH, _dense, "rounding"
    ),
    Report(
        "tensorflow#127346",
        "64x197x1536 times 384x1536, scales 1000 and 50: off by 3066.",
        "one of 197 rows, operands rounded to TF32",
        lambda: _rounded_operands((8, 1536, 1, 1), (384, 1536, 1, 1), (1000, 50)),
        "imprecise",
        "X and K rounded to TF32",
    ),
    Report(
        "pytorch#129649",
        "A convolution on a GPU is off by 1e-3.",
        "operands rounded to TF32",
        lambda: _rounded_operands((1, 256, 14, 14), (32, 256, 3, 3)),
        "imprecise",
        "X and K rounded to TF32",
    ),
    Report(
        "pytorch#107514",
        "Products on a GPU differ from the CPU's by 1e-2.",
        "operands rounded to TF32",
        lambda: _rounded_operands((4, 4096, 1, 1), (64, 4096, 1, 1)),
        "imprecise",
        "X and K rounded to TF32",
    ),
    Report(
        "tensorflow#19200",
        "A kernel that only copies gives 1 for 1 + 2**-12.",
        "X rounded to TF32",
        lambda: _constant(11),
        "bug",
        "X and K rounded to TF32",
    ),
    Report(
        "tensorflow#117663",
        "5x5: a relative error of 781 where results are near zero.",
        BOTH,
        _relative,
        "rounding",
    ),
    Report(
        "pytorch#72512",
        "The same values with other strides in memory: off by 4.8e-7.",
        BOTH,
        _other_strides,
        "rounding",
    ),
    Report(
        "mxnet#10194",
        "1 to 25 as 5x5, mean over 5x5, padding 2: 2.52 in a corner, not 7.",
        "the mean with its padding counted",
        lambda: _pool(
            np.arange(1, 26, dtype=np.float32).reshape(5, 5),
            5,
            _mean(
                np.arange(1, 26, dtype=np.float32).reshape(5, 5),
                5,
                stride=1,
                padding=2,
                count_include_pad=True,
            ),
            mode="avg",
            stride=1,
            padding=2,
        ),
        "bug",
        WITH_PADDING,
    ),
    Report(
        "mxnet#2753",
        "The maximum of negative numbers is 0 at the border.",
        "the maximum over zeros around",
        _negative,
        "bug",
        "padding with 0 instead of -inf",
    ),
    Report(
        "onnx-tensorflow#83",
        "Max pooling with padding differs where all is negative.",
        "the maximum over zeros around",
        _negative,
        "bug",
        "padding with 0 instead of -inf",
    ),
    Report(
        "tvm#1144",
        "The mean of 1, 2, 3, 4 in a corner: by 4 or by 9?",
        "1 to 4 as 2x2, window 3, padding 1",
        lambda: _pool(
            np.array([[1, 2], [3, 4]], np.float32),
            3,
            _mean([[1, 2], [3, 4]], 3, stride=1, padding=1, count_include_pad=True),
            mode="avg",
            stride=1,
            padding=1,
        ),
        "bug",
        WITH_PADDING,
    ),
    Report(
        "tensorflow#45579",
        "3x3, SAME, a single 1 at [2, 1] of 4x4: 1/6 or 1/9?",
        "the mean with its padding counted",
        _single,
        "bug",
        WITH_PADDING,
    ),
    Report(
        "pytorch#183528",
        "1 to 16 as 4x4, mean over 3, stride 2, padding 1, ceil: by 4 or 9?",
        "padding not counted against counted",
        lambda: _pool(
            1 + X4,
            3,
            _mean(1 + X4, 3, stride=2, padding=1, ceil_mode=True),
            mode="avg",
            stride=2,
            padding=1,
            ceil_mode=True,
            count_include_pad=True,
        ),
        "bug",
        "padding not counted",
    ),
    Report(
        "pytorch#116420",
        "Ones 9x9, window 4, stride 4, padding 2, ceil: 3 outputs, not 4.",
        "floor against ceil of the output's size: the same number",
        lambda: _pool(
            np.ones((9, 9), np.float32),
            4,
            _mean(np.ones((9, 9)), 4, padding=2),
            mode="avg",
            padding=2,
            ceil_mode=True,
        ),
        "identical",
    ),
    Report(
        "d2l-en#1271",
        "0 to 15 as 4x4, window (2, 3), padding (1, 2): other numbers elsewhere.",
        "SAME against padding",
        lambda: _pool(
            X4, (2, 3), np.array([[5, 7], [13, 15]], np.float32), stride=(2, 3), padding=(1, 2)
        ),
        "bug",
        "SAME's padding, ((0, 0), (1, 1))",
    ),
    Report(
        "the book, 7.3",
        "At stride 2 its tabs pad in two ways. With 0 to 15 as 4x4 and ones 3x3: "
        "[[45, 39], [66, 50]] or [[10, 24], [51, 90]]?",
        "SAME against padding 1",
        lambda: compare(
            [[45, 39], [66, 50]], [[10, 24], [51, 90]], X=X4, K=ONES, stride=2, padding=1
        ),
        "bug",
        SAME_0_1,
    ),
    Report(
        "nnvm#308",
        "8 wide, 3, stride 2, dilation 2: SAME that ignores the dilation.",
        "padding (0, 1) against (1, 2)",
        _dilated_same,
        "bug",
        "SAME's padding without the dilation, ((0, 1), (0, 1))",
    ),
    Report(
        "mxnet#8557",
        "Dilation of one side used for both.",
        "dilation (2, 2) against (2, 3)",
        _one_dilation,
        "bug",
        "dilation (2, 2), not (2, 3)",
    ),
    Report(
        "nn-transfer#16",
        "A dense layer behind a convolution gives nonsense after the port.",
        "features flattened as (h, w, c) by kernels for (c, h, w)",
        _flattened,
        "bug",
        "images reshaped, not transposed, from channels-last",
    ),
    Report(
        "nn-transfer#16 (2)",
        "Of the 400 positions only four are the same: which order is it?",
        "the same features without their axes, as the dense layer gets them",
        _flattened_before,
        "bug",
        "features flattened in the other order, (h, w, c) for (c, h, w) of 16 channels, or the "
        "reverse of 25",
    ),
    Report(
        "pytorch#7028",
        "The variance in training differs from the one computed by hand.",
        "the sum of squares by n - 1 against by n, n = 32",
        _variance,
        "bug",
        "a division by 31 instead of 32",
    ),
    Report(
        "keras#10443",
        "Batch normalization: is the variance divided by n or by n - 1?",
        "the sum of squares by n - 1 against by n, n = 32",
        _variance,
        "bug",
        "a division by 31 instead of 32",
    ),
    Report(
        "nobuco#2",
        "A depthwise layer's outputs are in disorder.",
        "the multiplier before the channels",
        _multiplier,
        "bug",
        "output channels with the multiplier in the other order",
    ),
    Report(
        "jax#11252",
        "A transposed convolution of [1] by [1, 2, 3] gives [3, 2, 1].",
        "the gradient with respect to the input, kernel flipped",
        _transposed_convolution,
        "bug",
        "a kernel flipped left to right",
    ),
    Report(
        "ml_dtypes#63",
        "A sum of ones in bfloat16 sticks at 256.",
        "256 against 1000",
        _sticky,
        "bug",
        "sums in bfloat16",
    ),
]

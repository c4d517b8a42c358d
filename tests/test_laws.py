"""The laws of cross-correlation in every backend, and oracles that are none of ours."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import rationals
from chosen import demand_extra
from frameworks import assert_same_bits, vjp

import d2lconv as dc
from d2lconv.bound import bind
from d2lconv.parity import bounds

rng = np.random.default_rng(7)
X = rng.standard_normal((12, 11), dtype=np.float32)
K = rng.standard_normal((3, 4), dtype=np.float32)
G = rng.standard_normal((10, 8), dtype=np.float32)


def corr2d(d2l, *operands):
    return dc.to_numpy(d2l.corr2d(*operands))


def integers(*shape):
    """Small ones, on which every product and sum is exact in any order."""
    return rng.integers(-4, 5, shape).astype(np.float32)


def exact_sum(a, b):
    return (rationals.rational(a) * rationals.rational(b)).sum()


def test_it_is_linear_within_the_bound(d2l):
    one, other = (np.float32(integers(12, 11) / 1024) for _ in range(2))  # their sum is exact
    parts = [corr2d(d2l, image, K) for image in (one, other)]
    difference = corr2d(d2l, one + other, K).astype("f8") - parts[0] - parts[1]
    allowed = sum(bounds.corr2d(image, K) for image in (one + other, one, other))
    assert (np.abs(difference) <= allowed).all()
    assert allowed.max() < 1e-3  # so it says something


def test_scaling_by_a_power_of_two_scales_every_bit(d2l):
    assert_same_bits(corr2d(d2l, 4 * X, K / 2), 2 * corr2d(d2l, X, K))


@pytest.mark.parametrize(("i", "j"), [(1, 0), (0, 1), (4, 3)])
def test_shifting_the_image_shifts_the_output_bit_for_bit(d2l, i, j):
    assert_same_bits(corr2d(d2l, X[i:, j:], K), corr2d(d2l, X, K)[i:, j:])


def test_the_kernel_of_one_one_returns_the_image_bit_for_bit(d2l):
    special = X.copy()
    special[0, :6] = np.inf, -np.inf, np.nan, 0.0, -0.0, np.finfo("f4").max
    assert_same_bits(corr2d(d2l, special, [[1]]), special)


@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 2), (2, 1)])
def test_a_delta_kernel_returns_a_part_of_the_image_bit_for_bit(d2l, a, b):
    delta = np.zeros((3, 3), np.float32)
    delta[a, b] = 1
    assert_same_bits(corr2d(d2l, X, delta), X[a : a + 10, b : b + 9])


def test_strict_convolution_is_cross_correlation_with_the_flipped_kernel(d2l):
    assert_same_bits(dc.to_numpy(d2l.conv2d(X, K)), corr2d(d2l, X, K[::-1, ::-1]))


def test_two_layers_are_one_with_the_kernels_convolved(d2l):
    """And the receptive field of the two is the size of that kernel."""
    image, first, second = integers(12, 11), integers(3, 2), integers(2, 4)
    (h, w), (kh, kw) = first.shape, second.shape
    around = np.pad(first, ((kh - 1, kh - 1), (kw - 1, kw - 1)))
    both = dc.to_numpy(d2l.conv2d(around, second))
    assert both.shape == (h + kh - 1, w + kw - 1) == dc.receptive_field([first, second]).size
    assert_same_bits(corr2d(d2l, corr2d(d2l, image, first), second), corr2d(d2l, image, both))


def test_backward_is_the_adjoint_of_forward_within_the_bound(framework):
    """<Y, G> = <X, dX> = <K, dK>, the sums being exact."""
    d2l = bind(framework)
    Y, (dX, dK) = vjp(framework, d2l.corr2d, [d2l.tensor(X), d2l.tensor(K)], d2l.tensor(G))
    Y, dX, dK = map(dc.to_numpy, (Y, dX, dK))
    forward = exact_sum(Y, G)
    of_Y = exact_sum(np.abs(G), bounds.corr2d(X, K))
    for operand, gradient, bound in (
        (X, dX, bounds.image_gradient(K, G)),
        (K, dK, bounds.kernel_gradient(X, G)),
    ):
        allowed = of_Y + exact_sum(np.abs(operand), bound)
        assert abs(forward - exact_sum(operand, gradient)) <= allowed
        assert allowed < Fraction(1, 100) < abs(forward)  # so it says something


def test_gradients_are_differences_of_the_output(framework):
    """The output is bilinear, so a central difference has no error but rounding: here none."""
    d2l = bind(framework)
    image, kernel, upstream = integers(5, 6), integers(2, 3), integers(4, 4)
    inputs = [d2l.tensor(image), d2l.tensor(kernel)]
    _, gradients = vjp(framework, d2l.corr2d, inputs, d2l.tensor(upstream))

    def difference(number, place):
        outputs = []
        for step in (1, -1):
            changed = [image.copy(), kernel.copy()]
            changed[number][place] += step
            outputs.append(corr2d(d2l, *changed))
        return ((outputs[0] - outputs[1]) * upstream).sum() / 2

    for number, gradient in enumerate(gradients):
        values = dc.to_numpy(gradient)
        for place in np.ndindex(values.shape):
            assert values[place] == difference(number, place), (number, place)


# Oracles.

BOUNDARIES = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("mode", ["valid", "same", "full"])
@pytest.mark.parametrize("method", ["exact", "native"])
def test_scipy_agrees_within_the_bound(d2l, method, mode, boundary):
    signal = demand_extra("scipy.signal", "sparse")
    kh, kw = K.shape
    full = ((kh - 1, kh - 1), (kw - 1, kw - 1))
    # "same" is the middle of "full", as large as the image: scipy's own choice for even sizes.
    correlated = (((kh - 1) // 2, kh // 2), ((kw - 1) // 2, kw // 2))
    around = {"valid": ((0, 0), (0, 0)), "full": full, "same": None}[mode]
    for theirs, ours, same in (
        (signal.correlate2d, d2l.corr2d, correlated),
        (signal.convolve2d, d2l.conv2d, tuple((b, a) for a, b in correlated)),
    ):
        expected = theirs(X.astype("f8"), K.astype("f8"), mode, boundary)
        padded = np.pad(X, same if around is None else around, mode=BOUNDARIES[boundary])
        actual = dc.to_numpy(ours(padded, K, method=method))
        assert actual.shape == expected.shape
        kernel = K if ours is d2l.corr2d else K[::-1, ::-1]
        error = np.abs(actual.astype("f8") - expected)
        assert (error <= 1.001 * bounds.corr2d(padded, kernel)).all()  # scipy's own error beside it


# The test vectors of the operator Conv in ONNX (onnx/backend/test/case/node/conv.py, Apache-2.0):
# ones in a 3x3 window over 0, 1, 2, ... in rows of five. Stride and padding are done by hand.
ONNX = {
    "basic_conv_with_padding": (5, 1, ((1, 1), (1, 1)), [
        [12, 21, 27, 33, 24], [33, 54, 63, 72, 51], [63, 99, 108, 117, 81],
        [93, 144, 153, 162, 111], [72, 111, 117, 123, 84]]),
    "basic_conv_without_padding": (5, 1, ((0, 0), (0, 0)), [
        [54, 63, 72], [99, 108, 117], [144, 153, 162]]),
    "conv_with_strides_padding": (7, 2, ((1, 1), (1, 1)), [
        [12, 27, 24], [63, 108, 81], [123, 198, 141], [112, 177, 124]]),
    "conv_with_strides_no_padding": (7, 2, ((0, 0), (0, 0)), [
        [54, 72], [144, 162], [234, 252]]),
    "conv_with_strides_and_asymmetric_padding": (7, 2, ((1, 1), (0, 0)), [
        [21, 33], [99, 117], [189, 207], [171, 183]]),
    "conv_with_autopad_same": (5, 2, ((1, 1), (1, 1)), [
        [12, 27, 24], [63, 108, 81], [72, 117, 84]]),
}  # fmt: skip


@pytest.mark.parametrize("name", ONNX)
@pytest.mark.parametrize("method", ["exact", "loop", "matmul", "native"])
def test_the_vectors_of_onnx(d2l, name, method):
    rows, stride, padding, expected = ONNX[name]
    image = np.pad(np.arange(rows * 5, dtype=np.float32).reshape(rows, 5), padding)
    Y = dc.to_numpy(d2l.corr2d(image, np.ones((3, 3), np.float32), method=method))
    assert_same_bits(Y[::stride, ::stride], np.float32(expected))


@pytest.mark.parametrize("name", ONNX)
def test_these_are_the_vectors_that_onnx_ships(name):
    onnx = demand_extra("onnx", "oracles")
    folder = Path(onnx.__file__).parent / f"backend/test/data/node/test_{name}/test_data_set_0"
    image, kernel, output = (
        onnx.numpy_helper.to_array(onnx.load_tensor(folder / f"{file}.pb"))[0, 0]
        for file in ("input_0", "input_1", "output_0")
    )
    rows, stride, padding, expected = ONNX[name]
    assert_same_bits(image, np.arange(rows * 5, dtype=np.float32).reshape(rows, 5))
    assert_same_bits(output, np.float32(expected))
    Y = dc.numpy.corr2d(np.pad(image, padding), kernel)
    assert_same_bits(Y[::stride, ::stride], output)

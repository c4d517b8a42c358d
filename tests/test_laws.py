"""The laws of cross-correlation in every backend."""

from fractions import Fraction

import numpy as np
import pytest
import rationals
from frameworks import assert_same_bits, vjp

import d2lconv as dc
from d2lconv.binding import bind
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

"""Kernels designed by hand do what their derivations promise, in every backend."""

from fractions import Fraction
from math import ceil, factorial, pi

import numpy as np
import pytest
from frameworks import assert_same_bits

import d2lconv as dc
from d2lconv import ArgumentError

EVERY = {
    "finite_difference": (),
    "directional": ((1, -2.5),),
    "second_derivative": (0,),
    "laplacian": (),
    "derivative": (4,),
    "box_blur": (3,),
    "gaussian_blur": (1.3,),
    "sharpen": (0.7,),
    "sobel": (),
    "scharr": (0,),
    "gabor": (0.3,),
}
U = 2.0**-53  # half the distance from 1 to the next number, in float64


def rounding(n, *factors):
    """A bound on the error of a sum of n products in float64, of numbers below these bounds.

    Every order of summation satisfies gamma(n) * sum |x| |k| (Higham, Accuracy and Stability of
    Numerical Algorithms, chapter 3). The kernels' own elements carry a few roundings each, for
    which 16 more are allowed.
    """
    return (n + 16) * U / (1 - (n + 16) * U) * n * np.prod(factors)


def slope(shape, gradient):
    """The image X[p] = gradient . p."""
    i, j = np.indices(shape)
    return gradient[0] * i + gradient[1] * j


def angles(count, seed=0):
    return np.random.default_rng(seed).uniform(0, 2 * pi, count)


def test_every_kernel_is_tried_here():
    assert set(EVERY) == set(dc.kernels.__all__) - {"gabor_bank"}


@pytest.mark.parametrize("dtype", [None, "float16", "float32", "float64"])
@pytest.mark.parametrize("name", EVERY)
def test_every_kernel_has_the_same_bits_in_every_backend(d2l, name, dtype):
    K = getattr(d2l.kernels, name)(*EVERY[name], dtype=dtype)
    assert type(K) is type(d2l.tensor([[1, 2]]))
    expected = getattr(dc.kernels, name)(*EVERY[name], dtype=dtype)
    assert expected.dtype == (dtype or "float32")
    assert_same_bits(d2l.to_numpy(K), expected)
    with dc.backend(d2l.name):
        assert type(getattr(dc.kernels, name)(*EVERY[name])) is type(K)


@pytest.mark.parametrize(
    "name", ["finite_difference", "second_derivative", "sobel", "scharr", "derivative"]
)
def test_the_other_axis_is_the_kernel_turned(name):
    kernel = getattr(dc.kernels, name)
    order = {"order": 3} if name == "derivative" else {}
    np.testing.assert_array_equal(kernel(axis=0, **order), kernel(axis=1, **order).T)


def test_the_finite_difference_is_the_lessons_kernel():
    np.testing.assert_array_equal(dc.kernels.finite_difference(), [[1, -1]])
    edges = dc.corr2d(dc.edge_image(), dc.kernels.finite_difference())
    np.testing.assert_array_equal(edges, np.tile([0, 1, 0, 0, 0, -1, 0], (6, 1)))


@pytest.mark.parametrize("order", range(1, 11))
def test_a_derivative_is_exact_on_polynomials_up_to_its_order(order):
    """In rational arithmetic: 0 on lower powers, d! on the d-th, wherever the kernel stands."""
    K = [Fraction(float(k)) for k in dc.kernels.derivative(order, dtype="float64")[0]]
    for power in range(order + 1):
        for start in (Fraction(0), Fraction(-7, 3)):
            answer = sum(k * (start + j) ** power for j, k in enumerate(K))
            assert answer == (factorial(order) if power == order else 0)


@pytest.mark.parametrize("order", range(1, 8))
def test_no_smaller_kernel_is_a_derivative_of_that_order(order):
    """The moments 0 to n-1 determine n elements: they are all 0, so the kernel is."""
    for n in range(1, order + 1):
        rows = [[Fraction(j) ** m for j in range(n)] for m in range(n)]
        assert determinant(rows) != 0
    assert dc.kernels.derivative(order).shape == (1, order + 1)


def determinant(rows):
    if not rows:
        return Fraction(1)
    return sum(
        (-1) ** j * rows[0][j] * determinant([row[:j] + row[j + 1 :] for row in rows[1:]])
        for j in range(len(rows))
    )


def test_the_second_derivative_is_the_derivative_of_order_two():
    np.testing.assert_array_equal(dc.kernels.second_derivative(), dc.kernels.derivative(2))


@pytest.mark.parametrize(("dtype", "order"), [("float16", 13), ("float32", 27), ("float64", 56)])
def test_a_derivative_is_exact_or_refused(dtype, order):
    K = dc.kernels.derivative(order, dtype=dtype)[0]
    assert sum(Fraction(float(k)) * j**order for j, k in enumerate(K)) == factorial(order)
    for beyond in (order + 1, 1000, 10**30):
        with pytest.raises(ArgumentError, match=rf"order is {beyond}, .* {dtype} does not hold"):
            dc.kernels.derivative(beyond, dtype=dtype)


@pytest.mark.parametrize("size", [2, 3, 5, 8])
@pytest.mark.parametrize("angle", angles(8))
def test_a_directional_kernel_answers_to_a_slope_by_its_share_along_v(angle, size):
    v = np.array([np.sin(angle), np.cos(angle)])
    K = dc.kernels.directional(7 * v, size=size, dtype="float64")
    bound = rounding(size**2, 2 * size, 2)
    for turned in angles(8, seed=1):
        gradient = np.array([np.sin(turned), np.cos(turned)])
        X = slope((size, size), gradient)
        assert abs(dc.corr2d(X, K).item() - gradient @ v) <= bound


@pytest.mark.parametrize("size", [2, 3, 5, 8])
def test_a_directional_kernel_does_not_see_edges_along_v(size):
    """Steps along the axes and the diagonals, where the grid can hold a straight edge."""
    i, j = np.indices((16, 16))
    for v, distance in {(0, 1): i - 7, (1, 0): j - 7, (1, 1): i - j, (1, -1): i + j - 15}.items():
        X = (distance > 0).astype("float64")
        K = dc.kernels.directional(v, size=size, dtype="float64")
        assert np.abs(dc.corr2d(X, K)).max() <= rounding(K.size, np.abs(K).max(), 1)
        turned = dc.kernels.directional((-v[1], v[0]), size=size)
        assert np.abs(dc.corr2d(X, turned)).max() > 0.25


@pytest.mark.parametrize("angle", angles(24))
def test_a_directional_kernel_finds_the_direction_of_a_step(angle):
    """A step at a random angle, as a staircase of pixels that are 0 or 1.

    Summed across and along the edge, the answers to v and to the direction across v are in the
    proportion of the edge's share in both, up to the ends of the edge in the window: about 64
    pixels long, it is cut off by at most one kernel's width at each of the two ends, and by one
    pixel of the staircase: (5 + 1) / 64 at most.
    """
    normal = np.array([np.sin(angle), np.cos(angle)])
    X = (slope((65, 65), normal) > slope((65, 65), normal)[32, 32] + 0.25).astype("float64")
    steps = np.linspace(0, 2 * pi, 72, endpoint=False)
    answers = [
        dc.corr2d(X, dc.kernels.directional((np.sin(t), np.cos(t)), dtype="float64")).sum()
        for t in steps
    ]
    found = steps[int(np.argmax(answers))]
    off = (found - angle + pi) % (2 * pi) - pi
    assert abs(off) <= np.arcsin(6 / 64) + pi / 72
    along = dc.corr2d(X, dc.kernels.directional((-normal[1], normal[0]), dtype="float64")).sum()
    assert abs(along) <= 6 / 64 * max(answers)


def test_only_the_direction_of_v_counts():
    K = dc.kernels.directional((3, 4), dtype="float64")
    for scale in (2.0, 2.0**600, 2.0**-600):  # powers of two, so that nothing is rounded
        np.testing.assert_array_equal(
            dc.kernels.directional((3 * scale, 4 * scale), dtype="float64"), K
        )
    np.testing.assert_array_equal(dc.kernels.directional((-3, -4), dtype="float64"), -K)
    np.testing.assert_array_equal(dc.kernels.directional((4, 3), dtype="float64"), K.T)
    assert np.isfinite(dc.kernels.directional((1e308, 5e-324), size=1001)).all()


@pytest.mark.parametrize("diagonals", [False, True])
def test_a_laplacian_sums_the_second_derivatives(diagonals):
    K = dc.kernels.laplacian(diagonals=diagonals, dtype="float64")
    i, j = np.indices((3, 3)) - 1
    bound = rounding(9, 8 / 3, 2)
    images = {"constant": (i**0, 0), "down": (i, 0), "right": (j, 0), "saddle": (i * j, 0)}
    images |= {"along i": (i**2, 2), "along j": (j**2, 2)}
    for name, (X, expected) in images.items():
        assert abs(dc.corr2d(X.astype("float64"), K).item() - expected) <= bound, name
    np.testing.assert_array_equal(K, K.T)
    np.testing.assert_array_equal(K, K[::-1])


@pytest.mark.parametrize("name", ["sobel", "scharr"])
def test_sobel_and_scharr_are_derivatives_times_their_weight(name):
    for axis in (0, 1):
        K = getattr(dc.kernels, name)(axis, dtype="float64")
        weight = np.abs(K).sum()
        assert weight == {"sobel": 8, "scharr": 32}[name]
        for gradient in [(1, 0), (0, 1), (3, -5)]:
            assert dc.corr2d(slope((3, 3), gradient), K).item() == weight * gradient[axis]


@pytest.mark.parametrize(
    "K",
    [
        dc.kernels.box_blur(5, dtype="float64"),
        dc.kernels.gaussian_blur(0.8, dtype="float64"),
        dc.kernels.gaussian_blur(1e-300, dtype="float64"),
        dc.kernels.gaussian_blur(2, size=3, dtype="float64"),
        dc.kernels.sharpen(2.5, dtype="float64"),
    ],
    ids=["box", "gauss", "narrow gauss", "cut gauss", "sharpen"],
)
def test_blurs_and_sharpening_leave_a_constant_image_as_it_is(K):
    assert abs(dc.corr2d(np.ones(K.shape), K).item() - 1) <= rounding(K.size, np.abs(K).max(), 1)


def test_blurs_are_means_and_the_gaussian_is_a_product_of_its_margins():
    for K in (dc.kernels.box_blur(3), dc.kernels.gaussian_blur(1.5)):
        assert (K >= 0).all()
    K = dc.kernels.gaussian_blur(1.5, dtype="float64")
    assert K.shape == (2 * ceil(4.5) + 1,) * 2
    margin = K.sum(0)
    np.testing.assert_allclose(K, np.outer(margin, margin), rtol=(K.shape[0] + 16) * U, atol=0)


def test_a_blur_takes_the_contrast_that_sharpening_gives():
    X = dc.photograph("coins")
    inside = X[3:-3, 3:-3]
    assert dc.corr2d(X, dc.kernels.gaussian_blur(1.0)).std() < inside.std()
    assert dc.corr2d(X, dc.kernels.sharpen())[2:-2, 2:-2].std() > inside.std()


@pytest.mark.parametrize("phase", [0.0, -pi / 2, 1.0])
@pytest.mark.parametrize("angle", angles(4))
def test_a_gabor_filter_answers_to_its_wave_and_not_to_brightness(angle, phase):
    K = dc.kernels.gabor(angle, phase=phase, dtype="float64")
    n = K.shape[0]
    i, j = np.indices(K.shape) - n // 2
    wave = np.cos(pi / 2 * (i * np.sin(angle) + j * np.cos(angle)) + phase)
    bound = rounding(K.size, np.abs(K).max(), 1) * 4  # cosines of arguments below 64 are off, too
    assert abs(dc.corr2d(wave, K).item() - 1) <= bound
    assert abs(dc.corr2d(np.ones(K.shape), K).item()) <= bound
    across = np.cos(pi / 2 * (i * np.cos(angle) - j * np.sin(angle)) + phase)
    # The bell's spectrum falls off as exp(-sigma**2 f**2 / 2); the waves are pi/2 * root 2 apart,
    # so their overlap is below exp(-9.8) of both, and what the sampling adds is below that.
    assert abs(dc.corr2d(across, K).item()) < 0.01


def test_a_bank_of_filters_shares_out_the_orientations():
    bank = dc.kernels.gabor_bank(6, phase=-pi / 2)
    for n, K in enumerate(bank):
        np.testing.assert_array_equal(K, dc.kernels.gabor(pi * n / 6, phase=-pi / 2))
        i, j = np.indices((21, 21)) - 10
        answers = []
        for m in range(6):
            line = np.cos(pi / 2 * (i * np.sin(pi * m / 6) + j * np.cos(pi * m / 6)))
            answers.append(np.abs(dc.corr2d(line, K)).max())
        assert int(np.argmax(answers)) == n


def test_a_gabor_filter_for_edges_is_positive_where_it_gets_brighter():
    X = np.zeros((13, 13))
    X[:, 7:] = 1
    assert dc.corr2d(X, dc.kernels.gabor(0, phase=-pi / 2)).item() > 0
    assert dc.corr2d(X.T, dc.kernels.gabor(pi / 2, phase=-pi / 2)).item() > 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda k: k.directional((0, 0)), r"v is \(0, 0\); it must be a direction .* not both 0"),
        (lambda k: k.directional((1, float("nan"))), "two finite numbers"),
        (lambda k: k.directional((float("inf"), 1)), "two finite numbers"),
        (lambda k: k.directional((1, 2, 3)), "a direction"),
        (lambda k: k.directional(1), "v is 1; it must be a direction"),
        (lambda k: k.directional("ab"), "v is 'ab'"),
        (lambda k: k.directional((0, 1), size=1), "size is 1; it must be an integer of at least 2"),
        (lambda k: k.directional((0, 1), size=1002), "size is 1002; it must be at most 1001"),
        (lambda k: k.derivative(0), "order is 0; it must be an integer of at least 1"),
        (lambda k: k.derivative(-1), "order is -1"),
        (lambda k: k.derivative(1.5), "order is 1.5"),
        (lambda k: k.derivative(28), "order is 28, .* float32 does not hold exactly"),
        (lambda k: k.derivative(1, axis=2), r"axis is 2; it must be 0 \(down\) or 1 \(right\)"),
        (lambda k: k.sobel("x"), "axis is 'x'"),
        (lambda k: k.scharr(None), "axis is None"),
        (lambda k: k.finite_difference(True), "axis is True"),
        (lambda k: k.second_derivative(-1), "axis is -1"),
        (lambda k: k.laplacian(diagonals=4), "diagonals is 4; it must be True or False"),
        (lambda k: k.box_blur(4), "size is 4, which is even; .* odd, .*: 3 or 5"),
        (lambda k: k.box_blur(0), "size is 0; it must be an integer of at least 1"),
        (lambda k: k.box_blur(3.0), "size is 3.0"),
        (lambda k: k.box_blur(10**9), "at most 1001"),
        (lambda k: k.gaussian_blur(-1), "sigma is -1; it must be greater than 0"),
        (lambda k: k.gaussian_blur(0), "sigma is 0; it must be greater than 0"),
        (lambda k: k.gaussian_blur(float("nan")), "sigma is nan; it must be a finite number"),
        (lambda k: k.gaussian_blur("1"), "sigma is '1'; it must be a finite number"),
        (lambda k: k.gaussian_blur(1e9), "larger than 1001 pixels; take a smaller one, up to 166"),
        (lambda k: k.gaussian_blur(1, size=2), "size is 2, which is even"),
        (lambda k: k.sharpen(0), "amount is 0; it must be greater than 0"),
        (lambda k: k.sharpen(None), "amount is None"),
        (lambda k: k.gabor(None), "angle is None"),
        (lambda k: k.gabor(0, wavelength=2), "wavelength is 2.0; it must be more than 2 pixels"),
        (lambda k: k.gabor(0, wavelength=1e300), "the wave is flat there"),
        (lambda k: k.gabor(0, size=1), "size 1 too small: the wave is flat"),
        (lambda k: k.gabor(0, sigma=0), "sigma is 0"),
        (lambda k: k.gabor(0, phase=float("inf")), "phase is inf"),
        (lambda k: k.gabor(0, size=12), "size is 12, which is even"),
        (lambda k: k.gabor_bank(0), "orientations is 0"),
    ],
)
def test_bad_input_says_what_is_allowed(call, words):
    with pytest.raises(ArgumentError, match=words):
        call(dc.kernels)


def test_a_wrong_type_says_which_are_allowed():
    with pytest.raises(dc.DTypeError, match="dtype 'int32' is not supported"):
        dc.kernels.sobel(dtype="int32")

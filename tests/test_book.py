"""The numbers that Dive into Deep Learning prints in sections 7.3 to 7.6, in every backend."""

import importlib

import numpy as np
import pytest
from frameworks import assert_same_bits

import d2lconv as dc
from d2lconv.core import registry

X = [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
TWO = [X, [[1, 2, 3], [4, 5, 6], [7, 8, 9]]]
KERNELS = [[[0, 1], [2, 3]], [[1, 2], [3, 4]]]
NUMBERS = np.arange(16).reshape(4, 4)
POOLED = ([[4, 5], [7, 8]], [[2, 3], [5, 6]])


def shape_of(d2l, size, **options):
    """The shape that a layer makes of 8x8, as section 7.3 asks."""
    layer = d2l.Conv2D(size, in_channels=1, out_channels=1, **options)
    return d2l.to_numpy(layer(d2l.tensor(np.ones((1, 1, 8, 8))))).shape[2:]


def test_padding_and_strides_give_the_shapes_of_section_7_3(d2l):
    assert shape_of(d2l, (3, 3), padding=1) == (8, 8)
    assert shape_of(d2l, (5, 3), padding=(2, 1)) == (8, 8)
    assert shape_of(d2l, (3, 3), padding=1, stride=2) == (4, 4)
    assert shape_of(d2l, (3, 5), padding=(0, 1), stride=(3, 4)) == (2, 2)


def test_same_at_stride_2_pads_the_other_side(d2l):
    """One shape and other values: zeros on both sides, or below and on the right alone."""
    ones = [[1] * 3] * 3
    both = d2l.corr2d(NUMBERS, ones, stride=2, padding=1)
    below = d2l.corr2d(NUMBERS, ones, stride=2, padding="same")
    np.testing.assert_array_equal(d2l.to_numpy(both), [[10, 24], [51, 90]])
    np.testing.assert_array_equal(d2l.to_numpy(below), [[45, 39], [66, 50]])


@pytest.mark.parametrize("method", ["exact", "loop", "matmul", "native", "auto"])
def test_channels_give_the_numbers_of_section_7_4(d2l, method):
    Y = d2l.to_numpy(d2l.corr2d(TWO, KERNELS, method=method))
    np.testing.assert_array_equal(Y, [[56, 72], [104, 120]])
    K = np.stack([KERNELS, np.add(KERNELS, 1), np.add(KERNELS, 2)])
    Y = d2l.to_numpy(d2l.corr2d(TWO, K, method=method))
    book = [[[56, 72], [104, 120]], [[76, 100], [148, 172]], [[96, 128], [192, 224]]]
    np.testing.assert_array_equal(Y, book)


def test_pooling_gives_the_numbers_of_section_7_5(d2l):
    for mode, expected in zip(("max", "avg"), POOLED, strict=True):
        np.testing.assert_array_equal(d2l.to_numpy(d2l.pool2d(X, 2, mode=mode)), expected)
    np.testing.assert_array_equal(d2l.to_numpy(d2l.Pool2D(3)(NUMBERS)), [[10]])
    layer = d2l.Pool2D(3, padding=1, stride=2)
    np.testing.assert_array_equal(d2l.to_numpy(layer(NUMBERS)), [[5, 7], [13, 15]])
    layer = d2l.Pool2D((2, 3), padding=(0, 1), stride=(2, 3))
    np.testing.assert_array_equal(d2l.to_numpy(layer(NUMBERS)), [[5, 7], [13, 15]])


def test_maxima_of_negative_numbers_are_no_zeros_of_the_padding(d2l):
    Y = d2l.to_numpy(d2l.pool2d(-NUMBERS, 3, padding=1, stride=2))
    np.testing.assert_array_equal(Y, [[0, -1], [-4, -5]])


# The lesson's own functions, as a reader would use them.


@pytest.fixture
def scratch(backend):
    """The module that the lesson shows."""
    return importlib.import_module(f"{registry.manifests()[backend][1]}.scratch")


def test_the_functions_of_the_lesson_give_the_same_numbers(scratch, d2l):
    tensor, array = d2l.tensor, d2l.to_numpy
    np.testing.assert_array_equal(
        array(scratch.corr2d_multi_in(tensor(TWO), tensor(KERNELS))), [[56, 72], [104, 120]]
    )
    K = np.stack([KERNELS, np.add(KERNELS, 1)])
    Y = array(scratch.corr2d_multi_in_out(tensor(TWO), tensor(K)))
    np.testing.assert_array_equal(Y, [[[56, 72], [104, 120]], [[76, 100], [148, 172]]])
    for mode, expected in zip(("max", "avg"), POOLED, strict=True):
        np.testing.assert_array_equal(array(scratch.pool2d(tensor(X), (2, 2), mode)), expected)
    one = np.arange(6).reshape(3, 2, 1, 1)
    np.testing.assert_array_equal(
        array(scratch.corr2d_multi_in_out_1x1(tensor(TWO), tensor(one))),
        array(scratch.corr2d_multi_in_out(tensor(TWO), tensor(one))),
    )


@pytest.mark.parametrize("shapes", [((6, 8), (1, 2)), ((9, 7), (3, 4)), ((5, 5), (5, 5))])
def test_what_the_lesson_shows_is_what_the_library_computes(scratch, d2l, shapes):
    rng = np.random.default_rng(0)
    image, kernel = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    X, K = d2l.tensor(image), d2l.tensor(kernel)
    Y = d2l.to_numpy(d2l.corr2d(X, K))
    assert_same_bits(d2l.to_numpy(scratch.shift_and_add(X, K)), Y)
    looped = d2l.corr2d(X, K, method="loop")  # which a framework may compile
    assert dc.parity.compare(scratch.corr2d(X, K), looped, X=image, K=kernel).verdict != "bug"
    images, kernels = np.stack([image, -image, image / 3]), np.stack([kernel, kernel / 7, kernel])
    Y = d2l.to_numpy(d2l.corr2d(d2l.tensor(images), d2l.tensor(kernels)))
    found = scratch.corr2d_multi_in(d2l.tensor(images), d2l.tensor(kernels))
    assert_same_bits(d2l.to_numpy(found), Y)
    windows = scratch.im2col(X, kernel.shape)
    assert_same_bits(d2l.to_numpy(windows), d2l.to_numpy(d2l.im2col(X, kernel.shape)))
    matrix = scratch.toeplitz(K, image.shape)
    assert_same_bits(d2l.to_numpy(matrix), d2l.to_numpy(d2l.toeplitz(K, image.shape)))


@pytest.mark.parametrize("stride", [(1, 1), (3, 2), (2, 5)])
@pytest.mark.parametrize("padding", [((0, 0), (0, 0)), ((1, 1), (1, 1)), ((0, 2), (3, 1))])
def test_a_frame_and_places_left_out_are_what_the_library_computes(scratch, d2l, padding, stride):
    random = np.random.default_rng(5)
    X, K = (d2l.tensor(random.normal(size=size).astype(np.float32)) for size in ((7, 9), (3, 4)))
    found = scratch.corr2d_strided(scratch.pad(X, padding), K, stride)
    Y = d2l.to_numpy(d2l.corr2d(X, K, padding=padding, stride=stride))
    assert_same_bits(d2l.to_numpy(found), Y)

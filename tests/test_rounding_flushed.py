"""Where the processor flushes subnormal numbers to zero, rounded results keep their bits.

XLA and TensorFlow call back in such threads. The processor's control word is set as they set it.
"""

import ctypes
import platform
from contextlib import contextmanager

import numpy as np
import pytest

from d2lconv.core import contract
from d2lconv.core.geometry import form, pooling
from d2lconv.core.options import settings
from d2lconv.parity import same_bits
from d2lconv.rounding import convolution, functions, network

pytestmark = pytest.mark.skipif(
    (platform.machine(), platform.libc_ver()[0]) != ("x86_64", "glibc"),
    reason="the control word is set by way of glibc's fenv_t on x86-64",
)
FLUSH = 0x8040  # results and operands


@contextmanager
def flushed():
    """Subnormal operands and results are zero."""
    library = ctypes.CDLL("libm.so.6")
    before, after = (ctypes.c_uint32 * 8)(), (ctypes.c_uint32 * 8)()
    library.fegetenv(before)
    library.fegetenv(after)
    after[7] |= FLUSH  # the last word of fenv_t is MXCSR
    library.fesetenv(after)
    try:
        yield
    finally:
        library.fesetenv(before)


def subnormal(rng, shape):
    """Subnormal float32 numbers of both signs."""
    bits = rng.integers(0, 2**23, shape, dtype=np.uint32)
    return (bits | rng.integers(0, 2, shape, dtype=np.uint32) << np.uint32(31)).view(np.float32)


def elementwise(rng):
    x = np.concatenate([subnormal(rng, 500), rng.uniform(-105, -80, 500).astype(np.float32)])
    g = subnormal(rng, 1000)
    for name in ("exp", "sigmoid", "tanh", "relu"):
        yield getattr(functions, name)(x)
        gradient = getattr(functions, f"{name}_gradient", None)
        yield x if gradient is None else gradient(x, g)


def convolutions(rng):
    options = settings(2, 1)
    quarters = (rng.integers(-4, 5, (4, 3, 3, 3)) / 4).astype(np.float32)  # many ties
    X, K = subnormal(rng, (2, 3, 9, 9)), quarters
    geometry = form(X.shape, K.shape, *options).geometry
    G = subnormal(rng, geometry.shape)
    yield convolution.corr2d(X, K, geometry).values
    yield convolution.image_gradient(K, G, geometry).values
    ones = rng.choice(np.float32([-1, 1]), X.shape)
    yield convolution.kernel_gradient(ones, G, geometry).values


def pools(rng):
    geometry, _ = pooling((2, 3, 9, 9), 3, 2, 1)
    counts = contract.counts(geometry)
    yield network.avg_pool(subnormal(rng, (2, 3, 9, 9)), counts, geometry)
    yield network.avg_pool_gradient(subnormal(rng, geometry.shape), counts, geometry)


def layers(rng):
    X, W = subnormal(rng, (20, 9)), rng.normal(0, 1, (8, 9)).astype(np.float32)
    yield network.dense(X, W, subnormal(rng, 8))
    yield from network.dense_gradients(X, W, subnormal(rng, (20, 8)))
    yield network.mean(X)


def losses(rng):
    logits, labels = rng.normal(0, 40, (300, 5)), rng.integers(0, 5, 300)
    for x in (logits.astype(np.float32), subnormal(rng, (300, 5))):
        yield network.softmax_cross_entropy(x, labels)
        yield network.softmax_cross_entropy_gradient(x, labels)


def test_the_processor_flushes_where_it_is_told_to():
    least, one = np.full(1, 2.0**-149, np.float32), np.ones(1, np.float32)
    with flushed():
        product, equal = (least * one).tobytes(), bool((least == 0)[0])
    assert product == bytes(4)
    assert equal
    assert (least * one)[0] == least[0]


@pytest.mark.parametrize("pieces", [elementwise, convolutions, pools, layers, losses])
def test_rounded_results_have_the_same_bits_where_subnormal_numbers_are_flushed(pieces):
    expected = list(pieces(np.random.default_rng(0)))
    assert any((np.abs(Y) < 2.0**-126).any() for Y in expected)
    with flushed():
        found = list(pieces(np.random.default_rng(0)))
    assert all(same_bits(a, b) for a, b in zip(found, expected, strict=True))

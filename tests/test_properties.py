"""Whatever comes in: the right answer or a D2LConvError; nothing modified, nothing shared.

More examples than CI takes: pytest --hypothesis-profile=long tests/test_properties.py
"""

import warnings
from decimal import Decimal

import hypothesis.strategies as st
import numpy as np
import pytest
from frameworks import assert_same_bits
from hypothesis import given
from hypothesis.extra import numpy as arrays

import d2lconv as dc
from d2lconv.binding import bind

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")  # inf - inf

DTYPES = ("float16", "float32", "float64", "int8", "int64", "uint16", "bool")
LAYOUTS = {
    "plain": lambda a: a,
    "fortran": np.asfortranarray,
    "mirrored": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "strided": lambda a: np.repeat(np.repeat(a, 2, 0), 3, 1)[::2, ::3],
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "read-only": lambda a: _locked(a.copy()),
}


def _locked(array):
    array.flags.writeable = False
    return array


@st.composite
def matrices(draw, largest=7, dtypes=DTYPES):
    """Matrices of every type, value and layout, empty ones too."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    options = {}
    if dtype.kind == "f":  # subnormal numbers have a test of their own
        options = {"allow_subnormal": False}
    shape = st.tuples(*2 * [st.integers(0, largest)])
    array = draw(arrays.arrays(dtype, shape, elements=arrays.from_dtype(dtype, **options)))
    layout = draw(st.sampled_from(sorted(LAYOUTS)))
    return LAYOUTS[layout](array) if array.size else array


def normal(*values):
    """Whether the products, and the sums on the way, stay away from subnormal numbers."""
    sizes = [np.abs(v.astype("f8")) for v in values]
    return all((~(v < 0.5) | (v == 0)).all() for v in sizes)


def outcome(call):
    """The result as an array, or the error and its words."""
    try:
        return dc.to_numpy(call())
    except dc.D2LConvError as error:
        return type(error), str(error)


@given(X=matrices(), K=matrices(largest=4), given_as=st.sampled_from(["arrays", "lists", "native"]))
def test_any_matrices_give_the_same_bits_or_the_same_error(backend, X, K, given_as):
    d2l = bind(backend)
    before = X.tobytes(), K.tobytes()
    give = {"arrays": np.asarray, "lists": np.ndarray.tolist, "native": d2l.tensor}[given_as]
    neutral = dc.numpy.tensor if given_as == "native" else give
    expected = outcome(lambda: dc.numpy.corr2d(neutral(X), neutral(K)))
    actual = outcome(lambda: d2l.corr2d(give(X), give(K)))
    if isinstance(expected, np.ndarray) and normal(X, K):
        assert_same_bits(actual, expected)
    elif isinstance(expected, np.ndarray):
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    else:
        assert actual == expected
    assert (X.tobytes(), K.tobytes()) == before


@given(X=matrices(dtypes=DTYPES[:3]))
def test_tensors_are_copies_of_any_layout(backend, X):
    d2l = bind(backend)
    t = d2l.tensor(X)
    assert_same_bits(dc.to_numpy(t), X.astype(X.dtype.newbyteorder("=")))
    if X.flags.writeable and X.size:
        before = dc.to_numpy(t)
        X[...] = 7
        dc.to_numpy(t)[...] = 8
        assert_same_bits(dc.to_numpy(t), before)


class Hostile:
    """Raises whatever it is asked."""

    def __array__(self, *args, **kwargs):
        raise RuntimeError("no")


HUGE = 10**400
NONSENSE = [
    None, "a", b"x", {}, set(), object(), [[1, [2]]], [[object()]], [], [[]], 1j, [[1, 2], [3]],
    HUGE, [[HUGE]], [[Decimal(1)]], np.array(None), np.array([["1"]]), range(0), Hostile(),
    np.ma.masked_array([[1.0, 2.0]], [[0, 1]]), np.zeros((2, 2), "V4"), np.zeros((1,) * 9),
    np.array([[1]], "M8[s]"), np.zeros((2, 2), "i4,i4"), lambda: 0, np.float32, slice(1), ...,
]  # fmt: skip
CALLS = {
    "tensor": lambda d, v: d.tensor(v),
    "dtype": lambda d, v: d.tensor([1.0], v if v is not None else "x"),
    "X": lambda d, v: d.corr2d(v, [[1]]),
    "K": lambda d, v: d.conv2d(np.ones((3, 3)), v),
    "method": lambda d, v: d.corr2d([[1]], [[1]], method=v),
    "im2col": lambda d, v: d.im2col(np.ones((3, 3)), v),
    "toeplitz": lambda d, v: d.toeplitz([[1]], v),
    "kernel_size": lambda d, v: d.Conv2D(v),
    "weight": lambda d, v: d.Conv2D((1, 2), weight=v if v is not None else "x"),
    "bias": lambda d, v: d.Conv2D((1, 2), bias=v if v is not None else "x"),
    "seed": lambda d, v: d.Conv2D((1, 2), seed=-1 if v is HUGE else v),
    "image": lambda d, v: d.Conv2D((1, 1))(v),
    "lr": lambda d, v: d.learn_kernel([[1.0]], [[1.0]], (1, 1), lr=v, epochs=1),
    "epochs": lambda d, v: d.learn_kernel([[1]], [[1]], (1, 1), epochs=0 if v is HUGE else v),
    "n": lambda d, v: d.diagonal_image(v),
    "photograph": lambda d, v: d.photograph(v),
    "axis": lambda d, v: d.kernels.sobel(v),
    "sigma": lambda d, v: d.kernels.gaussian_blur(v),
    "layers": lambda d, v: dc.receptive_field(v),
    "compare": lambda d, v: dc.parity.compare([1.0], v),
    "bound": lambda d, v: dc.parity.compare([1.0], [1.0], bound=v if v is not None else "x"),
    "backend": lambda d, v: dc.use(v),
}
FINE = {  # what makes sense after all
    ("tensor", 12), ("bound", 12), ("tensor", 8), ("tensor", 9), ("tensor", 17), ("tensor", 21),
    ("dtype", 25), ("bias", 21), ("bound", 21), *(("compare", n) for n in (8, 9, 17, 21)),
}  # fmt: skip


@pytest.mark.parametrize("what", CALLS)
def test_nonsense_gets_an_error_of_ours(d2l, what):
    wrong = []
    for number, value in enumerate(NONSENSE):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                CALLS[what](d2l, value)
        except dc.D2LConvError as error:
            if len(str(error)) < 20:
                wrong.append((number, "says little", str(error)))
        except Exception as error:
            wrong.append((number, type(error).__name__, str(error)))
        else:
            if (what, number) not in FINE:
                wrong.append((number, "is taken", repr(value)[:40]))
    assert not wrong

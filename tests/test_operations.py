"""The operations of the neutral API, in every backend."""

import numpy as np
import pytest
from frameworks import assert_same_bits

import d2lconv as dc
from d2lconv.binding import bind

IMAGE = [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
KERNEL = [[0, 1], [2, 3]]
METHODS = ["exact", "loop"]


@pytest.mark.parametrize("method", METHODS)
def test_the_figure_of_the_lesson(d2l, method):
    Y = d2l.corr2d(IMAGE, KERNEL, method=method)
    assert_same_bits(d2l.to_numpy(Y), np.float32([[19, 25], [37, 43]]))


def test_exact_is_the_default(d2l):
    rng = np.random.default_rng(0)
    X, K = rng.standard_normal((9, 9)), rng.standard_normal((5, 5))
    assert_same_bits(d2l.to_numpy(d2l.corr2d(X, K)), d2l.to_numpy(d2l.corr2d(X, K, method="exact")))


@pytest.mark.parametrize("method", METHODS)
def test_strict_convolution_flips_the_kernel_in_both_axes(d2l, method):
    flipped = [[3, 2], [1, 0]]
    expected = d2l.to_numpy(d2l.corr2d(IMAGE, flipped))
    assert_same_bits(d2l.to_numpy(d2l.conv2d(IMAGE, KERNEL, method=method)), expected)


@pytest.mark.parametrize("method", METHODS)
def test_edges_are_found_and_turned_edges_are_not(d2l, method):
    X = d2l.edge_image()
    K = d2l.tensor([[1, -1]])
    edges = np.tile(np.float32([0, 1, 0, 0, 0, -1, 0]), (6, 1))
    assert_same_bits(d2l.to_numpy(d2l.corr2d(X, K, method=method)), edges)
    turned = d2l.to_numpy(d2l.corr2d(d2l.transpose(X), K, method=method))
    assert turned.shape == (8, 5)
    assert not turned.any()


def test_the_edge_image_is_white_black_white(d2l):
    X = d2l.to_numpy(d2l.edge_image())
    assert_same_bits(X, np.tile(np.float32([1, 1, 0, 0, 0, 0, 1, 1]), (6, 1)))


def test_the_diagonal_image_has_ones_on_its_diagonal(d2l):
    assert_same_bits(d2l.to_numpy(d2l.diagonal_image(5)), np.eye(5, dtype=np.float32))


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([[1, 2]], "float32"),
        ([[1.5, 2.5]], "float32"),
        ([[True, False]], "float32"),
        (np.array([[1, 2]]), "float32"),
        (np.array([[1, 2]], np.uint8), "float32"),
        (np.array([[True]]), "float32"),
        (np.array([[1, 2]], np.float16), "float16"),
        (np.array([[1, 2]], np.float32), "float32"),
        (np.array([[1, 2]], np.float64), "float64"),
        (2.5, "float32"),
        (np.float64(2.5), "float64"),
        ([10**30], "float32"),
        (np.zeros((2, 0, 3)), "float64"),
    ],
    ids=repr,
)
def test_floating_types_stay_and_all_else_becomes_float32(d2l, data, dtype):
    result = d2l.to_numpy(d2l.tensor(data))
    assert_same_bits(result, np.asarray(data).astype(dtype))


@pytest.mark.parametrize(
    "wanted", ["float16", "float32", "float64", np.float16, np.dtype("float64")]
)
@pytest.mark.parametrize("given", ["list", "array", "native"])
def test_a_type_can_be_asked_for(d2l, given, wanted):
    data = [[0.1, 1e6], [-2.0, 3.0]]
    if given != "list":
        data = np.array(data, np.float32)
    source = d2l.tensor(data) if given == "native" else data
    with np.errstate(over="ignore"):  # 1e6 is beyond float16
        assert_same_bits(d2l.to_numpy(d2l.tensor(source, wanted)), np.asarray(data).astype(wanted))


def test_a_native_type_can_be_asked_for(d2l):
    double = d2l.tensor([[1.0]], "float64").dtype
    assert d2l.to_numpy(d2l.tensor([[0.1]], double)).dtype == np.float64


@pytest.mark.parametrize(
    ("image", "kernel", "result"),
    [
        ("float32", "float64", "float64"),
        ("float16", "float32", "float32"),
        ("float64", None, "float64"),
        (None, "float16", "float16"),
        ("int32", "float64", "float64"),
        ("int32", "uint8", "float32"),
        (None, None, "float32"),
    ],
)
@pytest.mark.parametrize("native", [False, True], ids=["neutral", "native"])
def test_the_wider_floating_type_wins_and_untyped_data_follows(d2l, image, kernel, result, native):
    def of(data, dtype):
        if dtype is None:
            return data
        array = np.array(data, dtype)
        return d2l.tensor(array) if native and array.dtype.kind == "f" else array

    Y = d2l.to_numpy(d2l.corr2d(of([[1, 2, 3]], image), of([[0.5, 1]], kernel)))
    third = 0.5 if kernel is None or kernel.startswith("float") else 0.0
    assert_same_bits(Y, np.array([[third + 2, 2 * third + 3]], result))


def test_a_list_loses_no_digits_beside_float64(d2l):
    Y = d2l.corr2d(np.array([[1.0]]), [[0.1]])
    assert_same_bits(d2l.to_numpy(Y), np.array([[0.1]]))


def test_results_share_no_memory_with_inputs(d2l):
    data = np.arange(12, dtype=np.float32).reshape(3, 4)
    before = data.copy()
    X = d2l.tensor(data)
    results = {
        "tensor": X,
        "tensor of a tensor": d2l.tensor(X),
        "transpose": d2l.transpose(X),
        "transpose of one column": d2l.transpose(d2l.tensor(data[:, :1])),
        "corr2d": d2l.corr2d(X, [[1]]),
        "to_numpy": d2l.to_numpy(X),
    }
    expected = {name: d2l.to_numpy(result).copy() for name, result in results.items()}
    data[:] = -1
    d2l.to_numpy(X)[:] = -2
    results["to_numpy"][:] = -3
    for name, result in results.items():
        if name != "to_numpy":
            assert_same_bits(d2l.to_numpy(result), expected[name], name)
    assert_same_bits(d2l.to_numpy(X), before)


@pytest.mark.parametrize(
    "view",
    [
        lambda a: np.asfortranarray(a),
        lambda a: a[::-1, ::-2],
        lambda a: np.broadcast_to(a[:1], a.shape),
        lambda a: a.astype(">f4"),
    ],
    ids=["fortran", "negative strides", "broadcast", "big-endian"],
)
def test_any_memory_layout_is_read_right(d2l, view):
    array = view(np.arange(48, dtype=np.float32).reshape(6, 8))
    plain = np.array(array, dtype=np.float32, order="C")
    assert_same_bits(d2l.to_numpy(d2l.tensor(array)), plain)
    expected = bind("numpy").corr2d(plain, KERNEL)
    assert_same_bits(d2l.to_numpy(d2l.corr2d(array, KERNEL)), expected)


def test_transpose_exchanges_rows_and_columns(d2l):
    assert_same_bits(d2l.to_numpy(d2l.transpose(IMAGE)), np.float32(IMAGE).T)


def test_the_loop_gives_what_the_lesson_shows(d2l):
    kind = type(d2l.corr2d(IMAGE, KERNEL, method="loop")).__name__
    assert (
        kind
        == {
            "numpy": "ndarray",
            "torch": "Tensor",
            "tf": "EagerTensor",
            "mxnet": "ndarray",
            "jax": "ArrayImpl",
        }[d2l.name]
    )


def test_native_tensors_come_back_native(d2l):
    X = d2l.tensor(IMAGE)
    assert type(dc.corr2d(X, X)) is type(X)
    assert type(dc.transpose(X)) is type(X)
    assert type(dc.tensor(X)) is type(X)
    assert isinstance(dc.to_numpy(X), np.ndarray)

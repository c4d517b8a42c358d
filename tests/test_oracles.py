"""Oracles that are none of ours: SciPy, and the vectors that the ONNX package ships."""

from pathlib import Path

import numpy as np
import pytest
from chosen import demand_extra
from frameworks import assert_same_bits

import d2lconv as dc
from d2lconv.core.geometry import same_padding
from d2lconv.parity import bounds, compare, compare_pool
from d2lconv.parity.pooling import pooled

METHODS = ("exact", "rounded")  # of pooling
rng = np.random.default_rng(7)
X = rng.standard_normal((12, 11), dtype=np.float32)
K = rng.standard_normal((3, 4), dtype=np.float32)

# SciPy.

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


# The test vectors of ONNX (onnx/backend/test, Apache-2.0). Those of the operator Conv that are of
# small integers stand here, for every framework: ones in a 3x3 window over 0, 1, 2, ... in rows of
# five. The others are read where the package is installed.
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
    image = np.arange(rows * 5, dtype=np.float32).reshape(rows, 5)
    kernel = np.ones((3, 3), np.float32)
    Y = d2l.corr2d(image, kernel, stride=stride, padding=padding, method=method)
    assert_same_bits(dc.to_numpy(Y), np.float32(expected))


def vectors(operator):
    """The vectors of one operator on images: a name, the node's attributes, tensors, the result."""
    onnx = demand_extra("onnx", "oracles")
    found = []
    for path in sorted((Path(onnx.__file__).parent / "backend/test/data").glob("*/*/model.onnx")):
        graph = onnx.load(path).graph
        if [node.op_type for node in graph.node] != [operator]:
            continue
        (node,) = graph.node
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if len(attributes["kernel_shape"]) != 2:
            continue
        tensors = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
        given = [t.name for t in graph.input if t.name not in tensors]
        data = path.parent / "test_data_set_0"
        for file, name in [("output_0", "Y"), *((f"input_{i}", n) for i, n in enumerate(given))]:
            tensors[name] = onnx.numpy_helper.to_array(onnx.load_tensor(data / f"{file}.pb"))
        inputs = [tensors[name] for name in node.input]
        if tensors["Y"].size > 10**5:
            continue  # takes long, and has no attribute that others have not
        found.append((path.parent.name, attributes, inputs, tensors["Y"]))
    return found


def window(attributes, image):
    """The size, stride and padding of a node."""
    size, stride = attributes["kernel_shape"], attributes.get("strides", [1, 1])
    top, left, bottom, right = attributes.get("pads", [0] * 4)
    padding = (top, bottom), (left, right)
    if b"SAME" in attributes.get("auto_pad", b""):
        padding = tuple(map(same_padding, image[2:], size, stride))
    if attributes.get("auto_pad") == b"SAME_LOWER":  # the odd zero comes first
        padding = tuple((after, before) for before, after in padding)
    return tuple(size), {"stride": tuple(stride), "padding": padding}


def attributes_of(found):
    return {name for _, attributes, *_ in found for name in attributes}


def test_these_are_the_vectors_that_onnx_ships():
    shipped = {name: (inputs, Y) for name, _, inputs, Y in vectors("Conv")}
    for name, (rows, _, _, expected) in ONNX.items():
        (image, kernel), Y = shipped[f"test_{name}"]
        assert_same_bits(image[0, 0], np.arange(rows * 5, dtype=np.float32).reshape(rows, 5))
        assert_same_bits(kernel[0, 0], np.ones((3, 3), np.float32))
        assert_same_bits(Y[0, 0], np.float32(expected))


@pytest.mark.parametrize("method", ["exact", "rounded", "matmul", "native"])
def test_every_attribute_of_a_convolution_in_onnx_is_ours(d2l, method):
    found = vectors("Conv")
    assert attributes_of(found) == {
        *("kernel_shape", "strides", "pads", "auto_pad", "dilations", "group")
    }
    assert len(found) > 15
    for name, attributes, (X, K, *bias), expected in found:
        _, options = window(attributes, X.shape)
        options["dilation"] = tuple(attributes.get("dilations", [1, 1]))
        options["groups"] = attributes.get("group", 1)
        Y = d2l.to_numpy(d2l.corr2d(X, K, method=method, **options))
        if bias:
            Y = Y + bias[0][:, None, None]
            options["bias"] = bias[0]
        verdict = compare(Y, expected, X=X, K=K, **options)
        assert verdict.verdict in ("identical", "rounding"), (name, verdict)


IN_DIGITS = "test_averagepool_2d_ceil_last_window_starts_on_pad"
"""Its image and its result have four: a mean of four elements and five zeros is so far off."""


@pytest.mark.parametrize(("operator", "mode"), [("MaxPool", "max"), ("AveragePool", "avg")])
def test_every_attribute_of_a_pooling_in_onnx_is_ours(d2l, operator, mode):
    """But for the distance between a window's elements; a size rounded up has the verdict alone."""
    found = [v for v in vectors(operator) if set(v[1].get("dilations", [1])) == {1}]
    assert attributes_of(found) >= {"kernel_shape", "strides", "pads", "auto_pad", "ceil_mode"}
    assert ("count_include_pad" in attributes_of(found)) == (mode == "avg")
    for name, attributes, (X,), expected in found:
        size, options = window(attributes, X.shape)
        X, expected = X.astype(np.float32), expected.astype(np.float32)
        options["mode"] = mode
        if mode == "avg":
            options["count_include_pad"] = bool(attributes.get("count_include_pad", 0))
        ceil = bool(attributes.get("ceil_mode", 0))
        results = [pooled(X, size, ceil_mode=ceil, **options)]
        if not ceil:
            results += [d2l.pool2d(X, size, method=method, **options) for method in METHODS]
        for result in results:
            if name == IN_DIGITS:
                assert (np.abs(result - expected.astype("f8")) <= (1 + 4 / 9) * 0.5e-4).all()
                continue
            verdict = compare_pool(result, expected, X, size, ceil_mode=ceil, **options)
            assert verdict.verdict in ("identical", "rounding"), (name, verdict)

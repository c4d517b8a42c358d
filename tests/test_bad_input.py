"""Bad input gets the same error and the same words in every backend."""

import importlib
import re

import numpy as np
import pytest
from chosen import demand
from frameworks import assert_same_bits

import d2lconv as dc
from d2lconv import ArgumentError, DTypeError, MixedBackendsError, ShapeError
from d2lconv.binding import bind

IMAGE = np.zeros((6, 8), np.float32)
KERNEL = np.ones((1, 2), np.float32)

# What is called, with what, the error, and what its message must say.
LAYER = np.zeros((1, 4, 8, 8), np.float32)
FORMS = r"allowed are \(h, w\) with \(kh, kw\), \(c, h, w\) with \(c, kh, kw\), and"

# Calls with channels, strides, padding, dilation, groups, and pooling.
LAYERS = {
    "padding that no computer has room for": (
        lambda d: d.corr2d(IMAGE, KERNEL, padding=10**7),
        ShapeError,
        "20000006 rows and 20000008 columns, which have no room in memory",
    ),
    "a window's padding that no computer has room for": (
        lambda d: d.pool2d(IMAGE, 10**8, padding=10**8 - 1),
        ShapeError,
        "no room in memory",
    ),
    "an image and four kernel axes": (
        lambda d: d.corr2d(IMAGE, np.ones((1, 1, 2, 2))),
        ShapeError,
        r"X has the shape \(6, 8\) and K the shape \(1, 1, 2, 2\); " + FORMS,
    ),
    "a batch and a matrix": (lambda d: d.corr2d(LAYER, KERNEL), ShapeError, FORMS),
    "five dimensions": (lambda d: d.corr2d(LAYER[None], LAYER), ShapeError, FORMS),
    "an empty batch": (
        lambda d: d.corr2d(np.zeros((0, 4, 8, 8)), np.ones((2, 4, 3, 3))),
        ShapeError,
        r"X is empty, shape \(0, 4, 8, 8\); every size must be at least 1",
    ),
    "channels that do not match": (
        lambda d: d.corr2d(LAYER, np.ones((5, 3, 3, 3))),
        ShapeError,
        r"K wants 3 channels, X has 4\. Give X 3 channels, or K the shape \(o, 4, kh, kw\)\.",
    ),
    "channels of groups that do not match": (
        lambda d: d.corr2d(LAYER, np.ones((6, 3, 3, 3)), groups=2),
        ShapeError,
        r"K wants 3 channels in each of 2 groups \(6 in all\), X has 4\. Give X 6 channels, or K "
        r"the shape \(o, 2, kh, kw\)",
    ),
    "groups that would fit": (
        lambda d: d.corr2d(LAYER, np.ones((6, 2, 3, 3))),
        ShapeError,
        "or set groups=2",
    ),
    "groups that do not divide the channels": (
        lambda d: d.corr2d(LAYER, np.ones((6, 1, 3, 3)), groups=3),
        ShapeError,
        "groups is 3, and X has 4 channels, which it does not divide",
    ),
    "groups that do not divide the outputs": (
        lambda d: d.corr2d(LAYER, np.ones((5, 2, 3, 3)), groups=2),
        ShapeError,
        "groups is 2, and K has 5 outputs, which it does not divide",
    ),
    "groups without outputs": (
        lambda d: d.corr2d(LAYER[0], np.ones((2, 3, 3)), groups=2),
        ShapeError,
        "groups is 2, and K has no axis for several outputs",
    ),
    "groups 0": (
        lambda d: d.corr2d(IMAGE, KERNEL, groups=0),
        ArgumentError,
        "groups is 0; it must",
    ),
    "padding negative": (
        lambda d: d.corr2d(IMAGE, KERNEL, padding=-1),
        ArgumentError,
        r"padding is -1; it must be an integer of at least 0, a pair \(height, width\), "
        r"\(\(top, bottom\), \(left, right\)\), 'valid' or 'same'",
    ),
    "padding too deep": (
        lambda d: d.corr2d(IMAGE, KERNEL, padding=(((1, 1), 1), 1)),
        ArgumentError,
        r"padding is \(\(\(1, 1\), 1\), 1\); it must be",
    ),
    "padding unknown": (
        lambda d: d.corr2d(IMAGE, KERNEL, padding="smae"),
        ArgumentError,
        "unknown padding 'smae'; did you mean 'same'. Allowed: valid, same",
    ),
    "stride 0": (
        lambda d: d.corr2d(IMAGE, KERNEL, stride=0),
        ArgumentError,
        r"stride is 0; it must be an integer of at least 1, or a pair \(height, width\)",
    ),
    "stride boolean": (
        lambda d: d.conv2d(IMAGE, KERNEL, stride=True),
        ArgumentError,
        "stride is T",
    ),
    "dilation not whole": (
        lambda d: d.corr2d(IMAGE, KERNEL, dilation=1.5),
        ArgumentError,
        "dilation is 1.5; it must be",
    ),
    "a kernel that dilation makes too large": (
        lambda d: d.corr2d(IMAGE, np.ones((3, 3)), dilation=4, padding=1),
        ShapeError,
        r"the kernel, shape \(3, 3\), which spans \(9, 9\) with dilation \(4, 4\), is larger than "
        r"the image, shape \(6, 8\), which is \(8, 10\) with its padding",
    ),
    "fft with a stride": (
        lambda d: d.corr2d(IMAGE, KERNEL, stride=2, method="fft"),
        ArgumentError,
        r"method 'fft' is for one image \(h, w\) and one kernel .* Allowed here: exact, rounded",
    ),
    "a pooling window that is too large": (
        lambda d: d.pool2d(IMAGE, 9),
        ShapeError,
        r"the window, shape \(9, 9\), is larger than the image, shape \(6, 8\)",
    ),
    "a pooling window of padding alone": (
        lambda d: d.pool2d(IMAGE, 2, padding=2),
        ArgumentError,
        r"padding is .*, so that a window of \(2, 2\) would lie in the padding alone \(rows\)",
    ),
    "a pooling window of size 0": (lambda d: d.pool2d(IMAGE, 0), ShapeError, "size is 0; it must"),
    "pooling of a vector": (
        lambda d: d.pool2d([1, 2], 2),
        ShapeError,
        r"X has the shape \(2,\); it must have two dimensions \(h, w\), three",
    ),
    "pooling by another mode": (
        lambda d: d.pool2d(IMAGE, 2, mode="mean"),
        ArgumentError,
        "unknown mode 'mean'.* Allowed: max, avg",
    ),
    "padding counted with max": (
        lambda d: d.pool2d(IMAGE, 2, count_include_pad=True),
        ArgumentError,
        "count_include_pad is True with mode='max'; it says what a mean is divided by",
    ),
    "padding counted in a layer of max": (
        lambda d: d.Pool2D(2, count_include_pad=True),
        ArgumentError,
        "count_include_pad is True with mode='max'",
    ),
    "a layer with channels on one side": (
        lambda d: d.Conv2D((3, 3), in_channels=3),
        ArgumentError,
        "in_channels is 3 and out_channels is None; give both, or neither",
    ),
    "a layer of one channel in groups": (
        lambda d: d.Conv2D((3, 3), groups=2),
        ArgumentError,
        "groups is 2, and the layer has one channel",
    ),
    "a layer whose groups do not divide": (
        lambda d: d.Conv2D((3, 3), in_channels=4, out_channels=5, groups=2),
        ShapeError,
        "groups is 2, and K has 5 outputs",
    ),
    "a layer with a weight of another shape": (
        lambda d: d.Conv2D((3, 3), in_channels=4, out_channels=6, weight=np.ones((6, 2, 3, 3))),
        ShapeError,
        r"weight has the shape \(6, 2, 3, 3\), \(out_channels, in_channels/groups, kh, kw\) is "
        r"\(6, 4, 3, 3\); they must be the same",
    ),
    "a layer with too many biases": (
        lambda d: d.Conv2D((3, 3), in_channels=4, out_channels=6, bias=[1, 2]),
        ShapeError,
        r"bias has the shape \(2,\); it must be one number, or of the shape \(6,\)",
    ),
    "a layer by a method for one channel": (
        lambda d: d.Conv2D((3, 3), method="fft"),
        ArgumentError,
        "unknown method 'fft'.* Allowed: exact, rounded, loop, matmul, native, auto",
    ),
    "a layer on an image of other channels": (
        lambda d: d.Conv2D((3, 3), in_channels=3, out_channels=5)(LAYER),
        ShapeError,
        "K wants 3 channels, X has 4",
    ),
}

CASES = {
    **LAYERS,
    "kernel too high": (
        lambda d: d.corr2d(IMAGE, np.ones((7, 2))),
        ShapeError,
        r"kernel, shape \(7, 2\), is larger than the image, shape \(6, 8\).*smaller kernel, or pad",
    ),
    "kernel too wide": (lambda d: d.conv2d(IMAGE, np.ones((1, 9))), ShapeError, r"\(1, 9\)"),
    "kernel too large for the loop": (
        lambda d: d.corr2d(IMAGE, np.ones((7, 9)), method="loop"),
        ShapeError,
        r"\(7, 9\)",
    ),
    "empty image": (
        lambda d: d.corr2d(np.zeros((0, 8)), KERNEL),
        ShapeError,
        r"X is empty, shape \(0, 8\)",
    ),
    "empty kernel": (
        lambda d: d.corr2d(IMAGE, np.zeros((1, 0))),
        ShapeError,
        r"K is empty, shape \(1, 0\)",
    ),
    "empty list": (lambda d: d.corr2d([[]], KERNEL), ShapeError, r"X is empty, shape \(1, 0\)"),
    "one dimension": (
        lambda d: d.corr2d([1, 2, 3], KERNEL),
        ShapeError,
        r"X has the shape \(3,\) and K the shape \(1, 2\); allowed are \(h, w\) with \(kh, kw\), "
        r"\(c, h, w\) with \(c, kh, kw\), and .* with \(o, c/groups, kh, kw\)",
    ),
    "three dimensions": (
        lambda d: d.corr2d(IMAGE, np.zeros((1, 2, 3))),
        ShapeError,
        r"K the shape \(1, 2, 3\); allowed are",
    ),
    "a scalar": (lambda d: d.conv2d(IMAGE, 3), ShapeError, r"K the shape \(\); allowed are"),
    "transpose of a vector": (lambda d: d.transpose([1, 2]), ShapeError, "t has 1 dimension"),
    "complex": (
        lambda d: d.corr2d(IMAGE.astype(complex), KERNEL),
        DTypeError,
        "X holds complex128. Allowed are float16, float32 and float64",
    ),
    "complex list": (lambda d: d.corr2d(IMAGE, [[1j, 2]]), DTypeError, "K holds complex128"),
    "text": (lambda d: d.corr2d([["a", "b"]], KERNEL), DTypeError, "X holds text"),
    "numbers as text": (lambda d: d.tensor([["1", "2"]]), DTypeError, "data holds text"),
    "bytes": (lambda d: d.tensor(b"12"), DTypeError, "data holds bytes"),
    "None": (lambda d: d.corr2d(None, KERNEL), DTypeError, "X holds NoneType"),
    "None among numbers": (lambda d: d.corr2d(IMAGE, [[1, None]]), DTypeError, "K holds NoneType"),
    "an integer beyond float64": (
        lambda d: d.tensor([10**400]),
        DTypeError,
        "data holds a number beyond the largest float64",
    ),
    "a dictionary": (lambda d: d.tensor({"a": 1}), DTypeError, "data holds dict"),
    "dates": (lambda d: d.tensor(np.array(["2026-01-01"], "M8[D]")), DTypeError, "datetime64"),
    "long double": (
        lambda d: d.tensor(np.zeros((1, 1), np.longdouble)),
        DTypeError,
        np.dtype(np.longdouble).name,
    ),
    "ragged": (
        lambda d: d.corr2d([[1, 2], [3]], KERNEL),
        ShapeError,
        "X is ragged: its rows differ in length",
    ),
    "ragged tensor": (lambda d: d.tensor([[1, 2], [3]]), ShapeError, "data is ragged"),
    "unknown dtype": (
        lambda d: d.tensor([1], "int32"),
        DTypeError,
        "dtype 'int32' is not supported. Allowed are float16, float32, float64",
    ),
    "unknown method": (
        lambda d: d.corr2d(IMAGE, KERNEL, method="exakt"),
        ArgumentError,
        "unknown method 'exakt'; did you mean 'exact'",
    ),
    "method of a wrong type": (
        lambda d: d.conv2d(IMAGE, KERNEL, method=None),
        ArgumentError,
        "unknown method None.* Allowed: exact",
    ),
    "kernel_size 0": (
        lambda d: d.Conv2D((0, 2)),
        ShapeError,
        r"kernel_size is \(0, 2\); it must be a pair \(height, width\) of integers, each at least",
    ),
    "kernel_size negative": (lambda d: d.Conv2D((1, -2)), ShapeError, r"kernel_size is \(1, -2\)"),
    "kernel_size one number": (lambda d: d.Conv2D(3), ShapeError, "kernel_size is 3"),
    "kernel_size three numbers": (lambda d: d.Conv2D((1, 2, 3)), ShapeError, "a pair"),
    "kernel_size not whole": (lambda d: d.Conv2D((1.5, 2)), ShapeError, "of integers"),
    "kernel_size boolean": (lambda d: d.Conv2D((True, 2)), ShapeError, "of integers"),
    "kernel_size text": (lambda d: d.Conv2D("12"), ShapeError, "kernel_size is '12'"),
    "kernel_size None": (lambda d: d.Conv2D(None), ShapeError, "kernel_size is None"),
    "weight of another shape": (
        lambda d: d.Conv2D((1, 2), weight=[[1, 2, 3]]),
        ShapeError,
        r"weight has the shape \(1, 3\), kernel_size is \(1, 2\)",
    ),
    "weight complex": (lambda d: d.Conv2D((1, 1), weight=[[1j]]), DTypeError, "weight holds"),
    "two biases": (
        lambda d: d.Conv2D((1, 2), bias=[1, 2]),
        ShapeError,
        r"bias has the shape \(2,\)",
    ),
    "bias text": (lambda d: d.Conv2D((1, 2), bias="x"), DTypeError, "bias holds text"),
    "seed negative": (lambda d: d.Conv2D((1, 2), seed=-1), ArgumentError, "seed is -1"),
    "seed not whole": (lambda d: d.Conv2D((1, 2), seed=0.5), ArgumentError, "seed is 0.5"),
    "layer of a vector": (
        lambda d: d.Conv2D((1, 2))([1, 2]),
        ShapeError,
        r"X has the shape \(2,\)",
    ),
    "layer of a small image": (
        lambda d: d.Conv2D((2, 2))([[1, 2]]),
        ShapeError,
        r"kernel, shape \(2, 2\), is larger than the image, shape \(1, 2\)",
    ),
    "layer of text": (lambda d: d.Conv2D((1, 2))([["a", "b"]]), DTypeError, "X holds text"),
    "lr zero": (
        lambda d: d.learn_kernel(IMAGE, IMAGE[:, 1:], (1, 2), lr=0),
        ArgumentError,
        "lr is 0; it must be a finite number greater than 0",
    ),
    **{
        f"lr {lr!r}": (
            lambda d, lr=lr: d.learn_kernel(IMAGE, IMAGE[:, 1:], (1, 2), lr=lr),
            ArgumentError,
            f"lr is {re.escape(repr(lr))}",
        )
        for lr in (-0.1, float("nan"), float("inf"), "fast", None, True)
    },
    **{
        f"epochs {epochs!r}": (
            lambda d, epochs=epochs: d.learn_kernel(IMAGE, IMAGE[:, 1:], (1, 2), epochs=epochs),
            ArgumentError,
            f"epochs is {re.escape(repr(epochs))}; it must be an integer of at least 1",
        )
        for epochs in (0, -3, 2.5, "ten", None, True)
    },
    "Y of another shape": (
        lambda d: d.learn_kernel(IMAGE, IMAGE, (1, 2)),
        ShapeError,
        r"Y has the shape \(6, 8\); a kernel of size \(1, 2\) on X of shape \(6, 8\) gives \(6, 7",
    ),
    "init of another shape": (
        lambda d: d.learn_kernel(IMAGE, IMAGE[:, 1:], (1, 2), init=[[1]]),
        ShapeError,
        r"init has the shape \(1, 1\), kernel_size is \(1, 2\)",
    ),
    "learning with a kernel too large": (
        lambda d: d.learn_kernel(IMAGE, IMAGE, (7, 7)),
        ShapeError,
        r"kernel, shape \(7, 7\), is larger",
    ),
    "learning with kernel_size 0": (
        lambda d: d.learn_kernel(IMAGE, IMAGE, (0, 1)),
        ShapeError,
        r"kernel_size is \(0, 1\)",
    ),
    "unknown layer": (
        lambda d: d.learn_kernel(IMAGE, IMAGE[:, 1:], (1, 2), layer="buildin"),
        ArgumentError,
        "unknown layer 'buildin'; did you mean 'builtin'",
    ),
    "diagonal of 0": (lambda d: d.diagonal_image(0), ArgumentError, "n is 0"),
    "diagonal of a half": (lambda d: d.diagonal_image(2.5), ArgumentError, "n is 2.5"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_the_same_error_and_words_in_every_backend(d2l, case):
    call, error, words = CASES[case]
    with pytest.raises(dc.D2LConvError, match=words) as caught:
        call(d2l)
    assert type(caught.value) is error
    with pytest.raises(error) as reference:
        call(dc.numpy)
    assert str(caught.value) == str(reference.value)


@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith("layer of")])
def test_the_neutral_api_says_the_same(backend, case):
    call, error, words = CASES[case]
    with dc.backend(backend), pytest.raises(error, match=words):
        call(dc)


NATIVE = {
    "kernel too high": ([(6, 8), (7, 2)], ShapeError, r"\(7, 2\), is larger than .*\(6, 8\)"),
    "empty image": ([(0, 8), (1, 2)], ShapeError, r"X is empty, shape \(0, 8\)"),
    "one dimension": (
        [(3,), (1, 2)],
        ShapeError,
        r"X has the shape \(3,\) and K .*; allowed",
    ),
    "three dimensions": ([(6, 8), (1, 2, 1)], ShapeError, r"K the shape \(.*\); allowed are"),
}


@pytest.mark.parametrize("case", NATIVE)
def test_native_tensors_of_bad_shapes_get_the_same_words(d2l, case):
    (image, kernel), error, words = NATIVE[case]
    with pytest.raises(error, match=words):
        d2l.corr2d(d2l.tensor(np.zeros(image)), d2l.tensor(np.zeros(kernel)))


COMPLEX = {
    "torch": lambda torch: torch.zeros((2, 2), dtype=torch.complex64),
    "tensorflow": lambda tf: tf.zeros((2, 2), tf.complex64),
    "jax.numpy": lambda jnp: jnp.zeros((2, 2), jnp.complex64),
}  # MXNet has no complex type


@pytest.mark.parametrize("module", COMPLEX)
def test_native_complex_tensors_are_refused(module):
    backend = demand({"tensorflow": "tf", "jax.numpy": "jax"}.get(module, module))
    t = COMPLEX[module](importlib.import_module(module))
    d2l = bind(backend)
    for call in (lambda: d2l.corr2d(t, KERNEL), lambda: d2l.tensor(t), lambda: dc.to_numpy(t)):
        with pytest.raises(DTypeError, match=r"holds complex64\. Allowed are float16"):
            call()


BFLOAT16 = {
    "torch": lambda torch: torch.ones((2, 2), dtype=torch.bfloat16),
    "tensorflow": lambda tf: tf.ones((2, 2), tf.bfloat16),
    "jax.numpy": lambda jnp: jnp.ones((2, 2), jnp.bfloat16),
}  # MXNet makes none on the CPU


@pytest.mark.parametrize("module", BFLOAT16)
def test_bfloat16_is_refused_with_the_reason_and_the_remedy(module):
    backend = demand({"tensorflow": "tf", "jax.numpy": "jax"}.get(module, module))
    t = BFLOAT16[module](importlib.import_module(module))
    d2l = bind(backend)
    for call in (
        lambda: d2l.corr2d(t, KERNEL),
        lambda: d2l.Conv2D((1, 2))(t),
        lambda: d2l.relu(t),
        lambda: d2l.tensor(t),
        lambda: dc.to_numpy(t),
    ):
        with pytest.raises(DTypeError, match=r"has no bfloat16: cast it to float32, and the res"):
            call()


INTEGERS = {
    "torch": lambda torch: torch.tensor([[1, 2], [3, 5]]),
    "tensorflow": lambda tf: tf.constant([[1, 2], [3, 5]]),
    "jax.numpy": lambda jnp: jnp.array([[1, 2], [3, 5]]),
    "mxnet.numpy": lambda np: np.array([[1, 2], [3, 5]], dtype="int32"),
}


@pytest.mark.parametrize("module", INTEGERS)
def test_native_integers_become_float32(module):
    backend = demand({"tensorflow": "tf"}.get(module, module.partition(".")[0]))
    d2l = bind(backend)
    t = INTEGERS[module](importlib.import_module(module))
    for result in (dc.corr2d(t, [[1, -1]]), d2l.corr2d(d2l.tensor(t), [[1, -1]])):
        assert_same_bits(dc.to_numpy(result), np.float32([[-1], [-2]]))
    assert_same_bits(dc.to_numpy(d2l.tensor(t)), np.float32([[1, 2], [3, 5]]))


def test_something_of_the_framework_that_is_no_tensor_is_refused(framework):
    d2l = bind(framework)
    layer = d2l.Conv2D((1, 2))
    for call in (
        lambda: d2l.corr2d(layer, KERNEL),
        lambda: d2l.tensor(layer),
        lambda: dc.to_numpy(layer),
    ):
        with pytest.raises(DTypeError, match=r"is a Conv2D, which is no tensor"):
            call()


def of_no_module(cls):
    raise RuntimeError("of no module")


UNHASHABLE = type("Unhashable", (type,), {"__hash__": None})
SILENT = type("Silent", (type,), {"__module__": property(of_no_module)})
ODD = {
    "no module": type("Odd", (), {"__module__": None}),
    "a number as module": type("Odd", (), {"__module__": 3}),
    "a type without a hash": UNHASHABLE("Odd", (), {}),
    "a type that raises": SILENT("Odd", (), {}),
}


@pytest.mark.parametrize("kind", ODD)
def test_objects_of_odd_types_are_told_apart_from_tensors(d2l, kind):
    value = ODD[kind]()
    for call in (
        lambda: dc.corr2d(value, KERNEL),
        lambda: d2l.corr2d(IMAGE, value),
        lambda: d2l.tensor(value),
        lambda: dc.to_numpy(value),
        lambda: d2l.Conv2D((1, 2))(value),
    ):
        with pytest.raises(DTypeError, match=r"(holds|is a) Odd\. Allowed are float16"):
            call()
    value.__class__.__array__ = lambda *_, **__: IMAGE
    assert_same_bits(dc.to_numpy(d2l.corr2d(value, KERNEL)), dc.numpy.corr2d(IMAGE, KERNEL))
    del value.__class__.__array__


@pytest.mark.together
def test_tensors_of_two_frameworks_are_not_mixed(framework):
    other = "torch" if framework != "torch" else "jax"
    demand(other)
    ours, theirs = bind(framework).tensor(IMAGE), bind(other).tensor(KERNEL)
    for call in (
        lambda: dc.corr2d(ours, theirs),
        lambda: dc.conv2d(theirs, ours),
        lambda: bind(framework).corr2d(ours, theirs),
        lambda: dc.learn_kernel(ours, theirs, (1, 2)),
    ):
        with pytest.raises(MixedBackendsError) as caught:
            call()
        message = str(caught.value)
        assert framework in message
        assert other in message
        assert "dc.to_numpy" in message
    for call in (
        lambda: bind(framework).corr2d(theirs, theirs),
        lambda: bind(framework).tensor(theirs),
        lambda: bind(framework).transpose(theirs),
        lambda: bind(framework).Conv2D((1, 2))(theirs),
    ):
        with pytest.raises(MixedBackendsError, match=other):
            call()


@pytest.mark.together
def test_converted_tensors_of_another_framework_are_welcome(framework):
    other = demand("torch" if framework != "torch" else "jax")
    theirs = bind(other).tensor(KERNEL)
    result = bind(framework).corr2d(IMAGE, dc.to_numpy(theirs))
    assert tuple(result.shape) == (6, 7)


def test_a_stride_that_is_a_tensor_of_no_integer_is_refused(d2l):
    for stride in (d2l.tensor(2.0), (1, d2l.tensor(2.0)), d2l.tensor([1.0, 2.0])):
        with pytest.raises(ArgumentError, match=r"^stride is .*; it must be an integer of at"):
            d2l.corr2d(IMAGE, KERNEL, stride=stride)
    with pytest.raises(ShapeError, match="kernel_size is"):
        d2l.im2col(IMAGE, (1, d2l.tensor(2.0)))
    with pytest.raises(ArgumentError, match="padding is"):
        d2l.corr2d(IMAGE, KERNEL, padding=d2l.tensor(2.0))

"""Layers of frameworks: described, ported into each other, and compared."""

import numpy as np
import pytest
from chosen import demand

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.parity import Description, compare_pool, describe, layers, port
from d2lconv.parity.describe import call
from d2lconv.parity.pooling import pooled

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 4, 11, 12)).astype("f4")
BACKENDS = ["numpy", "torch", "tf", "mxnet", "jax"]
OPTIONS = [
    {},
    {"stride": (2, 2), "padding": ((1, 0), (2, 1))},
    {"padding": "same"},
    {"dilation": (2, 2), "padding": ((1, 1), (2, 2))},
    {"groups": 2, "stride": (1, 2)},
    {"bias": None},
]


def convolution(**options):
    groups = options.get("groups", 1)
    weight = RNG.standard_normal((6, 4 // groups, 3, 3)).astype("f4")
    bias = RNG.standard_normal(6).astype("f4")
    return Description(
        "convolution", "torch", **{"weight": weight, "bias": bias, "size": (3, 3), **options}
    )


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", BACKENDS)
def test_a_convolution_is_ported_and_gives_the_right_results(name, options):
    demand(name)
    d = convolution(**options)
    uneven = any(before != after for before, after in d.on((11, 12)).padding)
    if name == "mxnet" and (uneven or d.padding == "same"):
        with pytest.raises(dc.ArgumentError, match="MXNet"):
            port(d, name)
        return
    made = port(d, name)
    layer, parameters = made if isinstance(made, tuple) else (made, None)
    expected = dc.numpy.corr2d(
        X, d.weight, stride=d.stride, padding=d.padding, dilation=d.dilation, groups=d.groups
    )
    if d.bias is not None:
        expected = expected + d.bias[:, None, None]
    given = {"stride": d.stride, "padding": d.padding, "dilation": d.dilation, "groups": d.groups}
    found = dc.parity.compare(
        call(layer, X, parameters), expected, X=X, K=d.weight, bias=d.bias, **given
    )
    assert found.verdict in ("identical", "rounding"), found
    again = describe(layer, parameters)
    assert again.on((11, 12)).padding == d.on((11, 12)).padding
    np.testing.assert_array_equal(again.weight, d.weight)
    np.testing.assert_array_equal(again.bias, d.bias)
    assert (again.stride, again.dilation, again.groups) == (d.stride, d.dilation, d.groups)


POOLINGS = [
    {},
    {"padding": "same", "stride": (1, 1)},
    {"padding": ((1, 1), (1, 1))},
    {"padding": ((1, 0), (0, 1)), "counted": True},
    {"padding": ((2, 2), (0, 0)), "counted": True},
    {"ceil": True, "padding": ((1, 1), (1, 1))},
    {"ceil": True, "padding": ((0, 1), (0, 1)), "counted": True},
]
REFUSED = {  # by what a framework's pooling cannot be
    "numpy": lambda d: d.ceil,
    "jax": lambda d: d.ceil,
    "tf": lambda d: d.ceil or d.padding not in ("same", ((0, 0), (0, 0))),
    "torch": lambda d: d.padding == "same" or (d.ceil and d.padding == ((0, 1), (0, 1))),
    "mxnet": lambda d: d.padding == "same" or any(a != b for a, b in d.padding),
}


@pytest.mark.parametrize("options", POOLINGS, ids=str)
@pytest.mark.parametrize("kind", ["max pooling", "mean pooling"])
@pytest.mark.parametrize("name", BACKENDS)
def test_pooling_is_ported_described_again_and_gives_the_right_results(name, kind, options):
    demand(name)
    if kind == "max pooling":
        options = {**options, "counted": False}
    d = Description(kind, "torch", **{"size": (3, 3), "stride": (2, 2), **options})
    if REFUSED[name](d):
        with pytest.raises(dc.ArgumentError, match=r"padding|ceil"):
            port(d, name)
        return
    layer = port(d, name)
    again = describe(layer)
    assert (again.kind, again.size, again.stride) == (d.kind, d.size, d.stride)
    assert again.on((11, 12)).padding == d.on((11, 12)).padding
    assert again.ceil == d.ceil
    found = layers(layer, layer, X)
    assert found.outputs.identical
    assert found.parameters == ()
    mode = "max" if kind == "max pooling" else "avg"
    true = pooled(
        X, d.size, mode=mode, stride=d.stride, padding=d.padding, ceil_mode=d.ceil,
        count_include_pad=d.counted,
    )  # fmt: skip
    right = compare_pool(
        call(layer, X), true, X, d.size, mode=mode, stride=d.stride, padding=d.padding,
        ceil_mode=d.ceil, count_include_pad=d.counted,
    )  # fmt: skip
    assert right.verdict in ("identical", "rounding"), right


@pytest.mark.parametrize("name", BACKENDS)
def test_a_dense_layer_is_ported_and_described_again(name):
    demand(name)
    d = Description(
        "dense", "torch", weight=RNG.random((3, 5), "f4"), bias=RNG.random(3, dtype="f4")
    )
    made = port(d, name)
    layer, parameters = made if isinstance(made, tuple) else (made, None)
    again = describe(layer, parameters)
    np.testing.assert_array_equal(again.weight, d.weight)
    np.testing.assert_array_equal(again.bias, d.bias)


def test_a_layer_that_pads_is_part_of_the_layer_behind_it():
    demand("torch")
    from torch import nn

    def of(*both):
        return describe(nn.Sequential(*both))

    found = of(nn.ZeroPad2d((1, 2, 3, 4)), nn.Conv2d(2, 3, 3, padding=(1, 0)))
    assert found.padding == ((4, 5), (1, 2))
    assert of(nn.ZeroPad2d(1), nn.AvgPool2d(3, count_include_pad=False)).counted
    for refused in (
        (nn.ConstantPad2d(1, 0.5), nn.Conv2d(2, 3, 3)),
        (nn.ZeroPad2d(1), nn.MaxPool2d(3)),  # its own padding is -inf
        (nn.ZeroPad2d(1), nn.AvgPool2d(3, padding=1, count_include_pad=False)),
        (nn.ZeroPad2d(1), nn.AvgPool2d(3, ceil_mode=True)),
        (nn.ZeroPad2d(1), nn.Conv2d(2, 3, 3, padding="same")),
        (nn.ZeroPad2d(1), nn.Linear(2, 3)),
    ):
        with pytest.raises(dc.ArgumentError, match=r"a layer that pads with .* is followed by"):
            of(*refused)
    for unknown in ((nn.Conv2d(2, 3, 3), nn.ReLU()), (nn.ZeroPad2d(1), nn.ReLU())):
        with pytest.raises(dc.ArgumentError, match="in a Sequential behind a ConstantPad2d"):
            of(*unknown)


def test_pooling_of_flax_is_a_function_with_its_options():
    demand("jax")
    dc.jax.tensor([1])  # which loads it
    from functools import partial

    from flax import linen as nn

    found = describe(partial(nn.avg_pool, window_shape=(2, 3), padding="SAME"))
    assert (found.kind, found.layout, found.size) == ("mean pooling", "NHWC", (2, 3))
    assert (found.stride, found.padding, found.counted) == ((1, 1), "same", True)
    for wrong in (partial(nn.max_pool, strides=(2, 2)), partial(nn.max_pool, X)):
        with pytest.raises(dc.ArgumentError, match="window_shape is needed"):
            describe(wrong)
    with pytest.raises(dc.ArgumentError, match="known there are Conv, Dense"):
        describe(partial(nn.relu))
    with pytest.raises(dc.ArgumentError, match="CIRCULAR"):
        describe(partial(nn.max_pool, window_shape=(2, 2), padding="CIRCULAR"))


@pytest.mark.parametrize(
    ("parameters", "held"),
    [
        ({"kernel": np.ones((3, 3, 4, 6), "f4")}, "kernel"),
        ({"params": {"bias": np.ones(6, "f4")}}, "bias"),
        ({"params": {"Conv_0": {}}}, "Conv_0"),
        ([1, 2], r"\[1, 2\]"),
    ],
    ids=str,
)
def test_half_of_a_flax_layers_parameters_is_refused(parameters, held):
    demand("jax")
    dc.jax.tensor([1])  # which loads it
    from flax import linen as nn

    layer = nn.Conv(6, (3, 3))
    with pytest.raises(dc.ArgumentError, match=f"parameters hold {held}; .* kernel and bias"):
        describe(layer, parameters)
    with pytest.raises(dc.ArgumentError, match="give its parameters"):
        describe(layer)


def test_a_mask_of_flax_is_refused():
    demand("jax")
    from flax import linen as nn

    parameters = {"kernel": np.ones((3, 3, 2, 6), "f4"), "bias": np.zeros(6, "f4")}
    with pytest.raises(dc.ArgumentError, match="mask is given"):
        describe(nn.Conv(6, (3, 3), mask=np.ones((3, 3, 2, 6))), {"params": parameters})


def test_layers_of_pytorch_that_take_or_give_something_else_are_refused():
    demand("torch")
    import torch

    layer = torch.nn.Conv2d(4, 1, 1)
    with pytest.raises(dc.DTypeError, match=r"holds bfloat16; .* layer\.float\(\)"):
        describe(torch.nn.Conv2d(4, 1, 1).bfloat16())
    with pytest.raises(dc.ArgumentError, match="return_indices"):
        describe(torch.nn.MaxPool2d(2, return_indices=True))
    with pytest.raises(dc.DTypeError, match="X holds float64, and the layer float32"):
        layers(layer, layer, X.astype("f8"))


def test_what_has_no_numbers_is_refused():
    demand("torch")
    import torch

    with pytest.raises(dc.ArgumentError, match="device 'meta'"):
        describe(torch.nn.Conv2d(1, 1, 3, device="meta"))
    for name in ("actual", "X", "K"):
        of = dict.fromkeys(("actual", "X", "K"), np.ones((1, 1)))
        of[name] = torch.ones(1, 1, device="meta")
        with pytest.raises(dc.D2LConvError, match="has no values here"):
            dc.parity.compare(of.pop("actual"), np.ones((1, 1)), **of)


@pytest.mark.together
def test_a_layer_and_its_port_are_the_same_but_for_rounding():
    for name in ("torch", "tf", "jax"):
        demand(name)
    import torch

    layer = torch.nn.Conv2d(4, 6, 3, stride=2)
    for name in ("tf", "jax"):
        report = layers(layer, port(layer, name), X)
        assert report.verdict in ("identical", "rounding"), report
        assert report.parameters == ()
        assert all(found.identical for found in report.weights.values())
    dense = torch.nn.Linear(5, 3)
    rows = RNG.standard_normal((7, 5)).astype("f4")
    for name in ("tf", "jax"):
        assert layers(dense, port(dense, name), rows).verdict in ("identical", "rounding")


@pytest.mark.together
def test_padding_same_of_keras_is_not_padding_1_of_pytorch():
    """keras#19291."""
    for name in ("torch", "tf"):
        demand(name)
    import keras
    import torch

    torch_layer = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1)
    keras_layer = keras.layers.Conv2D(6, 3, strides=2, padding="same")
    with pytest.raises(dc.ArgumentError, match="no weights yet"):
        describe(keras_layer)
    keras_layer.build((None, None, None, 4))
    d = describe(torch_layer)
    keras_layer.set_weights([d.weight.transpose(2, 3, 1, 0), d.bias])
    even = RNG.standard_normal((1, 4, 12, 12)).astype("f4")
    report = layers(keras_layer, torch_layer, even)
    assert report.verdict == "bug"
    assert report.parameters == (
        "padding: a has 'same', which is ((0, 1), (0, 1)) at 12x12, b has ((1, 1), (1, 1))",
    )
    assert report.outputs.cause == "SAME's padding, ((0, 1), (0, 1))"
    odd = RNG.standard_normal((1, 4, 13, 13)).astype("f4")
    assert layers(keras_layer, torch_layer, odd).verdict in ("identical", "rounding")
    keras_layer.set_weights([d.weight[..., ::-1, ::-1].transpose(2, 3, 1, 0), d.bias])
    report = layers(keras_layer, torch_layer, odd)
    assert report.weights["weight"].verdict == "bug"
    assert report.outputs.cause == "a kernel flipped in both axes"
    assert "weight: bug" in str(report)


@pytest.mark.together
def test_depthwise_kernels_and_pooling_of_keras():
    for name in ("torch", "tf"):
        demand(name)
    import keras
    import torch

    layer = keras.layers.DepthwiseConv2D(3, depth_multiplier=2)
    layer.build((None, None, None, 4))
    report = layers(layer, port(layer, "torch"), X)
    assert report.verdict in ("identical", "rounding"), report
    assert describe(layer).groups == 4
    mean = torch.nn.AvgPool2d(3, 2, padding=1)
    report = layers(keras.layers.AveragePooling2D(3, 2, padding="same"), mean, X[..., :11])
    assert any(words.startswith("counted") for words in report.parameters)
    assert report.outputs.verdict == "bug"
    assert "padding not counted" in report.outputs.causes
    greatest = torch.nn.MaxPool2d(2)
    assert layers(greatest, port(greatest, "tf"), X).outputs.verdict == "identical"


@pytest.mark.parametrize("what", ["activation", "lazy", "mode", "foreign", "unknown", "kinds"])
@pytest.mark.together
def test_layers_that_cannot_be_described_are_refused(what):
    for name in ("torch", "tf"):
        demand(name)
    import keras
    import torch

    made = {
        "activation": (lambda: keras.layers.Dense(2, activation="relu"), "an activation"),
        "lazy": (lambda: torch.nn.LazyConv2d(3, 3), "lazy"),
        "mode": (lambda: torch.nn.Conv2d(1, 1, 3, padding_mode="circular"), "padding_mode"),
        "foreign": (lambda: object(), "belongs to no framework"),
        "unknown": (lambda: torch.nn.ReLU(), "known there are Conv2d, Linear"),
    }
    if what == "kinds":
        with pytest.raises(dc.ArgumentError, match="layers of one kind"):
            layers(torch.nn.MaxPool2d(2), torch.nn.Conv2d(4, 1, 1), X)
        return
    make, words = made[what]
    with pytest.raises(dc.ArgumentError, match=words):
        dc.describe(make())


@pytest.mark.parametrize("name", BACKENDS)
def test_our_own_layers_are_described_ported_and_called(name):
    demand(name)
    ours = getattr(dc, name)
    rng = np.random.default_rng(1)
    options = {"stride": 2, "padding": 1, "dilation": (1, 2), "groups": 2}
    layer = ours.Conv2D((3, 2), in_channels=4, out_channels=6, bias=rng.random(6), **options)
    found = describe(layer)
    assert (found.backend, found.kind, found.layout) == (name, "convolution", "NCHW")
    assert (found.stride, found.padding) == ((2, 2), ((1, 1), (1, 1)))
    assert (found.dilation, found.groups, found.size) == ((1, 2), 2, (3, 2))
    report = layers(layer, port(layer, "numpy"), X)
    assert report.outputs.verdict == "identical", report
    assert report.verdict == "identical"
    if name == "tf":
        with pytest.raises(dc.ArgumentError, match="one of them alone"):
            port(layer, name)
        options |= {"dilation": 1, "padding": 0}  # which Keras has in one layer
        layer = ours.Conv2D((3, 2), in_channels=4, out_channels=6, **options)
    own = layers(layer, port(layer, name), X)  # the framework's own, in the other order of sums
    assert own.verdict in ("identical", "rounding"), own

    single = ours.Conv2D((1, 2), weight=[[1.0, -1.0]], bias=False)
    assert describe(single).weight.shape == (1, 1, 1, 2)
    assert describe(single).bias is None
    np.testing.assert_array_equal(call(single, X[:, :1]), X[:, :1, :, :-1] - X[:, :1, :, 1:])
    with pytest.raises(dc.ShapeError, match="one channel"):
        call(single, X)

    mean = ours.Pool2D((2, 3), mode="avg", padding=1, count_include_pad=True)
    assert describe(mean).counted
    assert describe(mean).stride == (2, 3)
    assert layers(mean, port(mean, "numpy"), X).verdict == "identical"
    report = layers(mean, ours.Pool2D((2, 3), mode="avg", padding=1), X)
    assert report.verdict == "bug"
    assert report.parameters == ("counted: a has True, b has False",)


@pytest.mark.parametrize("name", BACKENDS)
def test_dense_layers_of_a_lenet_are_described_and_called(name):
    demand(name)
    rows = np.random.default_rng(2).standard_normal((3, 5)).astype("f4")
    weight = np.arange(10, dtype="f4").reshape(2, 5)
    d = Description("dense", "numpy", weight=weight, bias=np.float32([1, -1]))
    made = {
        "numpy": lambda: port(d, "numpy"),
        "torch": lambda: _filled("torch", 5, 2, d),
        "tf": lambda: _filled("tf", (2, 5), None, d),
        "mxnet": lambda: _filled("mxnet", (2, 5), None, d),
        "jax": lambda: _of("jax")(lambda key: weight, lambda key: d.bias),
    }[name]()
    report = layers(made, port(d, "numpy"), rows)
    assert report.verdict == "identical", report
    assert report.a.backend == name


def _of(name):
    from importlib import import_module

    return import_module(f"d2lconv_{name}.networks").Dense


def _filled(name, first, second, d):
    layer = _of(name)(first) if second is None else _of(name)(first, second)
    ours = getattr(dc, name)
    if name == "torch":
        layer.weight.data, layer.bias.data = ours.tensor(d.weight), ours.tensor(d.bias)
    elif name == "tf":
        layer.set_weights([d.weight, d.bias])
    else:
        layer.weight.set_data(ours.tensor(d.weight))
        layer.bias.set_data(ours.tensor(d.bias))
    return layer


def test_gluons_own_layers_tell_their_options():
    demand("mxnet")
    dc.mxnet.tensor([1])  # which loads it
    from mxnet.gluon import nn

    layer = nn.Conv2D(6, (3, 2), (2, 1), (1, 0), dilation=(1, 2), groups=2)
    layer.initialize()
    with pytest.raises(dc.ArgumentError, match="no weights yet"):
        describe(layer)
    call(layer, X)
    found = describe(layer)
    assert (found.size, found.stride, found.dilation) == ((3, 2), (2, 1), (1, 2))
    assert (found.padding, found.groups) == (((1, 1), (0, 0)), 2)
    assert found.weight.shape == (6, 2, 3, 2)
    assert layers(layer, port(layer, "mxnet"), X).verdict in ("identical", "rounding")
    assert layers(layer, port(layer, "numpy"), X).verdict in ("identical", "rounding")
    mean = nn.AvgPool2D(3, 2, 1)
    assert describe(mean).counted
    assert not describe(nn.AvgPool2D(3, count_include_pad=False)).counted
    assert describe(nn.MaxPool2D(2, ceil_mode=True)).ceil
    report = layers(mean, port(mean, "numpy"), X)
    assert report.verdict in ("identical", "rounding"), report
    dense = nn.Dense(3, in_units=5)
    dense.initialize()
    assert describe(dense).weight.shape == (3, 5)
    with pytest.raises(dc.ArgumentError, match="an activation"):
        describe(nn.Conv2D(2, 3, activation="relu"))
    with pytest.raises(dc.ArgumentError, match="layout is 'NHWC'"):
        describe(nn.Conv2D(2, 3, in_channels=2, layout="NHWC"))
    with pytest.raises(dc.ArgumentError, match="known there are Conv2D"):
        describe(nn.BatchNorm())


def test_what_a_backend_cannot_make_is_refused():
    d = Description("max pooling", "torch", size=(2, 2), stride=(2, 2), ceil=True)
    with pytest.raises(dc.ArgumentError, match="rounds the output's size down"):
        port(d, "numpy")
    with pytest.raises(dc.ArgumentError, match="has a bias"):
        port(Description("dense", "torch", weight=np.ones((2, 3), "f4")), "numpy")


def subclass(framework, **own):
    """A convolution of a class of a user's, and its parameters."""
    if framework == "numpy":
        return type("Mine", (dc.numpy.Conv2D,), own)((3, 3)), None
    if framework == "torch":
        import torch

        return type("Mine", (torch.nn.Conv2d,), own)(1, 2, 3), None
    if framework == "tf":
        import keras

        layer = type("Mine", (keras.layers.Conv2D,), own)(2, 3)
        layer.build((None, None, None, 1))
        return layer, None
    if framework == "mxnet":
        bind("mxnet")  # which gives it a NumPy that it works with
        from mxnet.gluon import nn

        layer = type("Mine", (nn.Conv2D,), own)(2, 3, in_channels=1)
        layer.initialize()
        return layer, None
    from flax import linen

    layer = type("Mine", (linen.Conv,), {"__annotations__": {}, **own})(2, (3, 3))
    return layer, {"kernel": np.ones((3, 3, 1, 2), "f4"), "bias": np.zeros(2, "f4")}


METHODS = {
    "numpy": "__call__",
    "torch": "forward",
    "tf": "call",
    "mxnet": "hybrid_forward",
    "jax": "__call__",
}


@pytest.mark.parametrize("name", BACKENDS)
def test_a_subclass_is_described_unless_it_computes_something_of_its_own(name):
    """Its port would compute something else, without a word."""
    demand(name)
    same, parameters = subclass(name, purpose="none")
    assert describe(same, parameters).kind == "convolution"
    other, parameters = subclass(name, **{METHODS[name]: lambda self, *args, **kwargs: 0})
    for refused in (describe, lambda layer, held: port(layer, "numpy", held)):
        with pytest.raises(dc.ArgumentError, match=r"^Mine, a class of your own, has a '"):
            refused(other, parameters)


def test_layers_of_pytorch_that_would_be_misread_are_refused():
    demand("torch")
    import torch

    replaced = torch.nn.Conv2d(4, 6, 3)
    replaced.forward = lambda X: X
    with pytest.raises(dc.ArgumentError, match=r"^the layer itself has a 'forward' of its own"):
        describe(replaced)
    with pytest.raises(dc.ArgumentError, match="return_indices is given"):
        describe(torch.nn.MaxPool2d(2, return_indices=True))
    layer = torch.nn.Conv2d(4, 6, 3)
    with pytest.raises(dc.DTypeError, match="described are float16, float32, float64"):
        describe(layer.bfloat16())
    with pytest.raises(dc.DTypeError, match="X holds float32, and the layer float64"):
        layers(layer.double(), layer, X)

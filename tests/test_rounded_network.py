"""The pieces of a network: every framework has the bits of the NumPy code, and that is true.

What that code gives is the true value, rounded once: ``test_rounding_network.py``,
``test_rounding_functions.py`` and ``test_rounding_cross_entropy.py`` show it. There is only one.
"""

from functools import partial

import numpy as np
import pytest
from chosen import demand
from frameworks import assert_same_bits, vjp
from geometries import DTYPES, values

from d2lconv.binding import bind
from d2lconv.core import contract, reference, registry
from d2lconv.core.geometry import form, pooling
from d2lconv.core.options import settings
from d2lconv.errors import ArgumentError, DTypeError, MixedBackendsError, ShapeError
from d2lconv.rounding import convolution, functions, network

KINDS = ("normal", "range", "ties", "special", "least")
WINDOWS = {  # the size, stride and padding; whether padding counts
    "apart": (2, 2, 0, False),
    "overlapping": (3, 2, 1, False),
    "each": ((2, 3), 1, ((1, 0), (1, 1)), True),
}
LABELS = np.array([2, 0, 1, 2, 2])
IMAGES = (2, 3, 7, 6)
OPTIONS = {"stride": 2, "padding": 1}


def draw(rng, shape, dtype, kind):
    """Numbers of a kind; ties are of few bits, and the least ones subnormal."""
    if kind == "least":
        return (rng.integers(-9, 9, shape) * np.finfo(dtype).smallest_subnormal).astype(dtype)
    if kind == "ties":
        small = 2.0 ** -(np.finfo(dtype).nmant + 1)
        return rng.choice([1.0, -1.0, small, 1 + small * 2], shape).astype(dtype)
    return values(rng, shape, dtype, kind)


def of_windows(name, X):
    """The geometry of a pooling, and by what its windows' sums are divided."""
    size, stride, padding, counted = WINDOWS[name]
    chosen, sides, _, _ = settings(stride, padding)
    size = (size, size) if isinstance(size, int) else size
    geometry, _ = pooling(X.shape, size, chosen, sides)
    return geometry, contract.counts(geometry, counted)


def pool_arguments(name, mode):
    size, stride, padding, counted = WINDOWS[name]
    options = {"mode": mode, "stride": stride, "padding": padding, "method": "rounded"}
    return size, {**options, "count_include_pad": counted} if mode == "avg" else options


def of_layer(d2l, K, b):
    shape = {"in_channels": 3, "out_channels": 4, **OPTIONS, "method": "rounded"}
    return d2l.Conv2D((3, 3), weight=K, bias=b, **shape)


class Piece:
    """A piece: the shapes of what it takes, how it is called, and what NumPy's code says."""

    def __init__(self, shapes, call, forward, gradients):
        self.shapes, self.call, self.forward, self.gradients = shapes, call, forward, gradients

    def draw(self, dtype, kind, seed=0):
        """The operands, and a gradient at the output."""
        rng = np.random.default_rng(seed)
        given = [draw(rng, shape, dtype, kind) for shape in self.shapes]
        return given, draw(rng, self.forward(*given).shape, dtype, kind)


def loss_gradient(x, g):
    return (network.softmax_cross_entropy_gradient(x, LABELS, g),)


def elementwise(name):
    gradient = getattr(functions, f"{name}_gradient")
    return Piece(
        [(5, 7)],
        lambda d2l, x: getattr(d2l, name)(x),
        getattr(functions, name),
        lambda x, g: (gradient(x, g),),
    )


def mean_over(name):
    size, options = pool_arguments(name, "avg")

    def gradient(X, G):
        geometry, counts = of_windows(name, X)
        return (network.avg_pool_gradient(G, counts, geometry),)

    def forward(X):
        geometry, counts = of_windows(name, X)
        return network.avg_pool(X, counts, geometry)

    return Piece([IMAGES], lambda d2l, X: d2l.pool2d(X, size, **options), forward, gradient)


def maximum_over(name):
    size, options = pool_arguments(name, "max")
    return Piece(
        [IMAGES],
        lambda d2l, X: d2l.pool2d(X, size, **options),
        lambda X: contract.max_pool(X, of_windows(name, X)[0])[0],
        lambda X, G: (network.max_pool_gradient(X, G, of_windows(name, X)[0]),),
    )


PIECES = {
    "dense": Piece(
        [(5, 9), (4, 9)],
        lambda d2l, X, W: d2l.dense(X, W),
        network.dense,
        lambda X, W, G: network.dense_gradients(X, W, G)[:2],
    ),
    "dense with a bias": Piece(
        [(5, 9), (4, 9), (4,)],
        lambda d2l, X, W, b: d2l.dense(X, W, b),
        network.dense,
        lambda X, W, b, G: network.dense_gradients(X, W, G),
    ),
    **{name: elementwise(name) for name in ("sigmoid", "tanh", "relu")},
    **{f"mean {name}": mean_over(name) for name in WINDOWS},
    **{f"maximum {name}": maximum_over(name) for name in WINDOWS},
    "cross_entropy": Piece(
        [(5, 3)],
        lambda d2l, x: d2l.cross_entropy(x, LABELS),
        lambda x: network.mean(network.softmax_cross_entropy(x, LABELS)),
        loss_gradient,
    ),
}


@pytest.fixture(params=PIECES)
def name(request):
    return request.param


def expect_flushed(request, framework, name, kind, dtype="float32", gradient=False):
    """Whether the framework takes subnormal numbers for zeros here, and finds another maximum.

    A maximum is the framework's, and so is its gradient where no element is in two windows.
    """
    compared = name == "maximum apart" or (name.startswith("maximum") and not gradient)
    if compared and kind == "least" and framework in ("tf", "jax") and dtype != "float16":
        reason = "a maximum is the framework's, which takes subnormal numbers for zeros"
        request.applymarker(pytest.mark.xfail(strict=True, raises=AssertionError, reason=reason))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_value_is_that_of_the_reference(request, d2l, name, dtype, kind):
    expect_flushed(request, d2l.name, name, kind, dtype)
    piece = PIECES[name]
    given, _ = piece.draw(dtype, kind)
    expected = piece.forward(*given)
    assert_same_bits(d2l.to_numpy(piece.call(d2l, *map(d2l.tensor, given))), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_gradient_is_that_of_the_reference(request, framework, name, dtype, kind):
    expect_flushed(request, framework, name, kind, dtype, gradient=True)
    d2l, piece = bind(framework), PIECES[name]
    given, G = piece.draw(dtype, kind, seed=1)
    _, found = vjp(framework, partial(piece.call, d2l), list(map(d2l.tensor, given)), d2l.tensor(G))
    for actual, expected in zip(found, piece.gradients(*given, G), strict=True):
        assert_same_bits(d2l.to_numpy(actual), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["normal", "ties", "least"])
def test_a_layers_bias_is_rounded_with_its_sum_and_so_is_the_biass_gradient(d2l, dtype, kind):
    rng = np.random.default_rng(2)
    X, K, b = (draw(rng, shape, dtype, kind) for shape in (IMAGES, (4, 3, 3, 3), (4,)))
    geometry = form(X.shape, K.shape, *settings(**OPTIONS)).geometry
    layer = of_layer(d2l, K, b)
    expected = convolution.corr2d(X, K, geometry, bias=b).values
    assert_same_bits(d2l.to_numpy(layer(d2l.tensor(X))), expected)
    G = draw(rng, expected.shape, dtype, kind)
    found = registry.load(d2l.name).layers.gradients(layer, d2l.tensor(X), d2l.tensor(G))
    wanted = {
        "image": convolution.image_gradient(K, G, geometry).values,
        "weight": convolution.kernel_gradient(X, G, geometry).values,
        "bias": network.sums(G.swapaxes(0, 1).reshape(4, -1)),
    }
    for part, gradient in wanted.items():
        assert_same_bits(d2l.to_numpy(found[part]), gradient, part)


def test_a_bias_added_afterwards_would_round_twice(d2l):
    """1 + 2**-24 is 1, and so is that plus 2**-24; but the whole is 1 + 2**-23."""
    options = {"bias": 2.0**-24, "weight": [[1, 1]]}
    X = d2l.tensor([[1, 2.0**-24]])
    assert d2l.to_numpy(d2l.Conv2D((1, 2), **options)(X))[0, 0] == 1
    whole = d2l.to_numpy(d2l.Conv2D((1, 2), method="rounded", **options)(X))
    assert whole[0, 0] == 1 + 2.0**-23
    summed = d2l.dense([[1, 2.0**-24]], [[1, 1]], [2.0**-24])
    assert d2l.to_numpy(summed)[0, 0] == 1 + 2.0**-23


@pytest.mark.parametrize("mode", ["max", "avg"])
def test_a_pooling_layer_takes_the_method(d2l, mode):
    X = np.random.default_rng(3).standard_normal(IMAGES, dtype=np.float32)
    pool = d2l.Pool2D(2, mode=mode, method="rounded")
    expected = bind("numpy").pool2d(X, 2, stride=2, mode=mode, method="rounded")
    assert_same_bits(d2l.to_numpy(pool(d2l.tensor(X))), expected)
    assert "rounded" in repr(pool) or d2l.name == "tf"


def test_labels_may_be_lists_or_integers_of_any_kind(d2l):
    given, _ = PIECES["cross_entropy"].draw("float32", "normal")
    expected = PIECES["cross_entropy"].forward(*given)
    native = registry.load(d2l.name).tensors.integers(LABELS)
    for labels in (LABELS.tolist(), LABELS.astype(np.uint8), LABELS, native):
        assert_same_bits(d2l.to_numpy(d2l.cross_entropy(d2l.tensor(given[0]), labels)), expected)


def test_operands_of_two_types_are_taken_in_the_wider_one(d2l):
    X, W = d2l.tensor([[1, 2]], "float16"), d2l.tensor([[3, 4]], "float32")
    assert d2l.to_numpy(d2l.dense(X, W)).dtype == np.float32
    assert d2l.to_numpy(d2l.relu([[True, False]])).dtype == np.float32


BAD = [
    (lambda d: d.dense([1, 2], [[1, 2]]), ShapeError, r"X has the shape \(2,\) and W .*\(n, i\)"),
    (lambda d: d.dense([[1, 2]], [[1]]), ShapeError, r"\(1, 2\) and W the shape \(1, 1\)"),
    (lambda d: d.dense([[1]], [[1]], [1, 2]), ShapeError, r"and b the shape \(2,\)"),
    (lambda d: d.dense(np.ones((0, 2)), [[1, 2]]), ShapeError, r"X is empty, shape \(0, 2\)"),
    (lambda d: d.dense(np.ones((1, 0)), np.ones((1, 0))), ShapeError, "X is empty"),
    (lambda d: d.dense([[1]], [[1]], method="exact"), ArgumentError, "Allowed: rounded"),
    (lambda d: d.dense([[1j]], [[1]]), DTypeError, "X holds complex"),
    (lambda d: d.sigmoid("1"), DTypeError, "X holds text"),
    (lambda d: d.cross_entropy([1, 2], [0]), ShapeError, r"logits has the shape \(2,\) .*\(n, k\)"),
    (lambda d: d.cross_entropy([[1, 2]], [0, 1]), ShapeError, r"and labels the shape \(2,\)"),
    (lambda d: d.cross_entropy(np.ones((0, 2)), np.ones(0, int)), ShapeError, "logits is empty"),
    (lambda d: d.cross_entropy([[1, 2]], [2]), ArgumentError, "a label is 2; .* from 0 to 1"),
    (lambda d: d.cross_entropy([[1, 2]], [-1]), ArgumentError, "a label is -1; .* from 0 to 1"),
    (lambda d: d.cross_entropy([[1, 2]], [1.0]), DTypeError, "labels holds float64.*integers"),
    (lambda d: d.cross_entropy([[1, 2]], [True]), DTypeError, "labels holds bool"),
    (lambda d: d.cross_entropy([[1, 2]], [2**40]), DTypeError, "in 32 bits"),
    (lambda d: d.cross_entropy([[1, 2]], d.tensor([1])), DTypeError, "labels holds float32"),
    (lambda d: d.pool2d([[1, 2]], 1, method="native"), ArgumentError, "Allowed: exact, rounded"),
    (lambda d: d.Pool2D(1, method="fft"), ArgumentError, "Allowed: exact, rounded"),
]


@pytest.mark.parametrize(("call", "error", "words"), BAD, ids=[words for *_, words in BAD])
def test_what_cannot_be_is_the_same_error_everywhere(d2l, call, error, words):
    with pytest.raises(error, match=words):
        call(d2l)


@pytest.mark.together
def test_labels_of_another_framework_are_refused(framework):
    other = "jax" if framework == "torch" else "torch"
    labels = registry.load(demand(other)).tensors.integers(LABELS)
    d2l = bind(framework)
    with pytest.raises(MixedBackendsError):
        d2l.cross_entropy(d2l.tensor(np.ones((5, 3))), labels)


def case(framework, name, kind="ties"):
    """A piece that is called with native operands, these, a gradient, and what it should give."""
    d2l, piece = bind(demand(framework)), PIECES[name]
    given, G = piece.draw("float32", kind, seed=4)
    expected = piece.gradients(*given, G)
    call = partial(piece.call, d2l)
    if name == "cross_entropy":
        labels = registry.load(framework).tensors.integers(LABELS)
        call = partial(d2l.cross_entropy, labels=labels)
    return call, list(map(d2l.tensor, given)), d2l.tensor(G), piece.forward(*given), expected


@pytest.mark.parametrize("kind", ["ties", "least"])
def test_under_jax_jit_grad_and_vmap(request, name, kind):
    """Callbacks run where subnormal numbers are flushed, and find them all the same."""
    demand("jax")
    import jax

    expect_flushed(request, "jax", name, kind)
    call, given, G, Y, expected = case("jax", name, kind)

    @jax.jit
    def both(G, *given):
        value, pull = jax.vjp(call, *given)
        return value, pull(G)

    value, found = both(G, *given)
    assert_same_bits(np.asarray(value), Y)
    for actual, wanted in zip(found, expected, strict=True):
        assert_same_bits(np.asarray(actual), wanted)
    twice = [np.stack([t, t]) for t in given]
    mapped = np.asarray(jax.vmap(call)(*map(bind("jax").tensor, twice)))
    assert_same_bits(mapped, np.stack([Y, Y]))


@pytest.mark.parametrize("kind", ["ties", "least"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "any batch"])
def test_in_a_tensorflow_graph(request, name, known, kind):
    demand("tf")
    import tensorflow as tf

    expect_flushed(request, "tf", name, kind)
    call, given, G, Y, expected = case("tf", name, kind)
    if not known and name.startswith(("dense", "mean")):
        given, specs = given, [tf.TensorSpec((None, *given[0].shape[1:]))]
        specs += [tf.TensorSpec(t.shape) for t in given[1:]]
    else:
        specs = [tf.TensorSpec(t.shape) for t in given]

    @tf.function(input_signature=[tf.TensorSpec(G.shape), *specs])
    def both(G, *given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            value = call(*given)
        return value, tape.gradient(value, given, output_gradients=G)

    value, found = both(G, *given)
    assert_same_bits(value.numpy(), Y)
    for actual, wanted in zip(found, expected, strict=True):
        assert_same_bits(actual.numpy(), wanted)


def test_labels_may_be_traced(framework):
    """A program gets them when it runs."""
    if framework == "mxnet":
        pytest.skip("MXNet traces no function of ours")
    _, (x,), _, Y, _ = case(framework, "cross_entropy")
    d2l, labels = bind(framework), registry.load(framework).tensors.integers(LABELS)
    if framework == "jax":
        import jax

        value, slope = jax.jit(jax.value_and_grad(d2l.cross_entropy))(x, labels)
        mapped = jax.vmap(lambda x, label: d2l.cross_entropy(x[None], label[None]))(x, labels)
    elif framework == "torch":
        import torch

        slope, value = torch.func.grad_and_value(d2l.cross_entropy)(x, labels)
        mapped = torch.vmap(lambda x, label: d2l.cross_entropy(x[None], label[None]))(x, labels)
    else:
        import tensorflow as tf

        def both(x, labels):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = d2l.cross_entropy(x, labels)
            return loss, tape.gradient(loss, x)

        any_batch = tf.TensorSpec((None, 3)), tf.TensorSpec((None,), tf.int32)
        program = tf.function(both, input_signature=any_batch)
        value, slope = program(x, labels)
        mapped = [program(x[i : i + 1], labels[i : i + 1])[0] for i in range(5)]
    g = np.float32(1)
    assert_same_bits(d2l.to_numpy(value), Y)
    assert_same_bits(d2l.to_numpy(slope), loss_gradient(d2l.to_numpy(x), g)[0])
    each = network.softmax_cross_entropy(d2l.to_numpy(x), LABELS)
    assert_same_bits(np.stack([d2l.to_numpy(t) for t in mapped]), each)


def test_xla_in_tensorflow_is_told_what_to_do():
    d2l = bind(demand("tf"))
    import tensorflow as tf

    X = tf.ones((1, 2))
    calls = (lambda: d2l.sigmoid(X), lambda: d2l.corr2d(X, X, method="rounded"))
    for call in calls:
        with pytest.raises(ArgumentError, match="without jit_compile=True"):
            tf.function(call, jit_compile=True)()
        inner = tf.function(call)
        with pytest.raises(ArgumentError, match="without jit_compile=True"):
            tf.function(lambda inner=inner: inner(), jit_compile=True)()


def test_keras_does_not_compile_by_xla_what_is_rounded():
    """Without being told, Keras would, and the callback could not be called."""
    d2l = bind(demand("tf"))
    import keras

    options = {"in_channels": 1, "out_channels": 2, "method": "rounded"}
    pool = d2l.Pool2D(2, mode="avg", method="rounded")
    net = keras.Sequential([d2l.Conv2D((3, 3), **options), pool, keras.layers.Flatten()])
    net.compile("sgd", "mse")
    X = np.ones((2, 1, 6, 6), np.float32)
    net.fit(X, np.ones((2, 8), np.float32), verbose=0)
    assert not net.jit_compile


@pytest.mark.parametrize("compiler", ["eager", "aot_eager"])
def test_under_torch_compile(name, compiler):
    demand("torch")
    import torch

    call, given, G, Y, expected = case("torch", name)
    program = torch.compile(lambda *t: call(*(x * 1 for x in t)), backend=compiler, fullgraph=True)
    leaves = [t.requires_grad_() for t in given]
    value = program(*leaves)
    assert_same_bits(value.detach().numpy(), Y)
    for actual, wanted in zip(torch.autograd.grad(value, leaves, G), expected, strict=True):
        assert_same_bits(actual.numpy(), wanted)
    torch.compiler.reset()


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit.*deprecated:DeprecationWarning")
def test_a_network_that_torch_compiles_has_the_bits_of_one_that_it_does_not():
    """With what its compiler may fuse around the calls."""
    d2l = bind(demand("torch"))
    import torch

    rng = np.random.default_rng(10)
    leaves = [d2l.tensor(draw(rng, s, "float32", "normal")) for s in ((5, 9), (4, 9), (4,), (3, 4))]
    labels = torch.tensor(LABELS)

    def loss(X, W, b, V):
        hidden = d2l.sigmoid(d2l.dense(X * 2, W, b)) / 2
        return d2l.cross_entropy(d2l.dense(hidden, V) + 1, labels) * 3

    def both(function):
        given = [t.clone().requires_grad_() for t in leaves]
        value = function(*given)
        return [value, *torch.autograd.grad(value, given)]

    pairs = zip(both(torch.compile(loss, fullgraph=True)), both(loss), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    torch.compiler.reset()


def test_torch_tells_the_shapes_of_tensors_without_values(name):
    """The device "meta" has shapes alone: networks are measured on it before they are made."""
    call, given, _, Y, _ = case("torch", name)
    if name == "cross_entropy":
        call = partial(bind("torch").cross_entropy, labels=call.keywords["labels"].to("meta"))
    found = call(*(t.to("meta") for t in given))
    assert found.is_meta
    assert tuple(found.shape) == Y.shape


def test_under_torch_func(name):
    demand("torch")
    import torch

    call, given, G, Y, expected = case("torch", name)
    value, pull = torch.func.vjp(call, *given)
    assert_same_bits(value.numpy(), Y)
    for actual, wanted in zip(pull(G), expected, strict=True):
        assert_same_bits(actual.numpy(), wanted)
    mapped = torch.vmap(call)(*(torch.stack([t, t]) for t in given))
    assert_same_bits(mapped.numpy(), np.stack([Y, Y]))


def jvp(framework, call, given, tangents):
    """The derivative along tangents, by the framework's forward mode."""
    if framework == "torch":
        import torch

        return torch.func.jvp(call, tuple(given), tuple(tangents))[1]
    if framework == "jax":
        import jax

        return jax.jvp(call, tuple(given), tuple(tangents))[1]
    import tensorflow as tf

    with tf.autodiff.ForwardAccumulator(given, tangents) as accumulator:
        Y = call(*given)
    return accumulator.jvp(Y)


def test_forward_mode(framework, name):
    """Of what is linear in one operand: the piece itself, or its gradient, along the tangent."""
    if framework == "mxnet":
        pytest.skip("MXNet has no forward mode")
    call, given, _, _, _ = case(framework, name)
    d2l, piece = bind(framework), PIECES[name]
    rng = np.random.default_rng(5)
    tangents = [values(rng, shape, "float32") for shape in piece.shapes]
    x = [np.asarray(d2l.to_numpy(t)) for t in given]
    if name.startswith("dense"):
        a, b = network.dense(tangents[0], x[1]), network.dense(x[0], tangents[1])
        expected = a + b + tangents[2] if len(tangents) == 3 else a + b
    elif name.startswith("mean"):
        expected = piece.forward(*tangents)
    elif name.startswith("maximum"):
        _, taken = contract.max_pool(x[0], of_windows(name.split()[1], x[0])[0])
        (top, _), (left, _) = of_windows(name.split()[1], x[0])[0].padding
        expected = np.empty(piece.forward(*x).shape, np.float32)
        for place, (n, c, h, w) in taken.items():
            expected[place] = tangents[0][n, c, h - top, w - left]
    elif name == "cross_entropy":
        gradient = network.softmax_cross_entropy_gradient(x[0], LABELS)
        expected = network.dense(gradient.reshape(1, -1), tangents[0].reshape(1, -1)).reshape(())
    else:
        (expected,) = piece.gradients(x[0], tangents[0])
    found = d2l.to_numpy(jvp(framework, call, given, list(map(d2l.tensor, tangents))))
    if (framework, name) == ("tf", "dense with a bias"):  # adds the three in its own order
        c = tangents[2]
        for other in (a + (b + c), b + (a + c)):
            expected = np.where(found == other, other, expected)
    assert_same_bits(found, expected)


def test_second_gradients_of_a_dense_layer_are_rounded_once_too(framework):
    """Those of the gradient with respect to X, which is a function of W and G."""
    if framework == "mxnet":
        pytest.skip("MXNet differentiates once")
    call, (X, W, b), G, _, _ = case(framework, "dense with a bias")
    d2l = bind(framework)
    x, w, g = (np.asarray(d2l.to_numpy(t)) for t in (X, W, G))
    p = draw(np.random.default_rng(6), x.shape, "float32", "ties")
    of_W, of_G = second(framework, lambda X, W: call(X, W, b), X, W, G, d2l.tensor(p))
    assert_same_bits(d2l.to_numpy(of_W), network.dense(g.T, p.T))
    assert_same_bits(d2l.to_numpy(of_G), network.dense(p, w))


def second(framework, call, X, W, G, P):
    """The gradients with respect to W and G of the gradient with respect to X, for P at it."""
    if framework == "torch":
        import torch

        for t in (X, W, G):
            t.requires_grad_()
        (dX,) = torch.autograd.grad(call(X, W), X, G, create_graph=True)
        return torch.autograd.grad(dX, (W, G), P)
    if framework == "jax":
        import jax

        return jax.vjp(lambda W, G: jax.vjp(lambda X: call(X, W), X)[1](G)[0], W, G)[1](P)
    import tensorflow as tf

    with tf.GradientTape() as outer:
        outer.watch((W, G))
        with tf.GradientTape() as inner:
            inner.watch(X)
            Y = call(X, W)
        dX = inner.gradient(Y, X, output_gradients=G)
    return outer.gradient(dX, (W, G), output_gradients=P)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "cross_entropy"])
def test_a_second_derivative_that_nobody_derived_is_an_error_and_no_zero(framework, name):
    if framework == "mxnet":
        pytest.skip("MXNet differentiates once, and says so itself")
    call, (x,), _, _, _ = case(framework, name)
    with pytest.raises(ArgumentError, match=f"{name} has no second derivative"):
        twice(framework, call, x)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "cross_entropy"])
@pytest.mark.parametrize("of", ["jax", "torch"])
def test_so_is_a_hessian(of, name):
    """Forward over reverse, as JAX and PyTorch have it, and forward over forward."""
    call, (x,), _, _, _ = case(of, name)
    if of == "torch":
        from torch.func import hessian, jacfwd
    else:
        from jax import hessian, jacfwd
    for twice in (hessian, lambda f: jacfwd(jacfwd(f))):
        with pytest.raises(ArgumentError, match=f"{name} has no second derivative"):
            twice(lambda x: call(x).sum())(x)


def twice(framework, call, x):
    """The gradient of the sum of the gradient."""
    if framework == "torch":
        import torch

        x = x.requires_grad_()
        (slope,) = torch.autograd.grad(call(x).sum(), x, create_graph=True)
        return torch.autograd.grad(slope.sum(), x)
    if framework == "jax":
        import jax

        return jax.grad(lambda x: jax.grad(lambda x: call(x).sum())(x).sum())(x)
    import tensorflow as tf

    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            Y = call(x)
        slope = inner.gradient(Y, x)
    return outer.gradient(slope, x)


def test_a_relu_has_a_second_derivative_of_zero(framework):
    if framework == "mxnet":
        pytest.skip("MXNet differentiates once")
    d2l = bind(framework)
    x = d2l.tensor([[-1, 2]])
    found = twice(framework, lambda x: d2l.relu(x) * x, x)
    found = found[0] if framework == "torch" else found
    np.testing.assert_array_equal(d2l.to_numpy(found), [[0, 2]])


def test_rounded_and_exact_pooling_differ_where_that_rounds_twice(d2l):
    X = [[1.0, 2.0**-24, 2.0**-24, 0.0]]
    options = {"mode": "avg"}
    exact = bind("numpy").pool2d(X, (1, 4), **options)
    assert_same_bits(d2l.to_numpy(d2l.pool2d(X, (1, 4), **options)), exact)
    right = d2l.to_numpy(d2l.pool2d(X, (1, 4), method="rounded", **options))
    assert (exact[0, 0], right[0, 0]) == (0.25, 0.25 + 2.0**-25)


def test_the_two_poolings_agree_where_nothing_is_rounded(d2l):
    X = np.random.default_rng(7).integers(-8, 9, (4, 6)).astype(np.float32)
    for mode in ("max", "avg"):
        both = [d2l.pool2d(d2l.tensor(X), 2, mode=mode, method=m) for m in ("exact", "rounded")]
        assert_same_bits(*map(d2l.to_numpy, both))


def test_the_reference_is_what_the_numpy_backend_gives():
    X = np.random.default_rng(8).standard_normal((2, 3, 5, 5), dtype=np.float32)
    K = np.random.default_rng(9).standard_normal((4, 3, 3, 3), dtype=np.float32)
    Y = of_layer(bind("numpy"), K, False)(X)
    assert_same_bits(Y, reference.corr2d(X, K, *settings(**OPTIONS), method="rounded"))

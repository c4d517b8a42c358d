"""TensorFlow alone: forward mode and barriers in graphs, Keras's models, programs of our own."""

import numpy as np
import pytest
from children import python
from chosen import demand
from frameworks import assert_same_bits
from geometries import values

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.core import reference
from d2lconv.core.options import settings

rng = np.random.default_rng(0)


@pytest.fixture
def tf():
    demand("tf")
    import tensorflow

    return tensorflow


def graph(tf, function, how):
    """The function in eager code, in a graph, or compiled by XLA."""
    return function if how == "eager" else tf.function(function, jit_compile=how == "xla")


HOWS = ("eager", "graph", "xla")
SHAPES = {
    "1x1": ((5, 7), (1, 1), {}),
    "3x3": ((6, 8), (3, 3), {}),
    "strided groups": (
        (2, 4, 6, 7),
        (4, 2, 3, 2),
        {"stride": 2, "padding": 1, "dilation": (1, 2), "groups": 2},
    ),
    "in loops": ((1, 5, 6, 7), (6, 5, 3, 3), {"stride": (2, 1), "padding": 1}),
}


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("where", ["inside", "outside"])
@pytest.mark.parametrize("name", SHAPES)
def test_forward_mode_has_the_same_bits(tf, name, where, how):
    image, kernel, options = SHAPES[name]
    X, tX, K, tK = (values(rng, shape, "float32") for shape in (image, image, kernel, kernel))
    d2l, checked = bind("tf"), settings(**options)

    def corr2d(X, K):
        return d2l.corr2d(X, K, **options)

    if where == "outside":
        corr2d = graph(tf, corr2d, how)

    def along(X, K, tX, tK):
        with tf.autodiff.ForwardAccumulator([X, K], [tX, tK]) as accumulator:
            Y = corr2d(X, K)
        return accumulator.jvp(Y)

    if where == "inside":
        along = graph(tf, along, how)
    expected = reference.corr2d(tX, K, *checked) + reference.corr2d(X, tK, *checked)
    assert_same_bits(along(*map(tf.constant, (X, K, tX, tK))).numpy(), expected)


STEPS = {
    "products": (lambda t: t * 0.1, lambda t: t * 1.7),
    "sums": (lambda t: t + 0.1, lambda t: t + 1.7),
    "quotients": (lambda t: t / 0.1, lambda t: t / 1.7),
}


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("name", SHAPES)
def test_a_callers_own_arithmetic_does_not_leak_in(tf, name, steps, how):
    """The caller's steps are compiled as the caller wishes; those of the call are not touched."""
    image, kernel, options = SHAPES[name]
    X, K = (values(rng, shape, "float32") for shape in (image, kernel))
    d2l, checked = bind("tf"), settings(**options)
    before, after = STEPS[steps]

    def program(X, K):
        X, K = before(X), before(K)
        with tf.GradientTape() as tape:
            tape.watch([X, K])
            Y = d2l.corr2d(X, K, **options)
            Z = after(Y)
        return after(Y), *map(after, tape.gradient(Z, [X, K], output_gradients=before(Y)))

    found = graph(tf, program, how)(tf.constant(X), tf.constant(K))

    def alone(function, *arrays):
        return graph(tf, function, how)(*map(tf.constant, arrays)).numpy()

    def gradient(Y):
        with tf.GradientTape() as tape:
            tape.watch(Y)
            Z = after(Y)
        return tape.gradient(Z, Y, output_gradients=before(Y))

    X, K = alone(before, X), alone(before, K)
    Y = reference.corr2d(X, K, *checked)
    G = alone(gradient, Y)
    dX = reference.image_gradient(K, G, X.shape, *checked)
    dK = reference.kernel_gradient(X, G, K.shape, *checked)
    for what, actual, wanted in zip(("Y", "dX", "dK"), found, (Y, dX, dK), strict=True):
        assert_same_bits(actual.numpy(), alone(after, wanted), what)


@pytest.mark.parametrize("how", ["graph", "xla"])
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_the_number_of_images_may_be_unknown(tf, how, batch):
    d2l = bind("tf")
    X, K = values(rng, (batch, 2, 6, 5), "float32"), values(rng, (3, 2, 3, 2), "float32")
    layer = d2l.Conv2D((3, 2), in_channels=2, out_channels=3, weight=K, bias=0.5)
    pool = d2l.Pool2D(2, mode="avg")

    def program(X):
        with tf.GradientTape() as tape:
            tape.watch(X)
            Y = layer(X)
            Z = pool(Y)
        return Y, Z, *tape.gradient(Y, [X, *layer.trainable_variables], output_gradients=Y * 2)

    specs = [tf.TensorSpec((None, 2, 6, 5), tf.float32)]
    traced = tf.function(program, input_signature=specs, jit_compile=how == "xla")
    found, same = traced(tf.constant(X)), program(tf.constant(X))
    for actual, expected in zip(found, same, strict=True):
        assert_same_bits(actual.numpy(), expected.numpy())


def model_of(d2l, keras):
    image = keras.Input((1, 28, 28))
    Y = d2l.Conv2D((5, 5), in_channels=1, out_channels=6, padding=2)(image)
    Y = d2l.Pool2D(2, mode="avg")(keras.ops.tanh(Y))
    Y = d2l.Conv2D((5, 5), in_channels=6, out_channels=4, stride=3, bias=False)(Y)
    return keras.Model(image, Y)


def test_a_functional_model_is_built_saved_and_loaded(tf, tmp_path):
    import keras

    model = model_of(bind("tf"), keras)
    assert [layer.output.shape for layer in model.layers if "conv" in layer.name] == [
        (None, 6, 28, 28),
        (None, 4, 4, 4),
    ]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    X = values(rng, (3, 1, 28, 28), "float32")
    assert_same_bits(loaded(X).numpy(), model(X).numpy())


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_model_is_fitted_to_batches_of_different_sizes(tf, jit_compile):
    import keras

    model = model_of(bind("tf"), keras)
    X, Y = values(rng, (5, 1, 28, 28), "float32"), np.zeros((5, 4, 4, 4), "float32")
    before = np.square(model(X).numpy()).mean()
    model.compile(keras.optimizers.SGD(0.05), loss="mse", jit_compile=jit_compile)
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    assert np.square(model(X).numpy()).mean() < before


def test_mixed_precision_computes_in_half_precision(tf):
    d2l = bind("tf")
    X, K = values(rng, (2, 1, 6, 5), "float32"), values(rng, (3, 1, 2, 2), "float32")
    options = {"in_channels": 1, "out_channels": 3, "weight": K, "bias": False}
    layer = d2l.Conv2D((2, 2), dtype="mixed_float16", **options)
    assert layer.weight.dtype == "float32"
    expected = reference.corr2d(X.astype("float16"), K.astype("float16"))
    assert_same_bits(layer(tf.constant(X)).numpy(), expected)


def test_programs_are_few_and_have_the_same_bits(tf, monkeypatch):
    from d2lconv_tf import programs

    demand("tf")
    d2l = bind("tf")
    monkeypatch.setattr(programs, "CALLS", 1)
    monkeypatch.setattr(programs, "PROGRAMS", len(programs._programs) + 2)
    K = values(rng, (2, 3), "float32")
    for width in (41, 42, 43, 44):
        X = values(rng, (9, width), "float32")
        for _ in range(3):
            assert_same_bits(
                d2l.corr2d(tf.constant(X), tf.constant(K)).numpy(), reference.corr2d(X, K)
            )
    assert len(programs._programs) == programs.PROGRAMS


def test_without_the_private_names_all_is_right_but_forward_mode_in_graphs(tf, monkeypatch):
    from d2lconv_tf import autodiff, private, programs

    monkeypatch.setattr(private, "_record", None)
    for module in (autodiff, programs):
        monkeypatch.setattr(module, "recording", lambda: True)
    d2l = bind("tf")
    X, K = values(rng, (6, 8), "float32"), values(rng, (3, 2), "float32")

    @tf.function
    def program(X, K):
        with tf.GradientTape() as tape:
            tape.watch(K)
            Y = d2l.corr2d(X, K)
        return Y, tape.gradient(Y, K, output_gradients=Y)

    Y, dK = program(tf.constant(X), tf.constant(K))
    expected = reference.corr2d(X, K)
    assert_same_bits(Y.numpy(), expected)
    assert_same_bits(dK.numpy(), reference.kernel_gradient(X, expected))


SECOND_DERIVATIVE = """
import tensorflow as tf
import d2lconv as dc

dc.use("tf")
X, K = tf.Variable(tf.ones((1, 2, 5, 6))), tf.Variable(tf.ones((3, 2, 3, 2)))

@tf.function
def derivative(X, K):
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            Y = dc.corr2d(X, K{options})
        dK = inner.gradient(Y, K, output_gradients=Y)
    return outer.gradient(dK, X)

derivative(X, K)
"""


@pytest.mark.parametrize("options", ["", ", method='rounded'"])
def test_autograph_has_no_word_about_our_code(tf, tmp_path, options):
    """In a process of its own, as it warns once, and from a file, as it reads the code there."""
    (tmp_path / "program.py").write_text(SECOND_DERIVATIVE.format(options=options))
    assert "AutoGraph" not in python("import program", path=tmp_path).stderr


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("groups", [1, 2])
def test_a_kernel_of_one_element_is_a_product_of_matrices(tf, groups, how):
    """Whatever the batch; of whole numbers, so that nothing is rounded."""
    d2l, generator = bind("tf"), np.random.default_rng(1)
    K = generator.integers(-4, 5, (6, 4 // groups, 1, 1)).astype(np.float32)
    spec = tf.TensorSpec((None, 4, 3, 5), tf.float32)

    def corr2d(X):
        return d2l.corr2d(X, K, groups=groups, method="native")

    if how != "eager":
        corr2d = tf.function(corr2d, input_signature=[spec], jit_compile=how == "xla")
    for n in (1, 3):
        X = generator.integers(1, 10, (n, 4, 3, 5)).astype(np.float32)  # no zero has a sign
        expected = reference.corr2d(X, K, *settings(groups=groups))
        assert_same_bits(corr2d(tf.constant(X)).numpy(), expected)


def test_a_symbol_that_left_the_function_it_was_traced_in_is_refused(tf):
    d2l, kept = bind("tf"), []

    @tf.function
    def traced(X):
        kept.append(X * 2)
        inner = tf.function(lambda Y: d2l.corr2d(X, Y))(X[:1])  # inside, an outer one is fine
        return inner + d2l.corr2d(X, X[:1])

    X = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    assert_same_bits(traced(X).numpy(), 2 * d2l.corr2d(X, X[:1]).numpy())
    (symbol,) = kept
    for refused in (
        lambda: d2l.corr2d(symbol, [[1.0]]),
        lambda: d2l.corr2d(X, symbol, method="rounded"),
        lambda: d2l.pool2d(symbol, 2),
        lambda: d2l.sigmoid(symbol),
        lambda: d2l.cross_entropy(symbol, [0, 1]),
        lambda: d2l.tensor(symbol),
        lambda: d2l.Conv2D((1, 1))(symbol),
        lambda: tf.function(lambda Y: d2l.corr2d(symbol, Y))(X),
    ):
        with pytest.raises(dc.DTypeError, match="is a symbol of a function that was traced"):
            refused()


LOADED = """
import sys
import numpy as np, tensorflow as tf

folder = sys.argv[1]
given = np.load(f"{folder}/given.npz")
model, X = tf.saved_model.load(f"{folder}/saved"), tf.constant(given["X"])
with tf.GradientTape() as tape:
    tape.watch(X)
    Y = model.serve(X)
np.testing.assert_array_equal(Y, given["Y"])
np.testing.assert_array_equal(tape.gradient(Y, X), given["dX"])
assert not any("d2lconv" in name for name in sys.modules)
import keras
from d2lconv import tf as d2l
net = keras.models.load_model(f"{folder}/net.keras")
assert isinstance(net, keras.Sequential) and len(net.trainable_variables) == 10
"""


@pytest.mark.slow(reason="it imports TensorFlow in another process")
def test_what_is_exported_works_in_another_process_with_its_gradients(tf, tmp_path, monkeypatch):
    """TensorFlow asks for the gradients of what it saves without the operation they are of.

    Their arguments become names of nodes, of which it warns if it would not take them.
    """
    warned = []
    monkeypatch.setattr(tf.get_logger(), "warning", lambda text, *more: warned.append(text))
    import keras

    d2l = bind("tf")
    image = keras.Input((1, 8, 9))
    Y = d2l.Conv2D((3, 3), in_channels=1, out_channels=2, padding=1, stride=2)(image)
    model = keras.Model(image, d2l.Pool2D(2)(Y))
    X = tf.random.stateless_uniform((2, 1, 8, 9), (1, 2))
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = model(X)
    np.savez(tmp_path / "given.npz", X=X, Y=Y, dX=tape.gradient(Y, X))
    model.export(tmp_path / "saved", verbose=False)
    assert not warned
    d2l.LeNet().save(tmp_path / "net.keras")
    python(LOADED, str(tmp_path))

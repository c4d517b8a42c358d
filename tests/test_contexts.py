"""What a framework can put around a call, or into it: the right bits, or an error of ours."""

import importlib
from contextlib import contextmanager

import numpy as np
import pytest
from chosen import demand
from frameworks import assert_same_bits

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.core.ownership import backend_of

# MXNet asks SciPy for what it calls otherwise today, and PyTorch's compiler warns of itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Please import `csr_matrix`:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]
rng = np.random.default_rng(3)
X = rng.standard_normal((6, 7), dtype=np.float32)
K = rng.standard_normal((2, 3), dtype=np.float32)
Y = bind("numpy").corr2d(X, K)


@pytest.fixture
def torch():
    demand("torch")
    return importlib.import_module("torch")


@pytest.fixture
def tf():
    demand("tf")
    return importlib.import_module("tensorflow")


@pytest.fixture
def jax():
    demand("jax")
    return importlib.import_module("jax")


@pytest.fixture
def mxnet():
    demand("mxnet")
    bind("mxnet")
    return importlib.import_module("mxnet")


# Kinds of tensors that are not dense, or have no values: every way in says so.

KINDS = {
    "torch sparse": lambda torch: torch.eye(3).to_sparse(),
    "torch nested": lambda torch: torch.nested.nested_tensor([torch.ones(2), torch.ones(2)]),
    "tf sparse": lambda tf: tf.sparse.from_dense([[1.0, 0.0]]),
    "tf ragged": lambda tf: tf.ragged.constant([[1.0, 2.0], [3.0]]),
    "tf spec": lambda tf: tf.TensorSpec((2, 2)),
    "jax shape": lambda jax: jax.ShapeDtypeStruct((2, 2), np.float32),
    "jax deleted": lambda jax: _deleted(jax.numpy.ones((2, 2))),
    "mxnet csr": lambda mx: mx.nd.ones((2, 2)).tostype("csr"),
    "mxnet parameter": lambda mx: mx.gluon.Parameter("w", shape=(2, 2)),
}


def _deleted(array):
    array.delete()
    return array


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_tensors_that_are_not_dense_are_refused(kind, request):
    name = kind.partition(" ")[0]
    d2l = bind(demand(name))
    t = KINDS[kind](request.getfixturevalue(name))
    for call in (
        lambda: d2l.corr2d(t, [[1]]),
        lambda: d2l.conv2d([[1]], t),
        lambda: d2l.transpose(t),
        lambda: dc.to_numpy(t),
        lambda: dc.parity.compare(t, t),
        lambda: d2l.Conv2D((2, 2), weight=t),
        lambda: d2l.learn_kernel(t, [[1]], (2, 2)),
    ):
        with pytest.raises(dc.DTypeError, match=r"Allowed are dense tensors"):
            call()


def asking_for_values(asked):
    """A function of a tensor without values, that asks for them in every way."""

    def ask(t):
        d2l = bind(backend_of(t))
        for call in (
            lambda: dc.to_numpy(t),
            lambda: dc.parity.compare(t, t),
            lambda: d2l.learn_kernel(t, t, (1, 1)),
        ):
            with pytest.raises(dc.ArgumentError, match="has no values here"):
                call()
            asked.append(d2l.name)
        return t

    return ask


def test_torch_tensors_without_values_are_reported_where_values_are_needed(torch):
    meta, asked = torch.ones((2, 2), device="meta"), []
    assert bind("torch").corr2d(meta, meta).shape == (1, 1)
    asking_for_values(asked)(meta)
    assert asked == ["torch"] * 3


def test_jax_tensors_without_values_are_reported_where_values_are_needed(jax):
    asked = []
    jax.jit(asking_for_values(asked))(jax.numpy.ones((2, 2)))
    assert asked == ["jax"] * 3


def test_tf_tensors_without_values_are_reported_where_values_are_needed(tf):
    asked = []
    tf.function(asking_for_values(asked), autograph=False)(tf.ones((2, 2)))
    assert asked == ["tf"] * 3


# PyTorch.


@pytest.mark.parametrize("method", ["exact", "loop", "matmul", "native", "fft"])
def test_torch_without_gradients(torch, method):
    d2l = bind("torch")
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            result = d2l.corr2d(d2l.tensor(X), d2l.tensor(K), method=method)
        assert result.shape == Y.shape
        if method == "exact":
            assert_same_bits(result.numpy(), Y)


def test_torch_learns_in_inference_mode(torch):
    d2l = bind("torch")
    expected = d2l.learn_kernel(X, Y, (2, 3), lr=0.02).losses
    with torch.inference_mode():
        native = d2l.tensor(X), d2l.tensor(Y)
        assert d2l.learn_kernel(*native, (2, 3), lr=0.02).losses == expected


def test_torch_tensors_that_are_views_of_a_kind(torch):
    d2l = bind("torch")
    x = d2l.tensor(X)
    assert_same_bits(dc.to_numpy(torch._neg_view(x)), -X)
    assert_same_bits(d2l.corr2d(torch._neg_view(x), -K).numpy(), Y)


def test_torch_defaults_and_autocast_change_nothing(torch):
    d2l = bind("torch")
    torch.set_default_dtype(torch.float64)
    try:
        assert_same_bits(d2l.corr2d(X, K).numpy(), Y)
        assert d2l.corr2d([[1]], [[1]]).dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_same_bits(d2l.corr2d(X, K).numpy(), Y)


@pytest.mark.parametrize("compiler", ["eager", "aot_eager"])
def test_torch_compile_without_a_compiler(torch, compiler):
    d2l = bind("torch")
    compiled = torch.compile(lambda X, K: d2l.corr2d(X, K), backend=compiler)
    assert_same_bits(compiled(d2l.tensor(X), d2l.tensor(K)).numpy(), Y)


# TensorFlow.


def test_an_error_in_a_tensorflow_graph_comes_through_autograph_as_it_is(tf):
    d2l = bind("tf")
    unknown = [tf.TensorSpec([None, None]), tf.TensorSpec(None)]
    for options, words in (
        ({}, r"the kernel, shape \(2, 3\), is larger than the image, shape \(1, 7\)"),
        ({"input_signature": unknown[:1]}, "must be known when the call is traced"),
        ({"input_signature": unknown[1:]}, "must be known when the call is traced"),
    ):
        graph = tf.function(lambda X: d2l.corr2d(X, K), **options)
        with pytest.raises(dc.ShapeError, match=words):
            graph(d2l.tensor(X[:1]))


def test_the_loop_in_a_tensorflow_graph_gives_what_it_gives_outside(tf):
    d2l = bind("tf")
    looped = tf.function(lambda X: d2l.corr2d(X, K, method="loop"), autograph=False)
    outside = d2l.corr2d(d2l.tensor(X), K, method="loop")
    assert dc.parity.compare(looped(d2l.tensor(X)), outside, X=X, K=K).verdict != "bug"


# JAX.


@pytest.mark.parametrize("method", ["exact", "loop", "matmul", "native", "fft"])
def test_float64_that_jax_compiles_needs_its_switch(jax, method):
    d2l = bind("jax")
    wide = [d2l.tensor(a, "float64") for a in (X, K)]
    function = jax.jit(lambda X, K: d2l.corr2d(X, K, method=method))
    with pytest.raises(dc.DTypeError, match="jax_enable_x64"):
        function(*wide)
    with pytest.raises(dc.DTypeError, match="jax_enable_x64"):
        jax.jit(lambda X: d2l.corr2d(X, K.astype("f8"), method=method))(d2l.tensor(X))
    mapped = jax.vmap(lambda X: d2l.corr2d(X, wide[1], method=method))
    assert mapped(wide[0][None]).dtype == "float64"  # without compiling, it works


# MXNet.


def test_mxnets_older_arrays_become_new_ones(mxnet):
    old = mxnet.nd.array(X)
    assert_same_bits(bind("mxnet").tensor(old).asnumpy(), X)
    assert_same_bits(dc.corr2d(old, mxnet.nd.array(K)).asnumpy(), Y)


def test_a_hybridised_block_of_mxnet(mxnet):
    class Block(mxnet.gluon.HybridBlock):
        def forward(self, X):
            return dc.corr2d(X, K)

    class Symbolic(mxnet.gluon.HybridBlock):
        def hybrid_forward(self, F, X):
            return dc.corr2d(X, K)

    image = bind("mxnet").tensor(X)
    for block in (Block(), Symbolic()):
        block.initialize()
        assert_same_bits(block(image).asnumpy(), Y)
        block.hybridize()
    with pytest.raises(dc.DTypeError, match="is a _Symbol, which is no tensor"):
        block(image)


# Settings that a user's whole process has.


def settings_of_torch(torch):
    yield torch.device("meta")
    yield torch.autocast("cpu", dtype=torch.bfloat16)
    yield torch.inference_mode()
    yield switched(torch.set_default_dtype, torch.float64, torch.float32)


def settings_of_tf(tf):
    from keras import config

    yield switched(config.set_dtype_policy, "mixed_float16", "float32")
    yield switched(config.set_floatx, "float16", "float32")
    yield switched(config.set_image_data_format, "channels_first", "channels_last")
    yield switched(tf.config.run_functions_eagerly, True, False)


def settings_of_jax(jax):
    yield jax.numpy_rank_promotion("raise")
    yield jax.numpy_dtype_promotion("strict")
    yield jax.debug_nans(True)


def settings_of_mxnet(mxnet):
    yield mxnet.util.np_array(False)
    yield mxnet.autograd.record()


SETTINGS = {
    "torch": settings_of_torch, "tf": settings_of_tf, "jax": settings_of_jax,
    "mxnet": settings_of_mxnet,
}  # fmt: skip


@contextmanager
def switched(switch, value, before):
    switch(value)
    try:
        yield
    finally:
        switch(before)


def test_settings_of_the_process_change_no_bit(framework, request):
    """Of a call, of learning, of networks and their training, and of a layer's port."""
    images, labels = (part[:4] for part in dc.numpy.digits())
    expected = results("numpy", images, labels)
    count = 0
    for setting in SETTINGS[framework](request.getfixturevalue(framework)):
        with setting:
            found = results(framework, images, labels)
            layer = bind("numpy").Conv2D((2, 3), weight=K, bias=0.5)
            ported = dc.parity.layers(layer, dc.port(layer, framework), X[None, None])
            net = bind(framework).LeNet(layer="builtin", activation="tanh", pool="max")
            told = dc.train(net, images, labels, epochs=1, batch_size=2, verbose=False)
            losses = bind(framework).learn_kernel(X, Y, (2, 3), lr=0.01, layer="builtin").losses
        assert ported.verdict in ("identical", "rounding"), ported
        assert np.isfinite([*told.losses, *losses]).all()
        for name, value in found.items():
            assert_same_bits(value, expected[name], f"{framework}, setting {count}: {name}")
        count += 1
    assert count > 1


def results(name, images, labels):
    d2l = bind(name)
    net = d2l.LeNet(activation="tanh", pool="max")
    history = dc.train(net, images, labels, lr=0.1, epochs=1, batch_size=2, verbose=False)
    other = dc.parity.trace(dc.numpy.LeNet(), d2l.LeNet(), images, labels)
    assert other.first is None, other
    return {
        "corr2d": d2l.to_numpy(d2l.corr2d(d2l.tensor(X), d2l.tensor(K))),
        "pool2d": d2l.to_numpy(d2l.pool2d(d2l.tensor(X), 2, mode="avg")),
        "learned": d2l.to_numpy(d2l.learn_kernel(X, Y, (2, 3), lr=0.01).kernel),
        "trained": np.float32(list(bytes.fromhex(history.hashes[-1]))),
    }

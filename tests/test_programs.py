"""Whatever a user computes around our calls, compiled with them: our bits are kept.

:mod:`programs` says what is drawn, and what is compared.
"""

import numpy as np
import pytest
from chosen import demand
from frameworks import assert_same_bits
from fuzzing import examples
from hypothesis import given
from programs import Call, Program, Step, known, programs

import d2lconv as dc
from d2lconv.binding import bind

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning"),  # inf - inf
    # PyTorch's compiler imports what warns of itself, and asks what has a gradient.
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*torch.jit.*deprecated:DeprecationWarning"),
]


def assert_alike(found, expected):
    """The output, and the gradients, of the same program with our call and with NumPy's."""
    names = "Y", *(f"gradient {i}" for i in range(len(expected) - 1))
    for what, actual, wanted in zip(names, found, expected, strict=True):
        assert_same_bits(dc.to_numpy(actual), dc.to_numpy(wanted), what)


@given(program=programs())
def test_a_program_is_printed_so_that_it_can_be_pasted(program):
    assert eval(repr(program)) == program


# JAX.


def in_jax(program, how, call):
    """The output and the gradients, after one of JAX's transformations, compiled."""
    import jax
    from jax import numpy as jnp
    from jax.sharding import Mesh, PartitionSpec

    try:
        shard_map = jax.shard_map
    except AttributeError:
        from jax.experimental.shard_map import shard_map

    *given, numbers = program.arrays()

    def whole(numbers, *arguments):
        def function(*tensors):
            return program.around(call, tensors, numbers)

        def both(tensors):
            *tensors, G = tensors
            again = jax.checkpoint(function) if how == "checkpoint" else function
            Y, pull = jax.vjp(again, *tensors)
            return Y, *pull(G)

        tensors = program.from_sources(arguments, *known(given, jnp.asarray, jnp.full))
        if how == "forward":
            return (function(*tensors[:-1]),)
        twice = [jnp.stack([t, t * 2]) for t in tensors]
        if how == "vmap":
            return jax.vmap(both)(twice)
        if how == "scan":
            return jax.lax.map(both, twice)
        if how == "shard_map":
            mesh, split = Mesh(np.array(jax.devices()[:1]), ("x",)), PartitionSpec("x")

            def part(tensors):
                return [t[None] for t in both([t[0] for t in tensors])]

            sharded = shard_map(part, mesh=mesh, in_specs=split, out_specs=split)
            return [t[0] for t in sharded([t[None] for t in tensors])]
        return both(tensors)

    return jax.jit(whole)(numbers, *program.arguments(given))


def by_numpy_in_jax(program):
    """The call by NumPy, differentiable, where JAX's compiler does not look."""
    import jax

    def host(function, like, *tensors):
        like = jax.tree.map(lambda t: jax.ShapeDtypeStruct(t.shape, t.dtype), like)
        return jax.pure_callback(function, like, *tensors, vmap_method="sequential")

    forward, (*given, _, _) = program.numpys(), program.arrays()

    @jax.custom_vjp
    def call(*tensors):
        return host(forward, forward(*given), *tensors)

    def backward(tensors, G):
        return tuple(host(program.gradients, list(tensors), *tensors, G))

    call.defvjp(lambda *tensors: (call(*tensors), tensors), backward)
    return call


JAX = ("forward", "gradient", "checkpoint", "vmap", "scan", "shard_map")


@pytest.mark.parametrize("how", JAX)
@examples(5)
@given(program=programs())
def test_a_program_in_jax_keeps_our_bits(how, program):
    d2l = bind(demand("jax"))
    same = "gradient" if how == "shard_map" else how  # there is one device
    expected = in_jax(program, same, by_numpy_in_jax(program))
    assert_alike(in_jax(program, how, program.ours(d2l)), expected)


def test_without_barriers_a_program_would_lose_our_bits(monkeypatch):
    """So the test above can fail: XLA makes one product of the user's and that of a 1x1 kernel."""
    d2l = bind(demand("jax"))
    from jax import lax

    one = Call("corr2d", ((5, 30), (1, 1)), (), {"method": "exact"})
    before = (Step("*", 0.1, True),), ()
    program = Program(one, before, (), ("argument",) * 3, "float32", "normal", 0)
    expected = in_jax(program, "forward", by_numpy_in_jax(program))
    assert_alike(in_jax(program, "forward", program.ours(d2l)), expected)
    monkeypatch.setattr(lax, "optimization_barrier", lambda tensors: tensors)
    monkeypatch.setattr("d2lconv_jax.autodiff.rounded_before", lambda tensor: tensor)
    with pytest.raises(AssertionError, match="elements differ"):
        assert_alike(in_jax(program, "forward", program.ours(d2l)), expected)


# TensorFlow.


def in_tf(program, how, call, apart=lambda steps: steps):
    """The output and the gradients, in eager code, a graph, a data set's, a loop's, or by XLA."""
    import tensorflow as tf

    *given, numbers = program.arrays()

    @tf.autograph.experimental.do_not_convert
    def whole(numbers, *arguments):
        def both(tensors):
            *tensors, G = tensors
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                Z = program.around(call, tensors, numbers, apart)
            return Z, *tape.gradient(Z, tensors, output_gradients=G)

        tensors = program.from_sources(arguments, *known(given, tf.constant, tf.fill))
        if how == "map_fn":
            twice = tuple(tf.stack([t, t * 2]) for t in tensors)
            kinds = (tensors[0].dtype,) * len(tensors)
            return tf.map_fn(both, twice, fn_output_signature=kinds)
        return both(tensors)

    arguments = tf.constant(numbers), *map(tf.constant, program.arguments(given))
    if how == "eager":
        return whole(*arguments)
    if how == "data":
        return next(iter(tf.data.Dataset.from_tensors(arguments).map(whole)))
    return tf.function(whole, autograph=False, jit_compile=how == "xla")(*arguments)


def by_numpy_in_tf(program):
    """The call by NumPy, differentiable, where TensorFlow's compilers do not look."""
    import tensorflow as tf

    forward, (*given, _, _) = program.numpys(), program.arrays()

    def host(function, like, *tensors):
        kinds = [t.dtype for t in like]
        found = tf.nest.flatten(tf.numpy_function(function, tensors, kinds, stateful=False))
        return [tf.ensure_shape(f, t.shape) for f, t in zip(found, like, strict=True)]

    @tf.custom_gradient
    def call(*tensors):
        (Y,) = host(lambda *arrays: [forward(*arrays)], [forward(*given)], *tensors)
        return Y, lambda G: host(program.gradients, tensors, *tensors, G)

    return call


@pytest.mark.parametrize("how", ["graph", "data", "map_fn"])
@examples(2)
@given(program=programs())
def test_a_program_in_tensorflow_keeps_our_bits(how, program):
    d2l = bind(demand("tf"))
    expected = in_tf(program, how, by_numpy_in_tf(program))
    assert_alike(in_tf(program, how, program.ours(d2l)), expected)


@examples(2)
@given(program=programs(methods=("exact",), sources=("argument",), divisors_known=(False,)))
def test_a_program_that_xla_compiles_for_tensorflow_keeps_our_bits(program):
    """XLA calls nothing back: what it is held against are the steps, compiled by themselves.

    It makes a division by a number that it knows another one, and by itself it does not know all.
    """
    d2l = bind(demand("tf"))
    import tensorflow as tf

    def apart(steps):
        return tf.function(steps, autograph=False, jit_compile=True)

    expected = in_tf(program, "eager", by_numpy_in_tf(program), apart)
    assert_alike(in_tf(program, "xla", program.ours(d2l)), expected)


# PyTorch.


def in_torch(program, compiler, call, whole):
    """The output and the gradients of a program that a compiler gets, in one piece or not."""
    import torch

    *given, numbers = map(torch.from_numpy, program.arrays())
    G, arguments = given[-1], program.arguments(given)
    inputs = [t.requires_grad_() for t in arguments if t is not G]
    spread = [(t.shape, t.flatten()[0].item()) for t in given]

    def function(numbers, *arguments):
        def filled(place):
            shape, number = spread[place]
            return torch.full(shape, number, dtype=numbers.dtype)

        *tensors, _ = program.from_sources(arguments, given.__getitem__, filled)
        return program.around(call, tensors, numbers)

    torch._dynamo.reset()
    Z = torch.compile(function, backend=compiler, fullgraph=whole)(numbers, *arguments)
    return Z.detach(), *(torch.autograd.grad(Z, inputs, G) if inputs else ())


def by_numpy_in_torch(program):
    """The call by NumPy, differentiable, where PyTorch's compilers do not look."""
    import torch

    forward = program.numpys()

    class Call(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            ctx.save_for_backward(*tensors)
            return torch.from_numpy(forward(*(t.detach().numpy() for t in tensors)))

        @staticmethod
        def backward(ctx, G):
            arrays = (t.detach().numpy() for t in (*ctx.saved_tensors, G))
            return tuple(torch.from_numpy(np.array(g)) for g in program.gradients(*arrays))

    return torch._dynamo.disable(Call.apply)


def assert_kept_by_torch(program, compiler):
    d2l = bind(demand("torch"))
    expected = in_torch(program, compiler, by_numpy_in_torch(program), whole=False)
    assert_alike(in_torch(program, compiler, program.ours(d2l), whole=True), expected)


@examples(4)
@given(program=programs())
def test_a_program_in_pytorch_keeps_our_bits(program):
    assert_kept_by_torch(program, "aot_eager")


@examples(1)
@given(program=programs())
def test_a_program_that_inductor_compiles_keeps_our_bits(program):
    assert_kept_by_torch(program, "inductor")


# MXNet.


def in_mxnet(program, call, hybrid):
    """The output and the gradients of a program whose steps are hybrid blocks."""
    import mxnet as mx

    *given, G, numbers = (mx.np.array(t, dtype=t.dtype) for t in program.arrays())

    def apart(steps):
        # A block has to use all that it is given, or MXNet warns.
        block = mx.gluon.nn.HybridLambda(lambda F, t, numbers: steps(t, numbers) + 0 * numbers[0])
        block.hybridize(hybrid)
        return block

    for t in given:
        t.attach_grad()
    with mx.autograd.record():
        Z = program.around(call, given, numbers, apart)
    Z.backward(G)
    return Z, *(t.grad for t in given)


@examples(10)
@given(program=programs(sources=("argument",)))
def test_hybrid_blocks_around_a_call_in_mxnet_change_nothing(program):
    """The call is no hybrid block; in eager code it has its bits by other tests."""
    d2l = bind(demand("mxnet"))
    call = program.ours(d2l)
    assert_alike(in_mxnet(program, call, True), in_mxnet(program, call, False))

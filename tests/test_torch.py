"""PyTorch alone: its compilers, its settings, and tensors in places where others are not."""

import copy
import pickle

import numpy as np
import pytest
from children import python
from chosen import demand
from frameworks import assert_same_bits

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.core import reference

# PyTorch's compiler imports what warns of itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*torch.jit.*deprecated:DeprecationWarning"),
]
rng = np.random.default_rng(3)


@pytest.fixture
def torch():
    demand("torch")
    import torch

    torch._dynamo.reset()
    return torch


@pytest.fixture
def d2l(torch):
    return bind("torch")


def network(torch, d2l):
    conv = d2l.Conv2D((3, 3), in_channels=2, out_channels=4, padding=1)
    point = d2l.Conv2D((1, 1), in_channels=4, out_channels=3, bias=False)
    return torch.nn.Sequential(conv, torch.nn.ReLU(), d2l.Pool2D(2), point)


def test_a_compiler_reads_options_without_a_warning(torch, d2l):
    X, K = torch.rand(6, 8), torch.rand(2, 3)
    strided = torch.compile(lambda X: d2l.corr2d(X, K, stride=2), backend="eager", fullgraph=True)
    assert torch.equal(strided(X), d2l.corr2d(X, K, stride=2))


@pytest.mark.parametrize("compiler", ["eager", "aot_eager", "inductor"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("kernel", [(1, 1), (2, 3)], ids=["1x1", "2x3"])
def test_a_compiled_program_keeps_the_bits_of_a_call_in_it(torch, d2l, compiler, dtype, kernel):
    """With one step before and after: each rounds once, compiled or not."""
    data = [d2l.tensor(rng.standard_normal(s).astype(dtype)) for s in ((6, 7), kernel)]
    eager, compiled = ([t.clone().requires_grad_() for t in data] for _ in range(2))

    def program(X, K):
        return d2l.corr2d(X * 0.1, K) * 3

    Y = program(*eager)
    Z = torch.compile(program, backend=compiler, fullgraph=True)(*compiled)
    assert_same_bits(Z.detach().numpy(), Y.detach().numpy(), "Y")
    G = torch.ones_like(Y)
    for a, b in zip(
        torch.autograd.grad(Z, compiled, G), torch.autograd.grad(Y, eager, G), strict=True
    ):
        assert_same_bits(a.numpy(), b.numpy(), "gradient")


@pytest.mark.parametrize("dynamic", [False, True])
def test_a_compiled_network_keeps_its_bits(torch, d2l, dynamic):
    net, X = network(torch, d2l), d2l.tensor(rng.standard_normal((2, 2, 8, 8)), "float32")
    compiled = torch.compile(net, fullgraph=True, dynamic=dynamic)
    weights = list(net.parameters())
    Y, Z = net(X), compiled(X)
    assert torch.equal(Y, Z)
    G = torch.ones_like(Y)
    for a, b in zip(
        torch.autograd.grad(Z, weights, G), torch.autograd.grad(Y, weights, G), strict=True
    ):
        assert torch.equal(a, b)


@pytest.mark.filterwarnings("ignore:.*might cause the trace to be incorrect")
def test_what_torch_jit_trace_records_has_our_bits_and_the_rest_is_refused(torch, d2l):
    X, Z = torch.rand(1, 1, 5, 6), torch.rand(1, 1, 5, 6)
    layer = d2l.Conv2D((2, 3), in_channels=1, out_channels=2)
    with torch.no_grad():
        assert_same_bits(torch.jit.trace(layer, X)(Z).numpy(), layer(Z).numpy())
    with pytest.raises(dc.ArgumentError, match=r"trace inside torch\.no_grad"):
        torch.jit.trace(layer, X)
    rounded = d2l.Conv2D((2, 3), in_channels=1, out_channels=2, method="rounded")
    with torch.no_grad(), pytest.raises(dc.ArgumentError, match="outside of PyTorch"):
        torch.jit.trace(rounded, X)


@pytest.mark.parametrize("strict", [False, True])
def test_an_exported_network_keeps_its_bits_for_any_batch(torch, d2l, strict):
    net, X = network(torch, d2l), d2l.tensor(rng.standard_normal((2, 2, 8, 8)), "float32")
    images = ({0: torch.export.Dim("n", min=2, max=64)},)
    program = torch.export.export(net, (X,), dynamic_shapes=images, strict=strict)
    more = torch.cat([X, X, 2 * X])
    assert torch.equal(program.module()(more), net(more))


def test_a_network_is_copied_saved_and_moved(torch, d2l):
    net, X = network(torch, d2l), d2l.tensor(rng.standard_normal((2, 2, 8, 8)), "float32")
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(other(X), net(X))
    assert copy.deepcopy(net).double()(X.double()).dtype == torch.float64
    assert copy.deepcopy(net).half()(X.half()).dtype == torch.float16
    assert copy.deepcopy(net).to("meta")(X.to("meta")).shape == net(X).shape


@pytest.mark.parametrize("method", ["exact", "native", "matmul", "banded", "loop", "fft", "auto"])
def test_autocast_changes_no_result(torch, d2l, method):
    X, K = (d2l.tensor(rng.standard_normal(s), "float32") for s in ((6, 7), (2, 3)))
    expected = d2l.corr2d(X, K, method=method)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = d2l.corr2d(X, K, method=method)
        assert dc.parity.compare(found, expected).verdict == "identical"
    assert_same_bits(found.numpy(), expected.numpy())


def test_tensors_on_two_devices_are_refused(torch, d2l):
    X, K = torch.ones(3, 4), torch.ones(2, 2)
    for a, b in ((X.to("meta"), K), (X, K.to("meta"))):
        with pytest.raises(dc.ArgumentError, match=r"'meta'.*Move one of them"):
            d2l.corr2d(a, b)


def test_values_are_not_to_be_had_under_vmap_or_of_a_fake_tensor(torch, d2l):
    from torch._subclasses.fake_tensor import FakeTensorMode

    def ask(t):
        for call in (dc.to_numpy, lambda t: d2l.learn_kernel(t, t, (1, 1))):
            with pytest.raises(dc.ArgumentError, match="has no values here"):
                call(t)
        return t

    torch.vmap(ask)(torch.ones(2, 3, 3))
    with FakeTensorMode():
        fake = torch.ones(3, 3)
        assert d2l.corr2d(fake, fake).shape == (1, 1)
    ask(fake)
    assert d2l.corr2d(fake, fake).shape == (1, 1)
    for call in (
        lambda: d2l.corr2d(fake, torch.ones(2, 2)),
        lambda: d2l.corr2d(torch.ones(4, 4), fake, method="native"),
        lambda: d2l.Conv2D((2, 2))(fake),
        lambda: d2l.dense(torch.ones(3, 3), fake),
    ):
        with pytest.raises(dc.ArgumentError, match="a FakeTensor, which has none"):
            call()
    with FakeTensorMode(allow_non_fake_inputs=True):
        fake = torch.ones(3, 3)
        assert d2l.corr2d(fake, [[1, 2]]).shape == (3, 2)


def test_values_are_there_under_a_gradient(torch, d2l):
    seen = []
    torch.func.grad(lambda X: (seen.append(dc.to_numpy(X)), X.sum())[1])(torch.ones(2, 3))
    assert_same_bits(seen[0], np.ones((2, 3), np.float32))


def test_an_uninitialized_parameter_is_refused(torch, d2l):
    with pytest.raises(dc.DTypeError, match="a parameter that is not initialized"):
        d2l.corr2d([[1]], torch.nn.UninitializedParameter())


@pytest.mark.filterwarnings("ignore:The PyTorch API of MaskedTensors:UserWarning")
def test_a_masked_tensor_is_refused(torch, d2l):
    t = torch.masked.masked_tensor(torch.ones(2, 2), torch.eye(2).bool())
    with pytest.raises(dc.DTypeError, match="a masked tensor"):
        d2l.corr2d(t, [[1]])


def test_a_layer_learns_from_a_tensor_of_inference_mode(torch, d2l):
    with torch.inference_mode():
        X = torch.ones(1, 2, 6, 6)
    net = network(torch, d2l)
    net(X).sum().backward()
    assert net[0].weight.grad.shape == net[0].weight.shape


def test_second_derivatives_by_forward_over_reverse_keep_their_bits(torch, d2l):
    X, K, T = (d2l.tensor(rng.standard_normal(s), "float32") for s in ((5, 6), (2, 3), (2, 3)))

    def of_kernel(K):
        return torch.func.vjp(lambda X: d2l.corr2d(X, K), X)[1](torch.ones(4, 4))[0]

    found = torch.func.jvp(of_kernel, (K,), (T,))[1]
    assert_same_bits(found.numpy(), reference.image_gradient(T.numpy(), np.ones((4, 4), "f4")))


def test_forward_mode_over_forward_mode_is_right(torch, d2l):
    """PyTorch turns forward mode off in the rule of a function, of outer levels too."""
    X = torch.arange(12.0, dtype=torch.float64).reshape(3, 4)
    ones = torch.ones_like(X)

    def ours(x):
        return d2l.corr2d(x, x[:2, 1:3]).sum()

    def theirs(x):
        return torch.nn.functional.conv2d(x[None, None], x[None, None, :2, 1:3]).sum()

    def along(function):
        return lambda x: torch.func.jvp(function, (x,), (ones,))[1]

    assert along(along(ours))(X) == along(along(theirs))(X) != 0
    for function in (ours, theirs):
        assert along(along(along(function)))(X) == 0


DERIVATIVES = {
    "jvp": lambda func, f, X: func.jvp(f, (X,), (X * X,))[1],
    "jacfwd": lambda func, f, X: func.jacfwd(f)(X),
    "grad": lambda func, f, X: func.grad(f)(X),
    "hessian": lambda func, f, X: func.hessian(f)(X),
}


@pytest.mark.parametrize("name", DERIVATIVES)
@pytest.mark.parametrize("whole", [True, False], ids=["compiled with it", "of what is compiled"])
def test_a_derivative_of_torch_func_in_a_compiled_program_is_right(torch, d2l, name, whole):
    """PyTorch's operators have no forward mode: their tangents would be zero, without a word."""
    X, K = torch.rand(4, 5), torch.rand(2, 3)
    derivative = DERIVATIVES[name]

    def f(X):
        return (d2l.corr2d(X, K) ** 2).sum()

    if whole:
        found = torch.compile(lambda X: derivative(torch.func, f, X), backend="aot_eager")(X)
    else:
        found = derivative(torch.func, torch.compile(f, backend="aot_eager"), X)
    right = derivative(torch.func, f, X)
    assert found.any()
    torch.testing.assert_close(found, right)


@pytest.mark.parametrize("name", ["jvp", "grad"])
def test_a_derivative_in_a_compiled_program_is_right_without_a_private_name(
    torch, d2l, monkeypatch, name
):
    from d2lconv_torch import private

    monkeypatch.setattr(private, "_stack", None)
    X, K = torch.rand(4, 5), torch.rand(2, 3)

    def f(X):
        return (d2l.corr2d(X, K) ** 2).sum()

    derivative = DERIVATIVES[name]
    found = torch.compile(lambda X: derivative(torch.func, f, X), backend="aot_eager")(X)
    torch.testing.assert_close(found, derivative(torch.func, f, X))


def test_forward_mode_is_not_lost_in_a_tensor_that_watches_what_is_done_to_it(torch, d2l):
    from torch.autograd import forward_ad
    from torch.utils._pytree import tree_map

    class Watching(torch.Tensor):
        @staticmethod
        def __new__(cls, inner):
            return torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype)

        def __init__(self, inner):
            self.inner = inner

        @classmethod
        def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
            args, kwargs = (
                tree_map(lambda t: t.inner if isinstance(t, cls) else t, given)
                for given in (args, kwargs or {})
            )
            made = function(*args, **kwargs)
            return tree_map(lambda t: cls(t) if isinstance(t, torch.Tensor) else t, made)

    X, T, K = torch.rand(4, 5), torch.rand(4, 5), torch.rand(2, 3)
    with forward_ad.dual_level():
        Y = d2l.corr2d(forward_ad.make_dual(Watching(X), Watching(T)), K)
        tangent = forward_ad.unpack_dual(Y).tangent
    assert torch.equal(tangent.inner, d2l.corr2d(T, K))


def test_functionalize_keeps_the_bits_or_is_refused(torch, d2l):
    from torch.func import functionalize, grad, vmap

    X, K = torch.rand(3, 4, 5), torch.rand(2, 3)
    for method in ("exact", "rounded", "native", "matmul", "loop", "fft", "banded", "auto"):
        f = functionalize(lambda X, method=method: d2l.corr2d(X, K, method=method))
        assert torch.equal(f(X[0]), d2l.corr2d(X[0], K, method=method))
    assert torch.equal(vmap(functionalize(lambda X: d2l.sigmoid(X)))(X), d2l.sigmoid(X))
    leaf = X[0].clone().requires_grad_()
    functionalize(lambda X: d2l.corr2d(X, K))(leaf).sum().backward()
    assert torch.equal(leaf.grad, grad(lambda X: d2l.corr2d(X, K).sum())(X[0]))
    for nested in (
        grad(functionalize(lambda X: d2l.corr2d(X, K).sum())),
        functionalize(grad(lambda X: d2l.corr2d(X, K).sum())),
    ):
        with pytest.raises(dc.ArgumentError, match="functionalize does not go together with"):
            nested(X[0])


WHOLE = """
import numpy as np, torch
from d2lconv import torch as d2l

X = torch.rand(5, 3)
for function in (
    lambda X: d2l.cross_entropy(X, [2, 0, 1, 2, 2]),
    lambda X: d2l.cross_entropy(X, np.array([2, 0, 1, 2, 2])),
    lambda X: d2l.corr2d(X, [[1.0, -1.0]]),
    lambda X: d2l.corr2d(X, ((1, -1),)),
    lambda X: d2l.corr2d(X.double(), [[0.1, 0.7]]),
    lambda X: d2l.corr2d(X, np.array([[0.1, 0.7]])),
    lambda X: d2l.corr2d(X, np.array([[1, 7]])),
    lambda X: d2l.tensor([[0.1]]) + X,
    lambda X: d2l.sigmoid(d2l.dense(X, X)),
):
    torch._dynamo.reset()
    compiled = torch.compile(function, backend="eager", fullgraph=True)
    assert torch.equal(compiled(X), function(X))
"""


@pytest.mark.usefixtures("torch")
def test_the_very_first_call_may_be_compiled_whole():
    """Whose a list or a tensor is, PyTorch's compiler cannot ask a type; it finds the answer."""
    python(WHOLE)


def test_a_network_that_was_converted_or_frozen_says_so(torch, d2l, tmp_path):
    """A file of other types would be refused when it is loaded; a frozen one cannot learn."""
    images, labels = np.zeros((2, 1, 28, 28), "f4"), [0, 1]
    file = tmp_path / "net.npz"
    for change, error, words in (
        (lambda net: net.half(), dc.DTypeError, "conv1.weight is float16"),
        (lambda net: net.to("meta"), dc.ArgumentError, "conv1.weight has no values here"),
    ):
        with pytest.raises(error, match=words):
            d2l.save(change(d2l.LeNet()), file)
        with pytest.raises(error, match=words):
            d2l.train(change(d2l.LeNet()), images, labels, batch_size=2)
    with pytest.raises(dc.ArgumentError, match=r"conv1.weight is frozen.*net.requires_grad_\(\)"):
        d2l.train(d2l.LeNet().requires_grad_(False), images, labels, batch_size=2, verbose=False)
    assert not file.exists()


@pytest.mark.filterwarnings("ignore:.*quantize:UserWarning")
def test_a_quantized_tensor_is_called_one(torch, d2l):
    quantized = torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 0, torch.qint8)
    for call in (lambda: d2l.corr2d(quantized, [[1]]), lambda: dc.parity.compare(quantized, [[1]])):
        with pytest.raises(dc.DTypeError, match="a quantized tensor"):
            call()

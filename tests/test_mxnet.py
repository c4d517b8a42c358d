"""What is MXNet's alone: its older arrays, its programs, its blocks, and what it cannot do."""

import threading

import numpy as np
import pytest
from chosen import demand
from frameworks import assert_same_bits
from geometries import values

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.core import reference
from d2lconv.core.options import settings

X = [[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]
K = [[1.0, -2.0]]


@pytest.fixture
def mx():
    """MXNet, through the view that makes it import."""
    bind(demand("mxnet"))
    import mxnet

    return mxnet


@pytest.fixture
def d2l(mx):
    """Our API bound to MXNet."""
    return bind("mxnet")


@pytest.mark.parametrize("method", ["exact", "native", "matmul", "loop"])
def test_older_arrays_are_differentiated_too(mx, method):
    image, kernel = (mx.np.array(t).as_nd_ndarray() for t in (X, K))
    for t in (image, kernel):
        t.attach_grad()
    with mx.autograd.record():
        Y = dc.corr2d(image, kernel, method=method)
    Y.backward()
    assert image.grad.asnumpy().tolist() == [[1, -1, -2], [1, -1, -2]]
    assert kernel.grad.asnumpy().tolist() == [[12, 17]]


@pytest.mark.parametrize("method", ["exact", "rounded", "native", "matmul", "loop"])
@pytest.mark.parametrize("rank", [2, 4])
def test_a_second_derivative_is_an_error_and_not_wrong(mx, d2l, method, rank):
    """MXNet differentiates an autograd.Function once, and says so itself."""
    image, kernel = (d2l.tensor(t).reshape((1,) * (rank - 2) + (-1, len(t[0]))) for t in (X, K))
    image.attach_grad()
    with mx.autograd.record():
        Y = dc.corr2d(image, kernel, method=method).sum()
        (dX,) = mx.autograd.grad(Y, [image], create_graph=True, retain_graph=True)
        total = (dX.as_np_ndarray() * image).sum()
    with pytest.raises(mx.base.MXNetError, match="is non-differentiable"):
        total.backward()


def test_the_loop_keeps_infinities(d2l):
    """MXNet's own sum makes NaN of an infinity."""
    image = d2l.tensor([[np.inf, 1.0, 2.0]])
    assert d2l.corr2d(image, [[1.0, 1.0]], method="loop").tolist() == [[np.inf, 3.0]]
    assert np.isnan(image.sum().item())


@pytest.mark.parametrize("method", ["exact", "native"])
def test_a_small_image_and_kernel_run_as_one_program_for_all_values(d2l, method):
    from d2lconv_mxnet.methods import _program

    rng = np.random.default_rng(0)
    before = _program.cache_info().misses
    for _ in range(4):
        image, kernel = rng.standard_normal((23, 29)), rng.standard_normal((3, 2))
        d2l.corr2d(d2l.tensor(image, "float32"), d2l.tensor(kernel, "float32"), method=method)
    assert _program.cache_info().misses == before + 1


def test_programs_are_bounded_and_come_again(d2l):
    from d2lconv_mxnet.methods import _program

    image, limit = d2l.tensor(np.ones((3, 200))), _program.cache_info().maxsize
    for _ in range(2):
        for kw in range(1, limit + 10):
            assert d2l.corr2d(image[:, : kw + 1], image[:1, :kw])[0, 0] == kw
    assert _program.cache_info().currsize <= limit


@pytest.mark.parametrize("name", ["_mul_scalar", "_slice", "_registry"])
@pytest.mark.parametrize("size", [(9, 8), (300, 200)])
def test_without_a_private_name_the_bits_are_the_same(mx, d2l, monkeypatch, name, size):
    from d2lconv_mxnet import exact, private, process

    gone = mx.nd.NDArray.__getitem__ if name == "_slice" else None
    assert getattr(private, name) is not gone
    monkeypatch.setattr(private, name, gone)
    rng = np.random.default_rng(0)
    image, kernel = values(rng, size, "float32"), values(rng, (3, 4), "float32")
    form = reference.form(image.shape, kernel.shape)
    tensors = d2l.tensor(image).reshape(form.image), d2l.tensor(kernel).reshape(form.kernel)
    Y = exact._in_place(*tensors, form.geometry)[0, 0]
    assert_same_bits(d2l.to_numpy(Y), reference.corr2d(image, kernel))
    process.settle()


def test_layers_in_a_network_train_save_and_load(mx, d2l, tmp_path):
    def network(seed):
        net = mx.gluon.nn.Sequential()
        net.add(
            d2l.Conv2D((3, 3), in_channels=1, out_channels=2, padding=1, seed=seed),
            mx.gluon.nn.Activation("relu"),
            d2l.Pool2D(2),
            mx.gluon.nn.Dense(3),
        )
        net[-1].initialize()  # our layers have their values from the start
        net.hybridize()  # what is no hybrid block stays as it is
        return net

    images = d2l.tensor(np.random.default_rng(0).standard_normal((4, 1, 6, 6)), "float32")
    net, other = network(0), network(1)
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    before = net(images).asnumpy()
    with mx.autograd.record():
        loss = (net(images) ** 2).sum()
    loss.backward()
    trainer.step(4)
    after = net(images).asnumpy()
    assert (before != after).any()
    assert (other(images).asnumpy() != after).any()
    net.save_parameters(str(tmp_path / "net"))
    other.load_parameters(str(tmp_path / "net"))
    assert_same_bits(other(images).asnumpy(), after)


def test_a_hybrid_network_takes_no_layer_of_ours(mx, d2l):
    with pytest.raises(ValueError, match="must also be HybridBlock"):
        mx.gluon.nn.HybridSequential().add(d2l.Conv2D((2, 2)))
    with pytest.raises(dc.D2LConvError, match="save_parameters"):
        d2l.Conv2D((2, 2)).export("model")


def test_layers_and_gradients_in_another_thread(mx, d2l):
    """NumPy semantics are off there, and it does not matter."""
    rng = np.random.default_rng(0)
    image, kernel = values(rng, (2, 3, 6, 5), "float32"), values(rng, (4, 3, 2, 2), "float32")
    options = {"stride": 2, "padding": 1}
    expected = reference.corr2d(image, kernel, *settings(**options))
    found = {}

    def work():
        layer = d2l.Conv2D((2, 2), in_channels=3, out_channels=4, weight=kernel, **options)
        image_here = d2l.tensor(image)
        image_here.attach_grad()
        with mx.autograd.record():
            Y = layer(image_here)
        Y.backward()
        pooled = d2l.pool2d(image_here, 2, mode="avg")
        learned = d2l.learn_kernel(image[0, 0], image[0, 0, :, 1:], (1, 2)).kernel
        found.update(Y=Y.asnumpy(), dX=image_here.grad.asnumpy(), rest=(pooled, learned))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert_same_bits(found["Y"], expected)
    G = np.ones_like(expected)
    dX = reference.image_gradient(kernel, G, image.shape, *settings(**options))
    assert_same_bits(found["dX"], dX)


def test_a_layers_program_is_right_for_each_call_and_in_another_thread(d2l):
    """What came out before stays as it is: a program keeps the memory that it works in."""
    rng = np.random.default_rng(1)
    kernel = rng.integers(-4, 5, (4, 3, 2, 3)).astype(np.float32)  # whole numbers: nothing rounds
    layer = d2l.Conv2D(
        (2, 3), in_channels=3, out_channels=4, weight=kernel, bias=1, padding=1, method="native"
    )
    images = [rng.integers(-9, 10, (2, 3, 6, 5)).astype(np.float32) for _ in range(3)]
    results = [layer(d2l.tensor(image)) for image in images[:2]]
    thread = threading.Thread(target=lambda: results.append(layer(d2l.tensor(images[2]))))
    thread.start()
    thread.join(60)
    for image, result in zip(images, results, strict=True):
        assert_same_bits(result.asnumpy(), reference.corr2d(image, kernel, *settings(1, 1)) + 1)

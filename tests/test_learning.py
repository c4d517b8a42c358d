"""Learning a kernel: the same bits everywhere, and the published runs to the last printed digit."""

import pickle

import numpy as np
import pytest
from frameworks import assert_same_bits, vjp

import d2lconv as dc
from d2lconv import published
from d2lconv.binding import bind
from d2lconv.core import divergence

RUNS = {run.id: run for run in published.runs()}


@pytest.fixture(params=RUNS)
def run(request):
    return RUNS[request.param]


def in_float64(initial):
    """The losses and the kernel of ten steps in float64: k - 2 * lr * (H k - b)."""
    H, b = np.array([[18.0, 12.0], [12.0, 18.0]]), np.array([6.0, -6.0])
    k, losses = np.float64(np.float32(initial)), []
    for _ in range(published.EPOCHS):
        error = k - np.array([1.0, -1.0])
        losses.append(error @ H @ error)
        k = k - 2 * published.LR * (H @ k - b)
    return losses, k


def test_there_are_five_published_runs():
    assert list(RUNS) == [
        "book-pytorch",
        "book-mxnet",
        "book-jax",
        "book-tensorflow",
        "slides-tensorflow",
    ]


def test_the_normal_equations_are_those_of_the_lesson():
    X = dc.numpy.edge_image()
    rows = np.stack([X[:, :-1].ravel(), X[:, 1:].ravel()], axis=1)
    np.testing.assert_array_equal(rows.T @ rows, [[18, 12], [12, 18]])
    target = dc.numpy.corr2d(X, [[1, -1]]).ravel()
    np.testing.assert_array_equal(rows.T @ target, [6, -6])


def test_in_float64_the_initial_kernel_gives_every_published_number(run):
    losses, kernel = in_float64(run.initial)
    assert tuple(f"{loss:.3f}" for loss in losses[1::2]) == run.losses
    decimals = [len(text.partition(".")[2]) for text in run.learned]
    assert tuple(f"{k:.{d}f}" for k, d in zip(kernel, decimals, strict=True)) == run.learned


def test_the_exact_layer_replays_every_published_run(d2l, run):
    replay = published.replay(run, d2l)
    assert replay.losses == run.losses
    assert replay.learned == run.learned


def test_the_frameworks_own_layer_replays_every_published_run(framework, run):
    """To every printed digit: the initial kernels were chosen so that rounding decides none."""
    replay = published.replay(run, bind(framework), layer="builtin")
    assert replay.losses == run.losses
    assert replay.learned == run.learned


def test_a_replay_of_another_kernel_is_noticed():
    run = RUNS["book-jax"]
    other = published.PublishedRun(run.id, (0.728127, 0.66661), run.losses, run.learned)
    replay = published.replay(other, dc)
    assert (replay.losses, replay.learned) != (run.losses, run.learned)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("size", [(1, 2), (3, 2)])
def test_exact_learning_has_the_same_bits_in_every_backend(framework, size, dtype):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((9, 7)).astype(dtype)
    Y = dc.numpy.corr2d(X, rng.standard_normal(size).astype(dtype))
    options = {"lr": 3e-3, "epochs": 12, "seed": 3}
    expected = dc.numpy.learn_kernel(X, Y, size, **options)
    actual = bind(framework).learn_kernel(X, Y, size, **options)
    assert actual.losses == expected.losses
    assert_same_bits(dc.to_numpy(actual.kernel), expected.kernel, "kernel")
    assert_same_bits(dc.to_numpy(actual.initial), expected.initial, "initial")
    assert actual.losses[-1] < actual.losses[0]


def test_learning_tells_what_it_did(d2l):
    X = d2l.edge_image()
    Y = d2l.corr2d(X, [[1, -1]])
    learned = dc.learn_kernel(X, Y, (1, 2), init=[[0.5, 0.25]], epochs=4)
    assert learned.backend == d2l.name
    assert len(learned.losses) == 4
    assert all(type(loss) is float for loss in learned.losses)
    assert type(learned.kernel) is type(learned.initial) is type(d2l.tensor([[1, 2]]))
    assert_same_bits(dc.to_numpy(learned.initial), np.float32([[0.5, 0.25]]))
    assert dc.to_numpy(learned.kernel).shape == (1, 2)


def test_the_seed_draws_the_initial_kernel(d2l):
    X = d2l.edge_image()
    Y = d2l.corr2d(X, [[1, -1]])
    learned = d2l.learn_kernel(X, Y, (1, 2), epochs=1, seed=7)
    drawn = np.random.default_rng(7).random((1, 2), dtype=np.float32)
    assert_same_bits(dc.to_numpy(learned.initial), drawn)


@pytest.mark.parametrize("layer", ["exact", "builtin"])
def test_verbose_prints_every_second_epoch(d2l, layer, capsys):
    if d2l.name == "numpy" and layer == "builtin":
        with pytest.raises(dc.ArgumentError, match="NumPy has no convolutional layer of its own"):
            d2l.learn_kernel([[1, 2]], [[1]], (1, 2), layer="builtin")
        return
    X = d2l.edge_image()
    Y = d2l.corr2d(X, [[1, -1]])
    initial = [RUNS["book-jax"].initial]
    d2l.learn_kernel(X, Y, (1, 2), init=initial, layer=layer, epochs=5)
    assert capsys.readouterr().out == ""
    d2l.learn_kernel(X, Y, (1, 2), init=initial, layer=layer, epochs=5, verbose=True)
    assert capsys.readouterr().out == "epoch 2, loss 23.292\nepoch 4, loss 8.424\n"


def test_a_strictly_convolving_target_teaches_the_flipped_kernel(d2l):
    X = d2l.edge_image()
    Y = d2l.conv2d(X, [[1, -1]])
    learned = d2l.learn_kernel(X, Y, (1, 2), epochs=100)
    # A step shrinks the error by a factor of 0.8 or less: 100 steps to below 1e-9 of it.
    np.testing.assert_array_equal(np.round(dc.to_numpy(learned.kernel), 3), [[-1, 1]])


def test_a_strictly_convolving_layer_learns_the_flipped_kernel_with_the_same_bits(framework):
    """Learning through conv2d, by the framework's own differentiation, step by step."""
    d2l = bind(framework)
    rng = np.random.default_rng(2)
    X = d2l.tensor(rng.standard_normal((7, 8), dtype=np.float32))
    Y = d2l.corr2d(X, rng.standard_normal((2, 3), dtype=np.float32))
    start = rng.standard_normal((2, 3), dtype=np.float32)
    run = dc.numpy.learn_kernel(dc.to_numpy(X), dc.to_numpy(Y), (2, 3), lr=1e-3, init=start)
    kernel = start[::-1, ::-1].copy()
    for _ in range(10):
        D = d2l.to_numpy(d2l.conv2d(X, kernel)) - d2l.to_numpy(Y)
        _, (dK,) = vjp(
            framework, lambda K: d2l.conv2d(X, K), [d2l.tensor(kernel)], d2l.tensor(D + D)
        )
        kernel = kernel - np.float32(1e-3) * d2l.to_numpy(dK)
    assert_same_bits(kernel[::-1, ::-1], run.kernel, "kernel")
    output = d2l.to_numpy(d2l.conv2d(X, kernel))
    assert_same_bits(output, dc.numpy.corr2d(dc.to_numpy(X), run.kernel), "output")


def test_learning_leaves_its_inputs_alone(framework):
    """Also when they are being differentiated, or nothing is."""
    d2l = bind(framework)
    X = d2l.edge_image()
    Y = d2l.corr2d(X, [[1, -1]])
    expected = d2l.learn_kernel(X, Y, (1, 2)).losses
    if framework == "torch":
        import torch

        X.requires_grad_()
        assert d2l.learn_kernel(X, Y, (1, 2)).losses == expected
        assert X.grad is None
        with torch.no_grad():
            assert d2l.learn_kernel(X, Y, (1, 2)).losses == expected
    if framework == "mxnet":
        X.attach_grad()
        assert d2l.learn_kernel(X, Y, (1, 2)).losses == expected
        assert not X.grad.asnumpy().any()
    np.testing.assert_array_equal(dc.to_numpy(X), dc.numpy.edge_image())


RATES = (1e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 3e-2, 1.0, 1e30)


@pytest.mark.parametrize("layer", ["exact", "builtin"])
def test_learning_that_diverges_says_so_and_names_a_rate_that_does_not(d2l, layer):
    """On photographs, at ten rates: either the loss falls at every step, or it is told."""
    if d2l.name == "numpy" and layer == "builtin":
        layer = "exact"
    told = set()
    for name in d2l.photographs():
        X = d2l.photograph(name)
        Y = d2l.corr2d(X, [[1, -1]])
        for lr in RATES:
            error = None
            try:
                losses = d2l.learn_kernel(X, Y, (1, 2), lr=lr, layer=layer).losses
            except dc.Diverged as diverged:
                error = diverged
            if error is not None:
                told.add(lr)
                assert error.lr == lr > error.largest
                safe = float(str(error).rpartition("lr=")[2].rstrip("."))
                losses = d2l.learn_kernel(X, Y, (1, 2), lr=safe, layer=layer).losses
            assert list(losses) == sorted(losses, reverse=True)
    assert told >= {1e-3, 3e-3, 3e-2, 1.0, 1e30}
    assert not told & {1e-6, 1e-5, 3e-5}


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (17, 16)])
def test_below_the_largest_safe_rate_learning_converges_and_above_it_diverges(size):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((24, 25))
    Y = dc.corr2d(X, rng.standard_normal(size))
    largest = divergence.largest_rate(X, size)
    windows = np.lib.stride_tricks.sliding_window_view(X, size).reshape(-1, size[0] * size[1])
    true = 1 / np.linalg.norm(windows, 2) ** 2
    if size == (17, 16):  # there it is a bound
        assert largest < true
    else:  # A.T @ A errs by 2**-53 for each element of A, and both decompositions by less
        rounding = windows.size * 2.0**-52
        assert true * (1 - rounding) <= largest <= true * (1 + rounding)
    losses = dc.learn_kernel(X, Y, size, lr=0.99 * largest, epochs=40).losses
    assert list(losses) == sorted(losses, reverse=True)
    with pytest.raises(dc.Diverged):
        dc.learn_kernel(X, Y, size, lr=1.02 * true, epochs=1000)


def test_one_step_too_large_is_told_as_well(d2l):
    X = d2l.edge_image()
    with pytest.raises(dc.Diverged, match=r"step 2: with lr=100 the loss rose from") as told:
        d2l.learn_kernel(X, d2l.corr2d(X, [[1, -1]]), (1, 2), lr=100, epochs=1)
    # The matrix has whole numbers. LAPACK's dlae2 has its eigenvalue within "a few ulps".
    np.testing.assert_array_max_ulp(told.value.largest, 1 / 30, maxulp=4)
    again = pickle.loads(pickle.dumps(told.value))
    assert (str(again), again.losses) == (str(told.value), told.value.losses)


def test_numbers_too_large_for_their_type_are_told_apart_from_a_large_rate(d2l):
    X = d2l.tensor(np.full((4, 5), 3e2, np.float16))
    with pytest.raises(dc.Diverged, match="The lr is safe, but the numbers are too large"):
        d2l.learn_kernel(X, d2l.tensor(np.zeros((4, 4), np.float16)), (1, 2), lr=1e-7)


def test_nothing_is_learned_from_infinity(d2l):
    for data in ({"X": [[1, np.inf]], "Y": [[1]]}, {"X": [[1, 2]], "Y": [[np.nan]]}):
        with pytest.raises(dc.ArgumentError, match="holds infinity or NaN"):
            d2l.learn_kernel(**data, kernel_size=(1, 2))


def test_losses_are_printed_as_people_read_them(d2l, capsys):
    X = d2l.tensor(dc.numpy.photograph("coins") * 1e4)
    Y = d2l.corr2d(X, [[1, -1]])
    d2l.learn_kernel(X, Y, (1, 2), lr=1e-13, epochs=2, verbose=True)
    assert capsys.readouterr().out == "epoch 2, loss 5.25e+11\n"

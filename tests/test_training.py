"""LeNet, trained: the same bits in every framework after every step, and how training ends."""

import hashlib
import json
import math
import os
import signal
import threading
import zipfile

import numpy as np
import pytest
from chosen import demand
from frameworks import assert_same_bits

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.core import lenet
from d2lconv.training import loop, owner

# There is one right answer, so it can stand here: the hash after ten steps of the book's LeNet
# with minibatches of 64, and after a whole epoch with tanh and maxima.
TEN_STEPS = "2026a488cebd9b156ba2f82635bd2cae1afde8a6b5db5ea692f5344f8fb34ccb"
# After each epoch with the README's settings, in any framework: `d2lconv train` tells it.
EPOCHS = (
    "1e8256085b2e0a7f2dc0e997f06122d6663453550948a91ea20c988074d19dbb",
    "04851dbe0c3051bbd2f268666d2784a3861fc3e73da93872cc51cc32a20b1919",
    "5023c6c8c3313ccd5207d5fcb6a9889c4cae16b01970d0c8ed8680b45b907f8a",
)
OPTIONS = [
    {},
    {"activation": "relu", "pool": "max"},
    {"activation": "tanh", "method": "exact", "seed": 3},
]


@pytest.fixture(scope="module")
def digits():
    return dc.numpy.digits()


@pytest.fixture(params=OPTIONS, ids=lambda given: "-".join(map(str, given.values())) or "book")
def network(request):
    return lenet.lenet(**request.param)


def test_lenet_has_the_shapes_and_the_parameters_of_the_book(d2l, digits, capsys):
    net = d2l.LeNet()
    native, made = owner(net), net.made
    assert made.size == 61_706
    assert sum(v.size for v in native.parameters(net).values()) == 61_706
    X = d2l.tensor(digits[0][:2])
    for one, Y in zip(made.layers, native.outputs(net, X), strict=True):
        assert tuple(Y.shape) == (2, *one.output)
    assert_same_bits(d2l.to_numpy(net(X)), d2l.to_numpy(native.outputs(net, X)[-1]))
    net.summary()
    *rows, last = capsys.readouterr().out.splitlines()
    counted = [row for row in rows if not row.endswith(")")]
    assert [row.split()[-1] for row in counted] == ["156", "2,416", "48,120", "10,164", "850"]
    assert len({len(row) for row in counted}) == 1  # right-aligned, below each other
    assert all(len(row) < len(counted[0]) - len("48,120") for row in rows if row not in counted)
    assert last == "61,706 parameters"


def test_every_framework_starts_from_the_same_weights(d2l):
    made = lenet.lenet(seed=7)
    net = d2l.LeNet(seed=7)
    for name, value in owner(net).parameters(net).items():
        assert_same_bits(value, made.start[name], name)
        bound = (
            np.sqrt(6 / (value.shape[0] + value.shape[1]) / np.prod(value.shape[2:]))
            if (value.ndim > 1)
            else 0
        )
        assert np.abs(value).max() <= bound
    assert not np.array_equal(made.start["conv1.weight"], lenet.lenet().start["conv1.weight"])


def test_values_loss_and_every_gradient_have_the_bits_of_the_reference(framework, network, digits):
    images, labels = digits[0][:16], digits[1][:16]
    found = [results(name, network, images, labels) for name in (framework, "numpy")]
    for name, value in found[0].items():
        assert_same_bits(value, found[1][name], name)


def results(name, made, images, labels):
    """The output of each layer, the loss, and its gradients."""
    d2l = bind(name)
    net = d2l.LeNet(**made.options)
    native = owner(net)
    native.assign(net, made.start)
    values = map(d2l.to_numpy, native.outputs(net, d2l.tensor(images)))
    outputs = dict(zip((one.name for one in made.layers), values, strict=True))
    loss, logits, gradients = native.loss_gradients(net, d2l.tensor(images), labels)
    return {**outputs, "loss": np.float32(loss), "logits": logits, **gradients}


def test_ten_steps_end_with_the_one_right_hash(d2l, digits):
    images, labels = digits
    net = d2l.LeNet()
    history = dc.train(net, images[:640], labels[:640], epochs=1, batch_size=64, verbose=False)
    assert history.hashes == (TEN_STEPS,)
    content = b"".join(v.tobytes() for v in owner(net).parameters(net).values())
    assert hashlib.sha256(content).hexdigest() == TEN_STEPS


def test_steps_have_the_bits_of_the_reference(framework, digits):
    images, labels = digits[0][:36], digits[1][:36]
    hashes = []
    for name in (framework, "numpy"):
        net = bind(name).LeNet(activation="relu", pool="max", seed=5)
        native = bind(name).tensor(images)
        history = dc.train(net, native, labels, lr=0.3, epochs=2, batch_size=16, verbose=False)
        hashes.append((history.start, history.losses, history.accuracies, history.hashes))
    assert hashes[0] == hashes[1]
    assert len({hashes[0][0], *hashes[0][3]}) == 3


def test_the_settings_of_the_readme_end_with_the_one_right_hash_and_95_percent(d2l, digits):
    epochs = {"torch": 3, "numpy": 1}.get(d2l.name)
    if epochs is None:
        pytest.skip("a pair is enough: it takes long")
    net, held_out = d2l.LeNet(activation="tanh", pool="max"), dc.numpy.digits(train=False)
    history = dc.train(
        net, *digits, lr=0.2, epochs=epochs, batch_size=32, validation=held_out, verbose=False
    )
    assert history.hashes == EPOCHS[:epochs]
    assert history.validation[-1] >= (0.95 if epochs == 3 else 0.9)


def test_the_frameworks_own_layers_compute_the_same_but_for_rounding(framework, digits):
    """From the same start; NumPy's results, correctly rounded, are beside them."""
    images, labels = digits[0][:16], digits[1][:16]
    for given in ({}, {"activation": "relu", "pool": "max"}):
        made = lenet.lenet(**given, layer="builtin")
        found = results(framework, made, images, labels)
        expected = results("numpy", lenet.lenet(**given), images, labels)
        for name, value in found.items():
            assert value.shape == expected[name].shape, name
            assert value.dtype == np.float32
            # Every path through the network multiplies at most 25 + 150 + 400 + 120 + 84 terms,
            # forward and backward, and sums over 16 * 28 * 28 places: a few thousand roundings.
            scale = np.abs(expected[name]).max()
            assert np.abs(value - expected[name]).max() <= 4096 * 2**-24 * scale, name


def test_the_frameworks_own_layers_learn(framework, digits):
    net = bind(framework).LeNet(layer="builtin", activation="tanh", pool="max")
    images, labels = digits[0][:1600], digits[1][:1600]
    held_out = dc.numpy.digits(train=False)
    history = dc.train(
        net, images, labels, lr=0.2, epochs=2, batch_size=32, validation=held_out, verbose=False
    )
    assert history.losses[1] < history.losses[0]
    assert history.validation[-1] > 0.8


@pytest.mark.slow(reason="it takes 1,280 steps")
def test_the_settings_of_the_book_stay_on_a_plateau_and_then_fall(digits):
    """Sigmoid, mean pooling, a rate of 0.9, 256 at a time: its curve, in shorter epochs."""
    net = bind(demand("torch")).LeNet(layer="builtin")
    history = dc.train(net, *digits, lr=0.9, epochs=80, batch_size=256, verbose=False)
    assert all(abs(loss - math.log(10)) < 0.05 for loss in history.losses[2:40])
    assert history.losses[-1] < 1
    assert history.accuracies[-1] > 0.7


def test_the_loop_takes_every_image_once_an_epoch_in_an_order_of_its_seed(monkeypatch, digits):
    seen = []
    native = owner(dc.numpy.LeNet())

    def step(net, X, labels, lr):
        seen.append(labels)
        return 1.0, np.eye(10, dtype=np.float32)[labels]

    monkeypatch.setattr(native, "step", step)
    images, labels = digits[0][:25], np.arange(25) % 10
    for seed in (0, 0, 1):
        history = dc.train(
            dc.numpy.LeNet(), images, labels, epochs=2, batch_size=10, seed=seed, verbose=False
        )
        assert history.accuracies == (1.0, 1.0)
    assert [len(batch) for batch in seen] == [10, 10, 5] * 6
    first, second, again, _, other, _ = (np.concatenate(seen[i : i + 3]) for i in range(0, 18, 3))
    assert sorted(first) == sorted(labels)
    assert list(first) == list(again)
    assert list(first) != list(second)
    assert list(first) != list(other)


@pytest.fixture
def small(digits):
    return digits[0][:8], digits[1][:8]


def trained(small, **given):
    net = dc.numpy.LeNet(activation="relu", pool="max")
    settings = {"lr": 0.1, "epochs": 2, "batch_size": 4, "verbose": False, **given}
    return net, dc.train(net, *small, **settings)


def test_the_history_tells_what_happened(small):
    net, history = trained(small, validation=small)
    assert (history.backend, history.framework, history.version) == (
        "numpy", "NumPy", np.__version__,
    )  # fmt: skip
    assert history.options["activation"] == "relu"
    assert history.options["batch_size"] == 4
    assert [one.epoch for one in history.epochs] == [1, 2]
    assert history.hashes[-1] == loop.digest(owner(net).parameters(net))
    assert history.validation[-1] == loop.accuracy(owner(net), net, loop.Examples(*small))
    assert all(one.seconds > 0 for one in history.epochs)
    assert history.ended == ""
    lines = str(history).splitlines()
    assert lines[1] == "epoch    loss  accuracy  held out  seconds    parameters"
    assert lines[3].split()[-1] == history.hashes[1][:12]
    html = history._repr_html_()
    assert html.count("<tr>") == 3
    assert history.hashes[1][:12] in html


def test_a_history_is_saved_and_loaded(small, tmp_path):
    _, history = trained(small)
    history.save(tmp_path / "run.json")
    assert dc.History.load(tmp_path / "run.json") == history


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1}', '{"schema": 1, "epochs": [{}]}']
)
def test_what_is_no_history_is_refused(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(dc.ArgumentError, match="is no history"):
        dc.History.load(tmp_path / "run.json")
    with pytest.raises(dc.ArgumentError, match="is not there"):
        dc.History.load(tmp_path / "another.json")


def test_a_history_with_what_is_no_number_is_refused(small, tmp_path):
    _, history = trained(small)
    document = {"schema": 1, **history.document()}
    document["epochs"][0]["loss"] = float("nan")
    (tmp_path / "run.json").write_text(json.dumps(document))
    with pytest.raises(dc.ArgumentError, match="no finite number"):
        dc.History.load(tmp_path / "run.json")


def test_epochs_are_printed_where_they_are_asked_for(small, capsys):
    trained(small, verbose=True, validation=small)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1, loss 2.")
    assert "held out" in lines[0]
    trained(small)
    assert capsys.readouterr().out == ""


def test_a_callback_sees_each_epoch_and_may_end_training(small):
    seen = []
    _, history = trained(small, epochs=5, callback=lambda one: seen.append(one) or len(seen) == 2)
    assert history.epochs == tuple(seen)
    assert history.ended == "ended by callback after epoch 2"


@pytest.fixture
def interruptible():
    """Ctrl-C interrupts, also where the tests run in a shell's background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_after_the_minibatch_and_keeps_the_history(small):
    before = signal.getsignal(signal.SIGINT)

    def press(one):
        if one.epoch == 1:
            os.kill(os.getpid(), signal.SIGINT)

    net, history = trained(small, epochs=5, callback=press)
    assert history.ended == "ended by Ctrl-C after epoch 1"
    assert len(history.epochs) == 1
    assert signal.getsignal(signal.SIGINT) is before
    assert history.hashes[-1] == loop.digest(owner(net).parameters(net))


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_within_an_epoch_ends_there_and_twice_at_once(small, monkeypatch):
    native = owner(dc.numpy.LeNet())
    real, times = native.step, 1

    def step(*given):
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
        return real(*given)

    monkeypatch.setattr(native, "step", step)
    _, history = trained(small)
    assert history.ended == "ended by Ctrl-C after 1 of 2 minibatches of epoch 1"
    assert history.epochs == ()
    times = 2
    with pytest.raises(KeyboardInterrupt):
        trained(small)


def test_training_works_in_another_thread(small):
    found = []
    thread = threading.Thread(target=lambda: found.append(trained(small)[1]))
    thread.start()
    thread.join()
    assert found[0].hashes == trained(small)[1].hashes


def test_training_that_diverges_stops_with_advice_and_the_last_parameters(d2l, small):
    net = d2l.LeNet(activation="relu", pool="max")
    with pytest.raises(dc.Diverged, match=r"the loss is (nan|inf) in minibatch .* lr 1e\+30") as e:
        dc.train(net, *small, lr=1e30, batch_size=2, verbose=False)
    assert "Take a smaller one, such as 1e+29" in str(e.value)
    assert e.value.history.epochs == ()
    assert loop.digest(owner(net).parameters(net)) == e.value.history.start


WRONG = {
    "no channel": (lambda X, y: (X[:, 0], y), dc.ShapeError, r"images\[:, None\]"),
    "other size": (lambda X, y: (X[..., 1:], y), dc.ShapeError, r"\(8, 1, 28, 27\)"),
    "no images": (lambda X, y: (X[:0], y[:0]), dc.ShapeError, "n of at least 1"),
    "bytes": (lambda X, y: (X.astype(np.uint8), y), dc.DTypeError, "uint8.*by 255"),
    "float64": (lambda X, y: (X.astype(np.float64), y), dc.DTypeError, "float64"),
    "text": (lambda X, y: ("digits", y), dc.DTypeError, "text"),
    "NaN": (lambda X, y: (X * np.float32(np.nan), y), dc.ArgumentError, "NaN"),
    "too few labels": (lambda X, y: (X, y[:3]), dc.ShapeError, "8 images and 3 labels"),
    "one-hot": (lambda X, y: (X, np.eye(10, dtype=int)[y]), dc.ShapeError, r"\(8, 10\)"),
    "labels of floats": (lambda X, y: (X, y / 1), dc.DTypeError, "float64.*integers"),
    "label 10": (lambda X, y: (X, y * 0 + 10), dc.ArgumentError, r"labels\[0\] is 10.*0 to 9"),
    "label -1": (lambda X, y: (X, y * 0 - 1), dc.ArgumentError, r"labels\[0\] is -1"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_data_is_refused_by_name(small, what):
    change, error, words = WRONG[what]
    with pytest.raises(error, match=f"(?s){words}"):
        trained(change(*small))
    with pytest.raises(error, match="validation"):
        trained(small, validation=change(*small))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"batch_size": 9}, "batch_size is 9, and there are 8 images"),
        ({"batch_size": 0}, "batch_size"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"lr": 0}, "lr is 0"),
        ({"lr": -1.0}, "lr"),
        ({"lr": float("nan")}, "lr"),
        ({"lr": 1e-50}, "float32"),
        ({"lr": 1e50}, "float32"),
        ({"seed": -1}, "seed"),
        ({"validation": 3}, "must be a pair"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(small, given, words):
    with pytest.raises(dc.ArgumentError, match=words):
        trained(small, **given)


@pytest.mark.parametrize("name", ["seed", "method", "activation", "pool", "layer"])
def test_a_network_that_makes_no_sense_is_refused(d2l, name):
    with pytest.raises(dc.ArgumentError, match=name):
        d2l.LeNet(**{name: "nonsense"})


def test_only_networks_of_lenet_are_trained(d2l, small):
    with pytest.raises(dc.ArgumentError, match="must be a network that dc"):
        dc.train(d2l.Pool2D(2), *small)


def test_numpy_has_no_layers_of_its_own():
    with pytest.raises(dc.ArgumentError, match="NumPy has no layers of its own"):
        dc.numpy.LeNet(layer="builtin")


def test_images_and_labels_of_any_framework_are_taken(framework, small):
    d2l = bind(framework)
    images, labels = d2l.tensor(small[0]), small[1]
    assert trained((images, labels.tolist()))[1].hashes == trained(small)[1].hashes
    with pytest.raises(dc.DTypeError, match="float64"):
        trained((d2l.tensor(small[0], "float64"), labels))


def test_weights_go_from_each_framework_to_each_other(framework, small, tmp_path):
    net, history = trained(small)
    dc.save(net, tmp_path / "net.npz")
    for layer in ("d2lconv", "builtin"):
        other = dc.load(tmp_path / "net.npz", framework, layer=layer)
        assert isinstance(other, owner(other).LeNet)
        assert other.made.options["activation"] == "relu"
        assert loop.digest(owner(other).parameters(other)) == history.hashes[-1]
        dc.save(other, tmp_path / f"{layer}.npz")
    assert (tmp_path / "d2lconv.npz").read_bytes() == (tmp_path / "net.npz").read_bytes()
    X = bind(framework).tensor(small[0])
    assert_same_bits(dc.to_numpy(bind(framework).load(tmp_path / "net.npz")(X)), net(small[0]))


def test_weights_hold_no_pickle_and_their_layout_is_neutral(small, tmp_path):
    net, _ = trained(small)
    dc.save(net, tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz", allow_pickle=False) as file:
        assert {n: file[n].shape for n in file.files if n != "d2lconv"} == net.made.shapes


def test_a_weights_file_that_is_damaged_is_refused(small, tmp_path):
    path = tmp_path / "net.npz"
    dc.save(dc.numpy.LeNet(), path)
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    refused = 0
    for number in range(60):
        damaged = bytearray(whole)
        place = int(generator.integers(len(whole)))
        damaged[place] ^= 1 << number % 8
        path.write_bytes(damaged if number % 3 else damaged[:place])
        try:
            net = dc.load(path)
        except dc.ArgumentError as error:
            refused += "damaged" in str(error) or "another network" in str(error)
        else:  # the bit was in a field of the archive that says nothing about the values
            assert loop.digest(owner(net).parameters(net)) == loop.digest(net.made.start)
    assert refused >= 50


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a.pop("conv2.bias"), "conv2.bias is not there"),
        (lambda a: a.update({"extra": np.zeros(3)}), "another network: its extra is float64"),
        (lambda a: a.update({"conv1.bias": np.zeros(7, np.float32)}), r"float32 \(7,\).*\(6,\)"),
        (lambda a: a.update({"conv1.bias": np.zeros(6)}), "float64"),
        (lambda a: a.update({"conv1.bias": np.zeros(6, object)}), "damaged"),
        (lambda a: a.pop("d2lconv"), "no entry 'd2lconv'"),
        (lambda a: a.update({"d2lconv": np.frombuffer(b"{}", np.uint8)}), "damaged"),
        (lambda a: a.update({"large": np.zeros(2**18, np.float32)}), "bytes"),
    ],
)
def test_a_weights_file_of_another_network_is_refused(tmp_path, change, words):
    path = tmp_path / "net.npz"
    dc.save(dc.numpy.LeNet(), path)
    arrays = dict(np.load(path))
    change(arrays)
    np.savez(path, **arrays)
    with pytest.raises(dc.ArgumentError, match=words):
        dc.load(path)


def test_places_where_no_weights_are_or_can_be_are_refused(tmp_path):
    with pytest.raises(dc.ArgumentError, match="is not there"):
        dc.load(tmp_path / "nowhere.npz")
    with pytest.raises(dc.ArgumentError, match="must be the path of a file"):
        dc.load(3.5)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "no array")
    with pytest.raises(dc.ArgumentError, match="damaged, or was not written by"):
        dc.load(tmp_path / "other.zip")
    with pytest.raises(dc.ArgumentError, match="there is no folder"):
        dc.save(dc.numpy.LeNet(), tmp_path / "nowhere" / "net.npz")
    with pytest.raises(dc.ArgumentError, match="must be a network that dc"):
        dc.save({}, tmp_path / "net.npz")


def saved(name, net, path):
    """A copy of a network by its framework's own way of saving, from another seed."""
    other = bind(name).LeNet(**{**net.made.options, "seed": 9})
    if name == "torch":
        import torch

        torch.save(net.state_dict(), path / "net.pt")
        other.load_state_dict(torch.load(path / "net.pt"))
        assert type(net[:3]).__name__ == "Sequential"
    elif name == "tf":
        import keras

        net.save(path / "net.keras")
        other = keras.saving.load_model(path / "net.keras")
        assert len(keras.models.clone_model(net).layers) == len(net.layers)
    elif name == "mxnet":
        net.save_parameters(str(path / "net.params"))
        other.load_parameters(str(path / "net.params"))
        assert len(net[:3]) == 3
    else:
        other = other.clone(held=type(net.held)(net.held.values))
    return other


@pytest.mark.parametrize("layer", lenet.LAYERS)
def test_each_framework_saves_its_network_in_its_own_way(framework, small, tmp_path, layer):
    net = bind(framework).LeNet(layer=layer, activation="relu")
    history = dc.train(net, *small, lr=0.1, epochs=1, batch_size=4, verbose=False)
    other = saved(framework, net, tmp_path)
    assert loop.digest(owner(other).parameters(other)) == history.hashes[-1]
    assert len(repr(net)) < 5000

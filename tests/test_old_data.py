"""What the version before wrote is still read: recordings, and the weights of a layer.

0.1.0 wrote the files of `data/0.1.0`: five backends' results of a few cases, and in each framework
the weights of a `Conv2D` by that framework's own means.
"""

import importlib
from pathlib import Path

import numpy as np
from frameworks import assert_same_bits

from d2lconv.binding import bind
from d2lconv.parity import recording

OLD = Path(__file__).parent / "data" / "0.1.0"
CASES = ["lesson/*", "random/6x8-1x2/*", "matmul/6x8-1x2/*", "builtin/*"]
WEIGHT = [[1.5, -0.25, 3], [0.1, 0.2, -7]]


def test_a_recording_of_the_version_before_gets_its_verdicts():
    """Exact results of then have the bits of now: no release changes what identical means."""
    report = recording.compare_recordings([OLD / "recording.npz"], CASES)
    assert report.ok
    assert {facts["d2lconv"] for facts in report.backends.values()} == {"0.1.0"}
    assert len(report.backends) == 5
    counts = report.totals
    assert (counts["identical"], counts["bug"]) == (41, 0)


def test_a_layer_takes_the_weights_that_the_version_before_saved(framework):
    d2l = bind(framework)
    X = d2l.tensor(np.random.default_rng(0).standard_normal((5, 6), dtype=np.float32))
    expected = bind("numpy").Conv2D((2, 3), weight=WEIGHT, bias=0.75)(d2l.to_numpy(X))
    layer = d2l.Conv2D((2, 3), seed=1)
    layer = LOAD[framework](layer, X)
    assert_same_bits(d2l.to_numpy(layer(X)), expected)


def of_torch(layer, X):
    torch = importlib.import_module("torch")
    layer.load_state_dict(torch.load(OLD / "torch.pt", weights_only=True))
    return layer


def of_keras(layer, X):
    keras = importlib.import_module("keras")
    model = keras.Sequential([keras.Input(batch_shape=X.shape), layer])
    model.load_weights(OLD / "tf.weights.h5")
    return layer


def of_gluon(layer, X):
    layer(X)  # its parameters get their shapes
    layer.load_parameters(str(OLD / "mxnet.params"))
    return layer


def of_flax(layer, X):
    jax, flax = importlib.import_module("jax"), importlib.import_module("flax.serialization")
    params = layer.init(jax.random.key(0), X)
    params = flax.from_bytes(params, (OLD / "jax.msgpack").read_bytes())
    return lambda X: layer.apply(params, X)


LOAD = {"torch": of_torch, "tf": of_keras, "mxnet": of_gluon, "jax": of_flax}

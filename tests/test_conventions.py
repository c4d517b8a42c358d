"""What each framework does if nobody says otherwise, held to what was measured."""

import json
import math

import numpy as np
import pytest
from chosen import demand
from test_cli import d2lconv

import d2lconv as dc
from d2lconv.parity.asked import Asked
from d2lconv.parity.defaults import PROBES, ask, measured

# Largest: sqrt(1/288), sqrt(6/(288 + 576)), 0.07 whatever the size, two deviations of
# sqrt(1/288)/0.88.
MEASURED = {row["name"]: row["answers"] for row in measured()["conventions"]}


# Of the uniform distributions, the largest over sqrt(3); of Flax's, sqrt(1/288).
DEVIATIONS = {
    "torch": math.sqrt(1 / 288 / 3), "tf": math.sqrt(6 / 864 / 3), "mxnet": 0.07 / math.sqrt(3),
    "jax": math.sqrt(1 / 288),
}  # fmt: skip


@pytest.mark.parametrize("name", ["torch", "tf", "mxnet", "jax"])
def test_a_framework_still_does_what_was_measured(name):
    demand(name)
    found = ask(name)["cells"]
    measured = {row: cells[name] for row, cells in MEASURED.items()}
    # The deviation of 18,432 values is off by chance: five standard errors, and half a digit.
    true, error = DEVIATIONS[name], math.sqrt((3 - 1) / 4 / 18_432)
    assert abs(float(found.pop("new: deviation")) - true) <= 5 * error * true + 0.0005
    del measured["new: deviation"]
    assert found == measured


class Odd:
    """Layers in NumPy that do what no framework of ours does, so that each probe must notice."""

    LAYERS = "odd"

    @staticmethod
    def drawn(shape):
        return np.random.default_rng(0).normal(0, 0.5, shape)

    def convolution(self, X, outputs, size, kernel=None, *, dilate=1, num_group=1, strides=1):
        if X.dtype == np.int32:
            raise TypeError("images of this type are refused")
        shape = (outputs, X.shape[1] // num_group, *size)
        held = self.drawn(shape) if kernel is None else kernel
        flipped = np.broadcast_to(held, shape)[..., ::-1, ::-1]
        Y = dc.numpy.corr2d(
            X.astype("f4"), flipped.astype("f4"), padding=((0, 0), (0, 0)) if min(size) > 1 else
            ((size[0] // 2, 0), (0, 0)), dilation=dilate, groups=num_group, stride=strides,
        )  # fmt: skip
        return Y, held, None

    def max_pooling(self, X, size, *, strides=1, padding=0):
        if padding == "same":
            raise ValueError("'same' is refused")
        wide = np.pad(X, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        return dc.numpy.pool2d(wide, size, stride=strides)

    def mean_pooling(self, X, size, *, strides=1, padding=0):
        if padding == "same":
            raise ValueError("'same' is refused")
        return dc.numpy.pool2d(X, size, mode="avg", stride=strides, padding=padding)

    def flatten(self, X):
        return X.transpose(0, 3, 2, 1).reshape(len(X), -1)


def test_each_probe_notices_what_is_unlike_every_framework():
    asked = Asked(Odd())
    found = {probe.name: probe.run(asked) for probe in PROBES}
    largest = {c: np.abs(Odd.drawn((64, c, 3, 3))).max() for c in (32, 8)}
    assert largest[32] > largest[8]
    assert found == {
        "image": "NCHW",
        "kernel": "OIHW",
        "kernel flipped": "yes",
        "name of stride": "strides",
        "name of dilation": "dilate",
        "name of groups": "num_group",
        "padding": "1, 0",
        "same, kernel 2": "refused",
        "same, /2 on 8": "refused",
        "same, /2 on 7": "refused",
        "pooling's stride": "1",
        "max pads with": "0",
        "mean counts pads": "no",
        "bias": "none",
        "new kernel": "normal",
        "new: largest": f"{largest[32]:.2g}",
        "new: 8 channels": f"{largest[8]:.2g}",
        "new: deviation": "0.5",
        "int32 images": "TypeError",
        "float64 images": "float32",
        "flatten": "another",
    }


@pytest.mark.parametrize("error", [TypeError("unsupported operand"), NameError("name 'same'")])
def test_a_mistake_of_ours_is_no_answer(error):
    class Broken(Odd):
        def convolution(self, X, *given, **options):
            if X.dtype != np.float32 or set(options) - {"kernel", "strides"}:
                raise error
            return super().convolution(X, *given, **options)

        def max_pooling(self, X, size, **options):
            raise error

    asked = Asked(Broken())
    broken = {"name of dilation", "name of groups", "same, kernel 2", "max pads with"}
    broken |= {"int32 images", "float64 images"}
    for probe in PROBES:
        if probe.name in broken:
            with pytest.raises(type(error), match=str(error)):
                probe.run(asked)


@pytest.mark.together
def test_the_command_prints_a_table_of_80_columns_and_what_differs():
    for name in ("torch", "jax"):
        demand(name)
    done = d2lconv("conventions", "-b", "torch", "-b", "jax", width=80)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    (padding,) = [line.split() for line in lines if line.split()[:2] == ["padding", "0,"]]
    assert padding == ["padding", "0,", "0", "1,", "1"]
    told = done.stdout.partition("Where they differ")[2]
    assert "Always say the padding" in told
    assert "Flip both axes" not in told  # they do not differ there


def test_the_json_has_each_answer():
    demand("torch")
    done = d2lconv("conventions", "-b", "torch", "--json")
    document = json.loads(done.stdout)
    assert document["backends"]["torch"]["layers"] == "torch.nn"
    assert len(document["conventions"]) == len(PROBES) == len(MEASURED)
    assert document["conventions"][0]["answers"] == {"torch": "NCHW"}


def test_the_table_of_all_frameworks_is_one_that_fits_80_columns():
    from rich.console import Console
    from rich.measure import Measurement

    from d2lconv.cli.conventions import _table
    from d2lconv.parity.defaults import Conventions

    names = ("jax", "mxnet", "torch", "tf")
    cells = {(row, name): cells[name] for row, cells in MEASURED.items() for name in names}
    layers = dict(zip(names, ("flax.linen", "gluon.nn", "torch.nn", "keras.layers"), strict=True))
    found = Conventions(layers, dict.fromkeys(names, "TensorFlow 2.21.0+cpu"), cells)
    console = Console(width=1000)
    table = _table(found, names)
    assert Measurement.get(console, console.options, table).maximum <= 80
    assert max(map(len, str(found).splitlines())) <= 80
    assert [probe.name for probe in found.differing()] == [
        name for name in MEASURED if len(set(MEASURED[name].values())) > 1
    ]


def test_a_backend_without_layers_is_refused():
    with pytest.raises(dc.ArgumentError, match=r"'numpy' has no layers .*torch"):
        dc.parity.conventions(["numpy"])
    with pytest.raises(dc.UnknownBackend, match="did you mean"):
        dc.parity.conventions(["tensorflw"])

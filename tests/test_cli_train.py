"""The command that trains LeNet in every framework and compares every step."""

import gzip
import json
import os
import signal
import struct
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
from chosen import CHOSEN, STATUS, demand, demand_extra
from test_cli import d2lconv

import d2lconv as dc
from d2lconv.core import registry
from d2lconv.core.lenet import lenet
from d2lconv.training import loop, parting, runner
from d2lconv.training.worker import Job, pack, unpack

BACKENDS = [part for name in CHOSEN for part in ("-b", name)]
SMALL = ["--images", "24", "--batch-size", "16", "--epochs", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A few digits in MNIST's own form, so that little is held out."""
    place = tmp_path_factory.mktemp("mnist")
    images, labels = dc.numpy.digits()
    for name, some in (("train", slice(40)), ("t10k", slice(40, 60))):
        pixels = (images[some, 0] * 255).round().astype(np.uint8)
        header = struct.pack(">4I", 0x803, *pixels.shape)
        packed = gzip.compress(header + pixels.tobytes())
        (place / f"{name}-images-idx3-ubyte.gz").write_bytes(packed)
        header = struct.pack(">2I", 0x801, len(pixels))
        content = header + labels[some].astype(np.uint8).tobytes()
        (place / f"{name}-labels-idx1-ubyte").write_bytes(content)
    return place


@pytest.fixture(scope="module")
def done(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("train")
    files = ["--json", str(place / "run.json")]
    child = d2lconv("train", *BACKENDS, *SMALL, "--data", str(folder), *files, width=200)
    assert child.returncode == 0, child.stdout + child.stderr
    return child, json.loads((place / "run.json").read_text(encoding="utf-8"))


@pytest.mark.together
def test_the_last_line_says_that_the_bits_are_the_same(done):
    child, document = done
    last = child.stdout.splitlines()[-1]
    names = [STATUS[name].framework for name in CHOSEN]
    assert last.startswith("61,706 parameters")
    assert all(name in last for name in names)
    assert "the same bits in" in last or len(CHOSEN) == 1
    assert document["closing"] == last
    assert child.stderr == f"... training in {', '.join(CHOSEN)}\n"  # a sign of life


@pytest.mark.together
def test_the_table_has_what_every_epoch_came_to(done):
    child, document = done
    for run in document["runs"]:
        history = dc.History.of(run["history"])
        assert [one.epoch for one in history.epochs] == [1, 2]
        for one in history.epochs:
            assert child.stdout.count(one.sha256[:12]) >= 2 * len(CHOSEN)
            assert f"{one.loss:.4f}" in child.stdout
    assert "MiB" in child.stdout


@pytest.mark.together
def test_every_step_has_a_hash_of_every_parameter(done):
    _, document = done
    first, *others = document["runs"]
    assert [len(run["steps"]) for run in document["runs"]] == [4] * len(CHOSEN)
    assert set(first["steps"][0]) == set(lenet().shapes)
    for run in others:
        assert run["steps"] == first["steps"]
        assert run["drift"] == [{"ulp": 0, "share": 0.0}] * 2
    net = dc.numpy.LeNet(activation="tanh", pool="max")
    assert first["history"]["start"] == loop.digest(net.made.start)


def test_the_command_trains_as_the_function_does(done, folder):
    images, labels = dc.numpy.load_idx(folder)
    net = dc.numpy.LeNet(activation="tanh", pool="max")
    history = dc.train(
        net, images[:24], labels[:24], lr=0.2, epochs=2, batch_size=16, verbose=False
    )
    assert history.hashes == dc.History.of(done[1]["runs"][0]["history"]).hashes


@pytest.mark.together
def test_the_frameworks_own_layers_drift_apart(folder, tmp_path):
    others = [part for name in ("torch", "jax") for part in ("-b", demand(name))]
    file = tmp_path / "run.json"
    options = ["--layer", "builtin", "--data", str(folder), "--json", str(file), *SMALL]
    child = d2lconv("train", *others, *options, width=200)
    assert child.returncode == 0, child.stdout + child.stderr
    last = child.stdout.splitlines()[-1]
    assert "own layers: they part in step 1, and end up to" in last
    apart = json.loads(file.read_text())["parting"]
    assert (apart["backends"], apart["step"]) == (["torch", "jax"], 1)
    assert apart["verdict"] == "rounding"
    assert f"First in that step, JAX beside PyTorch: {apart['tensor']}: rounding: at " in last
    assert " ulp, " in child.stdout
    assert "images: activation tanh, pool max, layer builtin, lr" in child.stdout  # and no method
    drifts = [run["drift"] for run in json.loads(file.read_text())["runs"]]
    assert any(one["ulp"] > 0 and one["share"] > 0.1 for drift in drifts for one in drift)


def test_the_curves_are_drawn(folder, tmp_path):
    demand_extra("matplotlib", "plots")
    options = ["-b", "numpy", "--images", "8", "--batch-size", "8", "--epochs", "1", "--quiet"]
    plot = tmp_path / "curves.svg"
    child = d2lconv("train", *options, "--data", str(folder), "--plot", str(plot))
    assert child.stdout.count("\n") == 1
    assert plot.read_text().lstrip().startswith("<?xml")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--batch-size", "50", "--images", "40"], "batch_size is 50, and there are 40 images"),
        (["--activation", "sigmoyd"], "did you mean 'sigmoid'?"),
        (["--lr", "-1"], "lr is -1.0"),
        (["--images", "0"], "--images is 0"),
        (["--data", "/nowhere"], "has no file train-images-idx3-ubyte"),
        (["--layer", "builtin", "-b", "numpy"], "NumPy has no layers of its own"),
        (["--plot", "curves.txt"], "unknown ending 'txt'"),
        (["--json", "a.svg", "--plot", "./a.svg"], "a.svg would be written twice"),
        (["--json", "/nowhere/run.json"], "there is no folder"),
        (["-b", "theano"], "unknown backend 'theano'"),
    ],
    ids=str,
)
def test_a_wrong_call_is_told_before_anything_is_trained(options, words):
    child = d2lconv("train", *options)
    assert child.returncode == 2
    assert child.stdout == ""
    assert words in child.stderr


def test_training_that_diverges_is_told(folder):
    options = ["-b", "numpy", *SMALL, "--lr", "1e30", "--activation", "relu"]
    child = d2lconv("train", *options, "--data", str(folder), width=400)
    assert child.returncode == 1
    assert "training diverges. Take a smaller one" in child.stdout
    assert child.stdout.splitlines()[-1] == "Not trained in NumPy: see above."


def test_the_first_difference_is_found():
    one, other = (runner.Run("a", "A"), runner.Run("b", "B"))
    one.steps = [{"w": "1", "b": "1"}, {"w": "2", "b": "2"}, {"w": "3", "b": "3"}]
    other.steps = [{"w": "1", "b": "1"}, {"w": "2", "b": "9"}]
    assert runner.difference(one, other) == runner.Difference(2, ("b",))
    other.steps = one.steps[:2]
    assert runner.difference(one, other) is None


def test_where_nothing_differs_a_walk_says_so_and_a_difference_has_its_verdict(monkeypatch, folder):
    name = demand("torch")
    network = {"activation": "relu", "pool": "max"}
    settings = {"lr": 0.1, "epochs": 1, "batch_size": 8, "seed": 0}
    jobs = [asdict(Job(one, network, settings, str(folder), 24)) for one in ("numpy", name)]
    assert parting.work(jobs, 3) == {}
    native = registry.optional(name, "networks", "networks")
    pull = native.pull

    def halved(layer, X, G):
        dX, of_parameters = pull(layer, X, G)
        return dX, [t / 2 if t.ndim == 1 else t for t in of_parameters]

    monkeypatch.setattr(native, "pull", halved)
    found = parting.work(jobs, 3)
    assert (found["tensor"], found["verdict"]) == ("dense3.bias, gradient", "bug")
    assert "actual is what a factor of 1/2 gives" in found["text"]


def test_the_framework_that_parts_first_is_walked_and_what_fails_is_told():
    runs = [runner.Run("numpy", name) for name in ("first", "third step", "second step")]
    same, other = {"w": "1"}, {"w": "2"}
    runs[0].steps = [same, same, same]
    runs[1].steps = [same, same, other]
    runs[2].steps = [same, other, other]
    settings = {"lr": 0.1, "epochs": 1, "batch_size": 8, "seed": 0}
    jobs = [Job("numpy", {}, settings, "/nowhere") for _ in runs]
    found = runner.parting(runs, jobs)
    assert (found.step, found.names, found.tensor) == (2, ("w",), "")
    assert "'/nowhere' has no file train-images-idx3-ubyte" in found.text
    assert runner.parting(runs[:1], jobs[:1]) is None


def test_a_command_that_is_stopped_prints_what_there_is_so_far(folder):
    options = ["-b", "numpy", "--images", "8", "--batch-size", "8", "--epochs", "1000"]
    command = [sys.executable, "-m", "d2lconv", "train", *options, "--data", str(folder)]
    variables = {**os.environ, "PYTHONUNBUFFERED": "1"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=variables, **streams) as child:
        said = ""
        while "epoch 2, loss" not in said:
            line = child.stdout.readline()
            assert line, child.stderr.read()
            said += line
        child.send_signal(signal.SIGTERM)
        rest, complaints = child.communicate(timeout=120)
    assert child.returncode == 143
    assert "epoch 1: loss" in rest
    assert "epoch 2: loss" in rest
    assert complaints.splitlines()[-1] == "d2lconv: stopped by SIGTERM."


def test_drift_counts_ulps_and_parameters():
    start = lenet().start
    moved = {name: value.copy() for name, value in start.items()}
    assert runner.drift(moved, start) == runner.Drift(0, 0.0)
    moved["conv1.bias"][0] = np.float32(1e-45)
    assert runner.drift(moved, start) == runner.Drift(1, 1 / 61_706)
    moved["conv1.bias"][0] = -0.0  # other bits, and no distance
    assert runner.drift(moved, start) == runner.Drift(0, 1 / 61_706)


def test_parameters_go_between_processes_whole():
    made = lenet(seed=3)
    again = unpack(pack(made.start), made)
    assert loop.digest(again) == loop.digest(made.start)
    assert {name: value.shape for name, value in again.items()} == made.shapes

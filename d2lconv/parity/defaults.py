"""What each framework does if nobody says otherwise, as runs in it show.

A backend that has layers of its framework's own to ask has a module ``conventions`` with
``convolution``, ``max_pooling``, ``mean_pooling`` and ``flatten``, which take and give NumPy
arrays, and ``LAYERS``, the name of what was asked.
"""

import json
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from d2lconv.children import begun, told
from d2lconv.core import checks, registry
from d2lconv.errors import ArgumentError
from d2lconv.parity import asked
from d2lconv.parity.asked import Asked

SECONDS = 300.0


@dataclass(frozen=True)
class Probe:
    """One question.

    Attributes:
        name: The row's name.
        question: The question, in words.
        why: What to do about it in a port.
        run: Gives the answer, from :class:`Asked`.
    """

    name: str
    question: str
    why: str
    run: Callable[[Asked], str]


PROBES = (
    Probe(
        "image",
        "In which order are the axes of images?",
        "Transpose images and results, do not reshape them.",
        lambda it: it.layout,
    ),
    Probe(
        "kernel",
        "In which order are the axes of kernels?",
        "Transpose kernels: OIHW to HWIO is (2, 3, 1, 0).",
        lambda it: it.kernels,
    ),
    Probe(
        "kernel flipped",
        "Is the kernel flipped, as convolution means in mathematics?",
        "Flip both axes of the kernel.",
        asked.flipped,
    ),
    Probe(
        "name of stride",
        "What is the stride called?",
        "The same by another name.",
        lambda it: it.option("stride") or "none",
    ),
    Probe(
        "name of dilation",
        "What is the dilation called?",
        "The same by another name.",
        lambda it: it.option("dilation") or "none",
    ),
    Probe(
        "name of groups",
        "What are groups called?",
        "The same by another name.",
        lambda it: it.option("groups") or "none",
    ),
    Probe(
        "padding",
        "Which zeros does a 3x3 convolution add, before and after, if none are asked for?",
        "Always say the padding: some layers keep the size of the image, others do not.",
        asked.default_padding,
    ),
    Probe(
        "same, kernel 2",
        "Which zeros does 'same' add for 2 on 8, before and after?",
        "The odd zero comes after; where there is no 'same', pad by hand.",
        lambda it: it.same(8, 2, 1),
    ),
    Probe(
        "same, /2 on 8",
        "Which zeros does 'same' add for 3 on 8 at stride 2?",
        "Where it is refused, pad by hand with the zeros shown: padding 1 is not the same.",
        lambda it: it.same(8, 3, 2),
    ),
    Probe(
        "same, /2 on 7",
        "Which zeros does 'same' add for 3 on 7 at stride 2?",
        "Here padding 1 is the same: one size that agrees proves nothing.",
        lambda it: it.same(7, 3, 2),
    ),
    Probe(
        "pooling's stride",
        "How far apart are the windows of 3x3 pooling, if it is not said?",
        "Always say the stride: it is the window's size, or 1.",
        asked.pooling_stride,
    ),
    Probe(
        "max pads with",
        "Which value surrounds an image in max pooling? (An image of -inf tells.)",
        "Both lose to every finite number. A window of -inf alone gives -3.4e+38 there.",
        asked.pooling_padding,
    ),
    Probe(
        "mean counts pads",
        "Is a mean divided by the padding too?",
        "Say count_include_pad where there is one: corners of ones are 4/9 or 1.",
        asked.counted,
    ),
    Probe(
        "bias",
        "Which bias has a new layer?",
        "A random bias makes new layers differ even with the same kernel: copy it, too.",
        asked.bias,
    ),
    Probe(
        "new kernel",
        "How are the values of a new kernel distributed? (64 of 32x3x3)",
        "Training starts elsewhere: copy the weights, or name the initialiser.",
        asked.distribution,
    ),
    Probe(
        "new: largest",
        "How large is the largest value of a new kernel? (64 of 32x3x3)",
        "Copy the weights, or name the initialiser.",
        lambda it: asked.bound(it, 32),
    ),
    Probe(
        "new: 8 channels",
        "And with fewer channels? (64 of 8x3x3)",
        "Some bounds grow as channels get fewer, by different rules, and one does not.",
        lambda it: asked.bound(it, 8),
    ),
    Probe(
        "new: deviation",
        "What is its standard deviation? (64 of 32x3x3)",
        "Copy the weights, or name the initialiser.",
        asked.deviation,
    ),
    Probe(
        "int32 images",
        "What comes of images of integers?",
        "Cast images to float32 yourself.",
        lambda it: asked.result_type(it, "int32"),
    ),
    Probe(
        "float64 images",
        "What comes of images of float64, in a layer that was made without a type?",
        "It is refused, or narrowed to float32 without a word: cast yourself.",
        lambda it: asked.result_type(it, "float64"),
    ),
    Probe(
        "flatten",
        "In which order does a dense layer get an image's elements?",
        "Permute the rows of the first dense layer, or transpose before flattening.",
        asked.flatten_order,
    ),
)


@dataclass(frozen=True)
class Conventions:
    """What each framework does by default; ``print`` it.

    Attributes:
        layers: For each backend, whose layers were asked.
        versions: For each backend, the framework's name and version.
        cells: The answers, by probe and backend.
    """

    layers: dict[str, str]
    versions: dict[str, str]
    cells: dict[tuple[str, str], str]

    def differing(self) -> tuple[Probe, ...]:
        """The probes with more than one answer."""
        return tuple(
            probe
            for probe in PROBES
            if len({self.cells[probe.name, name] for name in self.layers}) > 1
        )

    def document(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        return {
            "format": 1,
            "backends": {
                name: {"framework": self.versions[name], "layers": of}
                for name, of in self.layers.items()
            },
            "conventions": [
                {
                    "name": probe.name,
                    "question": probe.question,
                    "answers": {name: self.cells[probe.name, name] for name in self.layers},
                    "in a port": probe.why,
                }
                for probe in PROBES
            ],
        }

    def __str__(self) -> str:
        rows = [["", *self.layers.values()]]
        rows += [
            [probe.name, *(self.cells[probe.name, name] for name in self.layers)]
            for probe in PROBES
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)) for row in rows
        ]
        return "\n".join(line.rstrip() for line in lines)


def conventions(
    backends: Iterable[str] | None = None, *, watch: Callable[[str], None] | None = None
) -> Conventions:
    """Ask the layers of each framework what they do if nobody says otherwise.

    Every answer is the outcome of a run, each framework in a process of its own, one after the
    other.

    Args:
        backends: Names of backends; None takes all that are installed and have layers to ask.
        watch: Called with a backend's name before it is asked.

    Raises:
        UnknownBackend, BackendNotInstalled: A backend is not there.
        ArgumentError: A backend has no layers to ask.
        BackendBroken: A framework does not answer.
    """
    status = {found.name: found for found in registry.backends()}
    layers, versions, cells = {}, {}, {}
    for name in answering(backends):
        if watch is not None:
            watch(name)
        found = _ask(name)
        layers[name] = found["layers"]
        versions[name] = f"{status[name].framework} {status[name].version or ''}".strip()
        cells.update({(probe.name, name): found["cells"][probe.name] for probe in PROBES})
    return Conventions(layers, versions, cells)


def measured() -> dict[str, Any]:
    """What ``d2lconv conventions --json`` printed when the docs were written; tests hold it so."""
    text = files("d2lconv.parity").joinpath("conventions.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def answering(backends: Iterable[str] | None = None) -> list[str]:
    """The backends that :func:`conventions` would ask, checked."""
    status = {found.name: found for found in registry.backends()}
    having = [name for name in status if _has_layers(name)]
    if backends is None:
        return [name for name in having if status[name].installed]
    names = [registry.resolve(name) for name in checks.names("backends", backends)]
    for name in names:
        if name not in having:
            raise ArgumentError(
                f"the backend {name!r} has no layers of its framework to ask; "
                f"{', '.join(having)} have."
            )
        if not status[name].installed:
            registry.load(name)  # which says what is missing
    return list(dict.fromkeys(names))


def ask(name: str) -> dict[str, Any]:
    """The answers of one framework, in this process."""
    registry.load(name)
    _, package = registry.manifests()[name]
    it = Asked(import_module(f"{package}.conventions"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where warnings are errors, they would be the answers
        cells = {probe.name: probe.run(it) for probe in PROBES}
    return {"layers": it.own.LAYERS, "cells": cells}


def _ask(name: str) -> dict[str, Any]:
    manifest, _ = registry.manifests()[name]
    what, quiet = f"asking {manifest.framework}", dict(manifest.quiet)
    job, hint = {"backend": name}, manifest.suspicion
    (found,) = told(__name__, job, what, quiet, seconds=SECONDS, hint=hint)
    return found


def _has_layers(name: str) -> bool:
    _, package = registry.manifests()[name]
    return find_spec(f"{package}.conventions") is not None


if __name__ == "__main__":  # in a process of its own
    job, tell = begun()
    tell(**ask(job["backend"]))

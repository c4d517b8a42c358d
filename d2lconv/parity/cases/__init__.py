"""The parity cases: what is computed in every backend, and how close the results must be.

A case (:mod:`~d2lconv.parity.cases.case`) has inputs, which are the same everywhere
(:mod:`~d2lconv.parity.cases.inputs`), a computation over the API bound to a backend
(:mod:`~d2lconv.parity.cases.compute`), and a claim (:mod:`~d2lconv.parity.cases.claims`). An
exact case claims the same bits as the NumPy backend's; a bounded one claims that every difference
from the expected values is rounding, by a bound that comes with a proof
(:mod:`d2lconv.parity.bounds`). What a result is of is known, so that a wrong one is asked for its
cause, too.
"""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

import numpy as np
from numpy.random import Generator

from d2lconv import published
from d2lconv.binding import bind
from d2lconv.core.data import FLOATS
from d2lconv.errors import ArgumentError
from d2lconv.parity.cases import claims, compute, inputs
from d2lconv.parity.cases.case import Arrays, Case

METHODS = ("loop", "matmul", "native", "fft", "banded", "auto")


def cases() -> tuple[Case, ...]:
    """All cases, in the order of the report."""
    return tuple(_cases())


def choose(patterns: list[str] | None) -> tuple[Case, ...]:
    """The cases whose names match one of the patterns, all if there are none.

    Args:
        patterns: Names, beginnings of names up to a slash, or shell patterns such as
            "gradient/*/float16".

    Raises:
        ArgumentError: A pattern matches no case.
    """
    every = cases()
    if not patterns:
        return every
    found: dict[str, Case] = {}
    for pattern in patterns:
        matching = [case for case in every if matches(case.name, pattern)]
        if not matching:
            groups = ", ".join(dict.fromkeys(case.name.partition("/")[0] for case in every))
            raise ArgumentError(
                f"no parity case matches {pattern!r}. Cases begin with: {groups}. Give a name, the "
                "beginning of one, or a pattern such as 'random/*/float16'."
            )
        found.update({case.name: case for case in matching})
    return tuple(case for case in every if case.name in found)


def matches(name: str, pattern: str) -> bool:
    """Whether a case's name is the pattern, begins with it, or fits it as a shell pattern."""
    return name == pattern or name.startswith(f"{pattern}/") or fnmatchcase(name, pattern)


def _cases() -> Iterator[Case]:
    figure = inputs.constant(X=np.arange(9).reshape(3, 3), K=[[0, 1], [2, 3]])
    edges = inputs.constant(X=bind("numpy").edge_image(), K=[[1, -1]])
    turned = inputs.constant(X=bind("numpy").edge_image().T, K=[[1, -1]])
    diagonal = inputs.constant(X=np.eye(7), K=[[1, -1]])
    sums = claims.sums()
    for name, make in (("figure", figure), ("edges", edges), ("edges turned", turned)):
        yield Case(f"lesson/{name}", make, compute.corr2d, compared=sums)
    yield Case("lesson/diagonal", diagonal, compute.corr2d, compared=sums)
    for name, make in _runs():
        yield Case(f"published/{name}", make, compute.learning_exactly)
    for shapes in inputs.SHAPES:
        for dtype in FLOATS:
            make = inputs.normal(inputs.shapes(*shapes), dtype)
            yield Case(f"random/{_sizes(*shapes)}/{dtype}", make, compute.corr2d, compared=sums)
            yield Case(
                f"gradients/{_sizes(*shapes)}/{dtype}", make, compute.gradients, compared=sums
            )
    for shapes in inputs.LARGE:
        make = inputs.normal(inputs.shapes(*shapes))
        yield Case(f"random/{_sizes(*shapes)}/float32", make, compute.corr2d, compared=sums)
    name, make = _sizes(*inputs.LARGE[0]), inputs.normal(inputs.shapes(*inputs.LARGE[0]))
    yield Case(f"gradients/{name}/float32", make, compute.gradients, compared=sums)
    small = inputs.shapes((24, 20), (3, 2))
    for name, make in (
        ("special", inputs.special),
        ("wide", inputs.wide),
        ("subnormal", inputs.subnormal),
    ):
        yield Case(f"values/{name}", make, compute.corr2d, compared=sums)
        yield Case(f"values/{name}/gradients", make, compute.gradients, compared=sums)
    yield Case("views", inputs.normal(small), compute.views)
    yield Case("convolution", inputs.normal(small), compute.conv2d)
    yield Case("convolution/learned", inputs.normal(small), compute.learning_strictly)
    yield Case("layer/drawn", inputs.normal(small), compute.layer_drawn)
    for dtype in FLOATS:
        yield Case(
            f"layer/{dtype}",
            inputs.normal(small, dtype),
            compute.layer,
            compared=claims.sums(bias=0.5),
        )
    for name, shape in inputs.LAYERS.items():
        of = claims.sums(**shape.options)
        for dtype in FLOATS:
            make = inputs.layer(shape, dtype)
            yield Case(f"layers/{name}/{dtype}", make, compute.layer_of(shape), compared=of)
    for name, options in inputs.POOLS.items():
        of, run = claims.pools(options), compute.pooling_by(options)
        for dtype in FLOATS:
            make = inputs.normal({"X": (2, 3, 9, 8)}, dtype)
            yield Case(f"pooling/{name}/{dtype}", make, run, compared=of)
        yield Case(f"pooling/{name}/ties", inputs.ties, run, compared=of)
    yield from _rounded_cases()
    for method in METHODS:
        allowed, of_gradients = claims.ALLOWED.get(method), claims.ALLOWED_GRADIENTS.get(method)
        for shapes in inputs.SHAPES if method != "loop" else inputs.SHAPES[:3]:
            for dtype in FLOATS:
                name = f"{method}/{_sizes(*shapes)}/{dtype}"
                make = inputs.normal(inputs.shapes(*shapes), dtype)
                yield Case(
                    name, make, compute.by(method), claims.corr2d(), sums, allowed, exact=False
                )
        make, run = (
            inputs.normal(inputs.shapes((12, 11), (3, 2))),
            compute.gradients_by(method),
        )
        right = claims.gradients()
        yield Case(f"autodiff/{method}", make, run, right, sums, of_gradients, exact=False)
    for method in ("banded", "auto"):
        make = inputs.normal(inputs.shapes(*inputs.LARGE[1]))
        name = f"{method}/{_sizes(*inputs.LARGE[1])}/float32"
        # The bound alone: it is computed once, and what else compare asks takes long for each.
        allowed = claims.ALLOWED.get(method, claims.allowed)
        yield Case(name, make, compute.by(method), claims.corr2d(), sums, allowed, exact=False)
    for method in ("matmul", "native"):
        for name, make in (("wide", inputs.wide), ("special", inputs.special)):
            name = f"{method}/values/{name}"
            yield Case(name, make, compute.by(method), claims.corr2d(), sums, exact=False)
    yield from _native_cases()
    for name, make in _runs():
        yield Case(
            f"builtin/{name}",
            make,
            compute.learning_builtin,
            claims.learning,
            allowed=claims.allowed_learning,
            exact=False,
        )


def _runs() -> Iterator[tuple[str, Callable[[Generator], Arrays]]]:
    """The published runs: the lesson's image, its edges, and a run's own start."""
    numpy = bind("numpy")
    X = numpy.edge_image()
    Y = numpy.corr2d(X, [[1, -1]])
    for run in published.runs():
        yield run.id, inputs.constant(X=X, Y=Y, initial=[run.initial])


def _native_cases() -> Iterator[Case]:
    """What the frameworks themselves compute: convolutions, their gradients, layers, pooling."""
    for name, shape in inputs.LAYERS.items():
        options, of = shape.options, claims.sums(**shape.options)
        for dtype in FLOATS:
            make = inputs.layer(shape, dtype, "XK")
            run, right = compute.by("native", **options), claims.corr2d(**options)
            yield Case(f"native/{name}/{dtype}", make, run, right, of, exact=False)
        if name != "dilation":  # which TensorFlow does not differentiate on CPUs
            make = inputs.layer(shape, "float32", "XKG")
            run, right = compute.gradients_by("native", **options), claims.gradients(**options)
            yield Case(f"autodiff/native/{name}", make, run, right, of, exact=False)
        make = inputs.layer(shape, "float32", "XKb")
        run, right = compute.own_layer(shape), claims.corr2d(**options)
        yield Case(f"own/layers/{name}", make, run, right, of, exact=False)
    for name, options in inputs.POOLS.items():
        make, right = inputs.normal({"X": (2, 3, 9, 8)}), claims.pool(options)
        of, run = claims.pools(options), compute.own_pooling(options)
        yield Case(f"own/pooling/{name}", make, run, right, of, exact=False)


def _rounded_cases() -> Iterator[Case]:
    """Layers of all ranks, the pieces of a network, pooling, and their gradients."""
    for name, shapes in inputs.ROUNDED_RANKS.items():
        for dtype in FLOATS:
            yield Case(
                f"rounded/{name}/{dtype}", inputs.normal(shapes, dtype), compute.rounded_ranks
            )
    for name, shape in inputs.LAYERS.items():
        for dtype in FLOATS:
            make = inputs.layer(shape, dtype)
            yield Case(f"rounded/layers/{name}/{dtype}", make, compute.layer_of(shape, "rounded"))
    for name, options in inputs.POOLS.items():
        for dtype in FLOATS:
            make = inputs.normal({"X": (2, 3, 9, 8)}, dtype)
            run = compute.pooling_by({**options, "method": "rounded"})
            yield Case(f"rounded/pooling/{name}/{dtype}", make, run)
    for name, (shapes, piece) in compute.PIECES.items():
        output = piece(bind("numpy"), **{k: np.zeros(v, np.float32) for k, v in shapes.items()})
        for dtype in FLOATS:
            yield Case(f"rounded/{name}/{dtype}", inputs.normal(shapes, dtype), compute.piece(name))
            make = inputs.normal({**shapes, "G": output.shape}, dtype)
            expected = claims.piece_gradients(name)
            yield Case(
                f"autodiff/rounded/{name}/{dtype}",
                make,
                compute.piece_gradients(name),
                expected,
            )


def _sizes(image: tuple[int, int], kernel: tuple[int, int]) -> str:
    return "-".join("x".join(map(str, shape)) for shape in (image, kernel))

"""The parity cases: what is computed in every backend, and how close the results must be.

A case has inputs, which are the same everywhere, a computation over the API bound to a backend,
and a claim. An exact case claims the same bits as the NumPy backend's; a bounded one claims that
every difference from the expected values is rounding, by a bound that comes with a proof
(:mod:`d2lconv.parity.bounds`). What a result is of is known, so that a wrong one is asked for its
cause, too.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
from numpy.random import Generator

from d2lconv import published
from d2lconv.binding import BoundBackend, bind
from d2lconv.core import reference, registry
from d2lconv.core.contract import FloatArray
from d2lconv.core.data import FLOATS
from d2lconv.core.geometry import form
from d2lconv.core.options import settings
from d2lconv.errors import ArgumentError
from d2lconv.parity import bounds
from d2lconv.parity.compare import compare
from d2lconv.parity.describe import Description, call, describe, port
from d2lconv.parity.pooling import compare_pool, pooled
from d2lconv.parity.verdict import Comparison
from d2lconv.rounding import functions, network

Arrays = dict[str, FloatArray]
Shapes = dict[str, tuple[int, ...]]
Comparisons = dict[str, Callable[[Any, Any], Comparison]]
METHODS = ("loop", "matmul", "native", "fft", "banded", "auto")


@dataclass(frozen=True)
class Case:
    """One parity case.

    Attributes:
        name: Words joined by slashes, from the general to the particular.
        make: Makes the inputs, NumPy arrays by name, from a seeded generator.
        compute: Takes a bound backend and the inputs, gives tensors by name.
        expected: What a bounded case is compared with: takes the inputs, gives arrays by name.
        compared: Compares results as what they are of: takes the inputs, gives functions of actual
            and expected by name. It decides about bounded cases and known deviations, and says why
            a result is wrong.
        allowed: The largest honest difference, where that is not all: takes the inputs, gives
            arrays by name. It decides before ``compared``.
        exact: Whether the case claims the same bits.
    """

    name: str
    make: Callable[[Generator], Arrays]
    compute: Callable[..., dict[str, Any]]
    expected: Callable[..., dict[str, Any]] | None = None
    compared: Callable[..., Comparisons] | None = None
    allowed: Callable[..., dict[str, Any]] | None = None
    exact: bool = True

    def inputs(self) -> Arrays:
        """The inputs, the same at every call and in every process."""
        return self.make(np.random.default_rng(crc32(self.name.encode())))

    def run(self, backend: str, inputs: Arrays) -> Arrays:
        """The results in one backend, as NumPy arrays."""
        dc = bind(backend)
        results = self.compute(dc, **inputs)
        return {name: dc.to_numpy(value) for name, value in results.items()}

    def reference(self, inputs: Arrays) -> Arrays:
        """What every backend's results are compared with."""
        if self.expected is None:
            return self.run("numpy", inputs)
        return {name: np.asarray(value) for name, value in self.expected(**inputs).items()}


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


# Inputs.

SHAPES = (
    ((1, 1), (1, 1)),
    ((6, 8), (1, 2)),
    ((17, 10), (4, 2)),
    ((31, 31), (31, 31)),
    ((64, 48), (5, 5)),
)
LARGE = (((512, 512), (3, 3)), ((512, 512), (31, 31)))


@dataclass(frozen=True)
class LayerShape:
    """A layer: its images, its kernels and its options, as ``Conv2D`` takes them."""

    image: tuple[int, ...]
    kernel: tuple[int, int, int, int]
    options: Mapping[str, Any]


LAYERS = {
    "lenet": LayerShape((2, 1, 14, 14), (6, 1, 5, 5), {"padding": 2}),
    "channels": LayerShape((2, 6, 9, 8), (4, 6, 3, 3), {}),
    "stride": LayerShape((1, 3, 12, 11), (4, 3, 3, 3), {"stride": 2, "padding": 1}),
    "same": LayerShape((1, 3, 12, 11), (4, 3, 4, 3), {"stride": (2, 3), "padding": "same"}),
    "sides": LayerShape((1, 2, 8, 7), (3, 2, 3, 2), {"padding": ((2, 0), (1, 2))}),
    "dilation": LayerShape((1, 3, 12, 11), (4, 3, 3, 3), {"dilation": 2, "padding": 2}),
    "groups": LayerShape((2, 6, 8, 8), (4, 3, 3, 3), {"groups": 2, "padding": 1}),
    "depthwise": LayerShape((2, 5, 8, 8), (10, 1, 3, 3), {"groups": 5}),
    "1x1": LayerShape((2, 7, 6, 5), (4, 7, 1, 1), {}),
}
POOLS: dict[str, Mapping[str, Any]] = {
    "max": {"size": 2, "stride": 2},
    "max with padding": {"size": 3, "stride": 2, "padding": 1},
    "mean": {"size": (2, 3), "stride": (2, 1), "mode": "avg"},
    "mean with padding": {"size": 3, "stride": 2, "padding": 1, "mode": "avg"},
    "padding counted": {"size": 3, "padding": 1, "mode": "avg", "count_include_pad": True},
}


def _normal(shapes: Shapes, dtype: str = "float32") -> Callable[[Generator], Arrays]:
    return lambda rng: {
        name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()
    }


def _of(image: tuple[int, int], kernel: tuple[int, int]) -> Shapes:
    """The shapes of image, kernel and output."""
    (h, w), (kh, kw) = image, kernel
    return {"X": (h, w), "K": (kh, kw), "G": (h - kh + 1, w - kw + 1)}


def _constant(**values: Any) -> Callable[[Generator], Arrays]:
    return lambda rng: {name: np.array(value, np.float32) for name, value in values.items()}


def _special(rng: Generator) -> Arrays:
    """A third of the image and one element of the kernel: infinities, NaN, zeros, the largest."""
    inputs = _normal(_of((24, 20), (3, 2)))(rng)
    specials = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, np.finfo("f4").max], np.float32)
    where = rng.random((24, 20)) < 0.3
    inputs["X"][where] = rng.choice(specials, int(where.sum()))
    inputs["K"][1, 0] = -0.0
    return inputs


def _wide(rng: Generator) -> Arrays:
    """Numbers over sixteen orders of magnitude, whose sums cancel."""
    inputs = _normal(_of((24, 20), (3, 3)))(rng)
    for array in inputs.values():
        array *= np.float32(10) ** rng.integers(-8, 8, array.shape).astype(np.float32)
    return inputs


def _subnormal(rng: Generator) -> Arrays:
    """Numbers below the smallest normal one, and products that are."""
    inputs = _normal(_of((16, 12), (2, 3)))(rng)
    inputs["X"] *= np.float32(1e-38)
    return inputs


# Computations.


def _corr2d(dc: BoundBackend, X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    return {"Y": dc.corr2d(X, K)}


def _conv2d(dc: BoundBackend, X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    """Strict convolution, which is the cross-correlation with the flipped kernel."""
    return {"Y": dc.conv2d(X, K), "flipped": dc.corr2d(X, K[::-1, ::-1])}


def _views(dc: BoundBackend, X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    """Every second row, mirrored and turned images, as NumPy arrays and as native tensors."""
    native, turned = dc.tensor(X), dc.tensor(np.asfortranarray(X))
    return {
        "strided": dc.corr2d(X[::2, ::3], K),
        "mirrored": dc.corr2d(X[::-1, ::-1], K),
        "turned": dc.corr2d(X.T, K.T),
        "native strided": dc.corr2d(native[::2, 1::3], K),
        "native turned": dc.corr2d(dc.transpose(turned), dc.transpose(K)),
    }


def _gradients(dc: BoundBackend, X: Any, K: Any, G: Any) -> dict[str, Any]:
    """Forward and backward through a layer without bias."""
    layer = dc.Conv2D(K.shape, weight=K, bias=False)
    gradients = registry.load(dc.name).layers.gradients(layer, dc.tensor(X), dc.tensor(G))
    return {"Y": layer(dc.tensor(X)), "dX": gradients["image"], "dK": gradients["weight"]}


def _layer(dc: BoundBackend, X: Any, K: Any, G: Any) -> dict[str, Any]:
    """Forward and backward through a layer with a bias."""
    return _through(dc, dc.Conv2D(K.shape, weight=K, bias=0.5), X, G)


def _layer_drawn(dc: BoundBackend, X: Any, K: Any, G: Any) -> dict[str, Any]:
    """The same for a layer whose kernel is drawn from the seed."""
    return _through(dc, dc.Conv2D(K.shape, seed=3), X, G)


def _through(dc: BoundBackend, layer: Any, X: Any, G: Any) -> dict[str, Any]:
    gradients = registry.load(dc.name).layers.gradients(layer, dc.tensor(X), dc.tensor(G))
    return {"Y": layer(dc.tensor(X)), **gradients}


def _layer_of(shape: LayerShape, method: str = "exact") -> Callable[..., dict[str, Any]]:
    """Forward and backward through a layer with channels, and a bias for each output."""

    def compute(dc: BoundBackend, X: Any, K: Any, G: Any, b: Any) -> dict[str, Any]:
        outputs, per_group, *size = K.shape
        groups = shape.options.get("groups", 1)
        channels = {"in_channels": per_group * groups, "out_channels": outputs}
        layer = dc.Conv2D(tuple(size), **channels, weight=K, bias=b, method=method, **shape.options)
        return _through(dc, layer, X, G)

    return compute


def _layer_inputs(
    shape: LayerShape, dtype: str, names: str = "XKGb"
) -> Callable[[Generator], Arrays]:
    options = settings(**shape.options)
    output = form(shape.image, shape.kernel, *options).geometry.shape
    every = {"X": shape.image, "K": shape.kernel, "G": output, "b": shape.kernel[:1]}
    return _normal({name: every[name] for name in names}, dtype)


def _pooling_by(options: Mapping[str, Any]) -> Callable[..., dict[str, Any]]:
    """Pooling of images, channels and a matrix."""

    def compute(dc: BoundBackend, X: Any) -> dict[str, Any]:
        return {
            "images": dc.pool2d(X, **options),
            "channels": dc.pool2d(X[0], **options),
            "matrix": dc.pool2d(X[0, 0], **options),
        }

    return compute


def _ties(rng: Generator) -> Arrays:
    """Images of few values, NaN and infinities among them, so that maxima are ties."""
    few = np.array([0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf], np.float32)
    return {"X": rng.choice(few, (2, 3, 9, 8), p=[0.2, 0.2, 0.2, 0.2, 0.05, 0.05, 0.1])}


def _learning(dc: BoundBackend, X: Any, Y: Any, initial: Any, **options: Any) -> dict[str, Any]:
    learned = dc.learn_kernel(X, Y, initial.shape, init=initial, **options)
    losses = np.array(learned.losses, initial.dtype)  # they are of that type in every framework
    return {"losses": losses, "kernel": learned.kernel}


def _learning_exactly(dc: BoundBackend, X: Any, Y: Any, initial: Any) -> dict[str, Any]:
    return _learning(dc, X, Y, initial)


def _learning_strictly(dc: BoundBackend, X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    """From the output of a strict convolution: the flipped kernel is learned."""
    learned = dc.learn_kernel(X, dc.conv2d(X, K), K.shape, lr=1e-3, epochs=20)
    return {"kernel": learned.kernel, "losses": np.array(learned.losses, np.float32)}


def _learning_builtin(dc: BoundBackend, X: Any, Y: Any, initial: Any) -> dict[str, Any]:
    return _learning(dc, X, Y, initial, layer="builtin")


def _by(method: str, **options: Any) -> Callable[..., dict[str, Any]]:
    def compute(dc: BoundBackend, X: Any, K: Any, G: Any = None) -> dict[str, Any]:
        return {"Y": dc.corr2d(X, K, method=method, **options)}

    return compute


def _gradients_by(method: str, **options: Any) -> Callable[..., dict[str, Any]]:
    """The framework's own differentiation of a method."""

    def compute(dc: BoundBackend, X: Any, K: Any, G: Any) -> dict[str, Any]:
        _, (dX, dK) = registry.load(dc.name).autodiff.vjp(
            lambda X, K: dc.corr2d(X, K, method=method, **options),
            [dc.tensor(X), dc.tensor(K)],
            dc.tensor(G),
        )
        return {"dX": dX, "dK": dK}

    return compute


def _own_layer(shape: LayerShape) -> Callable[..., dict[str, Any]]:
    """Forward through the framework's own layer with these weights."""

    def compute(dc: BoundBackend, X: Any, K: Any, b: Any) -> dict[str, Any]:
        size = K.shape[2:]
        options = settings(**shape.options)
        d = Description("convolution", "numpy", "NCHW", K, b, size, *options)
        return _through_own(dc, d.on(X.shape[2:]), X)

    return compute


def _own_pooling(options: Mapping[str, Any]) -> Callable[..., dict[str, Any]]:
    """Through the framework's own pooling."""

    def compute(dc: BoundBackend, X: Any) -> dict[str, Any]:
        return _through_own(dc, describe(bind("numpy").Pool2D(**{"stride": 1, **options})), X)

    return compute


def _through_own(dc: BoundBackend, description: Description, X: Any) -> dict[str, Any]:
    made = port(description, dc.name)
    layer, parameters = made if isinstance(made, tuple) else (made, None)
    return {"Y": call(layer, X, parameters)}


# What results are of.


def _sums(bias: float | None = None, **options: Any) -> Callable[..., Comparisons]:
    """An output, and its gradients by the names that they have in the computations."""

    def compared(X: Any, K: Any, G: Any = None, b: Any = None) -> Comparisons:
        output = partial(compare, X=X, K=K, bias=bias if b is None else b, **options)
        dX = partial(compare, of="input", K=K, G=G, **options)
        dK = partial(compare, of="weight", X=X, G=G, **options)
        found: Comparisons = {"Y": output, "dX": dX, "image": dX, "dK": dK, "weight": dK}
        return found if b is None else {**found, "bias": partial(compare, of="bias", G=G)}

    return compared


def _pools(options: Mapping[str, Any]) -> Callable[..., Comparisons]:
    """Pooling of images, channels and a matrix."""
    options = {"stride": 1, **options}

    def compared(X: Any) -> Comparisons:
        given = {"Y": X, "images": X, "channels": X[0], "matrix": X[0, 0]}
        return {name: partial(compare_pool, X=image, **options) for name, image in given.items()}

    return compared


# What is rounded once: the same bits everywhere.

ROUNDED_RANKS: dict[str, Shapes] = {
    "matrix": {"X": (9, 8), "K": (3, 2)},
    "channels": {"X": (3, 9, 8), "K": (3, 3, 2)},
    "outputs": {"X": (3, 9, 8), "K": (4, 3, 3, 2)},
    "images": {"X": (2, 3, 9, 8), "K": (4, 3, 3, 2)},
}
CLASSES = np.array([2, 0, 1, 2, 2])
PIECES: dict[str, tuple[Shapes, Callable[..., Any]]] = {
    "dense": ({"X": (5, 9), "W": (4, 9), "b": (4,)}, lambda dc, X, W, b: dc.dense(X, W, b)),
    "sigmoid": ({"x": (5, 7)}, lambda dc, x: dc.sigmoid(x)),
    "tanh": ({"x": (5, 7)}, lambda dc, x: dc.tanh(x)),
    "relu": ({"x": (5, 7)}, lambda dc, x: dc.relu(x)),
    "cross_entropy": ({"x": (5, 3)}, lambda dc, x: dc.cross_entropy(x, CLASSES)),
}
PIECE_GRADIENTS: dict[str, Callable[..., tuple[FloatArray, ...]]] = {
    "dense": network.dense_gradients,
    "sigmoid": lambda x, G: (functions.sigmoid_gradient(x, G),),
    "tanh": lambda x, G: (functions.tanh_gradient(x, G),),
    "relu": lambda x, G: (functions.relu_gradient(x, G),),
    "cross_entropy": lambda x, G: (network.softmax_cross_entropy_gradient(x, CLASSES, G),),
}


def _rounded_ranks(dc: BoundBackend, X: Any, K: Any) -> dict[str, Any]:
    return {"Y": dc.corr2d(X, K, method="rounded", stride=2, padding=1)}


def _piece(name: str) -> Callable[..., dict[str, Any]]:
    return lambda dc, **inputs: {"Y": PIECES[name][1](dc, **inputs)}


def _piece_gradients(name: str) -> Callable[..., dict[str, Any]]:
    """The framework's own differentiation of a piece."""

    def compute(dc: BoundBackend, G: Any, **inputs: Any) -> dict[str, Any]:
        _, found = registry.load(dc.name).autodiff.vjp(
            partial(PIECES[name][1], dc), [dc.tensor(v) for v in inputs.values()], dc.tensor(G)
        )
        return {f"d{of}": gradient for of, gradient in zip(inputs, found, strict=True)}

    return compute


def _expected_piece_gradients(name: str) -> Callable[..., dict[str, Any]]:
    def expected(G: Any, **inputs: Any) -> dict[str, Any]:
        operands = {k: v for k, v in inputs.items() if k != "b"}
        found = PIECE_GRADIENTS[name](*operands.values(), G)
        return {f"d{of}": gradient for of, gradient in zip(inputs, found, strict=True)}

    return expected


def _rounded_cases() -> Iterator[Case]:
    """Layers of all ranks, the pieces of a network, pooling, and their gradients."""
    for name, shapes in ROUNDED_RANKS.items():
        for dtype in FLOATS:
            yield Case(f"rounded/{name}/{dtype}", _normal(shapes, dtype), _rounded_ranks)
    for name, shape in LAYERS.items():
        for dtype in FLOATS:
            make = _layer_inputs(shape, dtype)
            yield Case(f"rounded/layers/{name}/{dtype}", make, _layer_of(shape, "rounded"))
    for name, options in POOLS.items():
        for dtype in FLOATS:
            make = _normal({"X": (2, 3, 9, 8)}, dtype)
            compute = _pooling_by({**options, "method": "rounded"})
            yield Case(f"rounded/pooling/{name}/{dtype}", make, compute)
    for name, (shapes, piece) in PIECES.items():
        output = piece(bind("numpy"), **{k: np.zeros(v, np.float32) for k, v in shapes.items()})
        for dtype in FLOATS:
            yield Case(f"rounded/{name}/{dtype}", _normal(shapes, dtype), _piece(name))
            make = _normal({**shapes, "G": output.shape}, dtype)
            expected = _expected_piece_gradients(name)
            yield Case(f"autodiff/rounded/{name}/{dtype}", make, _piece_gradients(name), expected)


# What bounded cases are compared with, and how far they may be off it: either result's own bound.


def _expected(**options: Any) -> Callable[..., dict[str, Any]]:
    def expected(X: Any, K: Any, G: Any = None, b: Any = None) -> dict[str, Any]:
        Y = bind("numpy").corr2d(X, K, **options)
        return {"Y": Y if b is None else Y + b[:, None, None]}

    return expected


def _expected_gradients(**options: Any) -> Callable[..., dict[str, Any]]:
    def expected(X: Any, K: Any, G: Any) -> dict[str, Any]:
        given = settings(**options)
        dX = reference.image_gradient(K, G, X.shape, *given)
        return {"dX": dX, "dK": reference.kernel_gradient(X, G, K.shape, *given)}

    return expected


def _expected_pool(options: Mapping[str, Any]) -> Callable[..., dict[str, Any]]:
    return lambda X: {"Y": pooled(X, **{"stride": 1, **options})}


def _expected_learning(X: Any, Y: Any, initial: Any) -> dict[str, Any]:
    return _learning(bind("numpy"), X, Y, initial)


def _allowed(X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    return {"Y": 2 * bounds.corr2d(X, K)}


def _allowed_fft(X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    return {"Y": bounds.fft(X, K) + bounds.corr2d(X, K)}


def _allowed_gradients(X: Any, K: Any, G: Any) -> dict[str, Any]:
    return {"dX": 2 * bounds.image_gradient(K, G), "dK": 2 * bounds.kernel_gradient(X, G)}


def _allowed_fft_gradients(X: Any, K: Any, G: Any) -> dict[str, Any]:
    """The gradients are cross-correlations, of X with G, and of G in a frame of zeros with K."""
    (h, w), (kh, kw) = X.shape, K.shape
    frame = np.zeros((h + kh - 1, w + kw - 1), G.dtype)
    frame[kh - 1 : h, kw - 1 : w] = G
    # The transforms that the gradients go through are those of the forward pass, of X's size.
    dX, dK = bounds.fft(frame, K), bounds.fft(X, G)
    return {"dX": dX + bounds.image_gradient(K, G), "dK": dK + bounds.kernel_gradient(X, G)}


def _widest(*bounds: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The largest of several bounds: whichever method is chosen, it keeps its own."""

    def allowed(**inputs: Any) -> dict[str, Any]:
        every = [bound(**inputs) for bound in bounds]
        return {name: np.maximum.reduce([found[name] for found in every]) for name in every[0]}

    return allowed


ALLOWED = {"fft": _allowed_fft, "auto": _widest(_allowed, _allowed_fft)}
ALLOWED_GRADIENTS = {
    "fft": _allowed_fft_gradients,
    "auto": _widest(_allowed_gradients, _allowed_fft_gradients),
}


def _allowed_learning(X: Any, Y: Any, initial: Any) -> dict[str, Any]:
    losses, kernel = bounds.learning(X, Y, initial, lr=3e-2, epochs=10)
    return {"losses": 2 * losses, "kernel": 2 * kernel}


def _runs() -> Iterator[tuple[str, Callable[[Generator], Arrays]]]:
    """The published runs: the lesson's image, its edges, and a run's own start."""
    numpy = bind("numpy")
    X = numpy.edge_image()
    Y = numpy.corr2d(X, [[1, -1]])
    for run in published.runs():
        yield run.id, _constant(X=X, Y=Y, initial=[run.initial])


def _cases() -> Iterator[Case]:
    figure = _constant(X=np.arange(9).reshape(3, 3), K=[[0, 1], [2, 3]])
    edges = _constant(X=bind("numpy").edge_image(), K=[[1, -1]])
    turned = _constant(X=bind("numpy").edge_image().T, K=[[1, -1]])
    diagonal = _constant(X=np.eye(7), K=[[1, -1]])
    sums = _sums()
    for name, make in (("figure", figure), ("edges", edges), ("edges turned", turned)):
        yield Case(f"lesson/{name}", make, _corr2d, compared=sums)
    yield Case("lesson/diagonal", diagonal, _corr2d, compared=sums)
    for name, make in _runs():
        yield Case(f"published/{name}", make, _learning_exactly)
    for shapes in SHAPES:
        for dtype in FLOATS:
            make = _normal(_of(*shapes), dtype)
            yield Case(f"random/{_sizes(*shapes)}/{dtype}", make, _corr2d, compared=sums)
            yield Case(f"gradients/{_sizes(*shapes)}/{dtype}", make, _gradients, compared=sums)
    for shapes in LARGE:
        yield Case(
            f"random/{_sizes(*shapes)}/float32", _normal(_of(*shapes)), _corr2d, compared=sums
        )
    large = _normal(_of(*LARGE[0]))
    yield Case(f"gradients/{_sizes(*LARGE[0])}/float32", large, _gradients, compared=sums)
    small = _of((24, 20), (3, 2))
    for name, make in (("special", _special), ("wide", _wide), ("subnormal", _subnormal)):
        yield Case(f"values/{name}", make, _corr2d, compared=sums)
        yield Case(f"values/{name}/gradients", make, _gradients, compared=sums)
    yield Case("views", _normal(small), _views)
    yield Case("convolution", _normal(small), _conv2d)
    yield Case("convolution/learned", _normal(small), _learning_strictly)
    yield Case("layer/drawn", _normal(small), _layer_drawn)
    for dtype in FLOATS:
        yield Case(f"layer/{dtype}", _normal(small, dtype), _layer, compared=_sums(bias=0.5))
    for name, shape in LAYERS.items():
        of = _sums(**shape.options)
        for dtype in FLOATS:
            make = _layer_inputs(shape, dtype)
            yield Case(f"layers/{name}/{dtype}", make, _layer_of(shape), compared=of)
    for name, options in POOLS.items():
        of, run = _pools(options), _pooling_by(options)
        for dtype in FLOATS:
            make = _normal({"X": (2, 3, 9, 8)}, dtype)
            yield Case(f"pooling/{name}/{dtype}", make, run, compared=of)
        yield Case(f"pooling/{name}/ties", _ties, run, compared=of)
    yield from _rounded_cases()
    for method in METHODS:
        allowed, of_gradients = ALLOWED.get(method), ALLOWED_GRADIENTS.get(method)
        for shapes in SHAPES if method != "loop" else SHAPES[:3]:
            for dtype in FLOATS:
                name = f"{method}/{_sizes(*shapes)}/{dtype}"
                make = _normal(_of(*shapes), dtype)
                yield Case(name, make, _by(method), _expected(), sums, allowed, exact=False)
        make, run = _normal(_of((12, 11), (3, 2))), _gradients_by(method)
        right = _expected_gradients()
        yield Case(f"autodiff/{method}", make, run, right, sums, of_gradients, exact=False)
    for method in ("banded", "auto"):
        make = _normal(_of(*LARGE[1]))
        name = f"{method}/{_sizes(*LARGE[1])}/float32"
        # The bound alone: it is computed once, and what else compare asks takes long for each.
        allowed = ALLOWED.get(method, _allowed)
        yield Case(name, make, _by(method), _expected(), sums, allowed, exact=False)
    for method in ("matmul", "native"):
        for name, make in (("wide", _wide), ("special", _special)):
            name = f"{method}/values/{name}"
            yield Case(name, make, _by(method), _expected(), sums, exact=False)
    yield from _native_cases()
    for name, make in _runs():
        yield Case(
            f"builtin/{name}",
            make,
            _learning_builtin,
            _expected_learning,
            allowed=_allowed_learning,
            exact=False,
        )


def _native_cases() -> Iterator[Case]:
    """What the frameworks themselves compute: convolutions, their gradients, layers, pooling."""
    for name, shape in LAYERS.items():
        options, of = shape.options, _sums(**shape.options)
        for dtype in FLOATS:
            make = _layer_inputs(shape, dtype, "XK")
            run, right = _by("native", **options), _expected(**options)
            yield Case(f"native/{name}/{dtype}", make, run, right, of, exact=False)
        if name != "dilation":  # which TensorFlow does not differentiate on CPUs
            make = _layer_inputs(shape, "float32", "XKG")
            run, right = _gradients_by("native", **options), _expected_gradients(**options)
            yield Case(f"autodiff/native/{name}", make, run, right, of, exact=False)
        make = _layer_inputs(shape, "float32", "XKb")
        run, right = _own_layer(shape), _expected(**options)
        yield Case(f"own/layers/{name}", make, run, right, of, exact=False)
    for name, options in POOLS.items():
        make, right = _normal({"X": (2, 3, 9, 8)}), _expected_pool(options)
        of, run = _pools(options), _own_pooling(options)
        yield Case(f"own/pooling/{name}", make, run, right, of, exact=False)


def _sizes(image: tuple[int, int], kernel: tuple[int, int]) -> str:
    return "-".join("x".join(map(str, shape)) for shape in (image, kernel))

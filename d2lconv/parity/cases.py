"""The parity cases: what is computed in every backend, and how close the results must be.

A case has inputs, which are the same everywhere, a computation over the API bound to a backend,
and a claim. An exact case claims the same bits as the NumPy backend's; a bounded one claims that
every difference from the expected values is within a bound that comes with a proof
(:mod:`d2lconv.parity.bounds`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from zlib import crc32

import numpy as np
from numpy.random import Generator

from d2lconv import published, registry
from d2lconv.bound import BoundBackend, bind
from d2lconv.contract import FloatArray
from d2lconv.data import FLOATS
from d2lconv.errors import ArgumentError
from d2lconv.parity import bounds

Arrays = dict[str, FloatArray]
Shapes = dict[str, tuple[int, int]]
METHODS = ("loop", "matmul", "native", "fft", "banded", "auto")


@dataclass(frozen=True)
class Case:
    """One parity case.

    Attributes:
        name: Words joined by slashes, from the general to the particular.
        make: Makes the inputs, NumPy arrays by name, from a seeded generator.
        compute: Takes a bound backend and the inputs, gives tensors by name.
        expected: What a bounded case is compared with: takes the inputs, gives arrays by name.
        allowed: The largest honest difference from it: takes the inputs, gives arrays by name.
        exact: Whether the case claims the same bits. Then a bound is for known deviations.
    """

    name: str
    make: Callable[[Generator], Arrays]
    compute: Callable[..., dict[str, Any]]
    expected: Callable[..., dict[str, Any]] | None = None
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


def _by(method: str) -> Callable[..., dict[str, Any]]:
    def compute(dc: BoundBackend, X: Any, K: Any, G: Any = None) -> dict[str, Any]:
        return {"Y": dc.corr2d(X, K, method=method)}

    return compute


def _gradients_by(method: str) -> Callable[..., dict[str, Any]]:
    """The framework's own differentiation of a method."""

    def compute(dc: BoundBackend, X: Any, K: Any, G: Any) -> dict[str, Any]:
        _, (dX, dK) = registry.load(dc.name).ops.vjp(
            lambda X, K: dc.corr2d(X, K, method=method), [dc.tensor(X), dc.tensor(K)], dc.tensor(G)
        )
        return {"dX": dX, "dK": dK}

    return compute


# What bounded cases are compared with, and how far they may be off it: either result's own bound.


def _expected(X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    return _corr2d(bind("numpy"), X, K)


def _expected_gradients(X: Any, K: Any, G: Any) -> dict[str, Any]:
    ops = registry.load("numpy").ops
    return {"dX": ops.image_gradient(K, G), "dK": ops.kernel_gradient(X, G)}


def _expected_learning(X: Any, Y: Any, initial: Any) -> dict[str, Any]:
    return _learning(bind("numpy"), X, Y, initial)


def _allowed(X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    return {"Y": 2 * bounds.corr2d(X, K)}


def _allowed_fft(X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    return {"Y": bounds.fft(X, K) + bounds.corr2d(X, K)}


def _allowed_gradients(X: Any, K: Any, G: Any) -> dict[str, Any]:
    return {"dX": 2 * bounds.image_gradient(K, G), "dK": 2 * bounds.kernel_gradient(X, G)}


def _allowed_all(X: Any, K: Any, G: Any) -> dict[str, Any]:
    return {**_allowed(X, K), **_allowed_gradients(X, K, G)}


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
    for name, make in (("figure", figure), ("edges", edges), ("edges turned", turned)):
        yield Case(f"lesson/{name}", make, _corr2d)
    yield Case("lesson/diagonal", diagonal, _corr2d)
    for name, make in _runs():
        yield Case(f"published/{name}", make, _learning_exactly)
    for shapes in SHAPES:
        for dtype in FLOATS:
            make = _normal(_of(*shapes), dtype)
            yield Case(f"random/{_sizes(*shapes)}/{dtype}", make, _corr2d)
            yield Case(f"gradients/{_sizes(*shapes)}/{dtype}", make, _gradients)
    for shapes in LARGE:
        yield Case(f"random/{_sizes(*shapes)}/float32", _normal(_of(*shapes)), _corr2d)
    large = _normal(_of(*LARGE[0]))
    yield Case(f"gradients/{_sizes(*LARGE[0])}/float32", large, _gradients)
    small = _of((24, 20), (3, 2))
    for name, make in (("special", _special), ("wide", _wide)):
        yield Case(f"values/{name}", make, _corr2d)
        yield Case(f"values/{name}/gradients", make, _gradients)
    yield Case("values/subnormal", _subnormal, _corr2d, allowed=_allowed)
    yield Case("values/subnormal/gradients", _subnormal, _gradients, allowed=_allowed_all)
    yield Case("views", _normal(small), _views)
    yield Case("convolution", _normal(small), _conv2d)
    yield Case("convolution/learned", _normal(small), _learning_strictly)
    yield Case("layer/drawn", _normal(small), _layer_drawn)
    for dtype in FLOATS:
        yield Case(f"layer/{dtype}", _normal(small, dtype), _layer)
    for method in METHODS:
        allowed = ALLOWED.get(method, _allowed)
        of_gradients = ALLOWED_GRADIENTS.get(method, _allowed_gradients)
        for shapes in SHAPES if method != "loop" else SHAPES[:3]:
            for dtype in FLOATS:
                name = f"{method}/{_sizes(*shapes)}/{dtype}"
                make = _normal(_of(*shapes), dtype)
                yield Case(name, make, _by(method), _expected, allowed, exact=False)
        make = _normal(_of((12, 11), (3, 2)))
        name = f"autodiff/{method}"
        yield Case(
            name, make, _gradients_by(method), _expected_gradients, of_gradients, exact=False
        )
    for method in ("banded", "auto"):
        make = _normal(_of(*LARGE[1]))
        name = f"{method}/{_sizes(*LARGE[1])}/float32"
        yield Case(name, make, _by(method), _expected, ALLOWED.get(method, _allowed), exact=False)
    for method in ("matmul", "native"):
        yield Case(f"{method}/values/wide", _wide, _by(method), _expected, _allowed, exact=False)
        yield Case(
            f"{method}/values/special", _special, _by(method), _expected, _allowed, exact=False
        )
    for name, make in _runs():
        yield Case(
            f"builtin/{name}",
            make,
            _learning_builtin,
            _expected_learning,
            _allowed_learning,
            exact=False,
        )


def _sizes(image: tuple[int, int], kernel: tuple[int, int]) -> str:
    return "-".join("x".join(map(str, shape)) for shape in (image, kernel))

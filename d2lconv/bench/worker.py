"""What runs in a process of its own: one backend, measured size after size.

Its job is a :class:`Job`; it tells of each result.
"""

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from d2lconv import api
from d2lconv.bench import measure
from d2lconv.bench.measure import Call
from d2lconv.bench.points import Point, parse
from d2lconv.binding import BoundBackend, bind
from d2lconv.children import begun
from d2lconv.core import registry
from d2lconv.errors import ArgumentError

LOOP = 70 * 70  # windows that the loop of the lesson is measured with at most
MATMUL = 2**26  # elements of all windows that "matmul" is measured with at most: 256 MiB
OWN = "own"  # the framework's own convolution, called directly


@dataclass(frozen=True)
class Job:
    """What a worker is asked for.

    Attributes:
        backend: The backend's name.
        points: Sizes, as :func:`d2lconv.bench.points.parse` reads them.
        methods: Methods of corr2d.
        more: Sizes of one channel at which backward, layer and learning are measured too.
        seconds: How long a call is timed, about.
        memory: Measure memory instead of time.
    """

    backend: str
    points: Sequence[str]
    methods: Sequence[str]
    more: Sequence[str] = ()
    seconds: float = 0.2
    memory: bool = False


def main() -> None:
    """Do the job."""
    job, tell = begun()
    for result in work(Job(**job)):
        tell(**result)


def work(job: Job) -> Iterator[dict[str, Any]]:
    """The results of a job, each a dictionary that says with "point" and "what" what it is of."""
    dc = bind(job.backend)
    tools = _tools(dc.name)
    for text in job.points:
        for what, calls in _calls(dc, tools, parse(text), text in job.more, job.methods):
            head = {"point": text, "what": what}
            if not calls or (job.memory and what != "forward"):
                continue
            yield {**head, "begin": True}
            if job.memory:
                peaks = {name: measure.peak(call) for name, call in calls.items()}
                yield {**head, "peak": peaks}
            else:
                times = measure.interleaved(calls, job.seconds)
                yield {**head, "times": {name: asdict(t) for name, t in times.items()}}


def _tools(name: str) -> ModuleType:
    """The backend's module that says how to wait for a result, and what its own convolution is."""
    _, package = registry.manifests()[name]
    try:
        return importlib.import_module(f"{package}.timing")
    except ModuleNotFoundError as error:
        if error.name != f"{package}.timing":
            raise
        raise ArgumentError(
            f"the backend {name!r} has no module {error.name}, so it cannot be measured."
        ) from None


def _calls(
    dc: BoundBackend, tools: ModuleType, point: Point, more: bool, methods: Sequence[str]
) -> Iterator[tuple[str, dict[str, Call]]]:
    """What is measured at one size, and the calls that it compares."""
    rng = np.random.default_rng(0)
    image, kernel, gradient = (
        rng.standard_normal(shape, dtype=np.float32)
        for shape in (point.image, point.kernel, point.output)
    )
    X, K, G = map(dc.tensor, (image, kernel, gradient))
    geometry, options = point.geometry, point.options
    X4, K4 = X, K
    if not point.is_layer:
        X4, K4 = (dc.tensor(a[None, None]) for a in (image, kernel))
    wait, own = tools.wait, tools.convolution(X4, K4, geometry)

    def waiting(function: Callable[..., Any], *args: Any, **options: Any) -> Call:
        return lambda: wait(function(*args, **options))

    too_large = {"loop": point.windows > LOOP, "matmul": point.window_elements > MATMUL}
    usable = [m for m in methods if not too_large.get(m)]
    usable = [m for m in usable if _works(dc, m, point.is_layer)]
    forward = {m: waiting(api.corr2d, X, K, method=m, **options) for m in usable}
    yield "forward", {**forward, OWN: waiting(own)}
    backend = registry.load(dc.name)
    trains = "builtin" in backend.learning.LAYERS
    if trains and (more or point.is_layer):
        by = [m for m in usable if m != "loop"]
        corr2d = {m: partial(dc.corr2d, method=m, **options) for m in by}
        vjp = backend.autodiff.vjp
        yield "backward", {m: _backward(vjp, wait, f, X, K, G) for m, f in corr2d.items()}
    if not more or point.is_layer:
        return
    yield (
        "overhead",
        {
            "neutral": waiting(api.corr2d, X, K),
            "backend": waiting(dc.corr2d, X, K),
            "function": waiting(backend.methods.METHODS["exact"].corr2d, X4, K4, geometry),
        },
    )
    layer = dc.Conv2D(point.kernel, weight=kernel, bias=0.5)
    yield "layer", {"exact": waiting(layer, X), OWN: waiting(own)}
    if not trains:
        return
    Y = dc.corr2d(X, K)
    yield (
        "learning",
        {
            name: _learning(dc, X, Y, kernel, layer)
            for name, layer in (("exact", "exact"), (OWN, "builtin"))
        },
    )


def _works(dc: BoundBackend, method: str, channels: bool) -> bool:
    """Whether a backend has a method at all, for layers with channels."""
    one = [[[[1.0], [1.0]]], [[[1.0]]]] if channels else [[[1.0]], [[1.0]]]
    try:
        dc.corr2d(*one, method=method, padding=int(channels))
    except ArgumentError:
        return False
    return True


def _backward(
    vjp: Any, wait: Callable[[Any], None], function: Callable[..., Any], X: Any, K: Any, G: Any
) -> Call:
    """Forward and backward, by the framework's own differentiation."""

    def call() -> None:
        for gradient in vjp(function, [X, K], G)[1]:
            wait(gradient)

    return call


def _learning(dc: BoundBackend, X: Any, Y: Any, kernel: Any, layer: str) -> Call:
    """A step of learning, with all that comes before the first one."""
    options = {"lr": 1e-9, "epochs": 1, "init": kernel * np.float32(0.5), "layer": layer}
    return lambda: dc.learn_kernel(X, Y, kernel.shape, **options)


if __name__ == "__main__":
    main()

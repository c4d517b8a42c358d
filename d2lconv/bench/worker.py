"""What runs in a process of its own: one backend, measured size after size.

It reads a :class:`Job` as JSON from standard input, and writes one line of JSON for each result.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

import numpy as np

from d2lconv import api, registry
from d2lconv.bench import measure
from d2lconv.bench.measure import Call
from d2lconv.bench.points import Point, parse
from d2lconv.bound import BoundBackend, bind
from d2lconv.errors import ArgumentError
from d2lconv.orphans import end_with_parent

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
        more: Sizes at which backward, layer and learning are measured too.
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
    """Do what standard input asks for."""
    end_with_parent()
    job = Job(**json.load(sys.stdin))
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # some frameworks print while they load
    for result in work(job):
        print(json.dumps(result), file=out, flush=True)


def work(job: Job) -> Iterator[dict[str, Any]]:
    """The results of a job, each a dictionary that says with "point" and "what" what it is of."""
    dc = bind(job.backend)
    tools = _tools(dc.name)
    for text in job.points:
        for what, calls in _calls(dc, tools, parse(text), text in job.more, job.methods):
            head = {"point": text, "what": what}
            yield {**head, "begin": True}
            if job.memory:
                if what == "forward":
                    yield {
                        **head,
                        "peak": {name: measure.peak(call) for name, call in calls.items()},
                    }
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
    wait, own = tools.wait, tools.convolution(X, K)

    def waiting(function: Callable[..., Any], *args: Any, **options: Any) -> Call:
        return lambda: wait(function(*args, **options))

    too_large = {"loop": point.windows > LOOP, "matmul": point.multiplications > MATMUL}
    usable = [m for m in methods if not too_large.get(m)]
    forward = {m: waiting(api.corr2d, X, K, method=m) for m in usable if _works(dc, m)}
    yield "forward", {**forward, OWN: waiting(own)}
    if not more:
        return
    backend = registry.load(dc.name)
    yield (
        "overhead",
        {
            "neutral": waiting(api.corr2d, X, K),
            "backend": waiting(backend.ops.corr2d, X, K),
            "function": waiting(backend.ops.corr2d_exact, X, K),
        },
    )
    layer = dc.Conv2D(point.kernel, weight=kernel, bias=0.5)
    yield "layer", {"exact": waiting(layer, X), OWN: waiting(own)}
    if "builtin" not in backend.learning.LAYERS:
        return
    yield (
        "backward",
        {m: _backward(backend.ops, wait, m, X, K, G) for m in ("exact", "native") if m in forward},
    )
    Y = dc.corr2d(X, K)
    yield (
        "learning",
        {
            name: _learning(dc, X, Y, kernel, layer)
            for name, layer in (("exact", "exact"), (OWN, "builtin"))
        },
    )


def _works(dc: BoundBackend, method: str) -> bool:
    """Whether a backend has a method at all."""
    try:
        dc.corr2d([[1.0]], [[1.0]], method=method)
    except ArgumentError:
        return False
    return True


def _backward(ops: Any, wait: Callable[[Any], None], method: str, X: Any, K: Any, G: Any) -> Call:
    """Forward and backward, by the framework's own differentiation."""

    def function(X: Any, K: Any) -> Any:
        return ops.corr2d(X, K, method=method)

    def call() -> None:
        for gradient in ops.vjp(function, [X, K], G)[1]:
            wait(gradient)

    return call


def _learning(dc: BoundBackend, X: Any, Y: Any, kernel: Any, layer: str) -> Call:
    """A step of learning, with all that comes before the first one."""
    options = {"lr": 1e-9, "epochs": 1, "init": kernel * np.float32(0.5), "layer": layer}
    return lambda: dc.learn_kernel(X, Y, kernel.shape, **options)


if __name__ == "__main__":
    main()

"""A benchmark: every backend in a process of its own, one after the other, and what came out."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from d2lconv import children
from d2lconv.bench import measure
from d2lconv.bench.points import Point, parse
from d2lconv.bench.worker import OWN, Job
from d2lconv.core import registry
from d2lconv.extras import needed
from d2lconv.version import __version__

with needed("cli"):
    import pyperf

SCHEMA = 1
METHODS = ("exact", "auto", "native", "loop")
Watcher = Callable[[str, str, str], None]
Row = dict[str, Any]


def run(
    backends: Sequence[str],
    points: Sequence[Point],
    *,
    methods: Sequence[str] = METHODS,
    more: Sequence[Point] = (),
    seconds: float = 0.2,
    memory: bool = True,
    starting: int = 1,
    watch: Watcher = lambda backend, point, what: None,
    done: Callable[[str, dict[str, Any]], None] = lambda backend, report: None,
) -> dict[str, Any]:
    """Measure backends one after the other, each in a process of its own.

    Args:
        backends: Names of backends that are installed.
        points: The sizes.
        methods: Methods of corr2d; a backend that lacks one leaves it out.
        more: Those sizes at which backward, layer, learning and the API's overhead are measured.
        seconds: How long each call is timed, about.
        memory: Whether to measure memory too, in processes of their own.
        starting: How many times to measure how long it takes to import each backend and to run the
            lesson.
        watch: Called with backend, size and what is measured now.
        done: Called with each backend that is measured, and the report so far.

    Returns:
        The report, ready for JSON: "machine", "backends" with versions, "rows", and "start". All
        times are in seconds, memory in bytes. A row has "backend", "point", "image", "kernel",
        "what", "method", the median "time" with its quartiles "low" and "high", the "start" that
        came before the steady state, the "peak" of memory, and under "against" how many times
        faster it is than the loop ("loop"), the framework's own convolution ("own") and that
        through the same API ("native"): the median of the ratios of each turn, with their
        quartiles.
    """
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "d2lconv": __version__,
        "machine": measure.machine(),
        "backends": {
            status.name: {"framework": status.framework, "version": status.version}
            for status in registry.backends()
            if status.name in backends
        },
        "rows": [],
        "start": {},
    }
    for name in backends:
        rows: list[Row] = []
        job = Job(
            name, tuple(map(str, points)), tuple(methods), tuple(map(str, more)), seconds=seconds
        )
        for result in _ask(job, watch):
            rows += _rows(name, parse(result["point"]), result["what"], result["times"])
        if memory:
            _add_memory(rows, name, _ask(Job(**{**asdict(job), "memory": True}), watch))
        report["rows"] += rows
        if starting:
            report["start"][name] = _starting(name, starting, watch)
        done(name, report)
    return report


def _ask(job: Job, watch: Watcher) -> Iterator[dict[str, Any]]:
    """The results of a worker, as they come."""
    manifest, _ = registry.manifests()[job.backend]
    what, hint = f"the benchmark of {manifest.framework}", manifest.suspicion
    variables = measure.RETURN_MEMORY if job.memory else {}
    for result in children.told("d2lconv.bench.worker", asdict(job), what, variables, hint=hint):
        if "begin" in result:
            watch(job.backend, result["point"], "memory" if job.memory else result["what"])
        else:
            yield result


def _rows(backend: str, point: Point, what: str, times: dict[str, Any]) -> Iterator[Row]:
    """A row for each call that was timed, with its ratios to the others."""
    for method, taken in times.items():
        against = {
            other: asdict(measure.ratios(times[other]["samples"], taken["samples"]))
            for other in ("loop", "native", OWN)
            if other in times and other != method
        }
        median = measure.spread(taken["samples"])
        yield {
            "backend": backend,
            "point": str(point),
            "image": list(point.image),
            "kernel": list(point.kernel),
            "what": what,
            "method": method,
            "time": median.median,
            "low": median.low,
            "high": median.high,
            "start": taken["start"],
            "against": against,
        }


def _add_memory(rows: list[Row], backend: str, results: Iterator[dict[str, Any]]) -> None:
    for result in results:
        point = parse(result["point"])
        for row in rows:
            if (row["backend"], row["point"], row["what"]) == (backend, str(point), "forward"):
                row["peak"] = result["peak"].get(row["method"])


def _starting(name: str, times: int, watch: Watcher) -> dict[str, float]:
    """Seconds until a backend's framework is imported, alone and by us, and the lesson has run."""
    watch(name, "", "starting")
    module = registry.manifests()[name][0].modules[0]
    commands = {
        "python": ["-c", "pass"],
        "framework": ["-c", f"import {module}"],
        "backend": ["-c", f"import d2lconv; d2lconv.use({name!r})"],
        "run": ["-m", "d2lconv", "run", "--quiet", "--backend", name],
    }
    return {what: _wall(command, times) for what, command in commands.items()}


def _wall(command: list[str], count: int) -> float:
    """The median time of some runs of Python."""
    times = []
    for _ in range(count):
        start = pyperf.perf_counter()
        subprocess.run([sys.executable, *command], capture_output=True, check=False)
        times.append(pyperf.perf_counter() - start)
    return measure.spread(times).median

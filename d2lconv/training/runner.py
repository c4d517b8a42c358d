"""The same training in several frameworks, one after the other, and where they part."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from d2lconv.children import told
from d2lconv.core import registry
from d2lconv.core.lenet import Network, Values
from d2lconv.errors import BackendBroken
from d2lconv.parity.ulp import ulp_distance
from d2lconv.training.history import Epoch, History
from d2lconv.training.worker import Job, unpack


@dataclass
class Run:
    """Training in one framework, as far as it has come.

    Attributes:
        backend: The backend's name.
        framework: The framework's name.
        batch: Loss and accuracy of the epoch that it is at.
        steps: For each step the short hashes of all parameters, by name.
        epochs: The epochs that are done.
        parameters: The parameters after each of them.
        history: All of it, when it is done.
        peak: The bytes of memory of its process at their height.
        problem: Why it did not go on; empty if it did.
    """

    backend: str
    framework: str
    batch: tuple[float, float] | None = None
    steps: list[dict[str, str]] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    parameters: list[Values] = field(default_factory=list)
    history: History | None = None
    peak: int | None = None
    problem: str = ""


@dataclass(frozen=True)
class Drift:
    """How far two runs are apart after an epoch.

    Attributes:
        ulp: The largest distance of two parameters, in ulp.
        share: The share of the parameters that differ.
    """

    ulp: int
    share: float


@dataclass(frozen=True)
class Difference:
    """Where two runs part.

    Attributes:
        step: The first step, from 1, after which a parameter differs.
        names: The parameters that differ after it.
    """

    step: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Parting:
    """The first step after which two frameworks differ, and what differs first in it.

    Attributes:
        backends: The two.
        step: The step, from 1.
        names: The parameters that differ after it.
        tensor: The first tensor that rounding does not explain, else the first that differs, as
            :func:`d2lconv.parity.trace` calls it; empty if it finds none.
        verdict: How it differs.
        text: All that is said of it, or why nothing is.
    """

    backends: tuple[str, str]
    step: int
    names: tuple[str, ...]
    tensor: str = ""
    verdict: str = ""
    text: str = "repeated, it differs in no layer: look at the loss and the update."


def run(jobs: Sequence[Job], made: Network, watch: Callable[[Run], None]) -> list[Run]:
    """Train in each framework, each in a process of its own.

    Args:
        jobs: One for each backend.
        made: The network.
        watch: Called with the run that goes on, whenever something is new.
    """
    runs = []
    for job in jobs:
        manifest, _ = registry.manifests()[job.backend]
        one = Run(job.backend, manifest.framework)
        runs.append(one)
        watch(one)
        try:
            what = f"training in {one.framework}"
            hint = manifest.suspicion
            for message in told("d2lconv.training.worker", asdict(job), what, hint=hint):
                _take(one, message, made)
                watch(one)
        except BackendBroken as error:
            one.problem = str(error)
            watch(one)
    return runs


def drift(one: Values, other: Values) -> Drift:
    """How far two sets of parameters are apart."""
    a, b = (np.concatenate([v.ravel() for v in values.values()]) for values in (one, other))
    different = a.view(np.uint32) != b.view(np.uint32)
    return Drift(int(ulp_distance(a, b).max()), float(different.mean()))


def difference(one: Run, other: Run) -> Difference | None:
    """Where two runs part; None if they do not, as far as both have come."""
    for step, (a, b) in enumerate(zip(one.steps, other.steps, strict=False), 1):
        names = tuple(name for name in a if a[name] != b[name])
        if names:
            return Difference(step, names)
    return None


def parting(runs: Sequence[Run], jobs: Sequence[Job]) -> Parting | None:
    """Where the first framework and another one part, if any does: the one that does so first.

    The step is walked in a process that has both.
    """
    pairs = [
        (where, job)
        for one, job in zip(runs, jobs, strict=True)
        if (where := difference(runs[0], one))
    ]
    if not pairs:
        return None
    where, job = min(pairs, key=lambda pair: pair[0].step)
    backends, both = (jobs[0].backend, job.backend), (asdict(jobs[0]), asdict(job))
    what = f"walking step {where.step} in {' and '.join(backends)}"
    try:
        (found,) = told("d2lconv.training.parting", {"jobs": both, "step": where.step}, what)
    except BackendBroken as error:
        found = {"text": str(error)}
    return Parting(backends, where.step, where.names, **found)


def _take(one: Run, message: dict[str, Any], made: Network) -> None:
    """Take down a worker's message."""
    if "batch" in message:
        loss, accuracy = message["batch"]
        one.batch = loss, accuracy
        one.steps.append(message["digests"])
    elif "epoch" in message:
        one.epochs.append(Epoch(**message["epoch"]))
        one.parameters.append(unpack(message["parameters"], made))
        one.batch = None
    elif "problem" in message:
        one.problem = message["problem"]
    else:
        one.history, one.peak = History.of(message["history"]), message["peak"]

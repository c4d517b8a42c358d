"""What runs in a process of its own: the step in which two frameworks part, walked in both.

One of them repeats the training up to that step, and gives the other its parameters. Then
:func:`d2lconv.parity.trace` walks both on the step's minibatch. The job is ``{"jobs": [...],
"step": n}`` with two :class:`~d2lconv.training.worker.Job`. The message is ``{"tensor": name,
"verdict": word, "text": text}``, empty where no tensor differs, or ``{"text": text}`` with why the
step cannot be walked.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Any

from d2lconv.binding import bind
from d2lconv.children import begun
from d2lconv.errors import D2LConvError
from d2lconv.parity.tracing import Step, Trace, trace
from d2lconv.training import loop, owner
from d2lconv.training.worker import Job, examples


def main() -> None:
    """Do the job."""
    job, tell = begun()
    try:
        tell(**work(**job))
    except D2LConvError as error:
        tell(text=str(error))


def work(jobs: Sequence[Mapping[str, Any]], step: int) -> dict[str, str]:
    """Walk a step, from 1; gives the message."""
    first, second = (Job(**job) for job in jobs)
    settings = loop.settings(**first.settings)
    learned, _ = examples(first.folder, first.images)
    a, b = (bind(job.backend).LeNet(**job.network) for job in (first, second))
    batches = chain.from_iterable(loop.minibatches(settings, len(learned.labels)))
    tensor = bind(first.backend).tensor
    for chosen in islice(batches, step - 1):
        images, labels = learned.images[chosen], learned.labels[chosen]
        owner(a).step(a, tensor(images), labels, settings.lr)
    owner(b).assign(b, owner(a).parameters(a))
    chosen = next(batches)
    found = first_difference(trace(a, b, learned.images[chosen], learned.labels[chosen]))
    if found is None:
        return {}
    return {"tensor": found.name, "verdict": found.comparison.verdict, "text": str(found)}


def first_difference(walk: Trace) -> Step | None:
    """The first tensor that rounding does not explain, else the first that differs."""
    differing = (one for one in walk.steps if not one.comparison.identical)
    return walk.first or next(differing, None)


if __name__ == "__main__":
    main()

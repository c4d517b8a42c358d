"""The loop of training, in no framework: minibatches, epochs, hashes, and how it ends.

A backend's module ``networks`` does a step; everything else is here once for all.
"""

import hashlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from d2lconv.core import checks, ownership, registry
from d2lconv.core.lenet import Values
from d2lconv.errors import ArgumentError, Diverged
from d2lconv.training import weights
from d2lconv.training.data import Examples
from d2lconv.training.history import Epoch, History


@dataclass(frozen=True)
class Settings:
    """The options of training, checked."""

    lr: float
    epochs: int
    batch_size: int
    seed: int


def settings(*, lr: Any, epochs: Any, batch_size: Any, seed: Any) -> Settings:
    """The options of :func:`d2lconv.train`, checked."""
    rate = checks.finite(lr)
    with np.errstate(over="ignore"):
        single = np.float32(0 if rate is None else rate)
    if rate is None or not np.finfo(np.float32).tiny <= single < np.inf:
        raise ArgumentError(
            f"lr is {lr!r}; it must be a number that float32 has, greater than 0, such as 0.1."
        )
    return Settings(
        rate,
        checks.whole_number("epochs", epochs, least=1),
        checks.whole_number("batch_size", batch_size, least=1),
        checks.whole_number("seed", seed, least=0),
    )


class Watcher(Protocol):
    """Who is told of what is going on."""

    def batch(self, loss: float, accuracy: float) -> None:
        """A minibatch is done; loss and accuracy are of the epoch so far."""

    def epoch(self, one: Epoch) -> None:
        """An epoch is done."""


@dataclass
class _Sums:
    """What an epoch comes to, minibatch by minibatch."""

    losses: list[float] = field(default_factory=list)
    right: int = 0
    count: int = 0

    def add(self, loss: float, logits: Any, labels: Any) -> None:
        self.losses.append(loss * len(labels))
        self.right += right(logits, labels)
        self.count += len(labels)

    @property
    def loss(self) -> float:
        return math.fsum(self.losses) / self.count

    @property
    def accuracy(self) -> float:
        return self.right / self.count


def fit(
    native: Any,
    net: Any,
    examples: Examples,
    settings: Settings,
    held_out: Examples | None,
    watch: Watcher,
    callback: Callable[[Epoch], Any] | None = None,
) -> History:
    """Train; the arguments are those of :func:`d2lconv.train`, checked.

    Args:
        native: The module ``networks`` of the network's backend.
        net: The network.
        examples: What is learned from.
        settings: The options.
        held_out: What is held out, if anything is.
        watch: Who is told of each minibatch and epoch.
        callback: Who may end training after an epoch.
    """
    tensor = _tensors(net).tensor
    kept = native.parameters(net)
    weights.check(kept)
    start, ended = digest(kept), ""
    done: list[Epoch] = []

    def history() -> History:
        return _history(net, settings, len(examples.labels), start, tuple(done), ended)

    with _asked_to_end() as asked:
        for epoch, batches in enumerate(minibatches(settings, len(examples.labels)), 1):
            began, sums = time.perf_counter(), _Sums()
            for number, chosen in enumerate(batches, 1):
                images, labels = examples.images[chosen], examples.labels[chosen]
                loss, logits = native.step(net, tensor(images), labels, settings.lr)
                if not math.isfinite(loss):
                    native.assign(net, kept)
                    raise _diverged(loss, settings.lr, number, epoch, history())
                sums.add(loss, logits, labels)
                watch.batch(sums.loss, sums.accuracy)
                if asked() and number < len(batches):
                    ended = f"ended by Ctrl-C after {number} of {len(batches)} minibatches of "
                    ended += f"epoch {epoch}"
                    return history()
            seconds = time.perf_counter() - began
            kept = native.parameters(net)
            told = None if held_out is None else accuracy(native, net, held_out)
            one = Epoch(epoch, sums.loss, sums.accuracy, told, seconds, digest(kept))
            done.append(one)
            watch.epoch(one)
            wanted = callback is not None and callback(one)
            if (wanted or asked()) and epoch < settings.epochs:
                ended = f"ended by {'callback' if wanted else 'Ctrl-C'} after epoch {epoch}"
                break
    return history()


def accuracy(native: Any, net: Any, examples: Examples, batch_size: int = 256) -> float:
    """The share of images that a network tells rightly."""
    tensors, found = _tensors(net), 0
    for start in range(0, len(examples.labels), batch_size):
        some = slice(start, start + batch_size)
        logits = native.outputs(net, tensors.tensor(examples.images[some]))[-1]
        found += right(tensors.to_numpy(logits), examples.labels[some])
    return found / len(examples.labels)


def right(logits: Any, labels: Any) -> int:
    """How many labels have the largest logit, the first of several."""
    return int((logits.argmax(axis=1) == labels).sum())


def digest(values: Values) -> str:
    """The sha256 of all parameters, one after the other, little-endian."""
    found = hashlib.sha256()
    for value in values.values():
        found.update(np.ascontiguousarray(value, "<f4").tobytes())
    return found.hexdigest()


def minibatches(settings: Settings, n: int) -> Iterator[list[Any]]:
    """For each epoch its minibatches: which images, in which order."""
    generator = np.random.default_rng(settings.seed)
    for _ in range(settings.epochs):
        order = generator.permutation(n)
        yield [order[i : i + settings.batch_size] for i in range(0, n, settings.batch_size)]


def _tensors(net: Any) -> Any:
    return registry.load(ownership.backend_of(net) or "numpy").tensors


def _history(
    net: Any, settings: Settings, images: int, start: str, done: tuple[Epoch, ...], ended: str
) -> History:
    name = ownership.backend_of(net) or "numpy"
    (status,) = [status for status in registry.backends() if status.name == name]
    options = {**net.made.options, "lr": settings.lr, "batch_size": settings.batch_size}
    options |= {"seed": settings.seed, "images": images}
    return History(name, status.framework, status.version or "", options, start, done, ended)


def _diverged(loss: float, lr: float, number: int, epoch: int, history: History) -> Diverged:
    return Diverged(
        f"the loss is {loss} in minibatch {number} of epoch {epoch}: with lr {lr:g} training "
        f"diverges. Take a smaller one, such as {lr / 10:.2g}, and again a tenth of it, until the "
        "loss falls; 0.9 suits sigmoid, and about 0.1 ReLU. The network has the parameters again "
        "that it had before this epoch.",
        lr,
        losses=(loss,),
        history=history,
    )


@contextmanager
def _asked_to_end() -> Iterator[Callable[[], bool]]:
    """Take Ctrl-C down for later, and tell whether there was one; the second one is at once."""
    received: list[int] = []

    def take_down(number: int, frame: Any) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = signal.getsignal(signal.SIGINT)
    here = threading.current_thread() is threading.main_thread()
    if not here or before in (None, signal.SIG_IGN):
        yield lambda: False
        return
    signal.signal(signal.SIGINT, take_down)
    try:
        yield lambda: bool(received)
    finally:
        signal.signal(signal.SIGINT, before)

"""What runs in a process of its own: one backend trains, and tells of every step.

Its job is a :class:`Job`. Its messages are:

- ``{"batch": [loss, accuracy], "digests": {...}}``: of the epoch so far, and of each parameter;
- ``{"epoch": {...}, "parameters": text}``: all parameters as float32, in base64;
- at the end ``{"history": {...}, "peak": bytes}``, or ``{"problem": text}``.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from d2lconv.bench.measure import highest
from d2lconv.binding import bind
from d2lconv.children import begun
from d2lconv.core.lenet import Network, Values
from d2lconv.errors import D2LConvError
from d2lconv.training import data, loop, owner
from d2lconv.training.history import Epoch


@dataclass(frozen=True)
class Job:
    """What a worker is asked for.

    Attributes:
        backend: The backend's name.
        network: The options of ``LeNet``.
        settings: The options of training, as :class:`~d2lconv.training.loop.Settings` has them.
        folder: Where MNIST's files are; None for the digits that come with the package.
        images: How many images to learn from; None for all.
    """

    backend: str
    network: Mapping[str, Any]
    settings: Mapping[str, Any]
    folder: str | None = None
    images: int | None = None


def main() -> None:
    """Do the job."""
    job, tell = begun()
    try:
        tell(**work(Job(**job), tell))
    except D2LConvError as error:
        tell(problem=str(error))


def work(job: Job, tell: Callable[..., None]) -> dict[str, Any]:
    """Train, and tell; gives the last message."""
    settings = loop.settings(**job.settings)
    learned, held_out = examples(job.folder, job.images)
    data.check_batch(settings.batch_size, learned)
    net = bind(job.backend).LeNet(**job.network)
    watch = _Telling(owner(net), net, tell)
    history = loop.fit(owner(net), net, learned, settings, held_out, watch)
    return {"history": history.document(), "peak": highest()}


def examples(folder: str | None, images: int | None) -> tuple[data.Examples, data.Examples]:
    """What is learned from and what is held out, as NumPy arrays."""

    def part(train: bool) -> tuple[Any, Any]:
        d2l = bind("numpy")
        found: tuple[Any, Any] = (
            d2l.digits(train) if folder is None else d2l.load_idx(folder, train)
        )
        return found

    some = slice(None, images)
    learned, labels = part(train=True)
    return (
        data.checked(learned[some], labels[some], "images", "labels"),
        data.checked(*part(train=False), "validation images", "validation labels"),
    )


class _Telling:
    """Tells of each minibatch and epoch."""

    def __init__(self, native: Any, net: Any, tell: Callable[..., None]) -> None:
        self.native, self.net, self.tell = native, net, tell

    def batch(self, loss: float, accuracy: float) -> None:
        values = self.native.parameters(self.net)
        short = {n: hashlib.sha256(v.tobytes()).hexdigest()[:16] for n, v in values.items()}
        self.tell(batch=[loss, accuracy], digests=short)

    def epoch(self, one: Epoch) -> None:
        self.tell(epoch=asdict(one), parameters=pack(self.native.parameters(self.net)))


def pack(values: Values) -> str:
    """All parameters one after the other, as text."""
    return base64.b64encode(b"".join(v.astype("<f4").tobytes() for v in values.values())).decode()


def unpack(text: str, made: Network) -> Values:
    """The parameters again."""
    flat, found, start = np.frombuffer(base64.b64decode(text), "<f4"), {}, 0
    for name, shape in made.shapes.items():
        end = start + int(np.prod(shape))
        found[name] = flat[start:end].reshape(shape).astype(np.float32)
        start = end
    return found


if __name__ == "__main__":
    main()

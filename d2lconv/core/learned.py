"""Learning a kernel from data: the checks and the result; the loop is the backend's."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lconv.core import checks, divergence, operations
from d2lconv.core.contract import FloatArray
from d2lconv.core.data import check_values, operands
from d2lconv.core.geometry import output_size
from d2lconv.core.parameters import convolution
from d2lconv.core.registry import Backend, load
from d2lconv.core.shown import Shown
from d2lconv.errors import ArgumentError, ShapeError


@dataclass(frozen=True)
class LearnedKernel(Shown):
    """What learning a kernel gives; in a notebook it shows the losses and the kernel.

    Attributes:
        kernel: The learned kernel (kh, kw), a native tensor.
        losses: The loss of every epoch before its update, one Python float each.
        initial: The kernel (kh, kw) that learning started from, a native tensor.
        backend: The name of the backend that learned it.
    """

    kernel: Any
    losses: tuple[float, ...]
    initial: Any
    backend: str

    def __repr__(self) -> str:
        first, last = (divergence.readable(loss) for loss in (self.losses[0], self.losses[-1]))
        return (
            f"LearnedKernel({_rows(load(self.backend).tensors.to_numpy(self.kernel))}, loss "
            f"{first} to {last} in {len(self.losses)} epoch{'s' * (len(self.losses) != 1)}, "
            f"backend={self.backend!r})"
        )


def learn_kernel(
    backend: Backend,
    X: Any,
    Y: Any,
    kernel_size: tuple[int, int],
    *,
    lr: float = 3e-2,
    epochs: int = 10,
    init: Any = None,
    seed: int = 0,
    layer: str = "exact",
    verbose: bool = False,
) -> LearnedKernel:
    """The public ``learn_kernel`` for one backend."""
    size = checks.kernel_size(kernel_size)
    rate = checks.finite(lr)
    if rate is None or rate <= 0:
        raise ArgumentError(
            f"lr is {lr!r}; it must be a finite number greater than 0, such as 3e-2."
        )
    epochs = checks.whole_number("epochs", epochs, least=1)
    if checks.choice("layer", layer, ("exact", "builtin")) not in backend.learning.LAYERS:
        framework = backend.manifest.framework
        raise ArgumentError(
            f"{framework} has no convolutional layer of its own: use layer='exact'."
        )
    data = {"X": X, "Y": Y} if init is None else {"X": X, "Y": Y, "init": init}
    X, Y, *given = operands(backend, **data)
    for name, value in (("X", X), ("Y", Y)):
        checks.matrix(tuple(value.shape), name)
        check_values(backend.tensors, value, name)
    expected = output_size(tuple(X.shape), size)
    if tuple(Y.shape) != expected:
        raise ShapeError(
            f"Y has the shape {tuple(Y.shape)}; a kernel of size {size} on X of shape "
            f"{tuple(X.shape)} gives {expected}, and Y must have that shape."
        )
    weight = given[0] if given else None
    start = convolution(size, weight=weight, bias=False, seed=seed, name="init").weight
    image = backend.tensors.to_numpy(X)
    for name, array in (("X", image), ("Y", backend.tensors.to_numpy(Y)), ("init", start)):
        if not np.isfinite(array).all():
            raise ArgumentError(
                f"{name} holds infinity or NaN; nothing can be learned from it. Replace those "
                "elements first."
            )
    initial = start.astype(backend.tensors.dtype_name(X))
    losses: list[float] = []

    def largest() -> float:
        return divergence.largest_rate(image, size)

    def report(epoch: int, loss: float) -> None:
        losses.append(loss)
        if verbose and epoch % 2 == 0:
            print(f"epoch {epoch}, loss {divergence.readable(loss)}")
        divergence.watch(losses, rate, largest)

    kernel = backend.learning.learn_kernel(
        X,
        Y,
        initial,
        lr=rate,
        epochs=epochs,
        layer=layer,
        report=report,
    )
    after = _loss(image, backend.tensors.to_numpy(kernel), backend.tensors.to_numpy(Y))
    divergence.watch([*losses, after], rate, largest)
    return LearnedKernel(kernel, tuple(losses), backend.tensors.tensor(initial), backend.name)


def _loss(X: FloatArray, K: FloatArray, Y: FloatArray) -> float:
    """The loss that the learned kernel has, which no step has reported."""
    with np.errstate(over="ignore", invalid="ignore"):
        D = operations.corr2d(load("numpy"), X, K) - Y
        return float(np.square(D, dtype=np.float64).sum())


def _rows(K: FloatArray) -> str:
    """The elements of a small kernel; the size of a large one."""
    if K.size > 9:
        return f"{K.shape[0]}x{K.shape[1]} kernel"
    return f"[{', '.join('[' + ', '.join(f'{k:.4g}' for k in row) + ']' for row in K)}]"

"""Learning a kernel from data: the checks and the result; the loop is the backend's."""

from dataclasses import dataclass
from typing import Any

from d2lconv import checks
from d2lconv.data import check_values, initial_values, operands
from d2lconv.errors import ArgumentError, ShapeError
from d2lconv.registry import Backend


@dataclass(frozen=True)
class LearnedKernel:
    """What learning a kernel gives.

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
    X, Y, *given = operands(backend.name, **data)
    for name, value in (("X", X), ("Y", Y)):
        check_values(backend.ops, value, name)
    expected = checks.output_shape(tuple(X.shape), size)
    if tuple(Y.shape) != expected:
        raise ShapeError(
            f"Y has the shape {tuple(Y.shape)}; a kernel of size {size} on X of shape "
            f"{tuple(X.shape)} gives {expected}, and Y must have that shape."
        )
    weight = given[0] if given else None
    start, _ = initial_values(size, weight, bias=False, seed=seed, name="init")
    initial = start.astype(backend.ops.dtype_name(X))
    losses: list[float] = []

    def report(epoch: int, loss: float) -> None:
        losses.append(loss)
        if verbose and epoch % 2 == 0:
            print(f"epoch {epoch}, loss {loss:.3f}")

    kernel = backend.learning.learn_kernel(
        X,
        Y,
        initial,
        lr=rate,
        epochs=epochs,
        layer=layer,
        report=report,
    )
    return LearnedKernel(kernel, tuple(losses), backend.ops.tensor(initial), backend.name)

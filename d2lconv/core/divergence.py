"""Learning that diverges: how it is noticed, and the largest learning rate that is safe.

Gradient descent on a sum of squares ``|A k - y|**2`` multiplies the error along each eigenvector
of ``A.T @ A`` with ``1 - 2 * lr * eigenvalue`` at every step. So it converges from every start as
long as lr is below 1 over the largest eigenvalue. The loss is then a sum of terms that shrink. In
general it is a convex function of the number of steps, because each term is: above that rate, a
loss that has risen once never stops rising. One rise is a proof.
"""

from collections.abc import Callable, Sequence
from math import floor, inf, isfinite, log10

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from d2lconv.core.contract import FloatArray
from d2lconv.errors import Diverged

ELEMENTS = 256  # of a kernel, up to which the eigenvalue itself is computed
ROWS = 2**14  # of the matrix of windows that are in memory at once


def watch(losses: Sequence[float], lr: float, largest: Callable[[], float]) -> None:
    """Stop learning that diverges, after the last of these losses.

    Args:
        losses: The losses so far, one for each step.
        lr: The learning rate.
        largest: Gives the largest safe one; it is asked only once the loss rises.

    Raises:
        Diverged: The last loss is infinite or NaN, or it rises and will not stop rising.
    """
    now, before = losses[-1], losses[-2] if len(losses) > 1 else losses[-1]
    if isfinite(now) and now <= before:
        return
    limit = largest()
    if isfinite(now) and lr <= limit:
        return
    went = f"the loss rose from {readable(before)} to {readable(now)}"
    if not isfinite(before):
        went = f"the loss is {readable(now)} at once"
    elif len(losses) == 1:
        went = f"the first loss is {readable(now)}"
    if lr <= limit:
        remedy = (
            "The lr is safe, but the numbers are too large for their floating type: divide X and Y "
            "by their largest element, or use float32 or float64."
        )
    else:
        remedy = (
            f"For this image and this size of kernel the largest safe lr is {_down(limit)}, 1 over "
            f"the largest eigenvalue of the quadratic. Try lr={_down(0.9 * limit)}."
        )
    raise Diverged(
        f"learning diverged at step {len(losses)}: with lr={lr:g} {went}. {remedy}",
        lr=lr,
        largest=limit,
        losses=tuple(losses),
    )


def largest_rate(X: FloatArray, size: tuple[int, int]) -> float:
    """Below which learning rate a kernel of this size is learned from the image X, for any Y.

    It is 1 over the largest eigenvalue of ``A.T @ A``, where A has the windows of X as its rows.
    For kernels of more than 256 elements it is 1 over a bound of that eigenvalue, the largest sum
    of a row of |A| times the largest sum of a column, and so safe as well.

    Example:
        >>> import d2lconv as dc
        >>> round(1 / largest_rate(dc.numpy.edge_image(), (1, 2)), 9)
        30.0
    """
    most = float(np.abs(X).max())
    if most == 0:
        return inf
    windows = sliding_window_view(X.astype(np.float64) / most, size)
    elements = size[0] * size[1]
    if elements > ELEMENTS:
        rows = float(np.abs(windows).sum((2, 3)).max())
        eigenvalue = rows * float(np.abs(windows).sum((0, 1)).max())
    else:
        square = np.zeros((elements, elements))
        at_once = max(1, ROWS // windows.shape[1])
        for first in range(0, len(windows), at_once):
            A = windows[first : first + at_once].reshape(-1, elements)
            square += A.T @ A
        eigenvalue = float(np.linalg.eigvalsh(square)[-1])
    with np.errstate(over="ignore", divide="ignore"):
        return float(1 / (np.float64(eigenvalue) * np.float64(most) ** 2))


def readable(value: float) -> str:
    """A loss as people read it.

    Example:
        >>> readable(0.274231), readable(28143.21), readable(5.8e10)
        ('0.274', '28,143.210', '5.80e+10')
    """
    return f"{value:,.3f}" if 1e-3 <= abs(value) < 1e6 or value == 0 else f"{value:.2e}"


def _down(value: float) -> str:
    """A number rounded down to two digits.

    Example:
        >>> _down(6.19e-05)
        '6.1e-05'
    """
    if not 0 < value < inf:
        return f"{value:g}"
    place = 10.0 ** (floor(log10(value)) - 1)
    return f"{floor(value / place) * place:.2g}"

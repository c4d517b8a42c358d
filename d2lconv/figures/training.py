"""Training a network: loss and accuracy, epoch by epoch, in one framework or several."""

from collections.abc import Iterable, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from d2lconv.errors import ArgumentError
from d2lconv.figures.canvas import figure
from d2lconv.figures.learning import MARKERS, draw
from d2lconv.training.history import History


def training(runs: History | Iterable[History]) -> Figure:
    """Draw how networks learn: the loss, and the accuracy on held-out images.

    Args:
        runs: What ``dc.train`` gave, once for each run, at most 6. They are called by their
            frameworks.

    Returns:
        The figure, with two axes. Where nothing is held out, the accuracy is that on the images
        that are learned from.

    Raises:
        ArgumentError: There are no runs, more than 6, or one has no epochs.

    Example:
        >>> import d2lconv as dc
        >>> images, labels = dc.digits()
        >>> some = images[:32], labels[:32]
        >>> history = dc.train(dc.LeNet(), *some, epochs=1, batch_size=32, verbose=False)
        >>> [ax.get_ylabel() for ax in dc.figures.training(history).axes]
        ['loss (before the update)', 'accuracy']
    """
    runs = [runs] if isinstance(runs, History) else list(runs)
    if not 1 <= len(runs) <= len(MARKERS):
        raise ArgumentError(f"there are {len(runs)} runs; there must be 1 to {len(MARKERS)}.")
    losses: dict[str, Sequence[float]] = {}
    accuracies: dict[str, Sequence[float]] = {}
    for run in runs:
        if not isinstance(run, History) or not run.epochs:
            raise ArgumentError(
                f"a run is a {type(run).__name__} without epochs; it must be what dc.train gives."
            )
        name = run.framework
        name = name if name not in losses else f"{name}, run {len(losses) + 1}"
        losses[name] = run.losses
        told = [one.validation for one in run.epochs if one.validation is not None]
        accuracies[name] = told if len(told) == len(run.epochs) else run.accuracies
    fig = figure(9, 3.6)
    left, right = fig.subplots(1, 2)
    draw(left, losses, "loss (before the update)")
    draw(right, accuracies, "accuracy")
    right.yaxis.set_major_formatter(PercentFormatter(1))
    return fig

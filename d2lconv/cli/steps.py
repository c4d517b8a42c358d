"""The lesson of section 7.2, step by step, as things to compute with any backend.

Source of the ideas, their order and the numbers: Dive into Deep Learning, section 7.2,
"Convolutions for Images". The words are ours.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from d2lconv import published
from d2lconv.errors import ArgumentError


@dataclass(frozen=True)
class Result:
    """One thing that a step computes.

    Attributes:
        name: What it is, in a word or two.
        value: A native tensor, or a text to show.
        exact: Whether every framework computes it in the same order, so that the bits must be the
            same. What a framework computes in its own order may differ by rounding.
    """

    name: str
    value: Any
    exact: bool = True


@dataclass(frozen=True)
class Step:
    """One step of the lesson.

    Attributes:
        title: A few words.
        text: What is computed, and what to see in it.
        compute: Takes the API bound to a backend, and a method of ``corr2d``.
    """

    title: str
    text: str
    compute: Callable[[Any, str], Iterator[Result]] = lambda dc, method: iter(())


IMAGE = [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
KERNEL = [[0, 1], [2, 3]]
EDGE = [[1, -1]]


def _cross_correlation(dc: Any, method: str) -> Iterator[Result]:
    X, K = dc.tensor(IMAGE), dc.tensor(KERNEL)
    scratch = dc.corr2d(X, K, method="loop")
    yield Result("corr2d(X, K)", dc.corr2d(X, K, method=method), method == "exact")
    yield Result("the double loop", scratch, exact=False)
    yield Result("type of Y", type(scratch).__name__)


def _layer(dc: Any, method: str) -> Iterator[Result]:
    layer = dc.Conv2D((2, 2), bias=0.5, seed=0)
    yield Result("layer(X)", layer(dc.tensor(IMAGE)))


def _edges(dc: Any, method: str) -> Iterator[Result]:
    X = dc.edge_image()
    yield Result("X", X)
    yield Result("corr2d(X, K)", dc.corr2d(X, EDGE, method=method), method == "exact")
    turned = dc.corr2d(dc.transpose(X), EDGE, method=method)
    yield Result("X turned", turned, method == "exact")


def _learning(dc: Any, method: str) -> Iterator[Result]:
    X = dc.edge_image()
    Y = dc.corr2d(X, EDGE)
    for layer, name in (("exact", "Conv2D"), ("builtin", "own layer")):
        try:
            run = dc.learn_kernel(X, Y, (1, 2), layer=layer)
        except ArgumentError:  # NumPy has no layer of its own
            yield Result(f"{name}: losses", "none", exact=False)
            yield Result(f"{name}: kernel", "none", exact=False)
            continue
        losses = dc.tensor([[loss] for loss in run.losses[1::2]])
        yield Result(f"{name}: losses", losses, layer == "exact")
        yield Result(f"{name}: kernel", run.kernel, layer == "exact")


def _published(dc: Any, method: str) -> Iterator[Result]:
    runs = published.runs()
    for layer, name in (("exact", "runs as printed"), ("builtin", "by its own layer")):
        try:
            replays = [published.replay(run, dc, layer) for run in runs]
        except ArgumentError:  # NumPy has no layer of its own
            yield Result(name, "none")
            continue
        if layer == "exact":
            yield from (
                Result(run.id, new.run.kernel) for run, new in zip(runs, replays, strict=True)
            )
        same = sum(
            (new.losses, new.learned) == (run.losses, run.learned)
            for run, new in zip(runs, replays, strict=True)
        )
        yield Result(name, f"{same} of {len(runs)} runs")


def _convolution(dc: Any, method: str) -> Iterator[Result]:
    X = dc.edge_image()
    Y = dc.conv2d(X, EDGE, method=method)
    yield Result("conv2d(X, K)", Y, method == "exact")
    flipped = dc.corr2d(X, [[-1, 1]], method=method)
    yield Result("K flipped", flipped, method == "exact")
    yield Result("learned", dc.learn_kernel(X, Y, (1, 2), epochs=40).kernel)


def _receptive_field(dc: Any, method: str) -> Iterator[Result]:
    Y = dc.corr2d(IMAGE, KERNEL, method=method)
    yield Result("feature map Y", Y, method == "exact")
    yield Result("second layer z", dc.corr2d(Y, KERNEL, method=method), method == "exact")
    # A kernel of ones passes on every element it covers; padded with zeros, it counts the paths
    # from each element of X to z.
    around = [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    yield Result(
        "paths to z", dc.corr2d(around, [[1, 1], [1, 1]], method=method), method == "exact"
    )


def _layers(dc: Any, method: str) -> Iterator[Result]:
    images, kernels = [IMAGE, [[1, 2, 3], [4, 5, 6], [7, 8, 9]]], [KERNEL, [[1, 2], [3, 4]]]
    Y = dc.corr2d(images, kernels, method=method)
    yield Result("two channels, summed", Y, method == "exact")
    numbers = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]]
    moved = dc.corr2d(numbers, [[1] * 3] * 3, stride=2, padding=1, method=method)
    yield Result("stride 2, padding 1", moved, method == "exact")
    yield Result("maximum of 2x2", dc.pool2d(IMAGE, 2))
    yield Result("mean of 2x2", dc.pool2d(IMAGE, 2, mode="avg"))


def _diagonal(dc: Any, method: str) -> Iterator[Result]:
    X, K = dc.diagonal_image(4), dc.tensor(EDGE)
    yield Result("corr2d(X, K)", dc.corr2d(X, K, method=method), method == "exact")
    turned = dc.corr2d(dc.transpose(X), K, method=method)
    yield Result("X turned", turned, method == "exact")
    with_turned = dc.corr2d(X, dc.transpose(K), method=method)
    yield Result("K turned", with_turned, method == "exact")


STEPS = (
    Step(
        "Why convolutions",
        "A dense layer looks at a whole image at once: with one megapixel in three colours, every "
        "output unit has 3,000,000 weights. A convolution looks at a small window, with the same "
        "few weights wherever the window is. A 3x3 kernel has 9, whatever the size of the image.",
    ),
    Step(
        "Cross-correlation",
        "Slide the kernel over the image; multiply what lies on top of each other, and add. With "
        "X = [[0,1,2],[3,4,5],[6,7,8]] and K = [[0,1],[2,3]]:\n"
        "  0*0 + 1*1 + 3*2 + 4*3 = 19    1*0 + 2*1 + 4*2 + 5*3 = 25\n"
        "  3*0 + 4*1 + 6*2 + 7*3 = 37    4*0 + 5*1 + 7*2 + 8*3 = 43\n"
        "A kernel of height kh fits in h - kh + 1 places, so 3x3 and 2x2 give 2x2.",
        _cross_correlation,
    ),
    Step(
        "A convolutional layer",
        "A layer is a cross-correlation plus a bias: here a random 2x2 kernel, drawn from the same "
        "seed in every framework, and the bias 0.5. Both can be learned.",
        _layer,
    ),
    Step(
        "Edges",
        "The kernel [[1, -1]] subtracts from each pixel its right neighbour: +1 where white turns "
        "to black, -1 where black turns to white, 0 where nothing changes. Turn the image, and its "
        "edges run the other way: this kernel does not see them.",
        _edges,
    ),
    Step(
        "Learning the kernel",
        "Nobody has to know the kernel. Start from a random one and follow the gradient of the "
        "squared error downhill, ten times, 3e-2 at a step: the losses at epochs 2, 4, 6, 8, 10, "
        "and a kernel that comes close to [1, -1]. Once with our Conv2D, which has the same bits "
        "everywhere, and once with the framework's own layer.",
        _learning,
    ),
    Step(
        "The published runs",
        "The book and its slides print five such runs, each from its own random start. Every "
        "framework repeats all five: the learned kernels, and how many runs print, digit for "
        "digit, the published losses and kernel.",
        _published,
    ),
    Step(
        "Convolution, strictly",
        "A convolution in the strict sense flips the kernel first, in both directions. A layer "
        "that learns from its output learns the flipped kernel, and is as good: that is why "
        "everybody says convolution and computes cross-correlation.",
        _convolution,
    ),
    Step(
        "Feature map and receptive field",
        "The output Y of a layer is a feature map. The element 19 depends on four elements of X: "
        "they are its receptive field. A second layer on top gives one element z, which depends on "
        "all four of Y, and through them on all nine of X. The deeper, the wider.",
        _receptive_field,
    ),
    Step(
        "From one channel to layers",
        "A colour image has three channels, and a layer in a network has hundreds. Each channel "
        "has a kernel of its own, and the results are added up. With padding, zeros lie around "
        "the image; with stride 2, the window moves two steps at a time. Pooling keeps the largest "
        "element of each window, or their mean.",
        _layers,
    ),
    Step(
        "Exercise: a diagonal",
        "What does [[1, -1]] make of a diagonal line? It responds with +1 and -1 on both sides of "
        "it. The turned image is the same image. The turned kernel responds with the same picture, "
        "turned.",
        _diagonal,
    ),
    Step(
        "Summary",
        "A convolution is local and shares its few weights, so it is small and fast. Kernels can "
        "be designed, for edges, lines, blur and sharpness, and they can be learned from data.",
    ),
)

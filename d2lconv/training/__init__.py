"""LeNet in every framework: made, trained, saved and loaded, with the same bits."""

from os import PathLike
from typing import Any

from d2lconv.core import lenet, ownership, registry
from d2lconv.core.selection import choose
from d2lconv.errors import ArgumentError
from d2lconv.training import data, loop, weights
from d2lconv.training.history import Epoch, History
from d2lconv.training.progress import shown

__all__ = ["Epoch", "History", "LeNet", "load", "save", "train"]


def LeNet(
    *,
    seed: int = 0,
    method: str = "rounded",
    activation: str = "sigmoid",
    pool: str = "avg",
    layer: str = "d2lconv",
) -> Any:
    """Make the network of the chapter's last section, for images (n, 1, 28, 28) and 10 classes.

    Two convolutional layers, 6 kernels of 5x5 with padding 2 and 16 of 5x5, each with an activation
    and a pooling of 2x2; then three dense layers with 120, 84 and 10 outputs, activations between
    them. The weights are drawn from Xavier's uniform distribution by one NumPy generator, so that
    every framework starts from the same; the biases start at 0.

    Args:
        seed: The seed of the generator.
        method: How the convolutions compute, "rounded" or "exact"; see :func:`d2lconv.corr2d`. All
            else is correctly rounded. The bits are the same in every framework with either.
        activation: "sigmoid", as in the book, "tanh" or "relu".
        pool: "avg", as in the book, or "max".
        layer: "d2lconv" for our layers; "builtin" for the framework's own, which differ from each
            other by rounding. NumPy has none.

    Returns:
        A ``torch.nn.Sequential``, ``keras.Sequential``, ``gluon.nn.Sequential`` or
        ``flax.linen.Module``, or a plain callable object in NumPy, of the backend in force. It
        takes images and gives logits (n, 10). ``net.summary()`` prints the shapes after each layer.
        What Flax's has learned is in ``net.held.values``.

    Raises:
        ArgumentError: An option makes no sense.

    Source:
        Dive into Deep Learning, section 7.6; LeCun, Bottou, Bengio and Haffner, "Gradient-Based
        Learning Applied to Document Recognition" (1998).

    Example:
        >>> import d2lconv as dc
        >>> net = dc.LeNet()
        >>> images, labels = dc.digits(train=False)
        >>> net(images[:2]).shape
        (2, 10)
        >>> net.summary()
        Conv2D     output shape: (1, 6, 28, 28)      156
        Sigmoid    output shape: (1, 6, 28, 28)
        AvgPool2D  output shape: (1, 6, 14, 14)
        Conv2D     output shape: (1, 16, 10, 10)   2,416
        Sigmoid    output shape: (1, 16, 10, 10)
        AvgPool2D  output shape: (1, 16, 5, 5)
        Flatten    output shape: (1, 400)
        Dense      output shape: (1, 120)         48,120
        Sigmoid    output shape: (1, 120)
        Dense      output shape: (1, 84)          10,164
        Sigmoid    output shape: (1, 84)
        Dense      output shape: (1, 10)             850
        61,706 parameters
    """
    options = {"method": method, "activation": activation, "pool": pool, "layer": layer}
    return _native(choose().name).LeNet(lenet.lenet(seed=seed, **options))


def train(
    net: Any,
    images: Any,
    labels: Any,
    *,
    lr: float = 0.9,
    epochs: int = 10,
    batch_size: int = 256,
    seed: int = 0,
    validation: tuple[Any, Any] | None = None,
    verbose: bool = True,
    callback: Any = None,
) -> History:
    """Train a network by stochastic gradient descent on the mean softmax cross-entropy.

    Every framework differentiates by its own means and updates by ``p - lr * g``, two operations
    that are each rounded once. The minibatches come in an order that one NumPy generator draws anew
    for each epoch; the last one has what is left. So with our layers the network has the same bits
    in every framework, after each step.

    Ctrl-C ends training after the minibatch that it is at, and gives the history so far; a second
    one ends it at once. (In other threads than the main one, Ctrl-C is not looked at.)

    Args:
        net: A network that :func:`LeNet` made, in any framework. It is changed.
        images: Shape (n, 1, 28, 28), float32, neutral or of any framework, as :func:`digits` gives.
        labels: Shape (n,), integers from 0 to 9.
        lr: The learning rate, greater than 0.
        epochs: How many times all images are gone through, at least 1.
        batch_size: How many images make a minibatch, at least 1 and at most n.
        seed: The seed of the generator that draws the order.
        validation: Images and labels, held out, of which the accuracy is taken after each epoch.
        verbose: Whether to print each epoch, and a progress bar where rich is installed.
        callback: Called with each :class:`Epoch` when it is done; if it gives True, training ends.

    Returns:
        A :class:`History`: loss, accuracies, seconds and a hash of all parameters for each epoch.

    Raises:
        ShapeError: Images or labels have other shapes, or there are none.
        DTypeError: Images are not float32, or labels no integers.
        ArgumentError: A label is not from 0 to 9, an image has an infinity or NaN, an option makes
            no sense, or net is something else.
        Diverged: The loss is no finite number. The network has its parameters of the last whole
            epoch again, and the error's ``history`` has the epochs before.

    Source:
        Dive into Deep Learning, section 7.6.2.

    Example:
        >>> import d2lconv as dc
        >>> images, labels = dc.digits()
        >>> net = dc.LeNet(activation="relu", pool="max")
        >>> history = dc.train(net, images[:64], labels[:64], lr=0.1, epochs=2, batch_size=32)
        epoch 1, loss 2.324, accuracy 0.062
        epoch 2, loss 2.236, accuracy 0.234
        >>> history.hashes[-1][:12]
        '8c70e2f7b91f'
    """
    backend = owner(net)
    settings = loop.settings(lr=lr, epochs=epochs, batch_size=batch_size, seed=seed)
    given = data.checked(images, labels, "images", "labels")
    data.check_batch(settings.batch_size, given)
    held_out = None if validation is None else data.held_out(validation)
    with shown(verbose, settings, len(given.labels)) as watch:
        return loop.fit(backend, net, given, settings, held_out, watch, callback)


def save(net: Any, path: str | PathLike[str]) -> None:
    """Write a network's parameters to a file, for any framework: NumPy's .npz, without pickle.

    The file has an array for each parameter, such as "conv1.weight", kernels (o, c, kh, kw) and
    weights (o, i) in every framework; and in "d2lconv", as JSON, the options of :func:`LeNet`. It
    is written whole or not at all, and the same parameters give the same bytes.

    Args:
        net: A network that :func:`LeNet` made.
        path: Where to.

    Raises:
        ArgumentError: net is something else, or there can be no such file.
        FileError: The file cannot be written.

    Example:
        >>> import d2lconv as dc
        >>> dc.save(dc.LeNet(), "nowhere/lenet.npz")
        Traceback (most recent call last):
        d2lconv.errors.ArgumentError: nowhere/lenet.npz cannot be written: there is no folder \
nowhere. Make it first.
    """
    values = owner(net).parameters(net)
    weights.save(net.made, values, path)


def load(path: str | PathLike[str], backend: str | None = None, *, layer: str | None = None) -> Any:
    """Make a network with the parameters in a file that :func:`save` wrote.

    Args:
        path: The file.
        backend: The backend's name; None for the one in force.
        layer: "d2lconv" or "builtin", as for :func:`LeNet`; None as it was saved.

    Returns:
        A network, as :func:`LeNet` makes it.

    Raises:
        ArgumentError: The file is not there, is damaged, or is of another network.
        UnknownBackend: There is no such backend.

    Example:
        >>> import d2lconv as dc
        >>> dc.load("nowhere.npz")
        Traceback (most recent call last):
        d2lconv.errors.ArgumentError: 'nowhere.npz' is not there; path must be a file that dc.save \
wrote.
    """
    options, values = weights.load(path)
    native = _native(choose().name if backend is None else registry.resolve(backend))
    if layer is not None:
        options["layer"] = layer
    net = native.LeNet(lenet.lenet(**options))
    native.assign(net, values)
    return net


def owner(net: Any) -> Any:
    """The module ``networks`` of the backend that a network is of."""
    native = _native(ownership.backend_of(net) or "numpy")
    if not isinstance(net, native.LeNet):
        raise ArgumentError(
            f"net is a {type(net).__name__}; it must be a network that dc.LeNet makes."
        )
    return native


def _native(name: str) -> Any:
    return registry.optional(name, "networks", "networks")

"""A call as its user writes it: operands in their layouts and of their ranks, and options."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from d2lconv.core import checks
from d2lconv.core.geometry import Geometry, form
from d2lconv.core.options import settings
from d2lconv.errors import ArgumentError, ShapeError
from d2lconv.parity import layouts, values
from d2lconv.parity.call import Call
from d2lconv.parity.layouts import Axes
from d2lconv.parity.values import Values

OF = ("output", "weight", "input", "bias")


@dataclass(frozen=True)
class Problem:
    """A call, and how its results look to its user.

    Attributes:
        call: The call, in our order.
        result: The axes of results in the layout of the operands; None for a gradient of the bias.
        options: The layouts of both results, if they are others.
    """

    call: Call
    result: Axes | None
    others: dict[str, Axes] = field(default_factory=dict)

    def axes(self, name: str = "") -> Axes | None:
        """The axes of the result of this name."""
        return self.others.get(name, self.result)

    def shown(self, ours: Any, name: str = "") -> Any:
        """An array of the results' shape in our order, as its user has it."""
        axes = self.axes(name)
        return ours if axes is None else axes.lower(ours)

    def read(self, result: Values, name: str) -> Values | None:
        """A result in our order; None if it cannot have that layout.

        Ones in front are as good as none: (1, 1, H, W) for (H, W).
        """
        axes = self.axes(name)
        if axes is None:
            return result if len(result.shape) == 1 else None
        lead = len(result.shape) - len(axes.letters)
        if lead < 0 or result.shape[:lead] != (1,) * lead:
            return None
        found = result.reshape(result.shape[lead:])
        return found.map(axes.lift)

    def shape(self, name: str = "") -> tuple[int, ...]:
        """The shape of results, as their user has them."""
        shape: tuple[int, ...] = self.shown(np.empty(self.call.shape, bool), name).shape
        return shape


def problem(
    X: Any = None,
    K: Any = None,
    G: Any = None,
    *,
    of: str = "output",
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
    layout: Any = None,
    kernel_layout: Any = None,
    result: tuple[int, ...] | None = None,
    **result_layouts: Any,
) -> Problem:
    """What results are of, from what a user gives.

    Args:
        X: Images in ``layout``. For a gradient with respect to them they need not be given.
        K: Kernels in ``kernel_layout``. For a gradient with respect to them they need not be given.
        G: The gradient at the output, in ``layout``, for gradients.
        of: One of :data:`OF`.
        bias: One number, or one for each output.
        stride, padding, dilation, groups: As :func:`d2lconv.corr2d` takes them.
        layout: One of :data:`d2lconv.parity.layouts.IMAGES`.
        kernel_layout: One of :data:`d2lconv.parity.layouts.KERNELS`.
        result: The shape of the results, from which that of a gradient is known.
        result_layouts: The layouts of results by name, where they differ from ``layout``.

    Raises:
        ShapeError: Shapes contradict each other, or the layouts; both are named.
        ArgumentError: Something is missing, or has no such value.
    """
    checks.choice("of", of, OF)
    need = {"output": "XK", "weight": "XG", "input": "KG", "bias": "G"}[of]
    given = {"X": X, "K": K, "G": G}
    missing = [name for name in need if given[name] is None]
    if missing:
        what = {"output": "a cross-correlation", "bias": "the gradient of a bias"}.get(
            of, f"the gradient of the {of}"
        )
        raise ArgumentError(
            f"{' and '.join(missing)} is missing: {what} takes {' and '.join(need)}."
        )
    if bias is not None and of != "output":
        raise ArgumentError(f"bias is given, but of is {of!r}: no gradient depends on the bias.")
    read = {name: values.read(t, name) for name, t in given.items() if t is not None}
    if of == "bias":
        return _of_bias(read["G"], layout)
    shapes = {name: t.shape for name, t in read.items()}
    gradient_of = {"weight": "K", "input": "X"}.get(of)
    if gradient_of and gradient_of not in shapes:
        if result is None:
            raise ArgumentError(
                f"{gradient_of} is missing, and so is its shape, which the gradient's options "
                "leave open."
            )
        shapes[gradient_of] = result
    images = layouts.of_image(layout, shapes["X"], "X")
    kernels = layouts.of_kernel(kernel_layout, shapes["K"], images.letters)
    if kernels.letters == "HWIM" and groups == 1:
        groups = shapes["K"][2]
    options = settings(stride, padding, dilation, groups)
    lifted = {"X": images.lift, "K": kernels.lift}
    ranks = {
        name: values_shape(lift, shapes[name], f"{name} in {axes.letters}")
        for (name, lift), axes in zip(lifted.items(), (images, kernels), strict=True)
    }
    geometry = _geometry(ranks, shapes, options, (images, kernels))
    call = Call(
        of,
        ranks["X"],
        ranks["K"],
        read["X"].map(images.lift) if "X" in need else None,
        read["K"].map(kernels.lift) if "K" in need else None,
        None,
        _bias(bias, geometry.kernel[0]),
        geometry.stride,
        geometry.padding,
        geometry.dilation,
        geometry.groups,
    )
    letters = images.letters
    summed = "O" not in kernels.letters and "M" not in kernels.letters
    results = Axes("HW" if summed else letters, "NCHW")
    if "G" in read:
        call = replace(call, G=_gradient(read["G"], results, geometry.shape))
    own = {"output": results, "weight": kernels, "input": images}[of]
    others = {
        name: _result_axes(given_layout, own, call, name)
        for name, given_layout in result_layouts.items()
        if given_layout is not None
    }
    return Problem(call, own, others)


def values_shape(lift: Callable[[Any], Any], shape: tuple[int, ...], name: str) -> Any:
    """The shape that an array of this shape has in our order."""
    if 0 in shape:
        raise ShapeError(f"{name} is empty, shape {shape}; every size must be at least 1.")
    return lift(np.broadcast_to(np.False_, shape)).shape if math.prod(shape) else shape


def _geometry(
    ranks: dict[str, tuple[int, ...]],
    shapes: dict[str, tuple[int, ...]],
    options: Any,
    axes: tuple[Axes, Axes],
) -> Geometry:
    """The geometry, and the core's error where there is none, which names the layouts too."""
    forms = ((2, 2), (3, 3), (3, 4), (4, 4))
    if tuple(len(t.letters) for t in axes) not in forms:
        form(shapes["X"], shapes["K"])  # raises
    try:
        return form(ranks["X"], ranks["K"], *options).geometry
    except ShapeError as error:
        if axes[0].letters == "HW":
            raise
        others = [
            f"layout={one!r} with kernel_layout={other!r}"
            for one, other in layouts.readings(shapes["X"], shapes["K"], options[3])
            if (one, other) != tuple(t.letters for t in axes)
        ]
        fits = f" The shapes fit {' or '.join(others[:3])}." if others else ""
        raise ShapeError(
            f"{error} X, shape {shapes['X']}, is read as {axes[0].letters}, and K, shape "
            f"{shapes['K']}, as {axes[1].letters}.{fits}"
        ) from None


def _of_bias(G: Values, layout: Any) -> Problem:
    axes = layouts.of_image(layout, G.shape, "G")
    lifted = G.map(axes.lift)
    o = lifted.shape[1]
    call = Call("bias", lifted.shape, (o, 1, 1, 1), None, None, lifted, groups=o)
    return Problem(call, None)


def _gradient(G: Values, axes: Axes, shape: tuple[int, ...]) -> Values:
    lead = len(G.shape) - len(axes.letters)
    if lead >= 0 and G.shape[:lead] == (1,) * lead:
        lifted = G.reshape(G.shape[lead:]).map(axes.lift)
        if lifted.shape == shape:
            return lifted
    wanted = axes.lower(np.empty(shape, bool)).shape
    raise ShapeError(f"G has the shape {G.shape}; the output has the shape {wanted}.")


def _bias(bias: Any, outputs: int) -> Values | None:
    if bias is None:
        return None
    found = values.read(bias, "bias")
    if math.prod(found.shape) not in (1, outputs):
        one = "one number" if outputs == 1 else f"one number, or one for each of {outputs} outputs"
        raise ShapeError(f"bias has the shape {found.shape}; it must be {one}.")
    flat = found.reshape((-1,))
    return flat.map(lambda a: np.broadcast_to(a, (outputs,)))


def _result_axes(layout: Any, own: Axes, call: Call, name: str) -> Axes:
    known = layouts.KERNELS if own.ours == "OIHW" else layouts.IMAGES
    letters = checks.choice(f"{name}_layout", layout, known)
    axes = Axes(letters, own.ours, call.groups)
    there = zip(own.ours, call.shape, strict=True)
    if letters != "HWIM" and any(size != 1 for letter, size in there if letter not in letters):
        raise ShapeError(
            f"{name}_layout={letters!r} has no room for the results' shape "
            f"{own.lower(np.empty(call.shape, bool)).shape} in {own.letters}."
        )
    return axes

"""Programs drawn at random: a call of ours, and a user's arithmetic before it and after it.

A compiler would like to merge the two, and may not. So a program is run twice, compiled both times:
with our call, and with one that NumPy makes where the compiler does not look. The user's own steps
are the compiler's to compile as it likes; the call's bits are not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import add, mul, sub, truediv
from typing import Any

import numpy as np
from d2lconv_numpy import exact
from geometries import geometries, geometry_of, values, windows
from hypothesis import strategies as st

from d2lconv.binding import bind
from d2lconv.core import reference, rounded
from d2lconv.core.geometry import lifted, pooling
from d2lconv.rounding import functions, network

SIGNS = {"*": mul, "+": add, "-": sub, "/": truediv}
NUMBERS = (0.1, 0.3, 0.7, 1.7, -1.3, 3.0)  # all but the last are rounded in every type
SOURCES = ("argument", "constant", "filled")  # filled: one number everywhere, known to the compiler


@dataclass(frozen=True)
class Call:
    """A call of ours: of which function, with tensors of which shapes, and what else it is given.

    A "layer" is our native layer, and is given its number of outputs, its groups' channels and its
    kernel's size, and whether it has a bias.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    given: tuple[Any, ...]
    options: dict[str, Any]

    def by(self, d2l: Any, dtype: str) -> Callable[..., Any]:
        """The call as a function of tensors, by an API that is bound to a framework."""
        if self.name == "layer":
            weight, bias = self.weights(dtype)
            channels = {"in_channels": self.shapes[0][1], "out_channels": len(weight)}
            size = weight.shape[2:]
            return d2l.Conv2D(size, weight=weight, bias=bias, **channels, **self.options)
        function = getattr(d2l, self.name)
        return lambda *tensors: function(*tensors, *self.given, **self.options)

    def weights(self, dtype: str) -> tuple[Any, Any]:
        """A layer's weight, and its bias or False."""
        shape, biased = self.given
        rng = np.random.default_rng(len(shape))
        return values(rng, shape, dtype), values(rng, shape[:1], dtype) if biased else False

    def gradients(self, *arrays: Any) -> list[Any]:
        """By NumPy, with the gradient at the output as the last one of the arrays."""
        X, *others, G = arrays
        if self.name == "pool2d":
            return [self._of_pooling(X, G)]
        if self.name == "dense":
            return list(network.dense_gradients(X, others[0], G)[: len(arrays) - 1])
        if self.name == "cross_entropy":
            return [network.softmax_cross_entropy_gradient(X, *self.given, G)]
        if self.name in ("sigmoid", "tanh", "relu"):
            return [getattr(functions, f"{self.name}_gradient")(X, G)]
        options, method = dict(self.options), self.options["method"]
        del options["method"]
        K = others[0] if others else self.weights(X.dtype.name)[0]
        turn = (lambda t: t[..., ::-1, ::-1]) if self.name == "conv2d" else (lambda t: t)
        checked, _ = geometry_of(X.shape, K.shape, options)
        dX = reference.image_gradient(turn(K), G, X.shape, *checked, method=method)
        if not others:
            return [dX]
        dK = reference.kernel_gradient(X, G, K.shape, *checked, method=method)
        return [dX, turn(dK)]

    def _of_pooling(self, X: Any, G: Any) -> Any:
        options = self.options
        geometry, _ = pooling(X.shape, *self.given, options["stride"], options["padding"])
        fixed = geometry, options.get("count_include_pad", False)
        X4 = X.reshape(lifted(X.shape))
        G4 = G.reshape(*X4.shape[:2], *geometry.output)
        once = options["method"] == "rounded"
        if options["mode"] == "avg":
            dX = (rounded if once else exact).avg_pool_gradient(G4, fixed)
        else:
            dX = (rounded.max_pool_gradient if once else exact.put_back)(X4, G4, fixed)
        return dX.reshape(X.shape)


@dataclass(frozen=True)
class Step:
    """One operation of a tensor and a number, which the compiler knows or gets as an argument."""

    sign: str
    number: float
    known: bool


@dataclass(frozen=True)
class Program:
    """A call, the steps before it on each of its operands, and those after it.

    Attributes:
        call, before, after: What it does.
        sources: For each operand, and for the gradient at the program's output, where it is from.
        dtype, kind, seed: What the operands and that gradient are drawn by.
    """

    call: Call
    before: tuple[tuple[Step, ...], ...]
    after: tuple[Step, ...]
    sources: tuple[str, ...]
    dtype: str
    kind: str
    seed: int

    def ours(self, d2l: Any) -> Callable[..., Any]:
        """The call by a framework's API."""
        return self.call.by(d2l, self.dtype)

    def numpys(self) -> Callable[..., Any]:
        """The call on arrays, which gives an array."""
        call = self.call.by(bind("numpy"), self.dtype)
        return lambda *arrays: np.asarray(call(*map(np.asarray, arrays)))

    def arrays(self) -> list[Any]:
        """The operands, the gradient at the output, and the numbers of the steps."""
        rng = np.random.default_rng(self.seed)
        given = [values(rng, shape, self.dtype, self.kind) for shape in self.call.shapes]
        given.append(values(rng, self.numpys()(*given).shape, self.dtype))
        given = [
            np.full(t.shape, t.flat[0]) if source == "filled" else t
            for t, source in zip(given, self.sources, strict=True)
        ]
        steps = [step for steps in (*self.before, self.after) for step in steps]
        return [*given, np.array([step.number for step in steps] or [0], self.dtype)]

    def gradients(self, *arrays: Any) -> list[Any]:
        """The call's gradients by NumPy; the last of the arrays is the gradient at its output."""
        found = self.call.gradients(*map(np.asarray, arrays))
        return [np.ascontiguousarray(g) for g in found]

    def arguments(self, given: Any) -> list[Any]:
        """Those of the operands, and of the gradient, that a compiled function is called with."""
        pairs = zip(given, self.sources, strict=True)
        return [t for t, source in pairs if source == "argument"]

    def from_sources(self, arguments: Any, constant: Any, filled: Any) -> list[Any]:
        """Inside a compiled function, all of them.

        Args:
            arguments: Those that it is called with.
            constant, filled: Make a tensor that the compiler knows, given its place among all.
        """
        rest = iter(arguments)
        made = {"argument": lambda place: next(rest), "constant": constant, "filled": filled}
        return [made[source](place) for place, source in enumerate(self.sources)]

    def around(
        self, call: Callable[..., Any], tensors: Any, numbers: Any, apart: Any = lambda steps: steps
    ) -> Any:
        """The program's output.

        Args:
            call: The call, made in one way or another.
            tensors, numbers: The operands, and the numbers of the steps.
            apart: What becomes of the steps before or after the call, a function of a tensor and
                the numbers.
        """
        chains, start = [], 0
        for steps in (*self.before, self.after):
            chains.append(apart(partial(taken, steps, start)))
            start += len(steps)
        *before, after = chains
        prepared = [steps(t, numbers) for steps, t in zip(before, tensors, strict=True)]
        return after(call(*prepared), numbers)


def known(given: Any, constant: Any, full: Any) -> Any:
    """What `Program.from_sources` makes tensors with, by two functions of a framework."""
    return (
        lambda place: constant(given[place]),
        lambda place: full(given[place].shape, given[place].flat[0]),
    )


def taken(steps: tuple[Step, ...], start: int, t: Any, numbers: Any) -> Any:
    """A tensor after steps, whose numbers are from a place on among all the program's."""
    for place, step in enumerate(steps, start):
        t = SIGNS[step.sign](t, step.number if step.known else numbers[place])
    return t


@st.composite
def calls(draw, methods=("exact", "rounded")):
    """A call of any function, with any options that fit."""
    method = draw(st.sampled_from(methods))
    names = ["corr2d", "conv2d", "layer", "pool2d"]
    if method == "rounded":
        names += ["dense", "sigmoid", "tanh", "relu", "cross_entropy"]
    name = draw(st.sampled_from(names))
    if name == "pool2d":
        shape, size, options = draw(windows())
        return Call(name, (shape,), (size,), {**options, "method": method})
    if name in ("corr2d", "conv2d", "layer"):
        ranks = {"ranks": ((4, 4),)} if name == "layer" else {}
        X, K, options = draw(geometries(**ranks))
        options = {**options, "method": method}
        if name == "layer":
            return Call(name, (X,), (K, draw(st.booleans())), options)
        return Call(name, (X, K), (), options)
    if name == "dense":
        return Call(name, ((5, 9), (4, 9), (4,))[: draw(st.integers(2, 3))], (), {})
    if name == "cross_entropy":
        return Call(name, ((5, 3),), ([2, 0, 1, 2, 2],), {})
    return Call(name, ((5, 7),), (), {})


@st.composite
def programs(
    draw,
    methods=("exact", "rounded"),
    sources=SOURCES,
    dtypes=("float32", "float16"),
    divisors_known=(True, False),
):
    """Programs, and what they compute with."""
    call = draw(calls(methods))
    numbers, known = st.sampled_from(NUMBERS), st.booleans()
    step = st.one_of(
        st.builds(Step, st.sampled_from("*+-"), numbers, known),
        st.builds(Step, st.just("/"), numbers, st.sampled_from(divisors_known)),
    )
    # Sums come first: whether a product and the sum after it, both the user's, are rounded once or
    # twice, a compiler decides anew for each program.
    steps = st.lists(step, max_size=3).map(lambda s: tuple(sorted(s, key=lambda s: s.sign in "*/")))
    return Program(
        call,
        tuple(draw(steps) for _ in call.shapes),
        draw(steps),
        tuple(draw(st.sampled_from(sources)) for _ in (*call.shapes, None)),
        draw(st.sampled_from(dtypes)),
        draw(st.sampled_from(("normal", "special"))),
        draw(st.integers(0, 99)),
    )

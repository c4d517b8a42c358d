"""What the modules of a backend have to offer, and with which signatures.

The core prepares, a backend computes. Its functions see checked tensors of one floating type,
images (n, c, h, w), kernels (o, c/groups, kh, kw) and a :class:`~d2lconv.core.geometry.Geometry`;
no lists, no ranks, no names of options.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from d2lconv.core.contract import FloatArray
from d2lconv.core.derivatives import Bilinear, Operation, Rule


class Tensors(Protocol):
    """The module ``tensors``: what a tensor is here."""

    def tensor(self, data: Any, dtype: Any = None) -> Any: ...
    def to_numpy(self, t: Any) -> FloatArray: ...
    def dtype_name(self, t: Any) -> str: ...
    def shape(self, t: Any) -> tuple[int | None, ...]: ...
    def unusable(self, t: Any) -> str | None: ...
    def has_values(self, t: Any) -> bool: ...
    def ready(self, *tensors: Any) -> bool: ...
    def compiling(self) -> bool: ...
    def cast(self, t: Any, dtype: str) -> Any: ...
    def reshape(self, t: Any, shape: tuple[int, ...]) -> Any: ...
    def transpose(self, t: Any) -> Any: ...
    def flip(self, K: Any) -> Any: ...
    def integers(self, data: Any) -> Any: ...


class Autodiff(Protocol):
    """The module ``autodiff``: how derivatives are registered and asked for."""

    def differentiable(
        self,
        function: Operation,
        gradients: Sequence[Operation | None],
        tangent: Operation,
        shape: Rule,
    ) -> Operation: ...
    def vjp(self, function: Operation, inputs: Sequence[Any], G: Any) -> tuple[Any, list[Any]]: ...


class Methods(Protocol):
    """The module ``methods``: the ways to a result."""

    METHODS: Mapping[str, Bilinear]
    POOLS: Mapping[str, Mapping[str, Operation]]
    PIECES: Mapping[str, Operation]

    def compiled(self, method: str, run: Operation) -> Operation: ...
    def add_bias(self, Y: Any, b: Any) -> Any: ...
    def windows(self, X: Any, geometry: Any) -> Any: ...
    def toeplitz(self, K: Any, places: Any) -> Any: ...


class Poolings(Protocol):
    """What the module ``exact`` computes for pooling; the fixed argument is a geometry and a bool.

    It is as :func:`d2lconv.core.derivatives.pools` has it.
    """

    def max_pool(self, X: Any, fixed: Any) -> Any: ...
    def pick(self, X: Any, V: Any, fixed: Any) -> Any: ...
    def put_back(self, X: Any, G: Any, fixed: Any) -> Any: ...
    def avg_pool(self, X: Any, fixed: Any) -> Any: ...
    def avg_pool_gradient(self, G: Any, fixed: Any) -> Any: ...


class Layers(Protocol):
    """The module ``layers``: what users build networks of."""

    def Conv2D(
        self,
        kernel_size: tuple[int, int],
        *,
        in_channels: int | None = None,
        out_channels: int | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        weight: Any = None,
        bias: Any = None,
        seed: int = 0,
        method: str = "exact",
    ) -> Any: ...

    def Pool2D(
        self,
        size: Any,
        *,
        mode: str = "max",
        stride: Any = None,
        padding: Any = 0,
        count_include_pad: bool = False,
        method: str = "exact",
    ) -> Any: ...

    def gradients(self, layer: Any, X: Any, G: Any) -> dict[str, Any]: ...


class Learning(Protocol):
    """The module ``learning``: how a layer learns."""

    LAYERS: tuple[str, ...]

    def learn_kernel(
        self,
        X: Any,
        Y: Any,
        initial: FloatArray,
        *,
        lr: float,
        epochs: int,
        layer: str,
        report: Callable[[int, float], None],
    ) -> Any: ...

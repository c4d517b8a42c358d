"""What this backend asks of JAX's private or moving parts, each with an answer safe without."""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import lax
from jax._src import core

if hasattr(jax, "enable_x64"):
    enable_x64 = jax.enable_x64
else:  # before JAX 0.8
    enable_x64 = importlib.import_module("jax.experimental").enable_x64

# Whether nothing is traced; JAX promises no such question, and without an answer something may be.
outside: Callable[[], bool] = getattr(core, "trace_state_clean", lambda: False)


def is_compiled(t: Any) -> bool:
    """Whether a function is being compiled that has this array among its values, or may be."""
    while isinstance(t, jax.core.Tracer):
        if hasattr(t, "primal"):  # while it is differentiated
            t = t.primal
        elif hasattr(t, "batch_dim"):  # while it is mapped
            t = t.val
        else:
            return True
    return False


def _axes(aval: Any) -> frozenset[Any]:
    """The axes of jax.shard_map's mesh along which an array differs from device to device."""
    axes: frozenset[Any] = (
        aval.manual_axis_type.varying
        if hasattr(aval, "manual_axis_type")
        else getattr(aval, "vma", frozenset())  # before JAX 0.10, and none at all before 0.7
    )
    return axes


def alike(*tensors: Any) -> Sequence[Any]:
    """Tensors that differ from device to device, along the axes along which one of them does.

    So JAX adds up the gradients of all devices for a tensor that is the same on all of them.
    """
    if not any(isinstance(t, jax.core.Tracer) for t in tensors):
        return tensors
    axes = [_axes(jax.typeof(t)) for t in tensors]
    union = frozenset().union(*axes)
    return [_spread(t, tuple(union - own)) for t, own in zip(tensors, axes, strict=True)]


def _spread(t: Any, axes: tuple[Any, ...]) -> Any:
    if not axes:
        return t
    return lax.pcast(t, axes, to="varying") if hasattr(lax, "pcast") else lax.pvary(t, axes)


def same_everywhere(aval: Any) -> Any:
    """A shape and type without what jax.shard_map knows of it."""
    if hasattr(aval, "manual_axis_type"):
        return aval.update(manual_axis_type=type(aval.manual_axis_type)())
    return aval.update(vma=frozenset()) if hasattr(aval, "vma") else aval


def allow_in_shard_map(primitive: Any) -> None:
    """Let an operation be used inside jax.shard_map, which asked for rules before JAX 0.7."""
    try:
        rules: Any = importlib.import_module("jax.experimental.shard_map")
    except ImportError:
        return
    for name in ("register_standard_check", "register_standard_rewrite"):
        getattr(rules, name, lambda primitive: None)(primitive)

"""Derivatives in JAX: an operation becomes a primitive, with a rule for each transformation.

So it can be differentiated in reverse and in forward mode, mapped, linearised, recomputed, scanned
and sharded like an operation of JAX's own. Rules are called later, outside of our own call, so they
keep float64 by themselves.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array as Tensor
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from d2lconv.core import derivatives
from d2lconv.core.derivatives import Operation, Rule
from d2lconv_jax.private import alike, allow_in_shard_map, same_everywhere
from d2lconv_jax.runtime import alone, is_alone, is_on_host, rounded_before
from d2lconv_jax.tensors import wide


def differentiable(
    function: Operation, gradients: Sequence[Operation | None], tangent: Operation, shape: Rule
) -> Operation:
    """Give a function of tensors, and last of a fixed argument, its derivatives.

    In a program that is all our own, the function itself is called.

    Args:
        function: Computes.
        gradients: For each tensor a function of the tensors, the gradient at the output, and the
            fixed argument; None where the gradient is zero.
        tangent: A function of the tensors, their tangents, and the fixed argument.
        shape: Not used: JAX finds it.
    """
    primitive = Primitive(f"d2lconv_{function.__name__}")

    @lru_cache(2**11)
    def program(fixed: Any) -> Operation:
        return alone(lambda *tensors: function(*tensors, fixed))

    @lru_cache(2**11)
    def result(fixed: Any, *tensors: Any) -> Any:
        return jax.eval_shape(lambda *t: function(*t, fixed), *tensors)

    @wide
    def call(*tensors: Tensor, fixed: Any) -> Tensor:
        return primitive.bind(*alike(*tensors), fixed=fixed)

    def computed(*tensors: Tensor, fixed: Any) -> Tensor:
        return function(*tensors, fixed) if is_on_host(function) else program(fixed)(*tensors)

    def shaped(*avals: Any, fixed: Any) -> Any:
        given = [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in avals]
        found = wide(result)(fixed, *given)
        return avals[0].update(shape=found.shape, weak_type=False)  # they are alike

    def lowered(context: Any, *values: Any, fixed: Any) -> Any:
        def behind_barriers(*tensors: Tensor) -> Tensor:
            inputs = lax.optimization_barrier(tensors)
            if not is_on_host(function):
                inputs = map(rounded_before, inputs)
            return lax.optimization_barrier(function(*inputs, fixed))

        plain = context.replace(
            avals_in=[same_everywhere(aval) for aval in context.avals_in],
            avals_out=[same_everywhere(aval) for aval in context.avals_out],
        )
        return mlir.lower_fun(behind_barriers, multiple_results=False)(plain, *values)

    def along(tensors: Any, tangents: Any, *, fixed: Any) -> Any:
        given = [None if isinstance(t, ad.Zero) else ad.instantiate_zeros(t) for t in tangents]
        change = wide(tangent)(*tensors, *given, fixed)
        return call(*tensors, fixed=fixed), change

    def transposed(G: Any, *tensors: Any, fixed: Any) -> list[Any]:
        if isinstance(G, ad.Zero):
            return [None for _ in tensors]
        # A gradient does not need the value of what is not known, but some want its shape.
        unknown = [ad.is_undefined_primal(t) for t in tensors]
        known = [t.aval if u else t for t, u in zip(tensors, unknown, strict=True)]
        pairs = zip(gradients, unknown, strict=True)
        return [wide(g)(*known, G, fixed) if g and wanted else None for g, wanted in pairs]

    def mapped(tensors: Any, axes: Any, *, fixed: Any) -> tuple[Any, int]:
        """The elements of a batch one after the other, each as if it were alone."""
        unmapped = [axis is None for axis in axes]

        def each(*tensors: Tensor) -> Tensor:
            given = list(zip(tensors, axes, unmapped, strict=True))
            batch = [jnp.moveaxis(t, axis, 0) for t, axis, same in given if not same]

            def one(elements: list[Tensor]) -> Tensor:
                rest = iter(elements)
                return call(*(t if same else next(rest) for t, _, same in given), fixed=fixed)

            return lax.map(one, batch)

        return wide(each)(*tensors), 0

    primitive.def_impl(computed)
    primitive.def_abstract_eval(shaped)
    mlir.register_lowering(primitive, lowered)
    ad.primitive_jvps[primitive] = along
    ad.primitive_transposes[primitive] = transposed
    batching.primitive_batchers[primitive] = mapped
    allow_in_shard_map(primitive)

    def choose(*inputs: Any) -> Tensor:
        *tensors, fixed = inputs
        return function(*inputs) if is_alone() else call(*tensors, fixed=fixed)

    return choose


bilinear = partial(derivatives.bilinear, differentiable)


@wide
def vjp(function: Operation, inputs: Sequence[Tensor], G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The output of a function of tensors, and its gradients for the gradient G at the output."""
    Y, pull = jax.vjp(function, *inputs)
    return Y, list(pull(G))

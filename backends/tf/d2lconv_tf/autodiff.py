"""Derivatives in TensorFlow: an operation gets its gradients, in eager code and in graphs.

TensorFlow derives the forward mode of such an operation by itself: it is linear in the gradient
at its output, and the gradient of that is what forward mode wants. So the gradients have to be
such operations too, and the tangent is not asked for.
"""

from collections.abc import Sequence
from functools import partial
from itertools import count
from typing import Any
from weakref import ref

import tensorflow as tf

from d2lconv.core import derivatives
from d2lconv.core.derivatives import Operation, Rule
from d2lconv_tf.private import can_record, record, recording, unrecorded, watched
from d2lconv_tf.programs import in_program

Tensor = Any

_names = map("d2lconv{}".format, count())


def differentiable(
    function: Operation, gradients: Sequence[Operation | None], tangent: Operation, shape: Rule
) -> Operation:
    """Give a function of tensors, and last of a fixed argument, its derivatives.

    Tensors that nothing is differentiated by pass the function and not TensorFlow's machinery,
    which costs as much as a small image. A graph may be differentiated later, and always has it.

    Args:
        function: Computes.
        gradients: For each tensor a function of the tensors, the gradient at the output, and the
            fixed argument; None where the gradient is zero.
        tangent: A function of the tensors, their tangents, and the fixed argument.
        shape: Not used: TensorFlow finds it.
    """
    everything = [True] * len(gradients)

    def of_all(
        tensors: Sequence[Tensor], G: Tensor, fixed: Any, wanted: Sequence[bool] = everything
    ) -> list[Tensor | None]:
        pairs = zip(gradients, wanted, strict=True)
        return [g(*tensors, G, fixed) if g and needed else None for g, needed in pairs]

    def by_tape(*inputs: Any) -> Tensor:
        *tensors, fixed = inputs

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def operation(*tensors: Tensor) -> Any:
            Y = function(*map(tf.stop_gradient, tensors), fixed)  # else its steps are recorded too
            return Y, lambda G: of_all(tensors, G, fixed, wanted)

        wanted = [watched(t) for t in tensors]
        return operation(*tensors)

    def registered(tensors: Sequence[Tensor], fixed: Any) -> str:
        """The name by which TensorFlow finds the gradients of a call.

        Where a model is exported, it asks for them without the operation that they are of; they
        are then of the tensors themselves, whose graph is there as long as somebody needs it.
        """
        name, graph = next(_names), ref(tensors[0].graph)
        names = [t.name for t in tensors]

        @tf.RegisterGradient(name)  # type: ignore[untyped-decorator]
        @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
        def gradient(op: Any, G: Tensor, *others: Tensor) -> list[Tensor | None]:
            own: Any = graph()
            inputs = map(own.get_tensor_by_name, names) if op is None else op.inputs[1:]
            return [None, *of_all(list(inputs), G, fixed)]

        return name

    def in_graph(*inputs: Any) -> Tensor:
        """As tf.custom_gradient does it, but for forward mode, which it tells first of a zero.

        An identity stands behind the function. By its registered name the gradients are found
        when the graph is differentiated later; tapes that record meanwhile are told of them here.
        """
        *tensors, fixed = inputs
        wanted = [watched(t) for t in tensors]
        with unrecorded():
            sources = [function(*tensors, fixed), *tensors]
            with sources[0].graph.gradient_override_map(
                {"IdentityN": registered(sources[1:], fixed)}
            ):
                outputs = tf.identity_n(sources)
        record(outputs, sources, lambda G, *_: [None, *of_all(tensors, G, fixed, wanted)])
        return outputs[0]

    def call(*inputs: Any) -> Tensor:
        if in_program() or (tf.executing_eagerly() and not recording()):
            return function(*inputs)
        inputs = (*map(tf.convert_to_tensor, inputs[:-1]), inputs[-1])
        return (by_tape if tf.executing_eagerly() or not can_record() else in_graph)(*inputs)

    return call


bilinear = partial(derivatives.bilinear, differentiable)


def vjp(function: Operation, inputs: Sequence[Tensor], G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The output of a function of tensors, and its gradients for the gradient G at the output."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        Y = function(*inputs)
    return Y, tape.gradient(Y, list(inputs), output_gradients=G)

"""What this backend asks of TensorFlow's private parts, each with a safe answer without it."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import tensorflow as tf

Tensor = Any

try:
    from tensorflow.python.eager import record as _record
except ImportError:
    _record = None
try:
    from tensorflow.python.ops import control_flow_util as _control
except ImportError:
    _control = None
try:
    from tensorflow.python.autograph.core import config as _autograph
except ImportError:
    _autograph = None

# Whether a tape or a forward accumulator is there; where TensorFlow does not tell, one may be.
recording: Callable[[], bool] = getattr(_record, "could_possibly_record", lambda: True)


def leave_as_written(*packages: str) -> None:
    """Tell AutoGraph not to rewrite the code of packages that a tf.function calls.

    Ours has no Python statement that depends on a tensor's value. To rewrite it takes a second, and
    ends in warnings where AutoGraph cannot read it. Without this it is rewritten, and works too.
    """
    kept = getattr(_autograph, "DoNotConvert", None)
    if kept and hasattr(_autograph, "CONVERSION_RULES"):
        _autograph.CONVERSION_RULES = (*map(kept, packages), *_autograph.CONVERSION_RULES)


leave_as_written("d2lconv", "d2lconv_tf")


def watched(t: Tensor) -> bool:
    """Whether a tape or a forward accumulator records what is done to a tensor, or may."""
    tell = getattr(
        getattr(_record, "pywrap_tfe", None), "TFE_Py_TapeSetPossibleGradientTypes", None
    )
    return tell is None or tell([t]) != 0


def can_record() -> bool:
    """Whether operations can be recorded as the caller wants, and not as TensorFlow does it."""
    return hasattr(_record, "stop_recording") and hasattr(_record, "record_operation")


def in_xla() -> bool:
    """Whether XLA compiles the graph that is traced; where TensorFlow does not tell, no."""
    question = getattr(_control, "GraphOrParentsInXlaContext", lambda graph: False)
    return bool(question(tf.compat.v1.get_default_graph()))


def unrecorded() -> Any:
    """A block whose operations no tape and no forward accumulator records."""
    return _record.stop_recording() if can_record() else nullcontext()


def record(outputs: Sequence[Tensor], inputs: Sequence[Tensor], backward: Any) -> None:
    """Tell tapes and forward accumulators that the outputs come from the inputs.

    Args:
        outputs: Tensors.
        inputs: Tensors.
        backward: Takes the gradients at the outputs; gives those of the inputs.
    """
    _record.record_operation("d2lconv", outputs, inputs, backward)


def quick_call(program: Any) -> Callable[..., Tensor]:
    """A traced function of tensors, with one output, called without a look at its arguments.

    That look, for names and structure, takes longer than a small image.
    """
    flat = getattr(getattr(program, "inference_fn", None), "call_flat", None)
    return program if flat is None else lambda *tensors: flat(*tensors)[0]

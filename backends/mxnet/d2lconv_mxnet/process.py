"""What MXNet needs around a process that ends or is forked while threads of its own still work."""

import atexit
import os
import time

from d2lconv_mxnet.private import functions_left

from mxnet import nd, npx  # isort: skip


@atexit.register
def finish() -> None:
    """At exit, end all work first, and then free no arrays.

    MXNet stops the threads that run its autograd functions before it waits for all work: what
    is left for them then is waited for without end. And it frees arrays after its modules are
    gone, which prints errors.
    """
    npx.waitall()
    nd.NDArray.__del__ = lambda self: None


def settle() -> None:
    """Before a process is forked, end all work, and let MXNet drop the functions that did it.

    It stops those threads at a fork too, while Python runs nothing else: not even what the threads
    have left to do in it.
    """
    before = None
    while before != len(functions_left()):
        before = len(functions_left())
        npx.waitall()
        time.sleep(0.02)  # in which other threads have Python's lock


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(before=settle)

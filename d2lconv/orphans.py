"""Child processes that end when the process that started them ends."""

import os
import threading
import time

SECONDS = 0.5


def end_with_parent() -> None:
    """From now on, end this process soon after its parent has ended, however that came about.

    A parent that is killed cannot tell its children. They notice that they have got another one.
    """
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os._exit(1)

"""A process that ends when its parent does."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(parent: int) -> None:
    """From now on the kernel kills this process at the end of the thread that started it. Linux only: elsewhere closed channels must do.

    parent: the id of that thread's process; where it has ended already, so does this one, at once.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)

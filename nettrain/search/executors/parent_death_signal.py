"""The parent-death signal: a process that ends when its parent does."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent: int) -> None:
    """Let the kernel kill this process at the end of the thread that started it.

    Linux only: elsewhere a process ends when it finds its connection closed.

    Args:
        parent: The id of that thread's process. If it has ended already, this process ends at once.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)

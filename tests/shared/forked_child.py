"""A child that was forked, waited for through a descriptor of the kernel (pidfd): no signal, no polling."""

import os
import select


class ForkedChild:
    """A child of this process that only this object waits for.

    Attributes:
        pid: Its id.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)
        self._code: int | None = None

    def ends_within(self, seconds: float | None) -> bool:
        """Wait so long for its end at most (None: as long as it takes); whether it has come."""
        if self._code is not None:
            return True
        patience = None if seconds is None else max(seconds, 0.0)
        return bool(select.select([self._descriptor], [], [], patience)[0])

    def exit_code(self) -> int:
        """Its exit code, or minus the signal that ended it; waits for its end."""
        if self._code is None:
            _, status = os.waitpid(self.pid, 0)
            os.close(self._descriptor)
            self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def send(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if not self.ends_within(0):
            os.kill(self.pid, number)

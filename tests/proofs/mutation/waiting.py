"""How long a process has done nothing but wait: a deadlock is told from a lack of processors."""

import time
from pathlib import Path

from processes.descendants import descendants

LOOK = 0.1  # seconds between two looks


class Waiting:
    """Looks at a process and those below it, again and again.

    They wait while all of their threads sleep and none has used a processor since the last look. A
    thread that is ready to run but gets no processor does not sleep, and nor does one that waits for
    a disk. Looks are counted, not real time: where this process gets no processor itself, or the
    machine stands still, no time passes.

    Args:
        process: Its id.

    Attributes:
        seconds: How long they have been waiting, by the looks.
    """

    def __init__(self, process: int) -> None:
        self.process = process
        self.seconds = 0.0
        self._next = time.monotonic() + LOOK
        self._used: dict[str, int] = {}

    def look(self) -> None:
        """Look once more, if it is time."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK
        before = self._used
        try:
            processes = [self.process, *descendants(self.process)]
            threads = [one for id in processes for one in Path(f"/proc/{id}/task").iterdir()]
            states = {thread.name: _state(thread) for thread in threads}
        except OSError:  # one has just ended
            states = {}
        self._used = {name: used for name, (_, used) in states.items()}
        asleep = states and all(state in "SZ" for state, _ in states.values())
        self.seconds = self.seconds + LOOK if asleep and self._used == before else 0.0


def _state(thread: Path) -> tuple[str, int]:
    """What a thread does, and the ticks of processor time that it has used."""
    fields = (thread / "stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[11]) + int(fields[12])

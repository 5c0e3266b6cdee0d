"""Whether a plan is being recorded: tensors then notice who looks at their values."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Recording:
    """The recording of a plan.

    place    the layer under way; empty between layers
    data_dependent  whether Python looked at a traced value, so that another batch may take another way; data_dependent_in: the place where it first did
    spans    (name, from, to): what was made between two ages belongs to a layer
    """

    def __init__(self) -> None:
        self.place = ""
        self.data_dependent = False
        self.data_dependent_in = ""
        self.spans: list[tuple[str, int, int]] = []

    def mark_data_dependent(self) -> None:
        """Python looks at a traced value."""
        if not self.data_dependent:
            self.data_dependent, self.data_dependent_in = True, self.place


_recording: ContextVar[Recording | None] = ContextVar("_recording", default=None)


def current() -> Recording | None:
    """The recording under way, if there is one."""
    return _recording.get()


@contextmanager
def recording() -> Iterator[Recording]:
    """Inside, tensors notice who looks at their values."""
    found = Recording()
    token = _recording.set(found)
    try:
        yield found
    finally:
        _recording.reset(token)

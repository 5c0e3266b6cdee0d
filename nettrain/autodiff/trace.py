"""Recordings: while a plan is recorded, data-dependent control flow is noticed."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Recording:
    """The recording of a plan.

    Attributes:
        layer: Path of the layer that is running; empty between layers.
        data_dependent: Whether Python looked at a traced value: the control flow of another batch
            may differ.
        data_dependent_in: The layer where it first did.
        spans: (layer, begin, end): the nodes with an age between two ages belong to a layer.
    """

    def __init__(self) -> None:
        self.layer = ""
        self.data_dependent = False
        self.data_dependent_in = ""
        self.spans: list[tuple[str, int, int]] = []

    def mark_data_dependent(self) -> None:
        """Note that Python looks at a traced value."""
        if not self.data_dependent:
            self.data_dependent, self.data_dependent_in = True, self.layer


_recording: ContextVar[Recording | None] = ContextVar("_recording", default=None)


def current() -> Recording | None:
    """The recording that is running, if any."""
    return _recording.get()


@contextmanager
def recording() -> Iterator[Recording]:
    """Inside, tensors report when Python looks at their values."""
    new = Recording()
    token = _recording.set(new)
    try:
        yield new
    finally:
        _recording.reset(token)

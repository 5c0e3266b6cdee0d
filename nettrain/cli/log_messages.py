"""What the library logs while a command runs: every message once, in the voice of the command."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from nettrain.cli.output import say


class _Once(logging.Handler):
    """Says each message the first time: a command may read, transform and predict rows again."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Say a message that has not been said."""
        message = record.getMessage()
        if message not in self._told:
            self._told.add(message)
            say(message)


@contextmanager
def told_once() -> Iterator[None]:
    """Inside, the library's messages are lines on stderr."""
    handler, logger = _Once(), logging.getLogger("nettrain")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)

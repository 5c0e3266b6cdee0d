"""Lines that move on a terminal, which may be closed while they do."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.text import Text

from nettrain.cli.output import drop_messages, wrapped

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class LiveDisplay:
    """Moving lines below those that stay. Use as a context manager.

    Where the terminal can no longer be written, nothing more is shown, and the work goes on.

    Args:
        terminal: Where it is drawn.

    Attributes:
        console: The same.
    """

    def __init__(self, terminal: "Console") -> None:
        from rich.live import Live  # 20 ms that pipes do not need

        self.console = terminal
        self._live = Live(console=terminal, auto_refresh=False)

    def __enter__(self) -> Self:
        with _losable():
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _losable():
            self._live.stop()

    @property
    def width(self) -> int:
        """Of the terminal, in characters."""
        return self.console.width

    def update(self, lines: "RenderableType") -> None:
        """Draw the moving lines anew."""
        with _losable():
            self._live.update(lines, refresh=True)

    def print(self, line: str) -> None:
        """Print a line that stays above them."""
        with _losable():
            self.console.print(Text(wrapped(line, self.width)), soft_wrap=True)


@contextmanager
def _losable() -> Iterator[None]:
    try:
        yield
    except OSError:
        drop_messages()

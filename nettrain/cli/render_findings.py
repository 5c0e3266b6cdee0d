"""The findings of the doctor as a table, one row at a time: it takes a while."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from nettrain.inspection.doctor.finding import Finding

STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}
STATUS_WIDTH, NAME_WIDTH = 7, 16


class FindingPrinter:
    """Prints each finding as it comes: status, check, and what was found with the remedy below.

    Args:
        console: On which it is drawn.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, finding: "Finding") -> None:
        """Print one."""
        table = Table.grid(padding=(0, 2))
        table.add_column(width=STATUS_WIDTH, no_wrap=True)
        table.add_column(width=NAME_WIDTH, overflow="fold")
        table.add_column(overflow="fold")
        style = STYLES[finding.status]
        text = Text(finding.message, style="dim" if finding.status == "skipped" else "")
        if finding.remedy:
            text.append(f"\nremedy: {finding.remedy}", style="cyan")
        table.add_row(Text(finding.status, style=style), Text(finding.name), text)
        self._console.print(table)

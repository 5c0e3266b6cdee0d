"""What may be wrong with data: a finding with its numbers, its place and its remedy."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Suspicion:
    """One finding.

    Attributes:
        name: Of the kind of finding: leak, repeated_rows, constant_column.
        severity: error: metrics or model mean nothing until it is mended; warning: it costs
            accuracy, or misleads, in most cases; note: worth knowing.
        message: One sentence with the numbers.
        remedy: The key or option that mends it.
        columns: That it is about.
        lines: Of the file, the first few; row numbers from 0 where the data has no lines.
        examples: Values or files, the first few.
    """

    name: str
    severity: Severity
    message: str
    remedy: str
    columns: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    examples: tuple[str, ...] = ()

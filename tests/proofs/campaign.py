"""The command line and the result of a campaign: a seed and a bound in, one JSON object out."""

import argparse
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


class Campaign:
    """What every campaign is started with, and what it reports.

    Args:
        name: Of the campaign, as its result says it.
        doc: What it does, which `--help` shows.
        count: How many tries (inputs, kills, faults) there are by default.
        what: What is counted, in the plural.
    """

    def __init__(self, name: str, doc: str, *, count: int, what: str) -> None:
        self.name, self.what = name, what
        self.parser = argparse.ArgumentParser(
            description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        self.parser.add_argument("--seed", type=int, default=0, help="of everything random")
        self.parser.add_argument(
            "--count",
            "--cases",
            type=int,
            default=count,
            help=f"number of {what} (default: {count})",
        )
        self.parser.add_argument("--seconds", type=float, help="end after this long, if earlier")
        self.parser.add_argument("-o", "--output", type=Path, help="write the result there too")

    def begin(self) -> argparse.Namespace:
        """Parse the arguments; the clock runs from here."""
        self._given = self.parser.parse_args()
        self._began = time.monotonic()
        return self._given

    def is_over(self, count: int) -> bool:
        """Whether a bound is reached."""
        seconds = self._given.seconds
        late = seconds is not None and time.monotonic() - self._began > seconds
        return late or count >= self._given.count

    def end(self, count: int, faults: list, **figures: object) -> None:
        """Print the result; the exit code is 1 if there are faults."""
        result = {
            "campaign": self.name,
            "seed": self._given.seed,
            self.what: count,
            "faults": faults,
            **figures,
            "seconds": round(time.monotonic() - self._began, 1),
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(),
        }
        text = json.dumps(result, indent=2)
        print(text)
        if self._given.output is not None:
            self._given.output.write_text(text + "\n", encoding="utf-8")
        sys.exit(1 if faults else 0)


def machine() -> dict[str, object]:
    """What a figure depends on beside the program."""
    return {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "nettrain": version("nettrain"),
        "numpy": version("numpy"),
    }

"""Which rows of a table train, validate and test: 60, 20 and 20 % of them, five times, the same for all methods.

The rows of each class, or all rows where numbers are predicted, are put in the order of SHA-256("TABLE SPLIT ROW"), classes one after the
other, and dealt in turn: test, validation, train, train, train. Where there is an official test part, it is the test part of every split,
and the other rows are dealt validation and four times train. No library's generator is part of the rule, and splits.json holds the hash of
the rows of every split, and of the table, so that other rows are noticed.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("splits.json")
PARTS = ("train", "validation", "test")
_TRAIN, _VALIDATION, _TEST = range(3)
_DEALT = (_TEST, _VALIDATION, _TRAIN, _TRAIN, _TRAIN)
_DEALT_WITH_OFFICIAL_TEST = (_VALIDATION, _TRAIN, _TRAIN, _TRAIN, _TRAIN)
SPLITS = 5


def parts(table: str, split: int, classes: np.ndarray, official: int) -> np.ndarray:
    """The part (n,) of each row, as its place in PARTS.

    Args:
        table: Its name.
        split: From 0.
        classes: Of the rows (n,), as texts; all equal where numbers are predicted.
        official: How many rows at the end are the official test part.
    """
    free = len(classes) - official
    order = sorted(range(free), key=lambda row: (classes[row], _digest(table, split, row)))
    dealt = np.array(_DEALT_WITH_OFFICIAL_TEST if official else _DEALT, np.uint8)
    part = np.full(len(classes), _TEST, np.uint8)
    part[order] = np.resize(dealt, free)
    return part


def _digest(table: str, split: int, row: int) -> bytes:
    return hashlib.sha256(f"{table} {split} {row}".encode()).digest()


def short_hash(content: bytes) -> str:
    """Sixteen hexadecimal digits of SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]


def check(table: str, content: bytes, found: list[np.ndarray], *, write: bool = False) -> None:
    """Hold a table and its splits to splits.json, or write them there.

    Args:
        table: Its name.
        content: Of its CSV file.
        found: The parts of each split.
        write: Whether they become the record.

    Raises:
        ValueError: They are others.
    """
    recorded = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    hashes = {
        "rows": len(found[0]),
        "table": short_hash(content),
        "splits": [short_hash(part.tobytes()) for part in found],
    }
    if write:
        lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in (recorded | {table: hashes}).items()]  # fmt: skip
        FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    elif hashes != recorded.get(table):
        raise ValueError(
            f"{table}: its rows or their split are not those of {FILE.name}: {hashes}, recorded {recorded.get(table)}"
        )

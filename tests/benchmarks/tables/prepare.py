"""A table as a CSV file with a row of names, and a file of rows for each split: what all methods read."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import splits
from catalogue import Table


@dataclass(frozen=True)
class Prepared:
    """The files of one table and split.

    Attributes:
        csv: All rows.
        rows: An npz file with the rows of each part, as dataset.split.file takes it.
    """

    csv: Path
    rows: Path


def prepare(name: str, table: Table, folder: Path, *, write: bool = False) -> None:
    """Write the files of a table, unless they are there.

    Args:
        name: Of the table.
        table: What it is.
        folder: For the files.
        write: Whether splits.json takes the table and its splits as they are now found.
    """
    if files(name, 0, folder).rows.exists() and not write:
        return
    frame = table.read().drop(columns=list(table.left_out))
    target = word(table.target)
    frame = frame.rename(columns=word).dropna(subset=[target])
    if not frame.columns.is_unique:
        raise ValueError(f"{name}: two columns have one name")
    text = io.StringIO()
    frame.to_csv(text, index=False, lineterminator="\n")
    content = text.getvalue().encode()
    classes = frame[target].astype(str).to_numpy()
    if table.task == "regression":
        classes = np.full(len(frame), "")
    found = [splits.parts(name, i, classes, table.official) for i in range(splits.SPLITS)]
    splits.check(name, content, found, write=write)
    folder.mkdir(parents=True, exist_ok=True)
    files(name, 0, folder).csv.write_bytes(content)
    for i, part in enumerate(found):
        rows = {what: np.flatnonzero(part == k) for k, what in enumerate(splits.PARTS)}
        np.savez(files(name, i, folder).rows, **rows)


def files(name: str, split: int, folder: Path) -> Prepared:
    """Where the files of a table and split are."""
    return Prepared(folder / f"{name}.csv", folder / f"{name}-{split}.npz")


def word(column: str) -> str:
    """A name that every library takes: letters, digits and underscores."""
    return re.sub(r"\W+", "_", column).strip("_")


def read(csv: Path, target: str) -> tuple[pd.DataFrame, pd.Series]:
    """The features, columns of texts as categories, and the target."""
    frame = pd.read_csv(csv, keep_default_na=False, na_values=[""])
    y = frame.pop(target)
    texts = [name for name, column in frame.items() if not pd.api.types.is_numeric_dtype(column)]
    return frame.astype(dict.fromkeys(texts, "category")), y

"""The functions by which a written predict.py reads its input: their source is copied into it."""

import csv
import math
import re

import numpy as np


def number(cell, missing):
    """The number in a cell; NaN where the cell marks a missing value."""
    if cell in missing:
        return math.nan
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", cell, re.ASCII):
        raise ValueError(f"expected a number, got {cell!r}")
    value = float(cell)
    if math.isinf(value):
        raise ValueError(f"{cell!r} is infinite")
    return math.nan if value in missing else value


def read_csv(path, numbers, texts, missing, optional=(), delimiter=None, encoding="utf-8-sig"):
    """The named columns of a CSV file with a header: numbers (n, d), and the texts by column.

    Only the numbers of the optional columns may be missing: they are NaN. A missing text is empty.
    """
    x, cells = [], {name: [] for name in texts}
    with open(path, newline="", encoding=encoding) as file:
        first = re.sub('"[^"]*"', "", file.readline())
        file.seek(0)
        delimiter = delimiter or max(",;\t|", key=first.count)
        reader = csv.reader(file, delimiter=delimiter, strict=True, skipinitialspace=True)
        try:
            header = [cell.strip() for cell in next(reader, [])]
            absent = [name for name in (*numbers, *texts) if name not in header]
            if absent:
                raise ValueError(f"columns are missing: {', '.join(absent)}")
            twice = [name for name in (*numbers, *texts) if header.count(name) > 1]
            if twice:
                raise ValueError(f"several columns have the name {twice[0]!r}")
            for row in reader:
                if not any(cell.strip() for cell in row):
                    continue
                if len(row) != len(header):
                    raise ValueError(f"{len(row)} cells where {len(header)} are expected")
                found = dict(zip(header, (cell.strip() for cell in row), strict=True))
                x.append([])
                for name in numbers:
                    try:
                        value = number(found[name], missing)
                    except ValueError as error:
                        raise ValueError(f"column {name!r}: {error}") from None
                    if math.isnan(value) and name not in optional:
                        raise ValueError(f"column {name!r} is missing")
                    x[-1].append(value)
                for name in texts:
                    cells[name].append("" if found[name] in missing else found[name])
        except (ValueError, csv.Error) as error:
            raise ValueError(f"{path}:{max(reader.line_num, 1)}: {error}") from None
    if not x:
        raise ValueError(f"{path}: no rows below the header")
    return np.array(x).reshape(len(x), len(numbers)), cells


def read_array(path, shape):
    """The rows (n, ...) of an .npy file, or of the array x or the only one of an .npz file."""
    found = np.load(path, allow_pickle=False)
    if isinstance(found, np.lib.npyio.NpzFile):
        name = "x" if "x" in found.files or len(found.files) != 1 else found.files[0]
        if name not in found.files:
            raise ValueError(f"{path}: no array x (there are: {', '.join(found.files)})")
        found = found[name]
    size = math.prod(shape)
    known = found.shape[1:] in (shape, shape[:2], (size,))
    if not known or not len(found) or found.size != len(found) * size:
        raise ValueError(f"{path}: expected rows of the shape {shape}, got an array {found.shape}")
    return found.reshape(len(found), *shape)


def finite(x):
    """The rows x, all of whose numbers have to be finite."""
    bad = ~np.isfinite(x.reshape(len(x), -1)).all(axis=1)
    if bad.any():
        raise ValueError(f"row {bad.argmax()}: a number is missing or infinite")
    return x

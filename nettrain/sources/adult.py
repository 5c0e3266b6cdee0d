"""Census incomes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nettrain.data.collect import InMemory
from nettrain.data.dataset import PARTS, UNASSIGNED, Dataset
from nettrain.data.readers.named_set import NamedSet, plain_files
from nettrain.data.readers.number_text import MissingMarks
from nettrain.data.readers.text_block import Chunk
from nettrain.data.readers.text_column import read_columns
from nettrain.data.readers.text_table import TextTable
from nettrain.data.source import Source
from nettrain.data.table_columns import features_of, target_of

SET = NamedSet(
    "adult",
    plain_files(
        "https://archive.ics.uci.edu/ml/machine-learning-databases/adult",
        {
            "adult.data": "sha256:5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
            "adult.test": "sha256:a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
        },
    ),
    source="github.com/tensorflow/datasets, tensorflow_datasets/url_checksums/adult.txt",
    folder="tables",
)
COLUMNS = (
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
    "income",
)
_NUMBERS = {"age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"}


@dataclass(frozen=True, kw_only=True)
class Adult(Source):
    """Census incomes (Adult): is the income above 50,000 US dollars a year, `<=50K` or `>50K`?

    32,561 rows to train, and 16,281 that are the predefined test part: 6 numbers and 8 texts,
    of which workclass, occupation and native-country are missing in places (`?`). `fnlwgt` is a
    sampling weight, not a feature of the person. Becker & Kohavi 1996, UCI (CC BY 4.0).
    adult.data and adult.test (plain or gzip) in $NETTRAIN_DATA/tables, or in the user's cache
    folder, downloaded where they are absent.
    """

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, the predefined test part last."""
        both = _Both(SET.find())
        numeric = {name: name in _NUMBERS for name in COLUMNS}
        missing = dict.fromkeys(COLUMNS, MissingMarks("?"))
        _, columns, _ = read_columns(both, COLUMNS, numeric, missing, "adult", InMemory())
        plain = Dataset(features_of(columns, COLUMNS[:-1]), None, origin="adult")
        part = np.repeat([UNASSIGNED, PARTS.index("test")], both.rows)
        return replace(plain, target=target_of(columns, COLUMNS[-1:], plain), part=part)


class _Both:
    """Both files as one table.

    Labels of the test part end in a full stop, and its file may begin with a comment.
    """

    names = COLUMNS

    def __init__(self, files: list[Path]) -> None:
        self._tables = [TextTable(file, "utf-8", ",", COLUMNS, 0, comment="|") for file in files]
        self.rows = [0] * len(files)

    def blocks(self) -> Iterator[Chunk]:
        """The chunks of both."""
        for place, table in enumerate(self._tables):
            for cells, lines in table.chunks():
                self.rows[place] += len(lines)
                yield (
                    [*cells[:-1], tuple(label.strip().removesuffix(".") for label in cells[-1])],
                    lines,
                )

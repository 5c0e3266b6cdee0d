"""A hashed bag of words."""

import re
from dataclasses import dataclass, replace
from typing import Annotated
from zlib import crc32

import numpy as np
from pydantic import Field

from nettrain.component import Text
from nettrain.data.features import Features
from nettrain.data.transform import State, Transform, check_columns

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class HashWords(Transform):
    """Hashed bag of words: y = c / |c|, c_j = sum over words w of sign(w) [hash(w) mod size = j].

    Columns of free text become `size` numbers each, whatever words new rows bring; c has the length
    1 unless a cell has no words. Words are compared in lower case. Numbers (n, d) ->
    (n, d + columns * size); the new columns are named `title#0`. The hash is CRC-32, its highest
    bit the sign. Weinberger et al. 2009 (Feature hashing). scikit-learn: HashingVectorizer, with
    MurmurHash3.
    """

    by_chunks = True

    columns: Annotated[
        tuple[Text, ...], Field(min_length=1, description="names of the columns of free text")
    ]
    size: Annotated[
        int, Field(strict=True, ge=2, le=65536, description="numbers that a column becomes")
    ] = 64

    def fit(self, features: Features) -> State:
        """Learns nothing; checks that the columns are there."""
        check_columns(self.columns, tuple(features.categories), self.name())
        return {"columns": list(self.columns)}

    def apply(self, features: Features, state: State) -> Features:
        """Appends the numbers of each column of texts."""
        names, blocks = list(features.names), [features.array]
        for name in self.columns:
            column = features.categories[name]
            bags = np.stack([*map(self._bag, column.values), np.zeros(self.size)])
            blocks.append(bags[column.codes])  # the code of a missing cell, -1, is the last
            names += [f"{name}#{j}" for j in range(self.size)]
        rest = {
            name: column for name, column in features.categories.items() if name not in self.columns
        }
        numbers = np.concatenate(blocks, axis=1)
        return replace(features, numbers=numbers, names=tuple(names), categories=rest)

    def _bag(self, text: str) -> np.ndarray:
        counts = np.zeros(self.size)
        for word in _WORD.findall(text.lower()):
            code = crc32(word.encode())
            counts[code % self.size] += -1 if code >> 31 else 1
        return counts / max(float(np.linalg.norm(counts)), 1.0)  # whole numbers: below 1 is 0

"""Columns left out."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Text
from nettrain.data.features import Features
from nettrain.data.transform import State, Transform, check_columns


@dataclass(frozen=True, kw_only=True)
class Drop(Transform):
    """Leaves columns out: y = x without them.

    Numbers (n, d) -> (n, d - dropped). New rows need the columns all the same; a source's `ignore`
    leaves them out of the file's columns. scikit-learn: ColumnTransformer's "drop".
    """

    by_chunks = True

    columns: Annotated[
        tuple[Text, ...], Field(min_length=1, description="names of the columns left out")
    ]

    def fit(self, features: Features) -> State:
        """Learns nothing; checks that the columns are there."""
        check_columns(self.columns, (*features.names, *features.categories), self.name())
        return {"columns": list(self.columns)}

    def apply(self, features: Features, state: State) -> Features:
        """The features without the columns."""
        kept = [name not in self.columns for name in features.names]
        names = tuple(name for name in features.names if name not in self.columns)
        categories = {
            name: column for name, column in features.categories.items() if name not in self.columns
        }
        numbers = features.array
        return replace(
            features,
            numbers=numbers[:, np.array(kept, bool)] if names != features.names else numbers,
            names=names,
            categories=categories,
        )

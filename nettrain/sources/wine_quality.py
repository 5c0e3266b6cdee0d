"""Vinho verde and its grades."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from nettrain.component import Flag
from nettrain.data.dataset import Dataset
from nettrain.data.readers.named_set import NamedSet, plain_files
from nettrain.data.source import Source

_ADDRESS = "https://archive.ics.uci.edu/ml/machine-learning-databases/wine-quality"
_CHECKSUMS = {
    "red": "sha256:4a402cf041b025d4566d954c3b9ba8635a3a8a01e039005d97d6a710278cf05e",
    "white": "sha256:76c3f809815c17c07212622f776311faeb31e87610d52c26d87d6e361b169836",
}
SETS = {
    color: NamedSet(
        "wine_quality",
        plain_files(_ADDRESS, {f"winequality-{color}.csv": checksum}),
        source="https://archive.ics.uci.edu/dataset/186/wine+quality",
        folder="tables",
    )
    for color, checksum in _CHECKSUMS.items()
}


@dataclass(frozen=True, kw_only=True)
class WineQuality(Source):
    """Wine quality: eleven chemical measurements of a wine -> its grade by tasters, 3 ... 9.

    1599 red or 4898 white wines; regression, unless `classes` or the loss asks for
    classification. Cortez et al. 2009, UCI (CC BY 4.0). winequality-red.csv and
    winequality-white.csv in $NETTRAIN_DATA/tables, or in the user's cache folder, downloaded
    where they are absent.
    """

    color: Annotated[Literal["red", "white"], Field(description="which of the two tables")] = "red"
    classes: Annotated[
        Flag, Field(description="grades are classes (6 of red, 7 of white), not numbers")
    ] = False

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows; there is no predefined test part."""
        file = SETS[self.color].find()[0]
        table = {
            "type": "csv",
            "path": str(file),
            "target": "quality",
            "delimiter": ";",
            "header": True,
        }
        dataset = replace(Source.parse(table).load(seed, extra_columns), origin="wine_quality")
        if dataset.target is None:
            return dataset
        return replace(
            dataset,
            target=replace(dataset.target, task="classification" if self.classes else "regression"),
        )

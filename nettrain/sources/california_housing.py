"""House values in California."""

from dataclasses import dataclass, replace

from nettrain.data.dataset import Dataset
from nettrain.data.readers.named_set import NamedSet, SetFile
from nettrain.data.source import Source

SET = NamedSet(
    "california_housing",
    (
        SetFile(
            "california_housing.csv",
            "https://raw.githubusercontent.com/ageron/handson-ml2/master/datasets/housing/housing.csv",
            "sha256:8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e",
        ),
    ),
    source="github.com/ageron/handson-ml2, datasets/housing, where it is named housing.csv",
    folder="tables",
)


@dataclass(frozen=True, kw_only=True)
class CaliforniaHousing(Source):
    """California housing: the median value of the houses of a block, in US dollars.

    20,640 rows of 8 numbers (location, age, people, rooms, income) and one text
    (`ocean_proximity`); `total_bedrooms` is missing in 207. Values are capped at 500,001. The
    census of 1990: Pace & Barry 1997, as changed by A. Geron for "Hands-On Machine Learning".
    california_housing.csv in $NETTRAIN_DATA/tables, or in the user's cache folder, downloaded
    where it is absent.
    """

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows; there is no predefined test part."""
        table = {
            "type": "csv",
            "path": str(SET.find()[0]),
            "target": "median_house_value",
            "header": True,
        }
        return replace(Source.parse(table).load(seed, extra_columns), origin="california_housing")

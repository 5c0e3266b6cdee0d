"""The rows on which an export is compared with nettrain: real ones, or made up if they are gone."""

import numpy as np

from nettrain import streams
from nettrain.data.dataset import Dataset
from nettrain.data.features import MISSING, Category, Features
from nettrain.errors import NettrainError
from nettrain.export.onnx.model import members_of
from nettrain.inference.predictor import Predictor

MOST_ROWS = 2000  # of a part; more would not find more
MADE_UP = 200


def rows_to_compare(predictor: Predictor) -> tuple[Dataset, str]:
    """Rows, and what they are: those of validation or of another part, or made up."""
    try:
        data = predictor.training_data
        name = next(part for part in ("validation", "test", "train") if part in data.rows)
        rows = data.part(name)
    except NettrainError:
        return made_up(predictor)
    return rows.take(np.arange(min(len(rows), MOST_ROWS))), f"{name} rows"


def made_up(predictor: Predictor) -> tuple[Dataset, str]:
    """Random rows: numbers or pixels, and every category of training, an unseen and a missing one.

    Numbers are missing, too, where a transform fills them.
    """
    schema, generator = predictor.schema, streams.generator(0, "export")
    shape = (MADE_UP, *schema.shape)
    if not schema.numbers and not schema.texts:
        pixels, what = _images(shape, schema.largest or 1.0, generator)
        return _dataset(Features(pixels)), _what(what)
    x = generator.uniform(0, 1, shape)
    said: list[str] = []
    if schema.numbers:
        gaps = _fills_gaps(predictor)
        if gaps:
            x[generator.random(shape) < 0.1] = np.nan
        said.append("numbers from 0 to 1" + (", a tenth of them missing" if gaps else ""))
    known, columns = _values(predictor), {}
    for name in schema.texts:
        values = known.get(name, ())
        unseen = "unseen"
        while unseen in values:
            unseen += "_"
        codes = generator.permutation(np.arange(MADE_UP) % (len(values) + 2))
        columns[name] = Category(
            np.where(codes > len(values), MISSING, codes).astype(np.int64), (*values, unseen)
        )
        said.append(f"{name}: {len(values)} values of training, an unseen one and missing cells")
    return _dataset(Features(x, schema.numbers, columns)), _what("; ".join(said))


def _dataset(features: Features) -> Dataset:
    return Dataset(features, None, origin="made-up rows")


def _what(said: str) -> str:
    return f"made-up rows, as the data of the run is gone ({said})"


def _images(
    shape: tuple[int, ...], largest: float, generator: np.random.Generator
) -> tuple[np.ndarray, str]:
    """Bytes where the largest pixel of training was a whole number that bytes hold."""
    if largest > 1 and largest <= 255 and float(largest).is_integer():
        high = int(largest)
        return generator.integers(0, high + 1, shape, dtype=np.uint8), f"bytes from 0 to {high}"
    return generator.uniform(0, largest, shape), f"pixels from 0 to {largest:g}"


def _fills_gaps(predictor: Predictor) -> bool:
    return all(
        any(fitted.transform.name() == "impute" for fitted in member.pipeline.transforms)
        for member in members_of(predictor)
    )


def _values(predictor: Predictor) -> dict[str, tuple[str, ...]]:
    """The categories of training, as the transforms remember them."""
    prefix, found = "values:", {}
    for member in members_of(predictor):
        for fitted in member.pipeline.transforms:
            for key, values in fitted.state.items():
                if key.startswith(prefix):
                    found[key.removeprefix(prefix)] = tuple(map(str, values))
    return found

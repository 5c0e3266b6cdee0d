"""Random tables with gaps, ties and unseen categories: transforms by scikit-learn."""

import logging
import warnings
from typing import Any

import numpy as np
import pandas
from against.chance import Chance
from against.comparison import Comparison, Refused
from against.coverage import Coverage
from sklearn import preprocessing
from sklearn.impute import SimpleImputer

from nettrain import streams
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.target import Target
from nettrain.data.transform import State, Transform
from nettrain.errors import NettrainError

CASES = 500
TOLERANCE = 1e-12  # of the largest number of the column
QUANTILES = 1e-9  # both find the place of a number between two by a division of differences
VALUES = ("a", "b", "c", "d", "e", "f", "g")
GAP, UNSEEN = "(gap)", "z"
EPOCH = pandas.Timestamp("1970-01-01")
WITHOUT = "scikit-learn has none of this formula"
LEFT_OUT = {
    "transform.clamp": WITHOUT,
    "transform.drop": WITHOUT,
    "transform.hash_words": WITHOUT,
    "transform.piecewise_linear": WITHOUT,
    "transform.smooth_clip": WITHOUT,
    "transform.impute.text": "only another name of a category",
    "transform.rare_categories.merged": "only another name of a category",
    "transform.one_hot.most_values": "a bound beyond which columns are refused",
    "transform.datetime.format": "only how the texts are written",
    **{
        f"transform.{name}.columns": "which columns a transform takes is tested apart"
        for name in (
            "center", "clip", "datetime", "impute", "log", "minmax", "one_hot", "ordinal", "quantile",
            "rare_categories", "robust_scale", "scale", "standardize", "target_statistics",
        )
    },
}  # fmt: skip


def draw(chance: Chance) -> dict[str, Any]:
    """A transform, and how the table is drawn."""
    name = chance.pick(sorted(COMPARED))
    return {
        "transform": {"type": name} | _fields(chance, name),
        "task": chance.pick(["two classes", "classes", "values", "labels"]),
        "rows": chance.pick([1, 2, 3, chance.randint(4, 60), chance.randint(4, 60)]),
        "columns": chance.randint(1, 3),
        "digits": chance.pick([0, 1, 3, 15]),
        "scale": chance.number(1e-3, 1e3),
        "offset": chance.pick([0, 0, chance.number(0.1, 1e4)]),
        "gaps": chance.pick([0.0, 0.0, 0.2]),
        "categories": chance.randint(1, len(VALUES)),
        "seed": chance.randrange(10**6),
    }


def _fields(chance: Chance, name: str) -> dict[str, Any]:
    match name:
        case "minmax":
            return {"low": chance.between(-2, 0), "high": chance.between(0.1, 3)}
        case "scale":
            return chance.some({k: lambda: chance.number(0.1, 300) for k in ("factor", "divide_by")}, 0.6)  # fmt: skip
        case "clip":
            return {"low": chance.between(-2, 0), "high": chance.between(0.1, 3)}
        case "log":
            return {"shift": chance.number(1, 1e4)}
        case "quantile":
            return {"to": chance.pick(["uniform", "normal"]), "quantiles": chance.pick([2, 5, 1000])}  # fmt: skip
        case "impute":
            how = chance.pick(["mean", "median", "most_frequent", "constant"])
            return {"strategy": how, "value": chance.between(-1, 1), "flag": chance.maybe()}
        case "one_hot":
            return chance.some({"max_size": lambda: chance.randint(1, 7)})
        case "rare_categories":
            return {"min_count": chance.randint(1, 8)}
        case "target_statistics":
            return {"smoothing": chance.pick(["auto", 0.0, chance.number(0.1, 30)]), "folds": chance.randint(2, 6)}  # fmt: skip
        case "datetime":
            return {"parts": chance.pick([None, ["year", "hour"], ["elapsed", "weekday", "day"]])}
    return {}


def coverage() -> Coverage:
    """Every transform that has a peer."""
    logging.getLogger("nettrain").setLevel(logging.ERROR)  # of categories not seen
    return Coverage([Transform], [], LEFT_OUT)  # type: ignore[type-abstract]


def compare(case: dict[str, Any], comparison: Comparison) -> tuple[Any, ...]:
    """Compare what a transform makes of the training rows and of new ones. Returns what was tried."""
    transform = Transform.parse(case["transform"])
    name = transform.name()
    train, new = (table(case, part) for part in ("train", "new"))
    target = targets(case)
    try:
        state = transform.fit_to_target(train, target)
        made = [transform.apply(rows, state) for rows in (train, new)]
    except NettrainError as error:
        raise Refused(str(error)) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of columns that are constant
        for ours, rows in zip(made, (train, new), strict=True):
            COMPARED[name](transform, train, rows, ours, state, target, comparison)
        if name == "target_statistics":
            _in_training(transform, train, state, target, comparison)
    if transform.invertible and name != "quantile":
        once = made[0].array
        back = transform.invert(once, state)
        comparison.close(f"inverse: {name}", back, train.array, 1e-9)
    return (transform,)


def table(case: dict[str, Any], part: str) -> Features:
    """Numbers with gaps and ties, and categories; new rows have further ones."""
    random = streams.generator(case["seed"], part)
    n, d = case["rows"], case["columns"]
    x = np.round(random.normal(size=(n, d)), case["digits"]) * case["scale"] + case["offset"]
    if part == "new":
        x *= 1.5
    x[random.random(size=x.shape) < case["gaps"]] = np.nan
    count = case["categories"]
    values = (*VALUES[:count], UNSEEN) if part == "new" else VALUES[:count]
    if case["transform"]["type"] == "datetime":
        days = random.integers(0, 20_000, size=len(values))
        seconds = random.integers(0, 86_400, size=len(values))
        values = tuple(
            (EPOCH + pandas.Timedelta(days=int(day), seconds=int(second))).strftime("%Y-%m-%d %H:%M:%S")
            for day, second in zip(days, seconds, strict=True)
        )  # fmt: skip
    categories = {}
    for j in range(d):
        codes = random.integers(len(values), size=n)
        codes[random.random(size=n) < case["gaps"]] = MISSING
        categories[f"text {j}"] = Category(codes, values)
    return Features(x, tuple(f"number {j}" for j in range(d)), categories)


def targets(case: dict[str, Any]) -> Target:
    """What is to be predicted of the training rows."""
    random = streams.generator(case["seed"], "target")
    n = case["rows"]
    match case["task"]:
        case "values":
            return Target(random.normal(size=(n, 2)) * case["scale"], ("y", "z"))
        case "labels":
            return Target(random.integers(2, size=(n, 2)).astype(np.float64), ("y", "z"))
    k = 2 if case["task"] == "two classes" else 3
    return Target(random.integers(k, size=n), classes=tuple("klm"[:k]))


# By scikit-learn: each gets the transform, the training rows, some rows, nettrain's, its state, the target.


def _scaler(peer: Any) -> Any:
    """One of scikit-learn's transformers of numbers, made from the transform."""

    def compare(transform: Any, train: Features, rows: Features, ours: Features, state: State, target: Target, comparison: Comparison) -> None:  # fmt: skip
        theirs = peer(transform).fit(train.array)
        for j in range(rows.array.shape[1]):
            column = train.array[:, j]
            if not np.isfinite(column).any():
                continue
            if transform.name() == "robust_scale" and np.subtract(*np.nanquantile(column, [0.75, 0.25])) == 0:  # fmt: skip
                continue  # there the unit is another, as its docstring says
            found = theirs.transform(rows.array)[:, j]
            # Where the mean is far from 0, rounding of it is that of a number of its size.
            spread = np.ptp(column[np.isfinite(column)]) or 1.0
            largest = np.abs(column[np.isfinite(column)]).max()
            scale = max(np.abs(found[np.isfinite(found)]).max(initial=1e-300), largest / spread)
            comparison.close(f"numbers: {transform.name()}", ours.array[:, j], found, TOLERANCE, scale)  # fmt: skip

    return compare


def _quantile(transform: Any, train: Features, rows: Features, ours: Features, state: State, target: Target, comparison: Comparison) -> None:  # fmt: skip
    for j in range(rows.array.shape[1]):
        column = train.array[:, [j]]
        known = column[~np.isnan(column)]
        if len(known) < 2:
            continue
        q = min(transform.quantiles, len(column))
        if q > len(known):
            continue  # scikit-learn takes as many quantiles as there are rows, gaps included
        peer = preprocessing.QuantileTransformer(n_quantiles=q, output_distribution=transform.to, subsample=None)  # fmt: skip
        theirs = peer.fit(column).transform(rows.array[:, [j]])[:, 0]
        learned = peer.quantiles_[:, 0]
        x = rows.array[:, j]
        at_end = (np.abs(x - known.min()) < 1e-9) | (np.abs(x - known.max()) < 1e-9)
        clear = ~at_end & ~np.isnan(x)
        # A quantile between equal numbers may differ from them by rounding, and is then no tie.
        near = (np.abs(x[:, None] - learned) < 1e-9 * np.abs(known).max()).sum(axis=1) > 1
        clear &= ~near
        comparison.close("numbers: quantile", ours.array[clear, j], theirs[clear], QUANTILES, 1.0)


def _impute(transform: Any, train: Features, rows: Features, ours: Features, state: State, target: Target, comparison: Comparison) -> None:  # fmt: skip
    peer = SimpleImputer(strategy=transform.strategy, fill_value=transform.value, add_indicator=transform.flag, keep_empty_features=True)  # fmt: skip
    d = train.array.shape[1]
    theirs = peer.fit(train.array).transform(rows.array)
    comparison.close("numbers: impute", ours.array[:, :d], theirs[:, :d], TOLERANCE)
    if transform.flag:
        comparison.close("flags: impute", ours.array[:, d : theirs.shape[1]], theirs[:, d:], 0.0)
    if transform.strategy == "most_frequent":
        for name in train.categories:
            texts = SimpleImputer(strategy="most_frequent", missing_values=GAP)
            found = texts.fit(texts_of(train, name)).transform(texts_of(rows, name))[:, 0]
            comparison.equal("texts: impute", texts_of(ours, name)[:, 0].tolist(), found.tolist())


def texts_of(features: Features, name: str) -> np.ndarray:
    """The cells of a column (n, 1)."""
    column = features.categories[name]
    return np.array([*column.values, GAP], object)[column.codes][:, None]


def _one_hot(transform: Any, train: Features, rows: Features, ours: Features, state: State, target: Target, comparison: Comparison) -> None:  # fmt: skip
    found = [rows.array]
    for name in train.categories:
        known = texts_of(train, name)
        known = known[known[:, 0] != GAP]
        if transform.max_size is not None and len(set(known[:, 0])) > transform.max_size:
            comparison.equal("columns: one_hot", True, name in ours.categories)
            continue
        if not len(known):
            continue
        peer = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        found.append(peer.fit(known).transform(texts_of(rows, name)))
    comparison.close("numbers: one_hot", ours.array, np.concatenate(found, axis=1), 0.0)


def _ordinal(transform: Any, train: Features, rows: Features, ours: Features, state: State, target: Target, comparison: Comparison) -> None:  # fmt: skip
    for name in train.categories:
        known = texts_of(train, name)
        known = known[known[:, 0] != GAP]
        size = len(set(known[:, 0]))
        comparison.equal("cardinality: ordinal", ours.codes[name].cardinality, size + 2)
        if not size:
            continue
        peer = preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=size + 1)  # fmt: skip
        cells = texts_of(rows, name)
        found = peer.fit(known).transform(cells)[:, 0]
        found[cells[:, 0] == GAP] = size
        comparison.close("codes: ordinal", ours.codes[name].codes, found, 0.0)


def _rare(transform: Any, train: Features, rows: Features, ours: Features, state: State, target: Target, comparison: Comparison) -> None:  # fmt: skip
    for name in train.categories:
        known = texts_of(train, name)
        known = known[known[:, 0] != GAP]
        if not len(known):
            continue
        peer = preprocessing.OneHotEncoder(min_frequency=transform.min_count, handle_unknown="infrequent_if_exist", sparse_output=False)  # fmt: skip
        cells = texts_of(rows, name)
        present = cells[:, 0] != GAP
        peer.fit(known)
        kept = [one for one in peer.categories_[0] if peer.infrequent_categories_[0] is None or one not in peer.infrequent_categories_[0]]  # fmt: skip
        if not present.any():
            continue
        found = peer.transform(cells[present])[:, : len(kept)]
        mine = texts_of(ours, name)[present]
        comparison.close("texts: rare_categories", mine == np.array(kept, object)[None], found, 0.0)
        rest = set(mine[:, 0]) - set(kept)
        comparison.equal("texts: rare_categories", True, rest <= {transform.merged})


def _statistics(transform: Any, train: Features, rows: Features, ours: Features, state: State, target: Target, comparison: Comparison) -> None:  # fmt: skip
    d = rows.array.shape[1]
    theirs = encoded(transform, train, rows, target)
    scale = max(1.0, float(np.abs(target.indicators).max()))
    comparison.close("numbers: target_statistics", ours.array[:, d:], theirs, TOLERANCE, scale)


def encoded(transform: Any, train: Features, rows: Features, target: Target) -> np.ndarray:
    """The columns by scikit-learn, one target after the other."""
    y = target.indicators
    y = y[:, 1:] if target.classes and len(target.classes) == 2 else y
    found = []
    for name in train.categories:
        for j in range(y.shape[1]):
            peer = preprocessing.TargetEncoder(smooth=transform.smoothing, target_type="continuous")
            peer.fit(texts_of(train, name), y[:, j])
            found.append(peer.transform(texts_of(rows, name)))
    return np.concatenate(found, axis=1)


def _in_training(transform: Any, train: Features, state: State, target: Target, comparison: Comparison) -> None:  # fmt: skip
    """The folds are nettrain's; each gets what scikit-learn learns from the others."""
    n, d = len(train), train.array.shape[1]
    if n < 2:
        return
    ours = transform.apply_in_training(train, state, target).array[:, d:]
    fold = streams.generator(0, transform.name()).permutation(n) % min(transform.folds, n)
    scale = max(1.0, float(np.abs(target.indicators).max()))
    for held_out in np.unique(fold):
        own, others = np.flatnonzero(fold == held_out), np.flatnonzero(fold != held_out)
        theirs = encoded(transform, train.take(others), train.take(own), target.take(others))
        comparison.close("folds: target_statistics", ours[own], theirs, TOLERANCE, scale)


def _dates(transform: Any, train: Features, rows: Features, ours: Features, state: State, target: Target, comparison: Comparison) -> None:  # fmt: skip
    """By pandas."""
    for name in train.categories:
        cells = pd_dates(texts_of(rows, name))
        seconds = (cells - cells.dt.normalize()).dt.total_seconds()
        turns = {
            "month": (cells.dt.month - 1 + (cells.dt.day - 1) / 31) / 12,
            "weekday": cells.dt.dayofweek / 7,
            "day": (cells.dt.day - 1) / 30.4375,
            "hour": seconds / 86_400,
        }
        found = {f"{part}_{end}": function(2 * np.pi * turn) for part, turn in turns.items() for end, function in (("sin", np.sin), ("cos", np.cos))}  # fmt: skip
        found |= {"year": cells.dt.year, "elapsed": (cells - EPOCH).dt.total_seconds() / 86_400}
        for part, values in found.items():
            if (column := f"{name}.{part}") in ours.names:
                mine = ours.array[:, ours.names.index(column)]
                comparison.close("numbers: datetime", mine, values.to_numpy(float), 1e-11, max(1.0, np.nanmax(np.abs(values), initial=0)))  # fmt: skip
            else:
                wanted = transform.parts is None or part.partition("_")[0] in transform.parts
                known = pd_dates(texts_of(train, name)).dropna()
                comparison.equal("parts: datetime", True, not wanted or len(known) < 60)


def pd_dates(cells: np.ndarray) -> Any:
    """Dates, NaT for gaps."""
    return pandas.to_datetime(pandas.Series(cells[:, 0]).replace(GAP, None))


COMPARED = {
    "center": _scaler(lambda t: preprocessing.StandardScaler(with_std=False)),
    "clip": _scaler(lambda t: preprocessing.FunctionTransformer(lambda x: np.clip(x, t.low, t.high))),
    "datetime": _dates,
    "impute": _impute,
    "log": _scaler(lambda t: preprocessing.FunctionTransformer(lambda x: np.log(x + t.shift))),
    "minmax": _scaler(lambda t: preprocessing.MinMaxScaler((t.low, t.high))),
    "one_hot": _one_hot,
    "ordinal": _ordinal,
    "quantile": _quantile,
    "rare_categories": _rare,
    "robust_scale": _scaler(lambda t: preprocessing.RobustScaler()),
    "scale": _scaler(lambda t: preprocessing.FunctionTransformer(lambda x: x * t.factor / t.divide_by)),
    "standardize": _scaler(lambda t: preprocessing.StandardScaler()),
    "target_statistics": _statistics,
}  # fmt: skip

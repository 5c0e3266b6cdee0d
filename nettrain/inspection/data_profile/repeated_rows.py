"""Identical rows: in one part, in two, and with different targets."""

from collections.abc import Iterator

import numpy as np

from nettrain.data.dataset import PARTS
from nettrain.data.features import MISSING
from nettrain.inspection.data_profile.profiled_rows import SHOWN, ProfiledRows
from nettrain.inspection.data_profile.row_hashes import RowHashes, mixed
from nettrain.inspection.data_profile.suspicion import Severity, Suspicion
from nettrain.inspection.data_profile.wording import share

_BY_CHANCE = 20  # times as many as independent columns would repeat, for what hangs together
_SOME = 0.01  # of the rows of a part: fewer hardly change its metrics
_MOST = 0.5  # from here on the metrics of the part mean nothing
_FEWEST = 5
_UNAVOIDABLE = 0.05  # error, from which on contradictions bound what a model can reach


def repeated_row_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """Rows that stand twice; rows of validation and test that stand in training; contradictions."""
    hashes = rows.hashes
    if hashes is None or len(hashes) < 2:
        return
    chance = chance_of_repetition(rows)
    shared = _in_two_parts(rows, hashes, chance)
    found = _repeated(rows, hashes, chance) if shared is None else shared
    if found is not None:
        yield found
    if hashes.targets.shape[1]:
        yield from _contradicting(rows, hashes, chance)


def chance_of_repetition(rows: ProfiledRows) -> float:
    """The chance that a row has a second one like it, if its columns were independent.

    n prod_c sum_v p_cv^2, over the shares p of the values v of each column c. 0 for images.
    """
    if rows.images is not None:
        return 0.0
    chance = float(len(rows))
    for x in rows.numbers.values():
        chance *= _sum_of_squares(np.unique(x, return_counts=True)[1])
    for column in rows.texts.values():
        chance *= _sum_of_squares(np.bincount(column.codes - MISSING))
    return min(chance, 1.0)


def _sum_of_squares(counts: np.ndarray) -> float:
    shares = counts / counts.sum()
    return float((shares**2).sum())


def _repeated(rows: ProfiledRows, hashes: RowHashes, chance: float) -> Suspicion | None:
    copies = _copies(hashes)
    if not len(copies) or _BY_CHANCE * chance > len(copies) / len(hashes):
        return None
    return Suspicion(
        "repeated_rows",
        "warning" if len(copies) >= max(_SOME * len(hashes), _FEWEST) else "note",
        f"identical {_noun(rows)}: {share(len(copies), len(hashes))} repeat an earlier one",
        "remove the copies if they are no measurements of their own, or keep copies together with "
        "a group column under `dataset.split.group`",
        lines=_lines(hashes, copies),
        examples=_files(hashes, copies),
    )


def _in_two_parts(rows: ProfiledRows, hashes: RowHashes, chance: float) -> Suspicion | None:
    """Rows of validation and test with the inputs of a training row."""
    in_train = hashes.part == PARTS.index("train")
    again = ~in_train & np.isin(hashes.inputs, hashes.inputs[in_train])
    counts, worst = [], 0.0
    for part in (one for one in rows.parts if one != "train"):
        own = hashes.part == PARTS.index(part)
        count, size = int((again & own).sum()), int(own.sum())
        if count and _BY_CHANCE * chance <= count / size:
            counts.append(f"{part} {share(count, size)}")
            worst = max(worst, count / size if count >= _FEWEST else 0.0)
        else:
            again &= ~own
    if not counts:
        return None
    found = np.flatnonzero(again)
    twin = np.flatnonzero((hashes.inputs == hashes.inputs[found[0]]) & in_train)[0]
    severity: Severity = "error" if worst >= _MOST else "warning" if worst >= _SOME else "note"
    return Suspicion(
        "rows_in_two_parts",
        severity,
        f"the same {'images' if rows.images is not None else 'inputs'} as a training row: "
        f"{', '.join(counts)}, such as {_pair(rows, hashes, found[0], twin)}; in all parts "
        f"{len(_copies(hashes)):,} {_noun(rows)} repeat an earlier one",
        "remove the copies, or keep them together with a group column under `dataset.split.group`",
        lines=_lines(hashes, found),
        examples=_files(hashes, found),
    )


def _contradicting(rows: ProfiledRows, hashes: RowHashes, chance: float) -> Iterator[Suspicion]:
    """Rows with the same inputs and other targets: what no model can tell apart."""
    order = np.argsort(hashes.inputs, kind="stable")
    first = np.r_[True, np.diff(hashes.inputs[order]) != 0]
    group = np.empty(len(order), np.intp)
    group[order] = np.cumsum(first) - 1
    conflicting = _in_conflict(group, hashes.targets)
    if not conflicting.any():
        return
    where = np.flatnonzero(conflicting)
    same = where[group[where] == group[where[0]]]
    error, bound = _bound(rows, group, hashes.targets)
    pair = _pair(rows, hashes, same[0], same[-1])
    is_chance = _BY_CHANCE * chance > len(where) / len(group)
    if is_chance and error < _UNAVOIDABLE:
        return
    yield Suspicion(
        "contradicting_rows",
        "warning" if error >= _UNAVOIDABLE and not is_chance else "note",
        f"the same inputs with different targets: {share(len(where), len(group))}, such as {pair}; "
        f"{bound}",
        "correct the targets, or add a column that tells these rows apart",
        lines=_lines(hashes, where),
        examples=_files(hashes, where),
    )


def _in_conflict(group: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Which rows (n,) are in a group with several targets."""
    several = np.zeros(group.max() + 1, bool)
    for column in targets.T:
        low = np.full(len(several), np.inf)
        high = np.full(len(several), -np.inf)
        np.minimum.at(low, group, column)
        np.maximum.at(high, group, column)
        several |= low < high
    return several[group]


def _bound(rows: ProfiledRows, group: np.ndarray, targets: np.ndarray) -> tuple[float, str]:
    """The error that no model can avoid, relative to that of the baseline, and what it means."""
    if rows.task == "regression":
        sums = np.stack([np.bincount(group, column) for column in targets.T], axis=1)
        means = (sums / np.bincount(group)[:, None])[group]
        within = float(((targets - means) ** 2).mean())
        spread = float(((targets - targets.mean(axis=0)) ** 2).mean())
        return within / max(spread, 1e-300), f"no model can have an mse below {within:.3g}"
    labels = np.unique(targets, axis=0, return_inverse=True)[1].reshape(-1)
    size = int(labels.max()) + 1
    pairs, counts = np.unique(group * size + labels, return_counts=True)
    most = np.zeros(group.max() + 1, np.intp)
    np.maximum.at(most, pairs // size, counts)
    error = 1 - most.sum() / len(group)
    return error, f"no model can have an accuracy above {1 - error:.4g}"


def _copies(hashes: RowHashes) -> np.ndarray:
    """The places (m,) of the rows that repeat an earlier one, target included."""
    whole = hashes.inputs
    for column in hashes.targets.T:
        whole = mixed(whole, np.ascontiguousarray(column).view(np.uint64))
    first = np.unique(whole, return_index=True)[1]
    return np.delete(np.arange(len(whole)), first)


def _noun(rows: ProfiledRows) -> str:
    return "rows" if rows.images is None else "images"


def _pair(rows: ProfiledRows, hashes: RowHashes, one: int, other: int) -> str:
    if hashes.files is not None:
        return f"{hashes.files[one]} and {hashes.files[other]}"
    word = "line" if rows.has_lines else "row"
    return f"{word}s {hashes.where[one]} and {hashes.where[other]}"


def _lines(hashes: RowHashes, places: np.ndarray) -> tuple[int, ...]:
    return tuple(int(line) for line in np.sort(hashes.where[places])[:SHOWN])


def _files(hashes: RowHashes, places: np.ndarray) -> tuple[str, ...]:
    return () if hashes.files is None else tuple(map(str, hashes.files[places[:SHOWN]]))

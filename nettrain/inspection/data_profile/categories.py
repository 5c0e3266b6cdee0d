"""Categories that are spelled in several ways, and columns of nearly as many categories as rows."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from nettrain.data.automatic import kind_of_texts
from nettrain.data.features import MISSING, Category
from nettrain.inspection.data_profile.profiled_rows import SHOWN, ProfiledRows
from nettrain.inspection.data_profile.remedies import ignore, transform
from nettrain.inspection.data_profile.suspicion import Suspicion
from nettrain.inspection.data_profile.wording import plural

_SPACES = re.compile(r"[\s\u200b]+")
_MANY = 20  # categories
_FEW_CELLS = 5  # of a category on average
_ENCODED = frozenset({"drop", "hash_words", "datetime", "target_statistics", "rare_categories"})


def category_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """Spellings that differ in case or spaces, in features and target, and too many categories."""
    for name, column in rows.texts.items():
        if not rows.transforms_of(name) & _ENCODED:
            yield from _spelled_alike(rows, name, column)
            yield from _many(rows, name, column)
    target = rows.target
    if target is not None and target.classes is not None:
        column = Category(target.values, target.classes)
        yield from _spelled_alike(rows, ", ".join(target.names), column, is_target=True)


def spelled_alike(values: Sequence[str]) -> list[list[str]]:
    """The groups of values that differ in case or spaces only.

    Single characters are left alone: a and A may be two letters.
    """
    groups: dict[str, list[str]] = {}
    for value in values:
        groups.setdefault(_SPACES.sub("", value).casefold(), []).append(value)
    return [group for key, group in groups.items() if len(group) > 1 and len(key) > 1]


def _spelled_alike(
    rows: ProfiledRows, name: str, column: Category, *, is_target: bool = False
) -> Iterator[Suspicion]:
    counts = np.bincount(column.codes[column.codes != MISSING], minlength=len(column.values))
    groups = spelled_alike([value for value, n in zip(column.values, counts, strict=True) if n])
    if not groups:
        return
    codes = {value: code for code, value in enumerate(column.values)}
    groups = [sorted(group, key=lambda value: -counts[codes[value]]) for group in groups]
    shown = " / ".join(f"{value!r} ({counts[codes[value]]:,})" for value in groups[0])
    rarer = [codes[value] for group in groups for value in group[1:]]
    more = f" and {plural(len(groups) - 1, 'group')} more" if len(groups) > 1 else ""
    kind = "target" if is_target else "column"
    yield Suspicion(
        "spelled_alike",
        "error" if is_target else "warning",
        f"{kind} {name!r}: {shown}{more} differ in case or spaces only and are read as different "
        f"{'classes' if is_target else 'categories'}",
        "spell them alike in the file",
        (name,),
        rows.lines(np.flatnonzero(np.isin(column.codes, rarer))),
        tuple(value for group in groups for value in group)[:SHOWN],
    )


def _many(rows: ProfiledRows, name: str, column: Category) -> Iterator[Suspicion]:
    present = column.codes[column.codes != MISSING]
    distinct = len(np.unique(present))
    is_many = distinct > _MANY and len(present) < _FEW_CELLS * distinct
    kind = kind_of_texts(column)
    if not is_many or kind == "date" or (kind == "unique" and rows.transforms is None):
        return
    embeds = "ordinal" in rows.transforms_of(name)
    remedy = transform("rare_categories", [name]) if embeds else None
    yield Suspicion(
        "many_categories",
        "warning",
        f"column {name!r}: {distinct:,} categories in {plural(len(present), 'cell')}: each becomes "
        f"{'a row of a table' if embeds else 'an input'} that few rows train",
        f"{ignore(rows, name)}, or {remedy or transform('target_statistics', [name])}",
        (name,),
        examples=column.values[:SHOWN],
    )

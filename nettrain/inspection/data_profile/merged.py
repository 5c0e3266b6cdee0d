"""Findings that say the same: of one kind about many columns, or of one cause about one column."""

from collections.abc import Sequence
from dataclasses import replace

from nettrain.inspection.data_profile.remedies import flow_list, scalar
from nettrain.inspection.data_profile.suspicion import Suspicion
from nettrain.inspection.data_profile.wording import listed

_MOST = 3  # of one kind that are told one by one
# What explains that a column has many categories, which need not be told then.
_CAUSES = frozenset({
    "numbers_as_text", "date_as_text", "mixed_dates", "period_as_text", "mixed_types",
    "torn_groups", "ambiguous_date",
})  # fmt: skip
_CONSEQUENCES = frozenset({"many_categories", "unique_texts"})


def without_repetition(suspicions: Sequence[Suspicion]) -> list[Suspicion]:
    """The suspicions without those that another one about the same column explains."""
    explained = {name for one in suspicions if one.name in _CAUSES for name in one.columns}
    return [
        one
        for one in suspicions
        if one.name not in _CONSEQUENCES or not explained.issuperset(one.columns)
    ]


def merged(suspicions: Sequence[Suspicion]) -> list[Suspicion]:
    """The suspicions, those of a kind and severity that many columns share as one."""
    kinds: dict[tuple[str, str], list[Suspicion]] = {}
    for one in suspicions:
        kinds.setdefault((one.name, one.severity), []).append(one)
    return [
        one
        for alike in kinds.values()
        for one in ([_as_one(alike)] if len(alike) > _MOST else alike)
    ]


def _as_one(alike: Sequence[Suspicion]) -> Suspicion:
    first = alike[0]
    names = [one.columns[-1] for one in alike]
    remedy = first.remedy.replace(f"[{scalar(names[0])}]", flow_list(names))
    if remedy == first.remedy:
        remedy += ", and likewise for the others"
    columns = tuple(dict.fromkeys(name for one in alike for name in one.columns))
    return replace(
        first,
        message=f"{first.message}; likewise {len(alike) - 1:,} more: {listed(names[1:])}",
        remedy=remedy,
        columns=columns,
    )

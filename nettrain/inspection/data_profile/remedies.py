"""The keys that mend a suspicion, as they are written in a configuration."""

import re
from collections.abc import Iterable, Sequence

from nettrain.inspection.data_profile.profiled_rows import ProfiledRows

_PLAIN = re.compile(r"[A-Za-z_][\w .+-]*(?<! )|-?\d+(\.\d+)?(e[+-]\d+)?", re.ASCII)
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off"})
_MOST = 10  # names that are written out


def ignore(rows: ProfiledRows, *names: str) -> str:
    """What leaves columns out: a key of a table, else a transform."""
    if rows.has_keys:
        return f"`ignore: {flow_list(names)}` in the source"
    return transform("drop", names)


def override(rows: ProfiledRows, name: str, **keys: str | Sequence[str]) -> str:
    """What is said about a column: `columns: {co: {missing: [-200]}}`."""
    if not rows.has_keys:
        return "correct these cells"
    written = ", ".join(
        f"{key}: {value if isinstance(value, str) else flow_list(value)}"
        for key, value in keys.items()
    )
    return f"`columns: {{{scalar(name)}: {{{written}}}}}` in the source"


def transform(kind: str, names: Iterable[str], more: str = "") -> str:
    """A transform of some columns: `{type: log, columns: [price]}`."""
    return f"`{{type: {kind}, columns: {flow_list(names)}{more}}}` in `dataset.transforms`"


def flow_list(names: Iterable[str]) -> str:
    """`[a, 'b: c']`; of many the first, and an ellipsis."""
    names = list(names)
    ending = ["..."] if len(names) > _MOST else []
    return f"[{', '.join([*map(scalar, names[:_MOST]), *ending])}]"


def scalar(name: str) -> str:
    """A name as YAML has it, in quotes where it would be read otherwise."""
    if _PLAIN.fullmatch(name) and name.lower() not in _WORDS:
        return name
    return "'" + name.replace("'", "''") + "'"

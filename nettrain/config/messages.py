"""pydantic's errors in plain words: place, path, what was expected, what was given, remedy."""

import math
import re
from collections.abc import Collection, Iterator, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nettrain.component import Record
from nettrain.config.core_schema import FLOAT, INT, PATTERNS
from nettrain.config.expectation import describe
from nettrain.config.fields import annotation_at
from nettrain.config.key_path import KeyPath, join
from nettrain.errors import nearest

# Errors whose own message is complete: those that the package raises itself.
_COMPLETE = {"unknown_key", "unknown_component"}
_MISSING = {"missing", "missing_argument", "missing_keyword_only_argument"}
_YAML_1_1 = {  # what older YAML took for a Boolean
    "yes": "true",
    "on": "true",
    "y": "true",
    "no": "false",
    "off": "false",
    "n": "false",
}
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+$")


def lines(
    error: ValidationError,
    record: type[Record],
    value: object,
    places: Mapping[KeyPath, str],
    incomplete: Collection[KeyPath] = (),
) -> list[str]:
    """Return one line per problem of a value that was to become a `record`.

    Args:
        error: what pydantic found.
        record: the class that was to be made.
        value: the plain value.
        places: where each key path stands in a file.
        incomplete: paths whose value was not read as a whole; what follows from that is not
            reported again.
    """
    unique: dict[str, None] = {}  # a union reports once per member
    errors = error.errors()
    for details in errors:
        if details["type"] == "too_short" and any(
            _inside(other["loc"], details["loc"]) for other in errors
        ):
            continue  # pydantic counts the good items; the bad ones are reported already
        path, message = _problem(details, record, value)
        if path not in incomplete:
            unique[join(place_of(path, places), path, message)] = None
    return list(unique)


def _inside(path: KeyPath, outer: KeyPath) -> bool:
    return len(path) > len(outer) and path[: len(outer)] == outer


def place_of(path: KeyPath, places: Mapping[KeyPath, str]) -> str:
    """Where a path stands, or the nearest mapping around it, as for a missing key."""
    return next(
        (places[path[:end]] for end in range(len(path), -1, -1) if path[:end] in places), ""
    )


def show(value: object) -> str:
    """A value as a user would write it, shortened."""
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"inf": ".inf", "-inf": "-.inf"}.get(str(value), ".nan")
    if isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key}: {show(item)}" for key, item in value.items()) + "}"
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(map(show, value)) + "]"
    else:
        text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _problem(details: ErrorDetails, record: type[Record], value: object) -> tuple[KeyPath, str]:
    path, kind = details["loc"], details["type"]
    if kind == "value_error":
        message = details["msg"].removeprefix("Value error, ")
        shown = "" if isinstance(details["input"], dict) else f"; got {show(details['input'])}"
        return path, f"{message}{shown}"
    if kind in _COMPLETE:
        named_by_type = kind == "unknown_component" and isinstance(details["input"], dict)
        return (*path, "type") if named_by_type else path, details["msg"]
    if kind == "invalid_key":
        return path[:-1], f"expected a name as key, got {show(path[-1])}"
    missing = kind in _MISSING
    if missing and isinstance(path[-1], int):  # a list that is too short
        path, missing = path[:-1], False
    field = annotation_at(record, value, path)
    if field is None:
        return path, f"{details['msg']}, got {show(details['input'])}"
    expected = describe(field.annotation)
    if missing:
        return field.path, f"this key is missing; expected {expected}"
    if kind == "less_than_equal" and expected.startswith("a positive integer"):
        expected = f"a positive integer up to {details['ctx']['le']:,}"
    got = _value_at(value, field.path, details["input"])
    comma = ";" if expected.startswith("one of") else ","
    return (
        field.path,
        f"expected {expected}{comma} got {show(got)}{''.join(_remedy(got, expected))}",
    )


def _remedy(got: object, expected: str) -> Iterator[str]:
    if isinstance(got, int | float) and "string" in expected:
        yield "; put it in quotes"
    if not isinstance(got, str):
        return
    is_number = "number" in expected or "integer" in expected
    if expected.startswith("true or false") and got.lower() in _YAML_1_1:
        yield f"; write {_YAML_1_1[got.lower()]}"
    elif expected.startswith("one of"):
        names = expected.removeprefix("one of").split(",")
        yield nearest(got, [name.strip("' ") for name in names])
    elif is_number and any(PATTERNS[tag][0].match(got) for tag in (INT, FLOAT)):
        yield "; write it without quotes"
    elif is_number and _DECIMAL_COMMA.match(got):
        yield f"; write {got.replace(',', '.')}, with a decimal point"
    elif any("\ud800" <= character <= "\udfff" for character in got):
        yield "; this name is not UTF-8: rename the file or folder"


def _value_at(value: object, path: KeyPath, otherwise: object) -> object:
    for part in path:
        held = (
            part in value
            if isinstance(value, dict)
            else isinstance(value, list) and isinstance(part, int) and part < len(value)
        )
        if not held:
            return otherwise
        value = value[part]  # type: ignore[index]
    return value

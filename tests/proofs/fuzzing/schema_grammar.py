"""Values that a JSON Schema describes, those at every bound, and some that it does not describe."""

import math
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Schema = Mapping[str, Any]
Values = st.SearchStrategy[Any]

JUNK = st.sampled_from(
    [None, True, -1, 0, 0.5, 1, 2, 0.1, 1234.5, "x", "", [], [0], ["a"], [[1, 2]], {},
     {"type": "nothing"}, {"a": 1}]
)  # fmt: skip
_DEEPEST = 3  # from here on, of several forms those are taken that nest no further


class Grammar:
    """The strategies of one schema.

    Args:
        schema: With its `$defs`.
        junk: How often a value, on average, is one that no schema describes: 1 of `junk`; None:
            never, and everything is within its bounds.
        bounds: Whether the bounds themselves, and what is just outside of them, are likely.
        largest: What integers are kept below, where the schema allows it; None: its own bounds.
        texts: What stands where a string is wanted.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        junk: int | None = 2,
        bounds: bool = False,
        largest: int | None = None,
        texts: tuple[str, ...] = ("a", "b.csv", "train"),
    ) -> None:
        self._definitions = schema["$defs"]
        self._junk, self._bounds, self._largest = junk, bounds, largest
        self._texts = st.sampled_from(texts)
        self.values = cache_by_identity(self._values)

    def of(self, name: str) -> Values:
        """The values of a definition: `layer`, `optimizer.adam`."""
        return self.values(self._definitions[name], 0)

    def _values(self, schema: Schema, depth: int) -> Values:
        if "$ref" in schema:
            target = self._definitions[schema["$ref"].removeprefix("#/$defs/")]
            return st.deferred(lambda: self.values(target, depth))
        if "anyOf" in schema:
            members = [one for one in schema["anyOf"] if depth < _DEEPEST or "$ref" not in one]
            return (
                st.sampled_from(members).flatmap(lambda member: self.values(member, depth + 1))
                if members
                else JUNK
            )
        if "const" in schema:
            return st.just(schema["const"])
        ordinary = (
            st.sampled_from(schema["enum"]) if "enum" in schema else self._ordinary(schema, depth)
        )
        if not depth or self._junk is None:
            return ordinary
        return st.integers(1, self._junk).flatmap(lambda drawn: JUNK if drawn == 1 else ordinary)

    def _ordinary(self, schema: Schema, depth: int) -> Values:
        match schema.get("type"):
            case "integer":
                return self._integers(schema)
            case "number":
                return self._numbers(schema)
            case "boolean":
                return st.booleans()
            case "null":
                return st.none()
            case "string":
                return self._texts
            case "array" if "prefixItems" in schema:
                items = [self.values(item, depth + 1) for item in schema["prefixItems"]]
                return st.tuples(*items).map(list)
            case "array":
                items = self.values(schema.get("items", {}), depth + 1)
                fewest = schema.get("minItems", 0) if self._junk is None else 0
                return st.lists(items, min_size=fewest, max_size=max(fewest, 3))
            case "object":
                return self._mappings(schema, depth)
        return JUNK

    def _integers(self, schema: Schema) -> Values:
        low, high = _range(schema)
        usual = st.integers(
            int(low), int(high if self._largest is None else self._capped(low, high))
        )
        if not self._bounds:
            return usual
        return usual | st.sampled_from([int(low), int(low) - 1, int(high), int(high) + 1, 10**30])

    def _numbers(self, schema: Schema) -> Values:
        low, high = _range(schema)
        if self._junk is None:
            excluded = ("exclusiveMinimum" in schema, "exclusiveMaximum" in schema)
            return st.floats(low, high, exclude_min=excluded[0], exclude_max=excluded[1])
        whole = st.integers(int(low), int(high))
        usual = st.floats(low, high, allow_nan=False) | whole
        if not self._bounds:
            return usual
        near = [math.nextafter(bound, to) for bound in (low, high) for to in (-math.inf, math.inf)]
        extreme = [-0.0, 5e-324, 1.7e308, -1e308, math.inf, math.nan, 1e-7, 10**400]
        return usual | st.sampled_from([low, high, *near, *extreme])

    def _capped(self, low: float, high: float) -> float:
        assert self._largest is not None
        return max(low, min(high, self._largest))

    def _mappings(self, schema: Schema, depth: int) -> Values:
        properties = schema.get("properties", {})
        required = {
            key: self.values(properties[key], depth + 1) for key in schema.get("required", [])
        }
        optional = {
            key: self.values(item, depth + 1)
            for key, item in properties.items()
            if key not in required
        }
        if depth and self._junk is not None:
            optional["strange"] = JUNK
        return st.fixed_dictionaries(required, optional=optional)


def _range(schema: Schema) -> tuple[float, float]:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -3))
    return low, schema.get("maximum", schema.get("exclusiveMaximum", low + 5))


def cache_by_identity(function: Any) -> Any:
    """A cache for arguments that have no hash: the schemas live as long as their grammar."""
    found: dict[tuple[int, int], Values] = {}

    def cached(schema: Schema, depth: int) -> Values:
        key = (id(schema), depth)
        if key not in found:
            found[key] = function(schema, depth)
        return found[key]

    return cached

"""One parameter of a sweep: the values that it can take, and how one of them is drawn."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from nettrain.component import Positive, Real, Record, Text

Distribution = Literal["uniform", "log_uniform", "int_uniform", "int_log_uniform"]
Value = Any  # what YAML can hold; the configuration that comes of it is validated as a whole

WHOLE = ("int_uniform", "int_log_uniform")
LOGARITHMIC = ("log_uniform", "int_log_uniform")
DIGITS = 12  # of a stepped value: min + 3 step is 0.3, not 0.30000000000000004
MOST_STEPS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Parameter(Record):
    """Listed values, or the numbers from min to max, or every step-th of them.

    uniform and int_uniform draw all numbers alike; log_uniform and int_log_uniform draw as often
    from 0.001 to 0.01 as from 0.01 to 0.1.
    """

    values: Annotated[
        tuple[Value, ...] | None,
        Field(description="what it can be, each as likely", examples=[[32, 64]]),
    ] = None
    min: Annotated[Real | None, Field(description="the least number", examples=[1e-4])] = None
    max: Annotated[Real | None, Field(description="the largest number", examples=[1e-1])] = None
    distribution: Annotated[
        Distribution | None,
        Field(
            description="of the numbers; null: uniform, over integers where the key takes them only"
        ),
    ] = None
    step: Annotated[
        Positive | None,
        Field(description="only min, min + step, min + 2 step ... up to max", examples=[0.1]),
    ] = None
    when: Annotated[
        dict[Text, Value],
        Field(
            description="other parameters that must have this value, or one of this list, "
            "for this one to be set at all",
            examples=[{"optimizer.type": "momentum"}],
        ),
    ] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether its numbers are integers."""
        return self.distribution in WHOLE

    @property
    def logarithmic(self) -> bool:
        """Whether its scale is."""
        return self.distribution in LOGARITHMIC

    def resolved(self, *, whole: bool) -> "Parameter":
        """With its distribution resolved: uniform, over integers where the key is `whole`."""
        if self.values is not None:
            return self
        found = replace(
            self, distribution=self.distribution or ("int_uniform" if whole else "uniform")
        )
        if not found.whole:
            return found
        return replace(found, min=_whole(found.min), max=_whole(found.max), step=_whole(found.step))

    @property
    def count(self) -> int | None:
        """How many values there are; None for a range. Of a resolved, valid parameter."""
        if self.values is not None:
            return len(self.values)
        if self.step is None or self.min is None or self.max is None:
            return None
        return math.floor((self.max - self.min) / self.step + 1e-9) + 1

    def value(self, place: int) -> Value:
        """The value at a place below `count`."""
        if self.values is not None:
            return self.values[place]
        value = (self.min or 0) + place * (self.step or 0)
        return value if self.whole else float(f"{value:.{DIGITS}g}")

    def holds(self, value: Value) -> bool:
        """Whether it can have this value; only of those with a `count`."""
        return any(self.value(place) == value for place in range(self.count or 0))

    def draw(self, share: float) -> Value:
        """The value that stands at a share in [0, 1) of the distribution: its quantile."""
        if self.count is not None:
            return self.value(int(share * self.count))
        least, most = self.min or 0, self.max or 0
        half = 0.5 if self.whole else 0.0  # every integer owns half a unit to each side
        low, high = least - half, most + half
        scaled, back = (math.log, math.exp) if self.logarithmic else (float, float)
        drawn = back(scaled(low) + share * (scaled(high) - scaled(low)))
        return min(max(round(drawn) if self.whole else drawn, least), most)


def problems(parameter: Parameter) -> Iterator[tuple[str, str]]:
    """The problems of a resolved parameter: the key to blame ("" for all of it), what to do."""
    numbers = {key: getattr(parameter, key) for key in ("min", "max", "step", "distribution")}
    given = [key for key, value in numbers.items() if value is not None]
    if parameter.values is not None:
        if not parameter.values:
            yield "values", "the list is empty, so there is nothing to try; name at least one value"
        if given:
            yield (
                given[0],
                f"values and a range ({', '.join(given)}) cannot be used together; leave one out",
            )
        return
    low, high, step = parameter.min, parameter.max, parameter.step
    if low is None or high is None:
        yield "", "expected values, or both min and max"
        return
    if low >= high:
        yield (
            "min",
            f"min {low:g} is not below max {high:g}; swap them, or list the one number under "
            "values",
        )
        return
    if parameter.logarithmic and low <= 0:
        yield (
            "min",
            f"a logarithmic scale begins above 0, got {low:g}; take a small positive number, or "
            "distribution: uniform",
        )
    if parameter.logarithmic and step is not None:
        yield (
            "step",
            "a step and a logarithmic scale cannot be used together; list the numbers under values",
        )
    for key in ("min", "max", "step"):
        if parameter.whole and numbers[key] is not None and numbers[key] != int(numbers[key]):
            yield key, f"{parameter.distribution} takes whole numbers, got {numbers[key]:g}"
    if step is not None and step > high - low:
        yield (
            "step",
            f"one step of {step:g} leads from min {low:g} beyond max {high:g}; make it smaller",
        )
    if step is not None and (high - low) / step > MOST_STEPS:
        yield "step", f"makes more than {MOST_STEPS:,} values; make it larger, or leave it out"


def _whole(number: float | None) -> float | None:
    """1 for 1.0: YAML and messages then show what it is."""
    return int(number) if number is not None and number == int(number) else number

"""Line search for the strong Wolfe conditions: how far to go along a descent direction."""

import math
from collections.abc import Callable
from typing import NamedTuple


class Point(NamedTuple):
    """A point on the line: the step t, the objective there and its slope along the line."""

    t: float
    value: float
    slope: float


def strong_wolfe(
    at: Callable[[float], Point],
    start: Point,
    t: float,
    *,
    armijo: float = 1e-4,
    curvature: float = 0.9,
    most: int = 25,
    narrowest: float,
) -> Point:
    """Find value <= start.value + armijo t start.slope, |slope| <= -curvature start.slope.

    Nocedal & Wright 2006, Algorithms 3.5 (bracketing) and 3.6 (zoom), with the safeguarded cubic
    steps of Schmidt's minFunc. PyTorch's LBFGS differs in one point: it may zoom in on a low end
    that breaks the first condition.

    Args:
        at: Evaluates the objective at a step. A value that is not finite counts as too high.
        start: The point at t = 0, where the slope is negative.
        t: The first trial.
        armijo: Of the first condition, sufficient decrease.
        curvature: Of the second condition.
        most: Number of trials after the first.
        narrowest: Width of the bracket below which the search ends.

    Returns:
        The first trial that meets both conditions; else the lower end of the last bracket.
    """

    def too_high(point: Point) -> bool:
        return (
            not math.isfinite(point.value)
            or point.value > start.value + armijo * point.t * start.slope
        )

    previous, point = start, at(t)
    tried = 0
    while True:
        if tried == most:
            low, high = start, point
            break
        if too_high(point) or (tried > 1 and point.value >= previous.value):
            low, high = previous, point
            break
        if abs(point.slope) <= -curvature * start.slope:
            return point
        if point.slope >= 0:
            low, high = previous, point
            break
        t = cubic_minimum(previous, point, point.t + 0.01 * (point.t - previous.t), 10 * point.t)
        previous, point = point, at(t)
        tried += 1
    if not too_high(high) and high.value < low.value:
        low, high = high, low
    at_edge = False
    while tried < most and abs(high.t - low.t) >= narrowest:
        left, right = min(low.t, high.t), max(low.t, high.t)
        t = cubic_minimum(low, high, left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) >= margin:
            at_edge = False
        elif at_edge or not left < t < right:
            # no progress twice, or none at all: step back from the nearer edge
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            at_edge = False
        else:
            at_edge = True
        point = at(t)
        tried += 1
        if too_high(point) or point.value >= low.value:
            high = point
            continue
        if abs(point.slope) <= -curvature * start.slope:
            return point
        if point.slope * (high.t - low.t) >= 0:
            high = low
        low = point
    return low


def cubic_minimum(a: Point, b: Point, smallest: float, largest: float) -> float:
    """The minimum of the cubic through two points with their slopes, clipped to the bounds.

    The middle of the bounds where the cubic has no minimum. Nocedal & Wright 2006, eq. 3.59.
    """
    if a.t > b.t:
        a, b = b, a
    if math.isfinite(a.value) and math.isfinite(b.value):
        d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
        square = d1 * d1 - a.slope * b.slope
        if square >= 0:
            d2 = math.sqrt(square)
            width = b.slope - a.slope + 2 * d2
            if width:
                return min(
                    max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / width), smallest), largest
                )
    return (smallest + largest) / 2

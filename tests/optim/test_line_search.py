"""The strong Wolfe line search, on functions of one number."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettrain.optim._wolfe import Point, cubic_minimum, strong_wolfe
from nettrain.optim.lbfgs import Lbfgs

# name -> (value, slope); each falls at 0
FUNCTIONS = {
    "parabola": (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
    "steep parabola": (lambda t: 1e6 * (t - 1e-3) ** 2, lambda t: 2e6 * (t - 1e-3)),
    "quartic": (lambda t: (t - 2) ** 4 - t, lambda t: 4 * (t - 2) ** 3 - 1),
    "waves": (
        lambda t: math.sin(5 * t) + 0.1 * (t - 4) ** 2 - 7 * t,
        lambda t: 5 * math.cos(5 * t) + 0.2 * (t - 4) - 7,
    ),
    "More and Thuente 1": (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),
    "a wall": (
        lambda t: (t - 1) ** 2 if t < 2 else math.inf,
        lambda t: 2 * (t - 1) if t < 2 else math.nan,
    ),
    "a hole": (
        lambda t: (t - 1) ** 2 if t < 2 else math.nan,
        lambda t: 2 * (t - 1) if t < 2 else math.nan,
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(first=st.floats(1e-4, 1e3), curvature=st.sampled_from([0.1, 0.9]))
def test_it_finds_a_point_that_meets_both_conditions(name, first, curvature):
    value, slope = FUNCTIONS[name]
    tried = []

    def at(t):
        tried.append(Point(t, value(t), slope(t)))
        return tried[-1]

    start = Point(0.0, value(0.0), slope(0.0))
    assert start.slope < 0
    found = strong_wolfe(at, start, first, curvature=curvature, most=60, narrowest=1e-12)
    assert found in tried and len(tried) <= 61
    assert found.value <= start.value + 1e-4 * found.t * start.slope
    assert abs(found.slope) <= -curvature * start.slope


def test_it_takes_the_first_trial_where_that_will_do():
    tried = []
    found = strong_wolfe(
        lambda t: tried.append(t) or Point(t, (t - 1) ** 2, 2 * (t - 1)),
        Point(0.0, 1.0, -2.0),
        1.1,
        narrowest=1e-9,
    )
    assert tried == [1.1] and found.t == 1.1


@pytest.mark.parametrize("most", [1, 2, 5])
def test_it_gives_the_lowest_point_when_its_trials_are_used_up(most):
    tried = []

    def at(t):
        tried.append(Point(t, -t, -1.0))  # falls for ever: there is no such point
        return tried[-1]

    found = strong_wolfe(at, Point(0.0, 0.0, -1.0), 1.0, curvature=0.5, most=most, narrowest=1e-9)
    assert found == min(tried, key=lambda point: point.value) and len(tried) == most + 1


def test_where_nothing_is_better_it_stays():
    found = strong_wolfe(
        lambda t: Point(t, 1.0 + t, -1.0), Point(0.0, 1.0, -1.0), 1.0, narrowest=1e-9
    )
    assert found.t == 0


@given(a=st.floats(-5, 5), width=st.floats(0.1, 5), c=st.tuples(*[st.floats(-3, 3)] * 4))
def test_the_minimum_of_a_cubic_is_found_from_two_of_its_points(a, width, c):
    def point(t):
        return Point(
            t, c[0] + c[1] * t + c[2] * t * t + c[3] * t**3, c[1] + 2 * c[2] * t + 3 * c[3] * t * t
        )

    b = a + width
    found = cubic_minimum(point(a), point(b), a, b)
    assert a <= found <= b
    assert found == pytest.approx(cubic_minimum(point(b), point(a), a, b))
    if point(a).slope < -1e-3 and point(b).slope > 1e-3:  # then a minimum lies between
        assert point(found).slope == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("a", "b"), [
    ((0, -1), (math.inf, math.nan)),
    ((0, -1), (math.inf, 1)),
    ((math.inf, -1), (0, 1)),
    ((math.nan, -1), (0, 1)),
])  # fmt: skip
def test_a_cubic_through_what_is_not_finite_gives_the_middle(a, b):
    assert cubic_minimum(Point(1.0, *a), Point(3.0, *b), 1.0, 3.0) == 2


def scripted(*answers, narrowest=1e-9, objective=1.0, step=1.0, **options):
    """The steps that are tried where trials have these (value, slope), the last of them for ever, and what is found.

    Values are in units of `objective`, the first trial is `step`, slopes are in units of their quotient.
    """
    tried = []

    def at(t):
        value, slope = answers[min(len(tried), len(answers) - 1)]
        tried.append(t)
        assert len(tried) < 100
        return Point(t, value * objective, slope * objective / step)

    start = Point(0.0, 0.0, -objective / step)
    found = strong_wolfe(at, start, step, narrowest=narrowest * step, **options)
    return tried, found


def test_it_goes_on_to_the_minimum_of_the_cubic_where_that_lies_ahead():
    tried = []

    def at(t):  # a parabola with its minimum at 3
        tried.append(t)
        return Point(t, (t - 3) ** 2, 2 * (t - 3))

    strong_wolfe(at, Point(0.0, 9.0, -6.0), 2.0, curvature=0.1, narrowest=1e-9)
    assert tried == pytest.approx([2, 3])


def test_it_evaluates_26_points_at_most():
    tried = []
    strong_wolfe(
        lambda t: tried.append(t) or Point(t, -t, -1.0), Point(0.0, 0.0, -1.0), 1.0, narrowest=0
    )
    assert len(tried) == 26
    tried, found = scripted((math.inf, math.nan), narrowest=0)
    assert len(tried) == 26 and found.t == 0


EDGE = (1e6, 3e6)  # as a first trial: the minimum of the cubic lies next to 0
SCRIPTS = {
    "ahead, then between": [(-1, -1), (-2, 0.9), (-2.2, 0.2)],
    "ahead, then higher": [(-100, -1), (-200, -1), (-100, 1), (-250, 0.4)],
    "edges": [EDGE, (1e3, 3e6), (1e3, 3e6), (-1e-3, -1), (-2e-3, -0.4)],
    "not finite": [(math.inf, math.nan), (math.nan, 0), (-0.1, 1), (-0.1, 0.7), (-0.2, 0.2)],
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("units", [{"objective": 4.0}, {"step": 0.25}])
def test_its_trials_depend_on_no_unit(script, units):
    plain, found = scripted(*script, curvature=0.5)
    scaled, end = scripted(*script, curvature=0.5, **units)
    assert len(plain) == len(script) and plain.index(found.t) == scaled.index(end.t)
    assert scaled == pytest.approx([t * units.get("step", 1) for t in plain], rel=1e-12)


def test_the_next_bracket_begins_a_hundredth_of_the_last_step_ahead():
    tried, _ = scripted((-100, -1), (-200, -1), (-300, 0), curvature=0.5)
    assert tried == pytest.approx([1, 1.01, 1.0101])


def test_a_second_trial_that_is_higher_does_not_end_the_bracket():
    tried, _ = scripted((-2, -1), (-1.9, -1), (-3, 0), curvature=0.5)
    assert tried[0] < tried[1] < tried[2]


def test_of_ends_that_are_as_low_the_earlier_one_is_kept():
    tried, found = scripted((-1, -1), (-2, -1), (-2, -1), (1, 1), curvature=0.5, most=3)
    assert len(tried) == 4 and found.t == tried[1]


def test_on_the_line_of_the_first_condition_it_is_met():
    assert scripted((-1e-4, 0)) == ([1], (1, -1e-4, 0))


@pytest.mark.parametrize(("answer", "moved"), [((1e40, 3e40), 0.1), ((-0.5, 1e-20), 0.9)])
def test_a_trial_that_rounding_puts_on_an_end_of_the_bracket_is_moved_inside_at_once(answer, moved):
    tried, _ = scripted(answer, (-1.2, 0), curvature=1e-30)
    assert tried == pytest.approx([1, moved])


@pytest.mark.parametrize(("trials", "moved"), [
    ("edge edge edge edge", [False, True, False, True]),
    ("inside edge edge edge", [False, False, True, False]),
    ("edge inside edge edge", [False, False, False, True]),
])  # fmt: skip
def test_a_trial_at_an_edge_is_moved_inside_where_the_one_before_was_at_an_edge(trials, moved):
    kinds, tried = {"edge": 1e6, "inside": 1.0}, []

    def at(t):  # higher than the start; the cubic's minimum is at .6e-6 t, or at t / 4
        rise = kinds[trials.split()[len(tried)]] if len(tried) < 4 else 1.0
        tried.append(Point(t, rise * t, 3 * rise))
        return tried[-1]

    start = Point(0.0, 0.0, -1.0)
    strong_wolfe(at, start, 1.0, narrowest=0.0, most=4)
    for high, trial, away in zip(tried[:-1], tried[1:], moved, strict=True):
        minimum = cubic_minimum(start, high, 0.0, high.t)
        assert trial.t == pytest.approx(0.1 * high.t if away else minimum, rel=1e-9, abs=0)


def test_a_bracket_as_wide_as_the_narrowest_is_searched():
    assert len(scripted((1, 1), (-0.3, 0), narrowest=1.0)[0]) == 2


@pytest.mark.parametrize("value", [-1.9, -2])
def test_from_the_third_trial_on_a_value_that_is_no_lower_ends_the_bracket(value):
    tried, _ = scripted((-1, -1), (-2, -1), (value, -1), (-2.2, 0), curvature=0.5)
    assert tried[0] < tried[1] < tried[3] < tried[2]


def test_two_trials_at_an_edge_of_the_bracket_are_followed_by_one_a_tenth_inside():
    tried, _ = scripted((1e6, 3e6), (1e3, 3e6), (1e3, 3e6), (-1e-3, 0))
    assert tried[1] < 0.1 and tried[2] == pytest.approx(0.1 * tried[1])


def test_so_are_two_at_the_right_edge():
    tried, _ = scripted((-0.5, 1e-3), (-0.5, 1e-2), (-1.2, 0), curvature=5e-4)
    assert 1 - tried[1] < 0.1 and 1 - tried[2] == pytest.approx(0.1 * (1 - tried[1]))


def test_of_two_edges_it_is_the_nearer_one_that_is_left():
    answers = (-1, -1), (1e6, 3e6 / 4.505), (1e4, 1e5), (1e4, 1e5), (-1.1, 0)
    tried, _ = scripted(*answers, curvature=0.5)
    left, right, edge = tried[0], tried[1], tried[2]  # the bracket begins at 1, the first trial
    assert edge - left < 0.1 * (right - left)
    assert tried[3] - left == pytest.approx(0.1 * (edge - left))


def test_a_trial_as_high_as_the_low_end_is_the_new_high_end():
    tried, found = scripted((-1, 1), (-1, 0.01), (-1.5, 0), curvature=0.5)
    assert len(tried) == 3 and found.value == -1.5


@pytest.mark.parametrize("answers", [[(-1, -0.5)], [(-1, 0.5)], [(1, 1), (-1, 0.5)]])
def test_a_slope_that_is_just_small_enough_ends_the_search(answers):
    tried, found = scripted(*answers, curvature=0.5)
    assert len(tried) == len(answers) and found == (tried[-1], *answers[-1])


@pytest.mark.parametrize("answers", [[(1, 1)], [(-1, -1), (1, 1)]])
def test_a_bracket_that_is_narrow_enough_ends_the_search(answers):
    tried, found = scripted(*answers, narrowest=1e-3, curvature=0.5)
    assert found.t == (tried[0] if len(answers) == 2 else 0)
    assert tried[-1] - found.t < 1e-3 <= tried[-2] - found.t


def test_a_cubic_with_an_inflection_in_place_of_a_minimum_gives_the_inflection():
    assert cubic_minimum(Point(0.0, 0.0, 1.0), Point(1.0, 1.0, 4.0), 0.0, 1.0) == pytest.approx(
        1 / 3
    )


def test_lbfgs_stays_where_the_schedule_has_a_rate_of_zero():
    def evaluate(params, gradient=None):
        if gradient is not None:
            gradient[...] = 2 * params
        return float(params @ params)

    rule, w = Lbfgs(), np.array([3.0, -4.0])
    state, rates, lengths = rule.state(2, np.float64), (0.0, 1.0, 0.0, 1.0), []
    for t, lr in enumerate(rates, start=1):
        rule.minimise(w, state, evaluate, lr=lr, t=t, generator=None)
        lengths.append(float(np.linalg.norm(w)))
    assert lengths[0] == 5 and lengths[1] < 5 and lengths[2] == lengths[1]
    assert lengths[3] < 1e-9


class Asked:
    """|w|^2 / 2 times a factor, and the points at which it was evaluated."""

    def __init__(self, factor=1.0):
        self.factor, self.points = factor, []

    def __call__(self, params, gradient=None):
        self.points.append(params.copy())
        if gradient is not None:
            gradient[...] = self.factor * params
        return self.factor * float(params @ params) / 2


@pytest.mark.parametrize(("w", "first"), [((3.0, -4.0), 0.5 / 7), ((0.3, -0.4), 0.5)])
def test_lbfgs_begins_with_the_rate_but_not_above_a_change_of_it_in_all(w, first):
    asked, w, state = Asked(), np.array(w), Lbfgs().state(2, np.float64)
    start = w.copy()
    Lbfgs().minimise(w, state, asked, lr=0.5, t=1, generator=None)
    np.testing.assert_allclose(asked.points[1], start - first * start)


def test_lbfgs_ends_its_search_where_no_parameter_changes_by_1e_9():
    w, asked = np.array([1e-4, 1e-6]), Asked()

    def wall(params, gradient=None):
        value = asked(params, gradient)
        return value if len(asked.points) == 1 else math.inf

    Lbfgs().minimise(w, Lbfgs().state(2, np.float64), wall, lr=1.0, t=1, generator=None)
    changes = [np.abs(point - w).max() for point in asked.points]
    assert w.tolist() == [1e-4, 1e-6] and changes[-1] < 1e-9 <= changes[-2]


@pytest.mark.parametrize(("change", "of_gradient", "kept"), [
    (1e-10, 1.0, 0), (1e-10, 1.5, 1), (1.0, 0.0, 0), (1.0, -1.0, 0), (0.0, math.inf, 0), (1.0, math.nan, 0),
])  # fmt: skip
def test_lbfgs_keeps_pairs_of_positive_curvature(change, of_gradient, kept):
    rule = Lbfgs()
    state = rule.state(1, np.float64) | {"step": np.array([change])}
    with np.errstate(invalid="ignore"):
        rule.remember(state, np.array([of_gradient]))
    assert state["pairs"] == kept


def test_a_step_that_lbfgs_has_not_made_leaves_no_pair():
    rule, w = Lbfgs(), np.array([3.0, -4.0])
    state, pairs = rule.state(2, np.float64), []
    for t, (lr, factor) in enumerate([(0.1, 1), (0.0, 1), (0.0, -2)], start=1):
        rule.minimise(w, state, Asked(factor), lr=lr, t=t, generator=None)
        pairs.append(int(state["pairs"][0]))
    assert pairs == [0, 1, 1] and (state["step"] == 0).all()

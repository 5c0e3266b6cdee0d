"""What every optimizer promises, driven from one table: its configuration, its state, and what its steps depend on."""

import tracemalloc

import numpy as np
import pytest

from nettrain import streams
from nettrain.component import names, to_mapping
from nettrain.config.load import load
from nettrain.errors import ConfigError
from nettrain.optim import ClosureOptimizer, Optimizer, Rule
from nettrain.schedules import RunLength

# name -> (every field set to something other than its default, names and shapes of the state for 37 parameters)
FULL = (37,)
TABLE = {
    "adadelta": ({"lr": 0.5, "rho": 0.8, "epsilon": 1e-4}, {"v": FULL, "u": FULL}),
    "adagrad": ({"lr": 0.5, "epsilon": 1e-4}, {"sum": FULL}),
    "adam": ({"lr": 0.5, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-4}, {"m": FULL, "v": FULL}),
    "adamw": (
        {"lr": 0.5, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-4, "weight_decay": 0.1},
        {"m": FULL, "v": FULL},
    ),
    "amsgrad": (
        {"lr": 0.5, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-4},
        {"m": FULL, "v": FULL, "u": FULL},
    ),
    "genetic": (
        {"lr": 0.5, "population": 8, "elite": 2, "mutation": 0.4, "spread": 0.3},
        {"genomes": (8, 37), "objective": (8,)},
    ),
    "lbfgs": (
        {"lr": 0.5, "history": 3},
        {"s": (3, 37), "y": (3, 37), "step": FULL, "gradient": FULL, "pairs": (1,)},
    ),
    "lion": ({"lr": 0.5, "beta1": 0.8, "beta2": 0.9, "weight_decay": 0.1}, {"m": FULL}),
    "momentum": ({"lr": 0.5, "beta": 0.8}, {"velocity": FULL}),
    "nadam": (
        {"lr": 0.5, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-4, "psi": 0.1},
        {"m": FULL, "v": FULL, "momentum_product": (1,)},
    ),
    "nesterov": ({"lr": 0.5, "beta": 0.8}, {"velocity": FULL}),
    "radam": ({"lr": 0.5, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-4}, {"m": FULL, "v": FULL}),
    "random_search": ({"lr": 0.5, "candidates": 4}, {}),
    "rmsprop": ({"lr": 0.5, "rho": 0.8, "epsilon": 1e-4}, {"v": FULL}),
    "sgd": ({"lr": 0.5}, {}),
}
RULES = [name for name in TABLE if isinstance(Optimizer.parse(name), Rule)]
SEARCHES = [name for name in TABLE if name not in RULES]


def test_every_optimizer_has_a_row():
    assert list(TABLE) == names(Optimizer)


@pytest.mark.parametrize("name", TABLE)
def test_it_reads_back_from_its_own_mapping(name):
    fields, _ = TABLE[name]
    optimizer = Optimizer.parse({"type": name, **fields})
    assert to_mapping(optimizer) == {"type": name, **fields}
    assert Optimizer.parse(to_mapping(optimizer)) == optimizer
    default = to_mapping(Optimizer.parse(name))
    assert all(default[key] != value for key, value in fields.items())


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_its_state_has_the_shapes_that_checkpoints_hold(name, dtype):
    fields, shapes = TABLE[name]
    state = Optimizer.parse({"type": name, **fields}).state(37, dtype)
    assert {key: array.shape for key, array in state.items()} == shapes
    assert all(
        array.dtype == (dtype if 37 in array.shape else np.float64) for array in state.values()
    )
    assert not any(array.any() for array in state.values() if 37 in array.shape)


def test_an_unknown_optimizer_is_refused_as_one():
    with pytest.raises(ConfigError, match="optimizer 'adm' does not exist; did you mean 'adam'"):
        load({"dataset": {"source": "xor"}, "model": "mlp", "optimizer": "adm"})


BETAS = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
STANDARD = {  # what a bare name means
    "adadelta": {"lr": 1.0, "rho": 0.9, "epsilon": 1e-6},
    "adagrad": {"lr": 0.01, "epsilon": 1e-10},
    "adam": {"lr": 1e-3, **BETAS},
    "adamw": {"lr": 1e-3, **BETAS, "weight_decay": 0.01},
    "amsgrad": {"lr": 1e-3, **BETAS},
    "genetic": {"lr": 0.3, "population": 50, "elite": 5, "mutation": 0.2, "spread": 1.0},
    "lbfgs": {"lr": 1.0, "history": 10},
    "lion": {"lr": 1e-4, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0},
    "momentum": {"lr": 0.05, "beta": 0.9},
    "nadam": {"lr": 2e-3, **BETAS, "psi": 4e-3},
    "nesterov": {"lr": 0.05, "beta": 0.9},
    "radam": {"lr": 1e-3, **BETAS},
    "random_search": {"lr": 0.1, "candidates": 20},
    "rmsprop": {"lr": 1e-3, "rho": 0.9, "epsilon": 1e-8},
    "sgd": {"lr": 0.1},
}


@pytest.mark.parametrize("name", TABLE)
def test_a_bare_name_means_the_documented_numbers(name):
    assert to_mapping(Optimizer.parse(name)) == {"type": name} | STANDARD[name]


@pytest.mark.parametrize("name", RULES)
def test_every_working_vector_that_a_rule_asks_for_is_used(name):
    rule = Optimizer.parse(name)
    w, g, state = np.ones(3), np.array([2.0, -0.5, 0.1]), rule.state(3, np.float64)
    work = [np.full(3, np.nan) for _ in range(rule.work)]
    for t in range(1, 9):  # radam begins to divide by the second moment in its sixth step
        rule.advance(state, t)
        rule.update(w, g.copy(), state, work, lr=0.1, t=t)
    assert np.isfinite(work).all()


@pytest.mark.parametrize("name", SEARCHES)
def test_an_optimizer_that_evaluates_the_objective_needs_the_whole_training_part(name):
    assert Optimizer.parse(name).required_settings == {"training": {"batch_size": None}}


class Steps:
    """An optimizer on sum (w - 1)^2 + cos(3 w), a step at a time, over blocks of the vector."""

    def __init__(self, name, dtype, blocks=(slice(0, 37),), compiled=False):
        self.compiled = compiled
        self.optimizer = Optimizer.parse({"type": name, **TABLE[name][0]})
        self.blocks = blocks
        self.w = np.linspace(-1, 1, 37, dtype=dtype)
        self.state = self.optimizer.state(37, dtype)
        self.t = 0

    def evaluate(self, params, gradient=None):
        if gradient is not None:
            gradient[...] = 2 * (params - 1) - 3 * np.sin(3 * params)
        return float(((params - 1) ** 2 + np.cos(3 * params)).sum())

    def step(self):
        self.t += 1
        if isinstance(self.optimizer, ClosureOptimizer):
            chance = streams.generator(0, "optimizer", self.t)
            self.optimizer.minimise(
                self.w, self.state, self.evaluate, lr=0.1, t=self.t, generator=chance
            )
            return
        g = np.empty_like(self.w)
        self.evaluate(self.w, g)
        self.optimizer.advance(self.state, self.t)
        for block in self.blocks:
            part = {
                key: array[block] if array.shape == FULL else array
                for key, array in self.state.items()
            }
            work = [
                np.full(block.stop - block.start, np.nan, self.w.dtype)
                for _ in range(self.optimizer.work)
            ]
            self.w[block] *= self.optimizer.decay(0.1)
            if self.compiled:
                self.optimizer.compiled_update(self.w[block], g[block], part)(0.1, self.t, [])
            else:
                self.optimizer.update(self.w[block], g[block], part, work, lr=0.1, t=self.t)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_updating_blocks_gives_the_bits_of_updating_the_whole(name, dtype):
    whole, cut = Steps(name, dtype), Steps(name, dtype, (slice(0, 5), slice(5, 36), slice(36, 37)))
    for _ in range(8):
        whole.step(), cut.step()
    assert whole.w.tobytes() == cut.w.tobytes()
    assert all(whole.state[key].tobytes() == cut.state[key].tobytes() for key in whole.state)


def test_every_rule_has_a_compiled_form():
    assert [name for name in RULES if Optimizer.parse(name).loop() is None] == []


def test_a_users_rule_does_not_inherit_the_loop_of_an_update_that_it_changes():
    class Mine(type(Optimizer.parse("adam"))):
        def update(self, w, g, slots, work, *, lr, t):
            w -= lr * g

    slots = {"m": np.zeros(1), "v": np.zeros(1)}
    assert Mine().compiled_update(np.zeros(1), np.zeros(1), slots) is None


def test_a_users_rule_has_the_loop_that_it_defines_beside_its_update():
    class Mine(type(Optimizer.parse("adam"))):
        def update(self, w, g, slots, work, *, lr, t):
            w -= lr * g

        def loop(self):
            return "mine"

    assert Mine().loop() == "mine"


@pytest.mark.compiled
@pytest.mark.parametrize("name", RULES)
def test_the_compiled_form_is_made_before_the_first_step(name):
    rule = Optimizer.parse(name)
    w, g, state = np.zeros(3), np.array([2.0, -0.5, 0.0]), rule.state(3, np.float64)
    update = rule.compiled_update(w, g, state)
    assert all((state[key] == array).all() for key, array in rule.state(3, np.float64).items())
    rule.advance(state, 1)
    update(0.1, 1, [])
    assert np.sign(w).tolist() == [-1, 1, 0]


@pytest.mark.parametrize("name", RULES)
def test_machine_code_is_chosen_for_the_arguments_that_it_is_called_with(name, monkeypatch):
    calls = []

    class Spy:
        def entry(self, *args):
            calls.append(args)
            return lambda *args: calls.append(args)

    rule = Optimizer.parse(name)
    monkeypatch.setattr(type(rule), "loop", lambda self: Spy())
    w, g, state = np.zeros(3), np.ones(3), rule.state(3, np.float64)
    update = rule.compiled_update(w, g, state)
    rule.advance(state, 1)
    update(0.1, 1, [])
    chosen, called = calls
    assert [type(x) for x in chosen] == [type(x) for x in called]
    assert all(x is y for x, y in zip(chosen, called, strict=True) if isinstance(x, np.ndarray))


def test_a_users_rule_takes_no_class_keyword_that_nothing_reads():
    with pytest.raises(TypeError):

        class Mine(Rule, colour="red"):
            pass


def test_numbers_that_follow_a_schedule_are_plain_in_a_step_of_a_run():
    decay = {"value": 0.1, "schedule": {"type": "step", "every": 1, "by": 0.5}}
    rule, length = Optimizer.parse({"type": "adamw", "weight_decay": decay}), RunLength(10, 5)
    assert [rule.at(step, length).weight_decay for step in (0, 9, 10, 25)] == [
        0.1,
        0.1,
        0.05,
        0.025,
    ]
    assert rule.at(25, None).weight_decay == 0.1
    plain = Optimizer.parse("adamw")
    assert plain.at(3, length) is plain


GENOMES = {"type": "genetic", "population": 50, "elite": 5, "mutation": 0.3, "spread": 2.0}


def test_the_first_generation_is_the_start_and_others_spread_around_it_in_every_weight():
    optimizer, w = Optimizer.parse(GENOMES), np.full(400, 3.0)
    state = optimizer.state(400, np.float64)
    seen = []

    def evaluate(genome):
        seen.append(genome.copy())
        return float(len(seen) % 3)

    optimizer.minimise(w, state, evaluate, lr=0.1, t=1, generator=streams.generator(0, "genetic"))
    assert len(seen) == 50 and (seen[0] == 3).all()
    assert np.std(seen[1:]) == pytest.approx(2, rel=0.02)
    assert np.std(seen[1]) == pytest.approx(2, rel=0.2) and np.mean(seen[1:]) == pytest.approx(
        3, abs=0.1
    )
    order = [i for rest in (2, 0, 1) for i in range(rest, 50, 3)]  # of equal ones the first
    assert state["objective"].tolist() == sorted((i + 1) % 3 for i in range(50))
    np.testing.assert_array_equal(state["genomes"], np.array(seen)[order])
    np.testing.assert_array_equal(w, seen[2])


def test_a_child_has_each_weight_from_one_of_two_parents_of_the_better_half_or_mutated():
    optimizer = Optimizer.parse(GENOMES)
    parents = np.repeat(np.arange(50.0)[:, None], 400, axis=1)
    born = optimizer.children(parents, 0.01, streams.generator(1, "genetic"))
    assert born.shape == (45, 400)
    origin = np.rint(born)
    assert all(1 <= len({*row}) <= 2 and max(row) < 25 for row in origin)
    assert np.mean([len({*row}) == 2 for row in origin]) > 0.8
    assert {0, 24} < {*origin.ravel()} < {*range(25)}
    changed = born != origin
    assert changed.mean() == pytest.approx(0.3, abs=0.02)
    assert (born - origin)[changed].std() == pytest.approx(0.01, rel=0.05)
    share = np.mean([(row == row[0]).mean() for row in origin if len({*row}) == 2])
    assert share == pytest.approx(0.5, abs=0.03)
    few = optimizer.replace(population=4, elite=1, mutation=0.0)
    born = [few.children(parents[:4], 0.01, streams.generator(i, "genetic")) for i in range(9)]
    assert {*np.ravel(born)} == {0, 1}


def test_of_a_generation_only_the_children_are_evaluated():
    steps, counts = Steps("genetic", np.float64), []
    objective = steps.evaluate
    steps.evaluate = lambda genome: counts.append(genome) or objective(genome)
    for _ in range(3):
        steps.step()
    population, elite = steps.optimizer.population, steps.optimizer.elite
    assert len(counts) == population + 2 * (population - elite)


def test_no_weight_mutates_with_probability_0():
    class Lowest:
        """Draws the smallest numbers that a generator can."""

        def random(self, shape):
            return np.zeros(shape)

        def integers(self, low, high, shape):
            return np.full(shape, low)

        def standard_normal(self, shape):
            return np.full(shape, -9.0)

    optimizer = Optimizer.parse(GENOMES | {"mutation": 0.0})
    assert not optimizer.children(np.zeros((50, 3)), 0.1, Lowest()).any()


@pytest.mark.parametrize("name", ["genetic", "random_search"])
def test_the_weights_are_those_with_the_least_objective_that_was_seen(name):
    steps, seen = Steps(name, np.float32), []
    objective = steps.evaluate
    steps.evaluate = lambda params: seen.append((objective(params), params.copy())) or seen[-1][0]
    for _ in range(5):
        steps.step()
        least, params = min(seen, key=lambda one: one[0])
        assert params.dtype == np.float32 and steps.w.tobytes() == params.tobytes()
        assert objective(steps.w) == least


def test_candidates_spread_by_the_rate_around_weights_that_move_to_a_better_one_only():
    w, seen = np.full(100, 3.0), []
    search = Optimizer.parse({"type": "random_search", "candidates": 50})
    chance = streams.generator(0, "optimizer")
    search.minimise(w, {}, lambda x: seen.append(x.copy()) or 1.0, lr=0.1, t=1, generator=chance)
    assert (w == 3).all() and (seen[0] == 3).all() and len(seen) == 51
    assert np.mean(seen[1:]) == pytest.approx(3, abs=0.01)
    assert np.std(seen[1:]) == pytest.approx(0.1, rel=0.05)


@pytest.mark.compiled
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_compiled_form_has_its_bits_in_any_blocks(name, dtype):
    plain, loops = (
        Steps(name, dtype),
        Steps(name, dtype, (slice(0, 1), slice(1, 37)), compiled=True),
    )
    for _ in range(9):
        plain.step(), loops.step()
    assert plain.w.tobytes() == loops.w.tobytes()
    assert all(plain.state[key].tobytes() == loops.state[key].tobytes() for key in plain.state)


@pytest.mark.compiled
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_comes_out_of_the_compiled_form_as_of_the_other(name, bad):
    rule = Optimizer.parse({"type": name, **TABLE[name][0]})
    g = np.full(37, 0.5)
    g[[0, 20, 36]] = bad
    after = []
    for form in ("plain", "compiled"):
        w, state = np.ones(37), rule.state(37, np.float64)
        rule.advance(state, 1)
        with np.errstate(all="ignore"):
            if form == "plain":
                rule.update(
                    w, g.copy(), state, [np.empty(37) for _ in range(rule.work)], lr=0.1, t=1
                )
            else:
                rule.compiled_update(w, g.copy(), state)(0.1, 1, [])
        after.append(np.concatenate([w, *state.values()]))
    np.testing.assert_array_equal(*after)
    assert not np.isfinite(after[1]).all()


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_going_on_from_its_weights_state_and_step_gives_the_same_bits(name, dtype):
    through, first = Steps(name, dtype), Steps(name, dtype)
    for _ in range(9):
        through.step()
    for _ in range(4):
        first.step()
    second = Steps(name, dtype)
    second.w[...], second.t = first.w, first.t
    for key, array in second.state.items():
        array[...] = first.state[key]
    for _ in range(5):
        second.step()
    assert through.w.dtype == dtype
    assert through.w.tobytes() == second.w.tobytes()


@pytest.mark.compiled
@pytest.mark.parametrize("name", RULES)
def test_a_step_allocates_nothing_of_the_parameters_size(name):
    rule, size = Optimizer.parse(name), 100_000
    w, g = np.ones(size, np.float32), np.ones(size, np.float32)
    state, work = (
        rule.state(size, np.float32),
        [np.empty(size, np.float32) for _ in range(rule.work)],
    )
    tracemalloc.start()
    for t in (1, 2, 900):
        rule.advance(state, t)
        rule.update(w, g, state, work, lr=1e-3, t=t)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < size


@pytest.mark.parametrize("name", TABLE)
def test_it_makes_the_objective_smaller(name):
    steps = Steps(name, np.float64)
    before = steps.evaluate(steps.w)
    for _ in range(30):
        steps.step()
    assert steps.evaluate(steps.w) < before - 0.5 * (name not in ("random_search", "adadelta"))


@pytest.mark.parametrize("name", RULES)
def test_a_first_step_goes_against_the_gradient(name):
    rule = Optimizer.parse(name)
    w, g, state = np.zeros(3), np.array([2.0, -0.5, 0.0]), rule.state(3, np.float64)
    rule.advance(state, 1)
    rule.update(w, g.copy(), state, [np.full(3, np.nan) for _ in range(rule.work)], lr=0.1, t=1)
    assert np.sign(w).tolist() == (-np.sign(g)).tolist()


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_never_makes_the_objective_larger(name):
    steps = Steps(name, np.float64)
    values = [steps.evaluate(steps.w)]
    for _ in range(20):
        steps.step()
        values.append(steps.evaluate(steps.w))
    assert (np.diff(values) <= 0).all()

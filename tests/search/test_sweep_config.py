"""A sweep's YAML: what is settled, what a setting changes, and every mistake with its line and its remedy."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nettrain.component import to_mapping
from nettrain.config.dump import as_yaml
from nettrain.config.load import load
from nettrain.errors import ConfigError, NettrainError
from nettrain.search.sweep.config import as_mapping, load_sweep

BASE = """\
dataset: {source: {type: xor, rows: 40}, split: {validation: 0.25, test: 0.25}}
model: {type: mlp, hidden: [4]}
optimizer: {type: adam, lr: 0.01, beta1: 0.8}
training: {epochs: 2}
"""
SWEEP = """\
base: base.yaml
metric: validation_accuracy
trials: 4
parameters:
  optimizer.lr: {min: 1e-3, max: 1e-1, distribution: log_uniform}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "s.yaml").write_text(SWEEP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(text, **options):
    Path("s.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_sweep("s.yaml", **options)
    return caught.value.problems


def test_what_is_left_out_is_settled(folder):
    spec = load_sweep("s.yaml").spec
    assert (spec.name, spec.method, spec.metric.name, spec.metric.goal) == (
        "s",
        "random",
        "validation_accuracy",
        "maximize",
    )
    assert (spec.early_terminate.type, spec.repeats, spec.cross_validation) == ("none", 1, None)
    assert spec.base == to_mapping(load("base.yaml"))


def test_the_whole_of_it_is_read_back_as_it_is(folder):
    sweep = load_sweep("s.yaml")
    Path("again.yaml").write_text(as_yaml(as_mapping(sweep.spec)))
    assert load_sweep("again.yaml").spec == sweep.spec


def test_the_base_may_stand_inside(folder):
    inside = SWEEP.replace(
        "base: base.yaml", "base:\n" + "".join(f"  {line}\n" for line in BASE.splitlines())
    )
    Path("s.yaml").write_text(inside)
    assert load_sweep("s.yaml").base == load("base.yaml", ["name=s"])


def test_set_changes_the_sweep_or_else_its_base(folder):
    sweep = load_sweep(
        "s.yaml",
        [
            "method=grid",
            "training.epochs=7",
            "parameters={model.hidden: {values: [[3], [5]]}}",
            "trials=2",
        ],
    )
    assert (sweep.spec.method, sweep.base.training.epochs, sweep.spec.trials) == ("grid", 7, 2)
    assert list(sweep.space.parameters) == ["model.hidden"]
    assert load_sweep("s.yaml", trials=9).spec.trials == 9


@pytest.mark.parametrize(("path", "keys", "distribution"), [
    ("training.batch_size", "{min: 8, max: 64}", "int_uniform"),
    ("model.hidden[0]", "{min: 2, max: 9}", "int_uniform"),
    ("regularization.dropout", "{min: 0, max: 0.9}", "uniform"),
    ("optimizer.beta1", "{min: 0, max: 0.99}", "uniform"),
])  # fmt: skip
def test_a_range_is_of_whole_numbers_where_the_key_takes_only_those(
    folder, path, keys, distribution
):
    Path("s.yaml").write_text(
        SWEEP.replace(
            "optimizer.lr: {min: 1e-3, max: 1e-1, distribution: log_uniform}", f"{path}: {keys}"
        )
    )
    assert load_sweep("s.yaml").space.parameters[path].distribution == distribution


def test_a_changed_type_drops_the_keys_of_the_old_one(folder):
    sweep = load_sweep(
        "s.yaml",
        [
            "parameters={optimizer.type: {values: [adam, momentum]}, optimizer.beta: {values: [0.5], when: "
            "{optimizer.type: momentum}}}"
        ],
    )
    changed = sweep.config({"optimizer.beta": 0.5, "optimizer.type": "momentum"}).optimizer
    assert (changed.name(), changed.beta, changed.lr) == ("momentum", 0.5, type(changed)().lr)
    same = sweep.config({"optimizer.type": "adam"}).optimizer
    assert (same.lr, same.beta1) == (0.01, 0.8)


def test_another_seed_does_not_divide_the_rows_anew(folder):
    sweep = load_sweep("s.yaml", ["seed=3"])
    assert sweep.config({}).dataset.seed is None and sweep.config({}).seed == 3
    repeated = sweep.config({}, repeat=2)
    assert (repeated.seed, repeated.dataset.seed) == (5, 3)
    assert sweep.config({"seed": 8}).dataset.seed == 3


def test_files_among_the_values_count_from_the_sweep(folder):
    (folder / "below").mkdir()
    for name in ("a", "b"):
        (folder / "below" / f"{name}.csv").write_text("x,y\n1,a\n2,b\n")
    text = SWEEP.replace("base: base.yaml", "base: ../base.yaml").replace(
        "optimizer.lr: {min: 1e-3, max: 1e-1, distribution: log_uniform}",
        "dataset.source: {values: [xor, {type: csv, path: a.csv, target: y}, {type: csv, path: b.csv, target: y}]}",
    )
    (folder / "below" / "s.yaml").write_text(text)
    values = load_sweep("below/s.yaml").space.parameters["dataset.source"].values
    assert values == (
        "xor",
        *(
            {"type": "csv", "path": str(folder / "below" / f"{name}.csv"), "target": "y"}
            for name in "ab"
        ),
    )


LR = "  optimizer.lr: {min: 1e-3, max: 1e-1, distribution: log_uniform}\n"


@pytest.mark.parametrize(("old", "new", "message"), [
    (LR, "  optimizer.lrr: {values: [1]}\n", "s.yaml:5: parameters.optimizer.lrr: unknown key 'lrr'; did you mean 'lr'?"),
    (LR, "  optimizr.lr: {values: [1]}\n", "s.yaml:5: parameters.optimizr.lr: optimizr: unknown key 'optimizr'; did you mean 'optimizer'?"),
    (LR, "  a..b: {values: [1]}\n", "s.yaml:5: parameters.a..b: expected the path of a key, such as optimizer.lr"),
    (LR, "  model.hidden[3]: {values: [1]}\n", "s.yaml:5: parameters.model.hidden[3]: model.hidden has 1 items"),
    (LR, "  optimizer.lr: {values: [0.1, -1]}\n", "s.yaml:5: parameters.optimizer.lr.values[1]: expected a number above 0, got -1"),
    (LR, "  optimizer.lr: {values: [x, y]}\n", "s.yaml:5: parameters.optimizer.lr: expected a number above 0, got 'x'"),
    (LR, "  optimizer.lr: {min: -1, max: 1}\n", "s.yaml:5: parameters.optimizer.lr.min: expected a number above 0, got -1"),
    (LR, "  optimizer.beta: {values: [0.9]}\n", "s.yaml:5: parameters.optimizer.beta: unknown key 'beta'; did you mean 'beta2'?"),
    (LR, "  optimizer.lr: {mn: 1, max: 2}\n", "s.yaml:5: parameters.optimizer.lr.mn: unknown key 'mn'; did you mean 'min'?"),
    (LR, "  optimizer.lr: {min: 1, max: 1}\n", "s.yaml:5: parameters.optimizer.lr.min: min 1 is not below max 1"),
    (LR, "  optimizer.lr:\n    min: 0\n    max: 1\n    distribution: log_uniform\n",
     "s.yaml:6: parameters.optimizer.lr.min: a logarithmic scale begins above 0"),
    (LR, "  optimizer.lr: 3\n", "s.yaml:5: parameters.optimizer.lr: expected a mapping"),
    (LR, "  plugins: {values: [[a.py]]}\n", "s.yaml:5: parameters.plugins: which code runs cannot vary in a sweep"),
    ("parameters:\n" + LR, "parameters: {}\n", "s.yaml:4: parameters: the space is empty"),
    ("parameters:\n" + LR, "", "s.yaml:1: parameters: this key is missing"),
    ("trials: 4", "method: grid", "s.yaml:5: parameters.optimizer.lr: a grid tries every value: give the range a step, or list values"),
    ("trials: 4\n", "", "s.yaml:1: trials: this key is missing: random never runs out of settings"),
    ("trials: 4", "method: radnom", "s.yaml:3: method: expected one of 'grid', 'random', 'bayes'; got 'radnom'; did you mean 'random'?"),
    ("trials: 4", "trials: 0", "s.yaml:3: trials: expected a positive integer or null, got 0"),
    ("trials: 4", "trails: 4", "s.yaml:3: trails: unknown key 'trails'; did you mean 'trials'?"),
    ("validation_accuracy", "validation_acc", "s.yaml:2: metric.name: metric 'validation_acc' is never logged; did you mean "),
    ("validation_accuracy", "accuracy", "s.yaml:2: metric.name: metric 'accuracy' is never logged; did you mean 'validation_accuracy'?"),
    ("validation_accuracy", "test_accuracy", "s.yaml:2: metric.name: 'test_accuracy' is of the test part, which is used once, at the end"),
    ("validation_accuracy", "train_penalty", "s.yaml:2: metric.name: metric 'train_penalty' is never logged"),
    ("validation_accuracy", "{name: validation_loss, goal: maximize}", "s.yaml:2: metric.goal: less is better in validation_loss"),
    ("trials: 4", "trials: 4\nearly_terminate: hyper", "s.yaml:4: early_terminate.type: expected one of 'none', 'median', 'hyperband'"),
    ("trials: 4", "trials: 4\ncross_validation: 1", "s.yaml:4: cross_validation: expected an integer of 2 or more or null, got 1"),
    ("base.yaml", "bas.yaml", "s.yaml:1: base: {folder}/bas.yaml: does not exist"),
    ("base.yaml", "3", "s.yaml:1: base: expected a non-empty string or a mapping, got 3"),
    ("base.yaml", "{model: {type: mlp, hidden: [2]}}", "s.yaml:1: dataset: this key is missing"),
])  # fmt: skip
def test_a_mistake_is_told_with_its_line(folder, old, new, message):
    assert old in SWEEP
    found = said(SWEEP.replace(old, new))
    assert found[0].startswith(message.replace("{folder}", str(folder))), found
    assert len(found) == 1


def test_mistakes_are_told_together(folder):
    found = said(
        SWEEP.replace("_accuracy", "_acuracy").replace("min: 1e-3", "min: 1")
        + "  model.hidden: {values: []}\n"
    )
    assert [line.partition(" ")[0] for line in found] == ["s.yaml:2:", "s.yaml:5:", "s.yaml:6:"]


def test_mistakes_of_the_sweep_its_base_and_its_parameters_are_told_together(folder):
    Path("base.yaml").write_text(BASE.replace("epochs: 2", "epoch: 2"))
    wrong = SWEEP.replace("_accuracy", "_acc").replace("trials: 4", "trials: 0\nrepeats: x")
    found = said(
        wrong + "  optimizer.beta1: {min: 2, max: 1}\n  model.hidden: 3\n  '[': {values: [1]}\n"
    )
    starts = ("s.yaml:3: trials", "s.yaml:4: repeats", "s.yaml:8: parameters.model.hidden",
              f"{folder}/base.yaml:4: training.epoch", "s.yaml:2: metric.name",
              "s.yaml:9: parameters.[", "s.yaml:7: parameters.optimizer.beta1.min")  # fmt: skip
    assert len(found) == len(starts)
    assert all(any(line.startswith(start) for line in found) for start in starts), found


def test_a_good_base_and_a_bad_spec_still_try_the_values(folder):
    found = said(
        SWEEP.replace("trials: 4", "repeats: 0\ntrials: 4").replace("optimizer.lr", "optimizer.lrr")
    )
    assert [line.partition(": ")[2][:12] for line in found] == ["repeats: exp", "parameters.o"]


PATHS = st.sampled_from(["optimizer.lr", "[", "a.b", "model.hidden[0]", "", ".", "x]", "plugins"])
NUMBERS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3)
VALUES = st.recursive(NUMBERS, lambda inner: st.lists(inner, max_size=3), max_leaves=4)
PARAMETERS = st.fixed_dictionaries({}, optional={
    "values": st.lists(VALUES, max_size=3), "min": NUMBERS, "max": NUMBERS, "step": NUMBERS,
    "distribution": st.sampled_from(["uniform", "log_uniform", "int_uniform", "int_log_uniform", "x"]),
    "when": st.dictionaries(PATHS, VALUES, max_size=2),
})  # fmt: skip
SPECS = st.fixed_dictionaries({"parameters": st.dictionaries(PATHS, PARAMETERS | VALUES, max_size=3)}, optional={
    "metric": st.sampled_from(["validation_loss", "loss", "test_loss", "validation_"]) | VALUES,
    "method": st.sampled_from(["grid", "random", "bayes", "x"]), "trials": NUMBERS, "repeats": NUMBERS,
    "cross_validation": NUMBERS, "early_terminate": VALUES, "name": NUMBERS, "unknown": VALUES,
})  # fmt: skip


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(SPECS, st.sampled_from([yaml.safe_load(BASE), {}, 3, {"model": 1}]))
def test_any_sweep_is_taken_or_refused_with_a_message(spec, base):
    try:
        load_sweep(spec | {"base": base})
    except NettrainError as error:
        assert str(error)


def test_a_mistake_in_the_base_has_its_own_line(folder):
    Path("base.yaml").write_text(BASE.replace("epochs: 2", "epoch: 2"))
    found = said(SWEEP)
    assert len(found) == 1
    assert found[0].startswith(
        f"{folder}/base.yaml:4: training.epoch: unknown key 'epoch'; did you mean 'epochs'?"
    )


def test_a_key_that_some_other_value_brings_is_no_mistake(folder):
    text = SWEEP.replace(
        LR, "  optimizer.type: {values: [adam, momentum]}\n  optimizer.beta: {values: [0.9]}\n"
    )
    Path("s.yaml").write_text(text)
    assert load_sweep("s.yaml").spec.parameters["optimizer.beta"].values == (0.9,)


def test_the_score_of_a_fold_is_of_rows_that_it_did_not_train_on(folder):
    found = said(SWEEP.replace("validation_accuracy", "train_accuracy") + "cross_validation: 3\n")
    assert found[0].startswith(
        "s.yaml:2: metric.name: 'train_accuracy' is of rows that were trained on"
    )


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).parents[2] / "configs" / "sweeps").glob("*.yaml")),
    ids=lambda path: path.stem,
)
def test_the_examples_can_begin(path):
    assert load_sweep(path).spec.parameters

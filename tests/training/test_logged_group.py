"""What loggers are told of a sweep, and when a run began: as the files say, as far as they are sound."""

import os
import time

import pytest

from nettrain.training.logged_run import logged_group, started_at
from nettrain.training.loggers import _hparams

RANGE = "{optimizer.lr: {min: 0.1, max: 1}}"


def group_of(folder, text):
    (folder / "sweep.yaml").write_text(text)
    return logged_group(folder)


@pytest.mark.parametrize(
    ("parameter", "domain"),
    {
        "{min: 1e-05, max: 1}": "[1e-05, 1.0]",
        "{values: [1e-05, 0.1, 3]}": "{1e-05, 0.1, 3.0}",  # YAML 1.1 takes the first for a text
        "{values: [no, yes]}": "{'no', 'yes'}",
        "{values: [adam, {type: sgd}]}": """{'adam', '{"type": "sgd"}'}""",
        "{values: [null, [3]]}": "{'[3]', 'null'}",
        "{values: [true, 1, a]}": "None",
        f"{{values: [a, 1{'0' * 400}]}}": f"{{'1{'0' * 400}', 'a'}}",
    }.items(),
)
def test_tensorboard_shows_the_values_that_a_sweep_draws_from(parameter, domain, tmp_path):
    pytest.importorskip("tensorboard")
    group = group_of(tmp_path, f"metric: {{name: loss}}\nparameters: {{a: {parameter}}}\n")
    assert str(_hparams._domain(group.spec["parameters"]["a"])) == domain
    _hparams.experiment(group)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "a: {",
        "metric: loss",
        "parameters: [1]",
        "parameters: {a: 3}",
        "parameters: {a: {}}",
        "parameters: {a: {values: []}}",
        "parameters: {a: {values: b}}",
        "parameters: {a: {min: 1}}",
        "parameters: {a: {min: 2, max: 1}}",
        "parameters: {a: {min: x, max: 1}}",
        "parameters: {a: {min: .nan, max: 1}}",
        f"parameters: {{a: {{min: 1, max: 1{'0' * 400}}}}}",
        f"parameters: {{a: {{min: -1{'0' * 400}, max: 1}}}}",
        f"metric: 3\nparameters: {RANGE}",
        f"metric: {{goal: minimize}}\nparameters: {RANGE}",
        f"a: {'[' * 2000}\nparameters: {RANGE}",
    ],
)
def test_a_damaged_sweep_is_none(text, tmp_path):
    assert group_of(tmp_path, f"parameters: {RANGE}") and group_of(tmp_path, text) is None


def test_a_folder_without_its_file_is_no_sweep(tmp_path):
    assert logged_group(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ('{"started": 3}', 3.0),
        ('{"started": 2.5}', 2.5),
        *[(text, 7.0) for text in ("{}", '{"started": "x"}', '{"started": NaN}')],
        (f'{{"started": 1{"0" * 400}}}', 7.0),
    ],
)
def test_a_run_began_when_its_environment_says_or_was_written(text, begin, tmp_path):
    file = tmp_path / "environment.json"
    file.write_text(text)
    os.utime(file, (7, 7))
    assert started_at(tmp_path) == begin


@pytest.mark.parametrize("text", ["[" * 5000, "{", "[]", None])
def test_a_run_whose_environment_cannot_be_read_begins_now(text, tmp_path):
    if text is not None:
        (tmp_path / "environment.json").write_text(text)
    before = time.time()
    assert before <= started_at(tmp_path) <= time.time()

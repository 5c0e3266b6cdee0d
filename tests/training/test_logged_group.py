"""What loggers are told of a sweep: its parameters as its file says them, and nothing of a damaged one."""

import pytest

from nettrain.training.logged_run import logged_group
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

"""`nettrain doctor` as typed: exit codes, JSON, the table at every width."""

import json
import random

import pytest
from rich.console import Console

from nettrain.cli.render_findings import FindingPrinter
from nettrain.inspection.doctor.finding import Finding

CONFIG = """\
dataset:
  source: {{type: csv, path: flowers.csv, target: kind}}
  split: {{validation: 0.3}}
model: {{type: mlp, hidden: [8], initializer: {initializer}}}
optimizer: {{type: adam, lr: 0.02}}
training: {{epochs: 20, batch_size: 16}}
"""


@pytest.fixture
def flowers(tmp_path, monkeypatch):
    """A folder with a healthy and a hopeless configuration of the same table."""
    chance = random.Random(0)
    rows = [
        f"{chance.gauss(mean, 1):.4f},{chance.gauss(-mean, 1):.4f},{kind}"
        for _ in range(60)
        for kind, mean in (("rose", 0), ("tulip", 3))
    ]
    (tmp_path / "flowers.csv").write_text("\n".join(["width,height,kind", *rows, ""]))
    (tmp_path / "good.yaml").write_text(CONFIG.format(initializer="he"))
    (tmp_path / "bad.yaml").write_text(CONFIG.format(initializer="zeros"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_exit_code_is_4_where_a_check_fails(flowers, command):
    good = command("doctor", "good.yaml", "--seconds", "1", "--json")
    assert good.exit_code == 0 and json.loads(good.stdout)["passed"] is True
    bad = command("doctor", "bad.yaml", "--seconds", "1", "--seed", "3")
    assert bad.exit_code == 4
    assert "initial weights" in bad.stdout and "remedy: an initializer" in bad.stdout
    assert "failed" in bad.stderr and "next:" not in bad.stderr
    assert sorted(path.name for path in flowers.iterdir()) == [
        "bad.yaml",
        "flowers.csv",
        "good.yaml",
    ]


def test_an_impossible_configuration_is_an_error_not_a_finding(flowers, command):
    found = command("doctor", "good.yaml", "--set", "training.epochs=0")
    assert found.exit_code == 2 and "training.epochs" in found.stderr


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_its_width(width, capsys):
    message = "norms dense_1 0.53, dense_2 0.49 " * 5
    printer = FindingPrinter(Console(width=width))
    printer(Finding("data: rows in two parts", "warning", message.strip(), "a remedy"))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].split()[:4] == ["warning", "data:", "rows", "in"]  # gaps depend on rich
    assert "remedy: a remedy" in lines[-1]

"""`nettrain report`: one page per run, self-contained, with a section for whatever the run has."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app
from nettrain.report.page import render
from nettrain.report.pages import page_of

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ALWAYS = {"What was trained", "Results", "Learning curves", "Environment", "Reproduce", "Layers"}
ALSO = {
    "classes": {"Confusion matrix", "Metrics per class", "ROC curves", "Permutation importance"},
    "values": {"Worst errors", "Permutation importance"},
    "labels": {"ROC curves", "Reliability diagram"},
    "images": {"Confusion matrix", "Filters of the first convolution", "Feature maps"},
}


class Reader(HTMLParser):
    """The headings of a page, what it refers to, and its scripts."""

    def __init__(self, text):
        super().__init__()
        self.headings, self.references, self.scripts = [], [], 0
        self._heading = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self._heading = tag in ("h1", "h2")
        self.scripts += tag == "script"
        self.references += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        if self._heading and data.strip():
            self.headings.append(data.strip())
            self._heading = False


def page(*paths, **options):
    return Reader(render(page_of(paths, **options)).decode())


@pytest.mark.parametrize("run", ALSO)
def test_a_page_has_the_sections_of_its_task(trained, run):
    headings = set(page(trained / run).headings)
    assert headings >= ALWAYS | ALSO[run], sorted(headings)


def test_a_page_refers_to_nothing_outside_and_runs_nothing_from_the_data(trained):
    found = page(trained / "classes")
    assert found.scripts == 0  # a class is called <script>alert(1)</script>
    assert all(reference.startswith(("#", "data:")) for reference in found.references)
    text = render(page_of([trained / "classes"])).decode()
    assert "&lt;script&gt;" in text
    assert len(text) < 5_000_000


def test_runs_stand_side_by_side(trained):
    text = render(page_of([trained / "classes", trained / "plane"])).decode()
    assert "classes" in text and "plane" in text and "accuracy" in text


def test_a_cross_validation_has_its_folds(trained, tmp_path):
    config = trained / "classes" / "config.yaml"
    nettrain.cross_validate(
        config, folds=2, output_directory=tmp_path, run_name="cv", executor="serial"
    )
    text = render(page_of([tmp_path / "cv"])).decode()
    assert re.search(r"fold", text, re.IGNORECASE) and "accuracy" in text


def test_what_cannot_be_shown_without_the_data_is_named(without_data):
    text = render(page_of([without_data])).decode()
    assert "Learning curves" in text and "Not shown" in text


def test_without_the_data_intervals_and_linear_model_are_those_of_the_summary(without_data):
    summary = json.loads((without_data / "summary.json").read_text())
    low, high = summary["intervals"]["test"]["accuracy"]
    text = render(page_of([without_data])).decode().replace("\xa0", " ")
    assert "linear model" in text and f"{low:.4f} to {high:.4f}" in text
    assert f"{summary['linear']['test']['log_loss']:.4f}" in text


def test_a_page_is_not_replaced_unasked(trained, tmp_path):
    words = ["report", str(trained / "line"), "-o", str(tmp_path / "line.html")]
    assert CliRunner().invoke(app, words).exit_code == 0
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2 and "exists already" in again.stderr
    assert CliRunner().invoke(app, [*words, "--overwrite"]).exit_code == 0


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_draws_every_picture_of_a_page(trained, tmp_path):
    file = tmp_path / "page.html"
    file.write_bytes(render(page_of([trained / "images"])))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [CHROMIUM, *flags, profile, "--enable-logging=stderr", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.count("<svg") == Path(file).read_text().count("<svg") > 3
    assert "CONSOLE" not in done.stderr

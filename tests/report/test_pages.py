"""`nettrain report`: one page per run, self-contained, with a section for whatever the run has."""

import json
import re
import shutil
import subprocess
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app
from nettrain.report.page import render
from nettrain.report.pages import page_of
from nettrain.report.plot import plot_names, plot_of
from nettrain.report.run_view import open_view
from nettrain.report.section import interval, value_text

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


@pytest.fixture(scope="module")
def page_text(trained):
    """The page of a run by its name, drawn once."""
    return cache(lambda run: render(page_of([trained / run])).decode())


@pytest.mark.parametrize("run", ALSO)
def test_a_page_has_the_sections_of_its_task(page_text, views, run):
    text = page_text(run)
    headings = set(Reader(text).headings)
    assert headings >= ALWAYS | ALSO[run], sorted(headings)
    kinds = {name for name in plot_names() if plot_of(name).lacks(views[run]) is None}
    if run != "images":
        kinds -= {"errors"}  # a table
    assert text.count('role="img"') == len(kinds)


def test_a_page_refers_to_nothing_outside_and_runs_nothing_from_the_data(page_text):
    text = page_text("classes")
    found = Reader(text)
    assert found.scripts == 0  # a class is called <script>alert(1)</script>
    assert all(reference.startswith(("#", "data:")) for reference in found.references)
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


@pytest.fixture(scope="module")
def ensemble(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble")
    nettrain.ensemble(
        trained / "classes" / "config.yaml",
        sets=["ensemble={method: seeds, members: 3}"],
        output_directory=folder,
        run_name="three",
        executor="serial",
    )
    return folder / "three"


def test_an_ensemble_has_its_members_its_vote_and_their_agreement(ensemble):
    found = {section.title: section for section in page_of([ensemble]).sections}
    view = open_view(ensemble)
    rows = found["Members"].tables[0].rows
    assert [row[0] for row in rows] == ["member-1", "member-2", "member-3", "ensemble"]
    for row, member in zip(rows, view.predictor.members, strict=False):
        own = member.evaluation(view.dataset).metrics["accuracy"]
        assert row[found["Members"].tables[0].headings.index("accuracy")] == own
    against_mean = found["Vote"].tables[0]
    accuracy = next(row for row in against_mean.rows if row[0] == "accuracy")
    assert accuracy[2] == pytest.approx(np.mean([row[2] for row in rows[:3]]))
    assert accuracy[3] == pytest.approx(accuracy[1] - accuracy[2])
    agreement = found["Agreement of the members"].tables[0].rows
    assert sum(row[1] for row in agreement) == len(view.dataset)
    right = sum(row[1] * row[3] for row in agreement)
    assert right / len(view.dataset) == pytest.approx(view.evaluation.metrics["accuracy"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.004985730189677215, "0.004986"),
        ("adam", "adam"),
        ([128, 64], "128, 64"),
        (None, "-"),
        (True, "true"),
        ({"type": "scale", "divide_by": 16, "columns": None}, "scale (divide_by 16)"),
    ],
)
def test_settings_are_shown_plainly(value, text):
    assert value_text(value) == text


def test_intervals_are_never_broken_over_lines():
    assert " " not in interval((0.25, 0.5)) and interval(None) == "-"


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
    page = tmp_path / "line.html"
    words = ["report", str(trained / "line"), "-o", str(page)]
    page.write_text("another page")
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2 and "exists already" in again.stderr
    assert page.read_text() == "another page"
    assert CliRunner().invoke(app, [*words, "--overwrite"]).exit_code == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


FRAME = """<!doctype html><title>waiting</title>
<iframe style="width: {width}px; height: 900px; border: 0" srcdoc="{page}"></iframe>
<script>
onload = () => {{
  const page = document.querySelector("iframe").contentDocument;
  const drawn = [...page.querySelectorAll("svg")].filter(one => one.getBoundingClientRect().height > 40);
  const text = page.querySelectorAll("h2").length;
  const root = page.documentElement;
  const fits = root.scrollWidth <= root.clientWidth;
  document.title = [fits, drawn.length, text].join(" ");
}};
window.alert = () => {{ document.title = "a script of the data ran"; }};
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("run", ["classes", "images"])
def test_a_browser_draws_every_picture_within_the_width_of_the_screen(
    page_text, tmp_path, run, width
):
    text = page_text(run)
    file = tmp_path / "frame.html"
    file.write_text(FRAME.format(width=width, page=escape(text)), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [CHROMIUM, *flags, profile, "--enable-logging=stderr", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    title = re.search("<title>(.*?)</title>", done.stdout)
    assert title is not None, done.stderr[-2000:]
    assert title[1] == f"true {text.count('<svg')} {text.count('<h2')}"
    assert "CONSOLE" not in done.stderr


HOSTILE = "\"'><img src=x onerror=\"document.title='RAN'\"><script>document.title='RAN'</script>${7}{{7*7}}"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A run whose classes, columns, categories, name and notes are all HTML that would run."""
    folder = tmp_path_factory.mktemp("hostile")
    cell = '"' + HOSTILE.replace('"', '""') + '"'
    lines = [
        f"{cell},b,y",
        *(f"{i % 7}.5,{cell if i % 3 else 'x'},{cell if i % 2 else 'z'}" for i in range(40)),
    ]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    config = {
        "dataset": {"source": {"type": "csv", "path": str(folder / "t.csv"), "target": "y"}},
        "model": {"type": "mlp", "hidden": [3]},
        "diagnostics": True,
        "training": {"epochs": 2, "snapshots": 1},
    }
    name = HOSTILE.replace("/", "")
    return Path(nettrain.train(config, output_directory=folder, run_name=name).run_directory)


def pages_of(run):
    """Everything that a browser may be given of a run: pages, pictures, what a notebook shows."""
    yield "report", render(page_of([run])).decode()
    yield "notebook", f"<!doctype html><title>t</title>{nettrain.load(run)._repr_html_()}"
    for kind in ("confusion", "importance"):
        output = run.parent / f"{kind}.svg"
        assert (
            CliRunner()
            .invoke(app, ["plot", str(run), kind, "-o", str(output), "--overwrite"])
            .exit_code
            == 0
        )
        yield kind, f"<!doctype html><title>t</title>{output.read_text(encoding='utf-8')}"


def test_no_text_of_the_data_is_a_tag(hostile):
    for kind, text in pages_of(hostile):
        assert "<img" not in text and Reader(text).scripts == 0, kind
        assert "49" not in re.findall(r"\$\{7\}(\w*)", text), kind


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_no_text_of_the_data_runs_in_a_browser(hostile, tmp_path):
    """Without the policy of the page too: it is the second wall, not the first."""
    for kind, text in [*pages_of(hostile), ("planted", f"<title>t</title>{HOSTILE}")]:
        bare = re.sub(r"<meta http-equiv=[^>]*>", "", text)
        file = tmp_path / f"{kind}.html"
        file.write_text(bare, encoding="utf-8")
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}",
        ]
        command = [CHROMIUM, *flags, "--dump-dom", file.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=400)
        assert ("<title>RAN</title>" in done.stdout) is (kind == "planted"), (
            kind,
            done.stderr[-500:],
        )

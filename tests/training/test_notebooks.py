"""What a notebook shows of results and models, DataFrames of metrics, and progress."""

import dataclasses
import importlib
import sys
import types
from xml.etree import ElementTree

import numpy as np
import pytest

import nettrain
from nettrain.training import result as result_module
from nettrain.training.callbacks import progress

X = np.random.Generator(np.random.PCG64(0)).normal(size=(60, 4))
Y = np.array(["<b>&", "no"])[(X[:, 0] > 0).astype(int)]
CONFIG = {
    "model": {"type": "mlp", "hidden": [8]},
    "training": {"epochs": 3},
    "dataset": {"split": {"validation": 0.2}},
}


def trained(folder, **keys):
    return nettrain.train(CONFIG, (X, Y), output_directory=folder, **keys)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("notebook"), run_name="run")


def parsed(html):
    """The fragment as a tree: it must be well formed, so nothing of it was left unescaped."""
    return ElementTree.fromstring(f"<div>{html}</div>")


def test_a_result_and_its_model_show_every_metric_and_both_curves(result):
    for shown in (result, nettrain.load(result.run_directory)):
        tree = parsed(shown._repr_html_())
        names = [cell.text for cell in tree.iterfind(".//tbody/tr/th")]
        assert names == [*result.metrics["train"]]
        first = [cell.text for cell in tree.find(".//tbody/tr").iterfind("td")]
        assert first[0] == f"{result.metrics['train']['loss']:.4g}"
        lines = tree.findall(".//{http://www.w3.org/2000/svg}polyline")
        assert [len(line.get("points").split()) for line in lines] == [3, 3]


def test_what_a_notebook_shows_is_escaped(result):
    odd = dataclasses.replace(
        result, run_directory="<script>x</script>", warnings=["<i>&"], metrics={"<p>": {"<m>": 1.0}}
    )
    html = odd._repr_html_()
    assert "<script>" not in html and "<i>" not in html and "<m>" not in html
    assert "<script>x</script>: trained 3 epochs" in "".join(parsed(html).itertext())


def test_a_run_whose_files_are_gone_still_shows_its_metrics(result):
    gone = dataclasses.replace(result, run_directory="nowhere")
    assert "<svg" not in gone._repr_html_() and "accuracy" in gone._repr_html_()


@pytest.mark.parametrize("library", ["pandas", "polars", None])
def test_metrics_and_epochs_are_dataframes(library, result):
    if library != "polars":
        pytest.importorskip("pandas")
    frame = result.metrics_frame(library)
    assert type(frame).__module__.startswith(library or "pandas")
    assert list(frame.columns) == ["part", "metric", "value", "baseline"]
    assert frame["value"].to_list() == [
        value for metrics in result.metrics.values() for value in metrics.values()
    ]
    assert result.epochs_frame(library)["epoch"].to_list() == [1, 2, 3]


def test_without_pandas_and_polars_both_are_named(result, monkeypatch):
    monkeypatch.setattr(result_module, "find_spec", lambda name: None)
    with pytest.raises(nettrain.ConfigError, match="a DataFrame needs pandas or polars: pip inst"):
        result.metrics_frame()


def test_progress_is_quiet_unless_it_is_asked_for(tmp_path, capsys):
    trained(tmp_path)
    assert capsys.readouterr() == ("", "")
    trained(tmp_path, progress=True)
    shown = capsys.readouterr()
    assert shown.out == "" and len(shown.err.splitlines()) == 3
    assert shown.err.startswith("epoch 1/3  train_loss ")


class Kernel:
    """Stands for IPython in a kernel: what was displayed and updated."""

    def __init__(self, monkeypatch):
        self.shown = []
        handle = types.SimpleNamespace(update=self.shown.append)
        display = types.SimpleNamespace(
            HTML=lambda text: text,
            display=lambda html, display_id: self.shown.append(html) or handle,
        )
        shell = types.SimpleNamespace(kernel=object())
        monkeypatch.setitem(
            sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell)
        )
        monkeypatch.setattr(progress, "import_module", lambda name: display)


def test_in_a_notebook_progress_shows_of_itself_and_ends_full(tmp_path, monkeypatch):
    kernel = Kernel(monkeypatch)
    trained(tmp_path)
    assert kernel.shown[0].startswith('<progress max="3" value="0.000">')
    assert kernel.shown[-1].startswith('<progress max="3" value="3.000">')
    assert "epoch 3/3  train_loss" in kernel.shown[-1]
    del kernel.shown[:]
    trained(tmp_path, progress=False)
    assert kernel.shown == []


def test_ipython_has_what_the_progress_in_notebooks_uses():
    display = pytest.importorskip("IPython.display")
    assert callable(display.HTML) and callable(display.display)
    assert importlib.import_module("IPython").get_ipython() is None

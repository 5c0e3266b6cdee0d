"""The example notebook: it runs from the first cell to the last, and is stored without outputs."""

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "configs/notebook.ipynb"


def test_the_notebook_is_stored_without_outputs():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 5
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.slow
def test_the_notebook_runs_and_shows_tables_curves_and_progress(tmp_path):
    pytest.importorskip("ipykernel")
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    run = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}
    )
    run.execute()
    outputs = {
        cell["id"]: [
            output.get("data", {}).get("text/html") or output.get("data", {}) or output["text"]
            for output in cell["outputs"]
        ]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    }
    progress, shown = outputs["train"]
    assert '<progress max="15" value="15.000">' in progress
    assert shown.count("<polyline") == 2 and "<th" in shown
    assert "image/png" in outputs["plot"][0]
    assert "dtype('bool')" in outputs["frame"][-1]["text/plain"]
    assert "classification of 2 columns, 2 classes" in outputs["model"][0]

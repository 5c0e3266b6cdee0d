"""Runs and sweeps on the real servers of TensorBoard and MLflow, on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import nettrain
from nettrain.export import mlflow as to_mlflow
from nettrain.export import tensorboard as to_tensorboard
from nettrain.export.target import Request

CONFIG = {
    "dataset": {"source": "digits", "limit": 200, "split": {"validation": 0.2, "test": 0.2}},
    "model": {"type": "mlp", "hidden": [8]},
    "training": {"epochs": 3},
}
SPEC = {
    "metric": "validation_loss",
    "trials": 2,
    "parameters": {
        "optimizer.lr": {"min": 0.001, "max": 0.1, "distribution": "log_uniform"},
        "model.activation": {"values": ["relu", "tanh"]},
    },
}


def logged(*loggers):
    return CONFIG | {"training": {"epochs": 3, "loggers": list(loggers)}}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def ask(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


@contextmanager
def server(arguments, health, folder):
    file, last = folder / "server.log", time.monotonic() + 240.0
    with file.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdout=log, stderr=log, cwd=folder,
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}, start_new_session=True,
        )  # fmt: skip
    try:
        while True:
            assert process.poll() is None and time.monotonic() < last, file.read_text()[-2000:]
            try:
                urllib.request.urlopen(health, timeout=10).close()
                break
            except OSError:
                time.sleep(0.2)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(condition, ask, seconds=120.0):
    """What is asked for, once the condition holds of it: a server reads its files in its own time."""
    last = time.monotonic() + seconds
    while True:
        found = None
        with suppress(urllib.error.HTTPError):  # it does not know of it yet
            found = ask()
            if condition(found):
                return found
        assert time.monotonic() < last, found
        time.sleep(0.2)


def shows_the_sweep(url, live):
    wanted = {"sweep/trials/000", "sweep/trials/001", "sweep/final"}
    until(lambda runs: wanted <= set(runs), lambda: ask(f"{url}/data/runs"))
    tag = f"{url}/data/plugin/scalars/scalars?run=sweep/trials/000&tag=validation_loss"
    lines = (Path(live.directory) / "trials/000/metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    points = until(lambda points: len(points) >= len(rows), lambda: ask(tag))
    assert [point[1] for point in points] == [row["step"] for row in rows]
    assert [point[2] for point in points] == pytest.approx([row["validation_loss"] for row in rows])
    experiment, groups = (
        f"{url}/data/plugin/hparams/{one}" for one in ("experiment", "session_groups")
    )
    found = until(
        lambda found: len(found.get("hparamInfos", ())) >= 2,
        lambda: ask(experiment, {"experimentName": ""}),
    )
    infos = {info["name"]: info for info in found["hparamInfos"]}
    assert infos["model.activation"]["domainDiscrete"] == ["relu", "tanh"]
    assert infos["optimizer.lr"]["domainInterval"] == {"minValue": 0.001, "maxValue": 0.1}
    request = {
        "experimentName": "", "startIndex": 0, "sliceSize": 10,
        "allowedStatuses": ["STATUS_SUCCESS"],
        "colParams": [{"metric": {"group": "", "tag": "validation_loss"}}],
    }  # fmt: skip
    names = {trial.run_directory for trial in live.trials}
    found = until(
        lambda found: names <= {group["name"] for group in found["sessionGroups"]},
        lambda: ask(groups, request),
    )
    shown = {group["name"]: group["hparams"] for group in found["sessionGroups"]}
    for trial in live.trials:
        found = shown[trial.run_directory]
        assert found["optimizer.lr"] == pytest.approx(trial.parameters["optimizer.lr"])
        assert found["model.activation"] == trial.parameters["model.activation"]


@pytest.mark.slow
def test_tensorboards_server_shows_runs_scalars_and_hparams(tmp_path):
    pytest.importorskip("tensorboard")
    live = nettrain.sweep(
        SPEC | {"base": logged("tensorboard")},
        output_directory=tmp_path / "live", run_name="sweep", executor="serial",
    )  # fmt: skip
    to_tensorboard.export(Request(subject=Path(live.directory), output=tmp_path / "exported/sweep"))
    for folder in ("live", "exported"):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        arguments = ["tensorboard.main", "--logdir", str(tmp_path / folder), "--port", str(port)]
        with server(arguments, url, tmp_path):
            shows_the_sweep(url, live)


@pytest.mark.slow
def test_an_mlflow_server_has_each_epoch_once_and_a_dead_one_is_a_warning(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("flask")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")  # this server is only slow
    from mlflow.tracking import MlflowClient

    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    logger = {"type": "mlflow", "uri": uri}
    environment = dict(os.environ)
    away = nettrain.train(logged(logger), output_directory=tmp_path, run_name="away")
    assert len(away.warnings) == 1 and "nettrain export" in away.warnings[0]
    assert dict(os.environ) == environment
    arguments = [
        "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db",
        "--artifacts-destination", str(tmp_path / "artifacts"),
    ]  # fmt: skip
    with server(arguments, f"{uri}/health", tmp_path):
        part = nettrain.train(logged(logger), output_directory=tmp_path, run_name="part")
        nettrain.resume(part.run_directory, sets=["training.epochs=5"])
        for _ in range(2):
            to_mlflow.export(Request(subject=tmp_path / "away", options={"uri": uri}))
        swept = nettrain.sweep(
            SPEC | {"base": logged(logger)},
            output_directory=tmp_path, run_name="sweep", executor="serial",
        )  # fmt: skip
        client = MlflowClient(uri)
        experiment = client.get_experiment_by_name("nettrain").experiment_id
        runs = {run.info.run_name: run for run in client.search_runs([experiment])}
        assert len(client.search_runs([experiment])) == len(runs) == 6
        assert {run.info.status for run in runs.values()} == {"FINISHED"}
        for name, epochs in (("part", 5), ("away", 3)):
            history = client.get_metric_history(runs[name].info.run_id, "validation_loss")
            rows = list(
                map(json.loads, (tmp_path / name / "metrics.jsonl").read_text().splitlines())
            )
            assert [point.step for point in history] == list(range(1, epochs + 1))
            assert [point.value for point in history] == [row["validation_loss"] for row in rows]
            times = [point.timestamp for point in history]
            assert times == sorted(times) and times[0] >= runs[name].info.start_time
            assert runs[name].data.params["optimizer.type"] == "adam"
            files = {file.path for file in client.list_artifacts(runs[name].info.run_id, "run")}
            assert {"run/config.yaml", "run/summary.json", "run/checkpoints"} <= files
        parent = runs["sweep"].info.run_id
        for trial in swept.trials:
            child = runs[trial.run_directory]
            assert child.data.tags["mlflow.parentRunId"] == parent
            assert float(child.data.params["optimizer.lr"]) == trial.parameters["optimizer.lr"]


def test_a_folder_with_event_files_is_kept(tmp_path):
    pytest.importorskip("tensorboard")
    run = nettrain.train(CONFIG, output_directory=tmp_path)
    request = Request(subject=Path(run.run_directory), output=tmp_path / "events")
    to_tensorboard.export(request)
    (file,) = (tmp_path / "events").iterdir()
    before = file.read_bytes()
    with pytest.raises(nettrain.ConfigError, match="holds event files already"):
        to_tensorboard.export(request)
    assert file.read_bytes() == before


@pytest.mark.slow  # importing mlflow takes seconds
def test_an_mlflow_server_that_is_away_is_an_error_of_the_export(tmp_path):
    pytest.importorskip("mlflow")
    run = nettrain.train(CONFIG, output_directory=tmp_path)
    uri = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(nettrain.RunError, match="did not take the run"):
        to_mlflow.export(Request(subject=Path(run.run_directory), options={"uri": uri}))

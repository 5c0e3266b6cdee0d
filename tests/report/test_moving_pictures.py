"""Moving pictures: frames are the snapshots, the surface is the loss, and what cannot be drawn says why."""

import base64
import io
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app
from nettrain.inference.load import load
from nettrain.inspection.loss_surface import TrainingLoss, loss_surface
from nettrain.inspection.weight_path import weight_path
from nettrain.inspection.weight_plane import parameter_names, parameter_plane, principal_plane
from nettrain.report.movie import MOST_FRAMES, chosen_epochs
from nettrain.report.plot import plot_of
from nettrain.report.run_view import open_view
from nettrain.report.style import styled
from nettrain.training.artifacts.snapshots import Snapshots, read_snapshot

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def line_config(path, optimizer="sgd", **changes):
    return {
        "dataset": {
            "source": {"type": "csv", "path": str(path), "target": "y"},
            "split": "none",
            "transforms": [],
            "target_transforms": [],
        },
        "model": {"type": "mlp", "hidden": []},
        "optimizer": {"type": optimizer, "lr": 0.05},
        "training": {"epochs": 4, "batch_size": None, "snapshots": 1},
    } | changes


@pytest.fixture(scope="module")
def moving(trained, tmp_path_factory):
    """Runs with snapshots: lines of two parameters, and classes with hostile names."""
    folder = tmp_path_factory.mktemp("moving")
    x = np.linspace(0, 2, 20)
    rows = "".join(f"{a:.4f},{b:.4f}\n" for a, b in zip(x, 3 * x - 1 + np.sin(9 * x), strict=True))
    (folder / "line.csv").write_text("x,y\n" + rows)
    path = folder / "line.csv"
    l2 = {"regularization": {"l2": 0.1}}
    for name, config in {
        "sgd": line_config(path),
        "adam": line_config(path, "adam"),
        "penalty": line_config(path, **l2),
        "other_seed": line_config(path, seed=1) | {"dataset": {
            "source": {"type": "csv", "path": str(path), "target": "y"},
            "split": {"validation": 0.2}, "transforms": [], "target_transforms": []}},
        "still": line_config(path, training={"epochs": 60}),
        "one": line_config(path, training={"epochs": 2, "snapshots": 5}),
    }.items():  # fmt: skip
        nettrain.train(config, output_directory=folder, run_name=name)
    sets = ["training.snapshots=1", "training.epochs=3"]
    for name in ("plane", "classes", "values"):
        nettrain.train(
            trained / name / "config.yaml", sets=sets, output_directory=folder, run_name=name
        )
    return folder


def plot(*words):
    return CliRunner().invoke(app, ["plot", *map(str, words)])


def direct_loss(config, w, b, l2=0.0):
    x, y = np.loadtxt(config, delimiter=",", skiprows=1).T
    return np.mean((w * x + b - y) ** 2) + l2 * w * w


@pytest.mark.parametrize(("name", "l2"), [("sgd", 0.0), ("penalty", 0.1)])
def test_the_surface_is_the_loss_of_the_formula(moving, name, l2):
    view = open_view(moving / name)
    model = view.predictor
    vector = model.network.vector
    names = parameter_names(vector)
    assert names == ["dense_1.w[0, 0]", "dense_1.b[0]"]
    kept = vector.values.copy()
    plane = parameter_plane(vector, kept, (names[0], names[1]), "--parameters")
    x, y = np.linspace(-2, 4, 5), np.linspace(-3, 3, 4)
    surface = loss_surface(model, view.train, plane, x, y)
    expected = [[direct_loss(moving / "line.csv", a, b, l2) for a in x] for b in y]
    assert surface.loss == pytest.approx(np.array(expected), rel=1e-5)
    assert surface.rows == 20 and np.array_equal(vector.values, kept)


def test_the_loss_at_a_snapshot_is_that_of_the_next_epoch_of_full_batches(moving):
    """The loss of an epoch of one batch is that of the weights before its step."""
    view = open_view(moving / "sgd")
    path = weight_path(view.predictor, view.record.snapshots)
    loss = TrainingLoss(view.predictor, view.train, points=4)
    logged = [row["train_loss"] for row in view.record.epochs]
    assert [loss(point) for point in path.points[:-1]] == pytest.approx(logged, rel=1e-6)


def test_principal_directions_are_those_of_the_singular_value_decomposition():
    random = np.random.Generator(np.random.PCG64(0))
    points = np.cumsum(random.normal(0, [1] * 5 + [3, 9], (12, 7)), axis=0)
    plane = principal_plane([points[:7], points[7:]])
    centred = points - points.mean(axis=0)
    _, sizes, rows = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(plane.directions @ rows[:2].T) == pytest.approx(np.eye(2), abs=1e-8)
    assert f"{sizes[0] ** 2 / (sizes**2).sum():.0%}" in plane.names[0]
    assert plane.coordinates(points[6]) == pytest.approx([0, 0])
    assert (plane.coordinates(points[0]) <= 0).all()
    assert plane.point(1.0, 2.0) == pytest.approx(points[6] + plane.directions.T @ [1, 2])


def test_a_straight_path_has_no_second_direction():
    assert principal_plane([np.outer(np.arange(4.0), [1, 2, 3])]) is None
    assert principal_plane([np.ones((3, 4))]) is None


def test_the_path_drawn_is_that_of_the_snapshots(moving):
    view = open_view(moving / "sgd")
    with styled():
        movie = plot_of("descent").movie(view)
    line = movie.moving()[0]
    expected = []
    for path in Snapshots(moving / "sgd" / "snapshots").paths().values():
        found = read_snapshot(path).group("parameters")
        expected.append((found["dense_1.w"][0, 0], found["dense_1.b"][0]))
    for place in (0, 2, 4):
        movie.show(place)
        assert line.get_xydata() == pytest.approx(np.array(expected[: place + 1]))
    assert movie.captions == [f"epoch {epoch}" for epoch in range(5)]


def test_the_boundary_moves_as_the_snapshots_predict(moving):
    view = open_view(moving / "plane")
    kept = view.predictor.network.vector.values.copy()
    with styled():
        movie = plot_of("boundary").movie(view)
    assert len(movie.captions) == 4 and movie.captions[0] == "epoch 0"
    assert movie.captions[1].startswith("epoch 1: train loss ")
    assert np.array_equal(view.predictor.network.vector.values, kept)
    images = []
    for place in range(4):
        movie.show(place)
        images.append(np.array(movie.moving()[0].get_array()))
    assert len({image.tobytes() for image in images}) == 4


@pytest.mark.parametrize(("words", "frames"), [
    (["plane", "boundary", "--epochs"], 4),
    (["sgd", "adam", "descent", "--epochs"], 5),
    (["classes", "descent", "--pca"], 4),
    (["values", "boundary", "--features", "width,height"], 4),
])  # fmt: skip
def test_a_gif_has_a_frame_per_snapshot_and_equal_bytes_twice(moving, tmp_path, words, frames):
    runs = [moving / word if (moving / word).is_dir() else word for word in words]
    output = tmp_path / "x.gif"
    assert plot(*runs, "-o", output).exit_code == 0
    first = output.read_bytes()
    with Image.open(output) as image:
        assert image.n_frames == frames and image.convert("RGB").getpixel((0, 0)) == (255,) * 3
    assert plot(*runs, "-o", output, "--overwrite").exit_code == 0
    assert output.read_bytes() == first and len(first) < 300_000


def test_the_page_holds_its_frames_and_nothing_unescaped(moving, tmp_path):
    folder = tmp_path / "<img src=x>"
    folder.symlink_to(moving / "plane")
    output = tmp_path / "x.html"
    assert plot(folder, "boundary", "-o", output).exit_code == 0
    text = output.read_text()
    frames = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    assert len(frames) == 4
    assert Image.open(io.BytesIO(base64.b64decode(frames[-1]))).size[0] > 600
    assert "<img src=x>" not in text and "&lt;img src=x&gt;" in text
    assert not re.search(r"https?://", text) and "unsafe" not in text
    assert text.count("hidden>") == 3 + 1  # all frames but the last; the player, without a script


@pytest.mark.parametrize(("words", "expected"), [
    (["still", "descent"], "needs snapshots: train with training.snapshots: 2"),
    (["one", "descent"], "has one snapshot"),
    (["plane", "curves", "--epochs"], "has no moving picture"),
    (["plane", "boundary", "--epochs", "-o", "x.png"], "expected .gif or .html"),
    (["still", "descent", "--epochs"], "needs snapshots"),
    (["plane", "--epochs"], "name the kind of figure too"),
    (["plane", "descent", "--parameters", "dense_1.w[0,1]", "dnse_2.b[0]"], "did you mean 'dense_2.b[0]'"),
    (["plane", "descent", "--parameters", "dense_1.w[0,1]", "dense_1.w[2,0]"], "shape 2 x 4"),
    (["plane", "descent", "--parameters", "dense_1.w[0,1]", "dense_1.w[0, 1]"], "named twice"),
    (["plane", "descent", "--parameters", "a", "b", "--pca"], "cannot be used together"),
    (["classes", "boundary", "--epochs"], "name two numeric ones"),
    (["sgd", "adam", "curves"], "curves shows one run; descent shows several"),
    (["sgd", "adam"], "name the kind of figure"),
    (["sgd", "penalty", "descent"], "regularization.l2 differ"),
    (["sgd", "plane", "descent"], "do not descend the same loss"),
    (["sgd", "other_seed", "descent"], "dataset.split"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_exit_2_and_says_why(moving, monkeypatch, words, expected):
    monkeypatch.chdir(moving)
    failed = plot(*words)
    assert failed.exit_code == 2 and expected in failed.stderr
    assert not list(moving.glob("*.gif")) + list(moving.glob("*.png"))


def test_a_damaged_snapshot_is_named_with_the_remedy(moving, tmp_path):
    nettrain.train(moving / "sgd" / "config.yaml", output_directory=tmp_path, run_name="run")
    path = Snapshots(tmp_path / "run" / "snapshots").paths()[2]
    path.write_bytes(path.read_bytes()[:-3])
    failed = plot(tmp_path / "run", "descent", "-o", tmp_path / "x.gif")
    assert failed.exit_code == 2 and str(path) in failed.stderr and "remove this" in failed.stderr
    path.unlink()
    assert plot(tmp_path / "run", "descent", "-o", tmp_path / "x.gif").exit_code == 0


def test_the_list_of_figures_says_what_moves(moving):
    listed = plot(moving / "plane").stdout
    assert "boundary --epochs" in listed and "a frame per snapshot" in listed
    assert "needs snapshots: train with" in plot(moving / "still").stdout


def test_long_trainings_are_shown_in_so_many_frames():
    chosen = chosen_epochs(range(1000))
    assert len(chosen) == MOST_FRAMES and (chosen[0], chosen[-1]) == (0, 999)
    assert chosen_epochs([0, 5, 10]) == [0, 5, 10]


def test_parameters_are_named_as_the_network_names_them(moving):
    model = load(moving / "plane")
    values = model.network.vector.values
    for name, value in zip(parameter_names(model.network.vector), values, strict=True):
        array, _, index = name.rstrip("]").partition("[")
        place = tuple(int(part) for part in index.split(","))
        assert model.network.vector.views[array][place] == value


def test_a_sweep_stands_for_its_trials(moving, tmp_path):
    nettrain.sweep(
        {
            "base": line_config(moving / "line.csv"),
            "method": "grid",
            "metric": "train_loss",
            "parameters": {"optimizer.lr": {"values": [0.01, 0.1]}},
        },
        output_directory=tmp_path,
        run_name="sweep",
        executor="serial",
    )
    drawn = plot(tmp_path / "sweep", "descent", "-o", tmp_path / "x.svg")
    assert drawn.exit_code == 0, drawn.stderr
    text = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert "000: sgd, lr 0.01" in text and "001: sgd, lr 0.1" in text


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_runs_the_player_under_the_policy_of_the_page(moving, tmp_path):
    output = tmp_path / "x.html"
    assert plot(moving / "plane", "boundary", "-o", output).exit_code == 0
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [CHROMIUM, *flags, profile, "--enable-logging=stderr", "--dump-dom", output.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert "CONSOLE" not in done.stderr  # nothing was refused
    assert 'aria-valuetext="epoch 3: ' in done.stdout  # the script has shown the last frame
    player = re.search(r'<form id="player"[^>]*>', done.stdout)[0]
    assert "hidden" not in player

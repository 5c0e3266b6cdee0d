"""Runs with augmentation: in training only, resumed and on several threads to the same bits, mixed targets, and what is refused before."""

import dataclasses
import threading
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain import streams
from nettrain.autodiff.tensor import Tensor
from nettrain.component import names
from nettrain.config.load import load
from nettrain.data.augmentation import Augmentation
from nettrain.errors import ConfigError
from nettrain.inspection import profile as profile_module
from nettrain.nn.loss import Loss
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.callbacks import Callback, checkpoints
from nettrain.training.loop import Interrupted
from nettrain.training.train import prepare_run

# Every augmentation, strong enough to change images of 6 x 6 pixels.
CHAINS = {
    "brightness": ["brightness"],
    "contrast": ["contrast"],
    "crop": [{"type": "crop", "padding": 2}],
    "cutout": [{"type": "cutout", "size": 3}],
    "flip": ["flip"],
    "mixup": [{"type": "mixup", "alpha": 1}],
    "noise": [{"type": "noise", "deviation": 20}],
    "rotate": ["rotate"],
    "scale": ["scale"],
    "shift": [{"type": "shift", "pixels": 1}],
}
ALL = [item for chain in CHAINS.values() for item in chain]
X = (streams.generator(0, "x").random((40, 6, 6, 1)) * 255).astype(np.uint8)
Y = np.arange(40) % 3


@pytest.fixture
def run(toy, tmp_path):
    """Train on the images with changes under a name; the path of its directory."""

    def trained(name, augmentation, changes=None, *, stop=None, data=(X, Y), **keywords):
        config = toy({"dataset.augmentation": augmentation} | (changes or {}))
        given = {
            "output_directory": tmp_path,
            "run_name": name,
            "callbacks": [stop] if stop else [],
        } | keywords
        try:
            nettrain.train(config, data, **given)
        except Interrupted:
            assert stop is not None
        return tmp_path / name

    return trained


def test_every_augmentation_has_a_row():
    assert sorted(CHAINS) == names(Augmentation)


def trained_bytes(path):
    group = Checkpoint.read(path / "checkpoints" / "last.safetensors").group("parameters")
    return b"".join(group[name].tobytes() for name in sorted(group))


@pytest.mark.parametrize("name", CHAINS)
def test_training_sees_it_and_evaluation_does_not(run, name):
    plain, path = run("plain", []), run("augmented", CHAINS[name])
    assert trained_bytes(plain) != trained_bytes(path)
    model = nettrain.load(path)
    result = nettrain.resume(path, (X, Y))  # finished: evaluates once more
    rows = np.load(path / "splits.npz")
    for part in ("train", "validation"):
        here = model.evaluate(X[rows[part]], Y[rows[part]])
        assert result.metrics[part]["loss"] == pytest.approx(here["loss"], rel=1e-12)
    pipelines = [
        Checkpoint.read(p / "checkpoints" / "last.safetensors").group("pipeline")
        for p in (plain, path)
    ]
    assert all(pipelines[0][key].tobytes() == pipelines[1][key].tobytes() for key in pipelines[0])


@pytest.mark.parametrize(("name", "batch"), [*zip(CHAINS, cycle([2, 9]), strict=False)])
def test_resumed_in_mid_epoch_it_is_the_undisturbed_run(run, stop_at, figures, name, batch):
    whole, broken = (
        run("whole", CHAINS[name]),
        run("broken", CHAINS[name], stop=stop_at(batch, "SIGTERM")),
    )
    nettrain.resume(broken, (X, Y))
    assert figures(broken) == figures(whole)


@pytest.mark.parametrize("batch", [2, 6, 23])
def test_killed_it_is_the_undisturbed_run_too(
    run, stop_at, killed, figures, monkeypatch, tmp_path, batch
):
    whole = run("whole", ALL)
    monkeypatch.setattr(checkpoints, "WITHIN_AN_EPOCH", 0.0)
    with pytest.raises(killed):
        run("broken", ALL, stop=stop_at(batch, "kill"))
    nettrain.resume(tmp_path / "broken", (X, Y))
    assert figures(tmp_path / "broken") == figures(whole)


DIVIDED = [{}, {"training.accumulate": 2}, {"training.shards": 3, "training.accumulate": 3}]


@pytest.mark.parametrize(
    ("name", "changes"),
    [*zip(CHAINS, cycle(DIVIDED), strict=False), *(("all", changes) for changes in DIVIDED)],
    ids=str,
)
def test_one_thread_without_and_several_with_prefetch_give_the_same_bits(
    run, figures, name, changes
):
    chain = CHAINS.get(name, ALL)
    first, second = Threads(), Threads()
    alone, ahead = (
        run("alone", chain, changes, threads=1, stop=first),
        run("ahead", chain, changes, threads=4, stop=second),
    )
    assert figures(alone) == figures(ahead)
    assert not any(first.prefetched) and all(second.prefetched)
    assert not prefetching()


def prefetching():
    return any(thread.name == "prefetch" for thread in threading.enumerate())


class Threads(Callback):
    """Notes whether there is a thread that gathers ahead."""

    def __init__(self):
        self.prefetched = []

    def batch_end(self, run):
        self.prefetched.append(prefetching())


class Eagerly(Callback):
    def begin(self, run):
        run.step.computation.replay = False


@pytest.mark.parametrize(
    "changes", [{}, {"training.shards": 2}, {"training.class_weights": "balanced"}], ids=str
)
def test_the_plan_of_mixed_rows_is_the_eager_step(run, figures, changes):
    replayed, eager = (
        run("replayed", ["mixup"], changes),
        run("eager", ["mixup"], changes, stop=Eagerly()),
    )
    assert figures(replayed) == figures(eager)


def test_shards_see_what_one_batch_would(run):
    changes = {"dtype": "float64", "regularization.dropout": 0}
    paths = [run(f"of {n}", ALL, changes | {"training.shards": n}) for n in (1, 3)]
    first, second = (
        Checkpoint.read(path / "checkpoints" / "last.safetensors").group("parameters")
        for path in paths
    )
    for name, values in first.items():
        np.testing.assert_allclose(second[name], values, rtol=1e-8, atol=1e-12)


def test_every_step_and_portion_has_chances_of_its_own(toy):
    run = prepare_run(toy({"dataset.augmentation": ["rotate"]}), (X, Y))
    seen = []
    for place in ((0, 0), (0, 1), (1, 0), (0, 0)):
        run.step.gather(np.arange(8), *place)
        seen.append(run.step.batch.x[:8].tobytes())
    assert len(set(seen)) == 3 and seen[0] == seen[3]


# The losses of mixed rows, computed by hand from what the batch says was mixed.

VALUES = X.reshape(40, -1)[:, :3] / 255
LABELS = (VALUES > 0.5) * 1.0
LOSSES = {
    "cross_entropy": Y, "hinge": Y, "logistic": Y % 2, "binary_cross_entropy": LABELS, "focal": LABELS, "mse": VALUES, "mae": VALUES,
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_of_a_mixed_batch_is_that_of_both_targets(toy, name, weighted):
    weights = 1 + np.arange(40) % 4
    config = toy(
        {
            "dataset.augmentation": [{"type": "mixup", "alpha": 1}],
            "loss": name,
            "dtype": "float64",
            "regularization": {},
        }
    )
    run = prepare_run(config, (X, LOSSES[name], weights) if weighted else (X, LOSSES[name]))
    rows = np.arange(8)
    run.step.gather(rows, 0, 0)
    x, batch = run.step.batch.x[:8].copy(), run.step.batch
    part = run.parts["train"]
    mix = run.config.dataset.augmentation[0].apply(
        part.x[rows].copy(), streams.StepStream(run.config.seed, "augmentation.0.mixup").seek(0)
    )
    np.testing.assert_allclose(
        x, mix.share * part.x[rows] + (1 - mix.share) * part.x[rows][mix.partner], rtol=1e-9
    )
    w = part.weights[rows] if weighted else np.ones(8)
    outputs = run.network(Tensor(x), training=True)
    losses = [
        run.loss.rows(outputs, Tensor(run.step.part.y[of])).value
        for of in (rows, rows[mix.partner])
    ]
    expected = (mix.share * w * losses[0] + (1 - mix.share) * w[mix.partner] * losses[1]).sum()
    assert run.step(rows, 0.0) == pytest.approx(expected, rel=1e-9)
    assert run.step.weight(rows) == pytest.approx(
        (mix.share * w + (1 - mix.share) * w[mix.partner]).sum()
    )
    assert float(batch.per_weight) == pytest.approx(1 / w.sum())


def test_mixed_cross_entropy_is_that_of_mixed_targets():
    z, share = Tensor(streams.generator(0, "z").normal(size=(8, 3))), 0.3
    codes, others = Y[:8].astype(np.int64), Y[:8][::-1].astype(np.int64)
    soft = share * np.eye(3)[codes] + (1 - share) * np.eye(3)[others]
    loss = Loss.parse("cross_entropy")
    both = (
        share * loss.rows(z, Tensor(codes)).value + (1 - share) * loss.rows(z, Tensor(others)).value
    )
    log_p = z.value - np.log(np.exp(z.value).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(both, -(soft * log_p).sum(axis=1), rtol=1e-12)


def test_an_autoencoder_learns_to_take_noise_away(toy):
    run = prepare_run(
        toy(
            {"dataset.augmentation": [{"type": "noise", "deviation": 50}], "dataset.target": "self"}
        ),
        (X,),
    )
    run.step.gather(np.arange(8), 3, 0)
    clean = run.parts["train"].x[:8]
    assert np.array_equal(run.step.batch.y[:8], clean.reshape(8, -1)) and not np.array_equal(
        run.step.batch.x[:8], clean
    )


@pytest.mark.parametrize(("dataset", "data", "message"), [
    ({"augmentation": ["flip"]}, (X.reshape(40, -1), Y), r"dataset.augmentation: is for images.*\(36,\): leave it out"),
    ({"augmentation": ["flip"], "transforms": ["standardize"]}, (X, Y), r"dataset.augmentation\[0\]: flip moves pixels"),
    ({"augmentation": ["mixup", "flip", "mixup"]}, (X, Y), r"dataset.augmentation\[2\]: mixup would mix rows that mixup has mixed already"),
    ({"augmentation": ["brightness", "rotate"], "target": "self"}, (X,), r"dataset.augmentation\[1\]: rotate moves pixels.*`target: self`"),
    ({"augmentation": ["flop"]}, (X, Y), r"augmentation 'flop' does not exist; did you mean 'flip'"),
])  # fmt: skip
def test_what_cannot_be_is_refused_before_anything_is_written(
    toy, tmp_path, dataset, data, message
):
    with pytest.raises(ConfigError, match=message):
        nettrain.train(
            toy({f"dataset.{key}": value for key, value in dataset.items()}),
            data,
            output_directory=tmp_path / "runs",
        )
    assert not (tmp_path / "runs").exists()


def test_the_line_of_a_mistake_is_told(tmp_path):
    path = Path(tmp_path) / "a.yaml"
    path.write_text(
        "dataset:\n  source: xor\n  augmentation:\n  - flip\n  - {type: cutout, sise: 3}\nmodel: {type: mlp, hidden: [2]}\n"
    )
    with pytest.raises(
        ConfigError, match=r"a.yaml:5: dataset.augmentation\[1\].*'sise'.*did you mean 'size'"
    ):
        load(path)


def test_it_cannot_change_when_a_run_goes_on(run):
    path = run("run", ["flip"])
    with pytest.raises(nettrain.errors.RunError, match=r"dataset.augmentation cannot change"):
        nettrain.resume(path, (X, Y), sets=["dataset.augmentation=[brightness]"])


def test_a_run_says_what_is_done(run):
    path = run("run", ["flip", {"type": "shift", "pixels": 1}])
    assert (
        "augmentation of the training part: flip, shift (pixels 1)"
        in (path / "log.txt").read_text()
    )


@pytest.mark.parametrize("augmentation", [[], ALL], ids=["as they are", "augmented"])
def test_rows_that_wait_in_a_file_are_gathered_ahead_to_the_same_bits(run, tmp_path, augmentation):
    np.savez(tmp_path / "images.npz", x=X, y=Y)
    seen, changes = Threads(), {"training.shards": 2}
    memory = run("memory", augmentation, changes, threads=1)
    source = {
        "dataset.source": {"type": "npz", "path": str(tmp_path / "images.npz"), "read": "disk"}
    }
    disk = run("disk", augmentation, changes | source, data=None, threads=2, stop=seen)
    assert trained_bytes(memory) == trained_bytes(disk)
    assert all(seen.prefetched)  # though computing takes both threads: a disk may let them wait


def test_a_profile_counts_the_time_waited_and_changes_no_bit(run, figures, monkeypatch):
    monkeypatch.setattr(profile_module, "sgemm_peak", lambda threads: 100.0)
    profile = profile_module.Profile()
    plain, profiled = run("plain", ALL, threads=2), run("profiled", ALL, threads=2, stop=profile)
    assert figures(plain) == figures(profiled)
    lines = {part.name: part.ms for part in profile.parts()}
    assert lines["gather the batch"] > 0 and sum(lines.values()) == pytest.approx(
        profile.total().ms, rel=1e-6
    )


class Diverging(Callback):
    """Makes the weights so large that the next loss is no number."""

    def batch_end(self, run):
        if run.progress.batch == 3:
            run.network.vector.values[...] = np.nan


def test_a_diverged_run_tells_the_layer_and_leaves_no_thread(run):
    with pytest.raises(nettrain.errors.Diverged, match=r"batch 4 is nan; first bad layer: dense_1"):
        run(
            "run",
            ALL,
            {"dataset.transforms": [{"type": "scale", "divide_by": 255}]},
            stop=Diverging(),
            threads=2,
        )
    assert not prefetching()


def test_a_signal_leaves_no_thread(run, stop_at):
    run("run", ALL, stop=stop_at(2, "SIGINT"), threads=2)
    assert not prefetching()


class Failing(Callback):
    """Makes gathering fail from a step on."""

    def begin(self, run):
        part = run.step.batch.part

        def gather(rows, x_out, y_out=None):
            if run.update.steps >= 2:
                raise OSError("the disk is gone")
            type(part).gather(part, rows, x_out, y_out)

        object.__setattr__(part, "gather", gather)


def test_a_failure_of_the_thread_is_raised_in_the_run(run):
    with pytest.raises(OSError, match="the disk is gone"):
        run("run", ["flip"], stop=Failing(), threads=2)
    assert not prefetching()


@pytest.mark.parametrize(("augmentation", "changes", "threads", "expected"), [
    ([], {}, 2, False),                                      # rows that lie ready
    (["flip"], {}, 1, False),
    (["flip"], {}, 2, True),
    (["flip"], {"training.shards": 2}, 2, False),            # computing takes both
    (["flip"], {"training.shards": 2}, 3, True),
], ids=str)  # fmt: skip
def test_a_thread_gathers_ahead_where_there_is_work_for_it_and_a_place(
    run, augmentation, changes, threads, expected
):
    seen = Threads()
    run("run", augmentation, changes, stop=seen, threads=threads)
    assert set(seen.prefetched) == {expected}


def test_augmentation_survives_in_the_resolved_configuration(run):
    path = run("run", ALL)
    config = load(path / "config.yaml")
    assert dataclasses.replace(config).dataset.augmentation == tuple(map(Augmentation.parse, ALL))

"""`eval --threshold`: the best F1, the positive class, what is kept and what is refused."""

import csv
import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app
from nettrain.config.load import load, load_ensemble
from nettrain.data.loader import Loader
from nettrain.errors import ConfigError
from nettrain.inspection.recorded_run import RecordedRun
from nettrain.inspection.threshold import best_f1_threshold, threshold_scores
from nettrain.metrics import ClassOutcome, Decision


def command(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def rows(n=400, seed=0):
    """One feature that tells a rare class, `yes`, not quite from the other."""
    random = np.random.default_rng(seed)
    y = random.random(n) < 0.2
    return random.normal(size=(n, 1)) + 1.2 * y[:, None], np.where(y, "yes", "zno")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("threshold")
    x, y = rows()
    lines = [f"{a[0]},{b}" for a, b in zip(x, y, strict=True)]
    (folder / "t.csv").write_text("\n".join(["a,y", *lines]))
    config = {
        "dataset": {
            "source": {"type": "csv", "path": str(folder / "t.csv"), "target": "y"},
            "split": {"validation": 0.3, "test": 0.3},
        },
        "model": {"type": "mlp", "hidden": [4]},
        "training": {"epochs": 20},
    }
    nettrain.train(config, output_directory=folder, run_name="run")
    return folder / "run"


def test_the_rarer_class_is_the_positive_one_unless_another_is_named(run):
    assert nettrain.load(run).schema.positive == "yes"
    config = str(run / "config.yaml")
    named = run.parent / "named"
    sets = ["dataset.positive=zno", "training.epochs=1"]
    nettrain.train(config, sets=sets, output_directory=named.parent, run_name=named.name)
    assert nettrain.load(named).schema.positive == "zno"
    assert "positive class: 'yes', the rarer (" in (run / "log.txt").read_text()
    assert "positive class: 'zno' (dataset.positive)" in (named / "log.txt").read_text()
    with pytest.raises(ConfigError, match=r"dataset.positive: no class 'yess'; did you mean 'yes'"):
        nettrain.train(config, sets=["dataset.positive=yess"])
    with pytest.raises(ConfigError, match=r"dataset.positive: .* here is 3 classes"):
        iris = {"dataset": {"source": "iris", "positive": "setosa"}, "model": {"type": "mlp"}}
        nettrain.train(iris)


def test_a_loader_that_remembers_the_rows_does_not_remember_the_positive_class(run):
    loader, config = Loader(), run / "config.yaml"
    found = [
        loader.load(load(config, sets=sets).dataset, 0).schema.positive
        for sets in ([], ["dataset.positive=zno"])
    ]
    assert found == ["yes", "zno"]
    with pytest.raises(ConfigError, match=r"dataset.positive: no class 'no'"):
        loader.load(load(config, sets=["dataset.positive=no"]).dataset, 0)


def test_an_ensemble_has_the_positive_class_of_its_members(run, tmp_path):
    sets = ["training.epochs=1", "ensemble.members=2"]
    config = load_ensemble(run / "config.yaml", sets=sets)
    result = nettrain.ensemble(config, output_directory=tmp_path, run_name="two", executor="serial")
    model = nettrain.load(result.directory)
    outcome = model.evaluation(model.training_data.part("test")).outcome
    assert outcome.decision == Decision(0) and model.classes == ("yes", "zno")


def test_the_reliability_diagram_names_the_positive_class(run):
    pytest.importorskip("matplotlib")
    from nettrain.report.plot import plot_of
    from nettrain.report.run_view import RunView

    view = RunView(RecordedRun.open(run))
    figure = plot_of("calibration").draw(view)
    assert figure.axes[1].get_xlabel() == "predicted probability of yes"


def test_a_kept_threshold_must_be_taken_out_before_calibration(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    command("eval", copy, "--threshold", 0.3, "--keep-threshold")
    before = nettrain.load(copy).path.read_bytes()
    for words in ([], ["--remove"]):
        found = command("calibrate", copy, *words)
        assert found.exit_code == 2
        assert "keeps the threshold 0.3, which is one of the probabilities" in " ".join(
            found.stderr.split()
        )
    assert nettrain.load(copy).path.read_bytes() == before
    command("eval", copy, "--threshold", 0.5, "--keep-threshold")
    assert command("calibrate", copy).exit_code == 0


def test_no_other_threshold_has_a_larger_f1():
    random = np.random.default_rng(1)
    for _ in range(20):
        scores = random.choice(np.linspace(0.05, 0.95, 12), 60)
        positive = random.random(60) < scores

        def f1(threshold, scores=scores, positive=positive):
            found = scores >= threshold
            return 2 * (found & positive).sum() / (found.sum() + positive.sum())

        best = best_f1_threshold(positive, scores)
        assert f1(best) == max(f1(one) for one in np.unique(scores))


@pytest.mark.parametrize("positive", [0, 1])
def test_scores_of_the_positive_class_are_those_of_scikit_learn(positive):
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(2)
    p = random.random(200)
    targets = (random.random(200) < p).astype(np.int64)
    outcome = ClassOutcome(targets, np.stack([1 - p, p], axis=1), Decision(positive, 0.3))
    found = {name: share.value for name, share in threshold_scores(outcome).items()}
    predicted = np.where(outcome.probabilities[:, positive] >= 0.3, positive, 1 - positive)
    assert np.array_equal(outcome.predicted, predicted)
    for name, score in (
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1", metrics.f1_score),
    ):
        assert found[name] == pytest.approx(
            score(targets, predicted, pos_label=positive), abs=1e-12
        )
    specificity = metrics.recall_score(targets, predicted, pos_label=1 - positive)
    assert found["specificity"] == pytest.approx(specificity, abs=1e-12)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(targets, predicted), abs=1e-12)


def test_a_threshold_that_is_kept_decides_everywhere_until_it_is_taken_out(run, tmp_path):
    x, _ = rows(50, 3)
    before = nettrain.load(run)
    plain, p = before.predict(x), before.probabilities(x)[:, 0]
    assert before.classes == ("yes", "zno") and (plain == np.where(p > 0.5, "yes", "zno")).all()
    found = command("eval", run, "--threshold", "best_f1", "--keep-threshold", "--json")
    answer = json.loads(found.stdout)
    threshold = answer["threshold"]
    assert found.exit_code == 0 and answer["positive"] == "yes" and 0 < threshold < 0.5
    shares = answer["at_threshold"].values()
    assert all(
        one["interval"] is None or one["interval"][0] <= one["value"] <= one["interval"][1]
        for one in shares
    )
    after = nettrain.load(run)
    assert (after.predict(x) == np.where(p >= threshold, "yes", "zno")).all()
    np.testing.assert_array_equal(after.probabilities(x)[:, 0], p)
    again = command("eval", run)
    assert f"decided for 'yes' from a probability of {threshold:.4g} on" in again.stderr
    assert "of 'yes'" in again.stdout and "specificity" in again.stdout
    (tmp_path / "new.csv").write_text("a\n" + "\n".join(map(str, x[:, 0])))
    predicted = command("predict", run, tmp_path / "new.csv")
    decided = [line.split(",")[0] for line in predicted.stdout.split()[1:]]
    assert decided == after.predict(x).tolist()
    assert "decided for 'yes'" in predicted.stderr
    command("eval", run, "--threshold", 0.5, "--keep-threshold")
    assert (nettrain.load(run).predict(x) == plain).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--threshold", "1.5"], "--threshold 1.5: expected best_f1, or a number between 0 and 1"),
        (["--threshold", "0"], "expected best_f1, or a number between 0 and 1"),
        (["--threshold", "f1"], "expected best_f1"),
        (["--keep-threshold"], "name both"),
    ],
)
def test_what_is_no_threshold_is_refused(run, words, message):
    found = command("eval", run, *words)
    assert found.exit_code == 2 and message in found.stderr


def new_rows(folder):
    x, _ = rows(40, 5)
    (folder / "new.csv").write_text("a\n" + "\n".join(map(str, x[:, 0])))
    return x, folder / "new.csv"


def predicted(*words):
    """The classes that `predict` writes, their probabilities, and what it says."""
    found = command("predict", *words)
    assert found.exit_code == 0, found.output
    written = list(csv.DictReader(found.stdout.splitlines()))
    classes = np.array([row["prediction"] for row in written])
    return classes, np.array([float(row["probability"]) for row in written]), found.stderr


def test_predict_takes_a_threshold_in_place_of_the_kept_one(run, tmp_path):
    x, file = new_rows(tmp_path)
    copy = shutil.copytree(run, tmp_path / "copy")
    command("eval", copy, "--threshold", 0.7, "--keep-threshold")
    p = nettrain.load(run).probabilities(x)[:, 0]  # of yes
    for words, threshold in (([], 0.7), (["--threshold", 0.1], 0.1)):
        classes, probability, said = predicted(copy, file, *words)
        assert said == f"decided for 'yes' from a probability of {threshold} on\n"
        assert (classes == np.where(p >= threshold, "yes", "zno")).all()
        np.testing.assert_allclose(probability, np.where(p >= threshold, p, 1 - p), atol=1e-6)
    best = json.loads(command("eval", run, "--threshold", "best_f1", "--json").stdout)["threshold"]
    classes, _, _ = predicted(run, file, "--threshold", "best_f1")
    assert (classes == np.where(p >= best, "yes", "zno")).all()
    assert nettrain.load(copy).decision.threshold == 0.7


@pytest.mark.parametrize("vote", ["mean", "majority"])
def test_the_vote_of_an_ensemble_is_decided_by_a_threshold(run, tmp_path, vote):
    sets = ["training.epochs=5", "ensemble.members=3", f"ensemble.vote={vote}"]
    config = load_ensemble(run / "config.yaml", sets=sets)
    result = nettrain.ensemble(config, output_directory=tmp_path, run_name="e", executor="serial")
    x, file = new_rows(tmp_path)
    p = nettrain.load(result.directory).probabilities(x)[:, 0]
    threshold = float(np.unique(p)[:2].mean())
    classes, _, _ = predicted(result.directory, file, "--threshold", threshold)
    assert (classes == np.where(p >= threshold, "yes", "zno")).all() and len({*classes}) == 2
    for words in (["predict", result.directory, file], ["eval", result.directory]):
        found = command(*words, "--threshold", "best_f1")
        assert found.exit_code == 2 and "is an ensemble: no row is held out" in found.stderr


@pytest.mark.parametrize(("dataset", "said"), [
    ({"source": "iris"}, "this is 3 classes"), ({"source": "sine"}, "this is regression"),
])  # fmt: skip
def test_only_two_classes_have_a_threshold(tmp_path, dataset, said):
    config = {"dataset": dataset, "model": {"type": "mlp"}, "training": {"epochs": 1}}
    nettrain.train(config, output_directory=tmp_path, run_name="run")
    for words in (["eval", tmp_path / "run"], ["predict", tmp_path / "run", "none.csv"]):
        found = command(*words, "--threshold", "0.3")
        assert found.exit_code == 2 and f"decides between two classes, {said}" in found.stderr


def test_the_best_f1_needs_validation_rows(tmp_path):
    config = {
        "dataset": {"source": {"type": "moons", "rows": 60}, "split": "none"},
        "model": {"type": "mlp"},
        "training": {"epochs": 1},
    }
    nettrain.train(config, output_directory=tmp_path, run_name="moons")
    found = command("eval", tmp_path / "moons", "--threshold", "best_f1")
    assert (
        found.exit_code == 2 and "has no validation rows to choose a threshold on" in found.stderr
    )

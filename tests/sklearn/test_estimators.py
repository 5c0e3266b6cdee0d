"""The estimators of nettrain: configurations, kinds of data and labels, further training, run directories, user errors."""

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars
import pytest

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "nettrain[sklearn]"')

from scipy.sparse import csr_matrix
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_multilabel_classification
from sklearn.exceptions import NotFittedError

import nettrain
from nettrain.sklearn import NettrainClassifier, NettrainRegressor

CONFIGS = Path(__file__).parents[2] / "configs"
SMALL = {"model__hidden": [8], "optimizer__lr": 0.05, "training__epochs": 10}
X, Y = load_iris(return_X_y=True, as_frame=True)
MIXED = pd.DataFrame({"age": np.arange(60) % 17.0, "city": ["a", "b", "c"] * 20})


def small(**changes):
    return NettrainClassifier(**(SMALL | changes))


def test_a_file_a_mapping_a_config_and_keywords_train_the_same_model():
    mapping = {
        "model": {"type": "mlp", "hidden": [8]},
        "optimizer": {"type": "adam", "lr": 0.05},
        "training": {"epochs": 10},
    }
    expected = small().fit(X, Y).predict_proba(X)
    assert (NettrainClassifier(mapping).fit(X, Y).predict_proba(X) == expected).all()
    changed = NettrainClassifier(
        mapping | {"optimizer": "sgd"}, optimizer={"type": "adam", "lr": 0.05}
    )
    assert (changed.fit(X, Y).predict_proba(X) == expected).all()
    digits = load_digits(return_X_y=True)
    from_file = NettrainClassifier(CONFIGS / "digits.yaml", training__epochs=2).fit(*digits)
    assert from_file.n_iter_ == 2 and from_file.score(*digits) > 0.8


def test_rows_for_a_test_are_trained_on_and_rows_for_validation_are_not():
    held_out = small(dataset__split={"validation": 0.2, "test": 0.2}).fit(X, Y)
    assert held_out.history_[0]["step"] == 4  # 120 rows in batches of 32
    assert "validation_accuracy" in held_out.history_[0]
    assert small().fit(X, Y).history_[0]["step"] == 5


def test_early_stopping_of_the_configuration_ends_a_fit():
    stopped = small(
        dataset__split__validation=0.2, early_stopping={"patience": 1}, training__epochs=500
    ).fit(X, Y)
    assert len(stopped.loss_curve_) == stopped.n_iter_ < 500


@pytest.mark.parametrize("labels", [
    Y, Y.to_numpy() - 1, Y == 1, Y.astype(float), [["a", "b", "c"][y] for y in Y],
    pd.Series(Y.map({0: "a", 1: "b", 2: "c"}), dtype="category"), polars.Series(["x", "y", "z"] * 50),
    np.arange(150) % 30,
], ids=["int", "negative", "bool", "float", "str", "category", "polars", "many"])  # fmt: skip
def test_classes_come_back_in_their_own_type(labels):
    predicted = small(training__epochs=2).fit(X, labels).predict(X)
    assert predicted.dtype == np.unique(np.asarray(labels)).dtype
    assert set(predicted) <= set(labels)


def test_a_random_state_decides_everything_random():
    def loss(state):
        return small(training__epochs=2, random_state=state).fit(X, Y).loss_curve_[-1]

    assert loss(None) == loss(0) == loss(np.int64(0)) != loss(1)
    assert loss(np.random.RandomState(0)) == loss(np.random.RandomState(0)) != loss(0)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_arrays_train_on_what_a_data_frame_began():
    begun = small().partial_fit(X, Y)
    assert begun.partial_fit(X.to_numpy(), Y).n_iter_ == 2


@pytest.mark.parametrize("kind", [NettrainClassifier, NettrainRegressor])
def test_the_example_of_the_documentation_is_right(kind):
    examples = doctest.DocTestFinder(recurse=False).find(kind)
    assert doctest.DocTestRunner().run(examples[0]) == (0, len(examples[0].examples))


@pytest.mark.parametrize("frame", [MIXED, polars.DataFrame(MIXED.to_dict("list"))], ids=["pandas", "polars"])  # fmt: skip
def test_strings_of_a_data_frame_are_categories(frame):
    fitted = small().fit(frame, MIXED["city"])
    assert fitted.score(frame, MIXED["city"]) == 1
    assert list(fitted.feature_names_in_) == ["age", "city"] and fitted.n_features_in_ == 2


def test_gaps_are_filled_and_images_are_taken():
    gaps = X.mask(np.eye(150, 4, dtype=bool))
    assert small().fit(gaps, Y).score(gaps, Y) > 0.9
    digits = load_digits()
    model = {"type": "cnn", "blocks": [{"filters": 4, "kernel": 3, "pool": 4}]}
    cnn = NettrainClassifier(model=model, optimizer__lr=0.02, training__epochs=3)
    assert cnn.fit(digits.images, digits.target).score(digits.images, digits.target) > 0.7


def test_several_labels_are_independent():
    x, y = make_multilabel_classification(n_classes=3, random_state=0)
    fitted = small().fit(x, y)
    assert fitted.predict_proba(x).shape == y.shape and fitted.classes_.tolist() == [0, 1, 2]
    assert (fitted.predict(x) == y).mean() > 0.8
    assert (fitted.predict(x) == (fitted.predict_proba(x) >= 0.5)).all()


def test_regression_has_its_own_units_and_several_columns():
    x, y = load_diabetes(return_X_y=True)
    both = NettrainRegressor(**SMALL).fit(x, np.column_stack([y, -10 * y]))
    predicted = both.predict(x)
    assert both.score(x, np.column_stack([y, -10 * y])) > 0.4
    assert np.corrcoef(predicted.T)[0, 1] < -0.95
    assert (
        NettrainRegressor(**SMALL).fit(X, Y).predict(X).dtype.kind == "f"
    )  # no classes of 0, 1, 2


@pytest.mark.parametrize(
    "settings",
    [
        {"schedule": "cosine"},
        {"training__ema": 0.9, "optimizer__type": "momentum"},
        {"model__batch_norm": True, "regularization__dropout": 0.2},
        {"optimizer__type": "lbfgs", "training__batch_size": None},
    ],
    ids=["schedule", "average", "state", "closure"],
)
def test_calls_of_partial_fit_are_the_epochs_of_a_fit(settings):
    whole = small(training__epochs=4, **settings).fit(X, Y)
    by_epoch = small(training__epochs=4, **settings)
    for _ in range(4):
        by_epoch.partial_fit(X, Y)
    assert (by_epoch.predict_proba(X) == whole.predict_proba(X)).all()
    assert by_epoch.loss_curve_ == whole.loss_curve_ and by_epoch.n_iter_ == 4


def test_a_regressor_goes_on_with_any_number_of_rows():
    numbers = NettrainRegressor(**SMALL).partial_fit(X, Y)
    assert numbers.partial_fit(X[:1], Y[:1]).n_iter_ == 2


def test_partial_fit_knows_its_classes_from_the_first_call():
    fitted = small().partial_fit(X[:9], Y[:9], classes=[2, 1, 0])  # of one class too
    assert fitted.predict_proba(X).shape == (150, 3)
    fitted.partial_fit(X[140:], Y[140:])  # of one class
    with pytest.raises(ValueError, match=r"holds the class 5.*first fit, \[0, 1, 2\]"):
        fitted.partial_fit(X, Y + 5)
    with pytest.raises(ValueError, match=r"classes: \[0, 1\] are not those"):
        fitted.partial_fit(X, Y, classes=[0, 1])


def test_a_warm_start_begins_with_the_weights_of_the_fit_before():
    warm = small(warm_start=True, training__epochs=5).fit(X, Y)
    first = warm.loss_curve_
    second = warm.fit(X, Y).loss_curve_
    assert len(second) == 5 and second[0] < first[-1] < first[0]
    assert small(training__epochs=5).fit(X, Y).fit(X, Y).loss_curve_ == first
    divided = warm.set_params(dataset__split__validation=0.2).fit(X, Y)
    assert divided.history_[0]["validation_accuracy"] > 0.9
    with pytest.raises(nettrain.CheckpointError, match=r"dense_1\.w has shape"):
        warm.set_params(model__hidden=[3]).fit(X, Y)
    with pytest.raises(ValueError, match="warm_start cannot add classes"):
        warm.fit(X, Y + 1)


def test_a_run_directory_is_written_when_asked_and_gives_the_estimator_back(
    tmp_path, capfd, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    quiet = small().fit(X, names)
    assert list(tmp_path.iterdir()) == [] and capfd.readouterr() == ("", "")
    assert quiet.run_directory_ is None
    written = small(run_directory="runs/iris").fit(X, names)
    assert written.run_directory_ == "runs/iris"
    assert written.fit(X, names).run_directory_ == "runs/iris-2"
    assert (nettrain.load("runs/iris").predict(X) == written.predict(X)).all()
    restored = NettrainClassifier.from_run("runs/iris")
    assert (restored.predict_proba(X) == written.predict_proba(X)).all()
    assert (restored.predict_proba(X) == quiet.predict_proba(X)).all()
    for name in ("classes_", "n_iter_", "n_features_in_", "feature_names_in_", "loss_curve_"):
        assert np.array_equal(getattr(restored, name), getattr(written, name)), name
    assert restored.partial_fit(X, names).n_iter_ == 11
    with pytest.raises(nettrain.RunError, match="use NettrainClassifier"):
        NettrainRegressor.from_run("runs/iris")


def test_a_run_of_the_command_line_becomes_an_estimator(tmp_path):
    config = {"dataset": {"source": "digits"}, "model": "mlp", "training": {"epochs": 2}}
    run = nettrain.train(config, output_directory=tmp_path)
    fitted = NettrainClassifier.from_run(run.run_directory)
    digits = load_digits()
    assert fitted.score(digits.images, digits.target) > 0.8
    Path(tmp_path / "model.safetensors").write_bytes(fitted.checkpoint_)
    assert nettrain.load(tmp_path / "model.safetensors").predict(digits.images[:1]) == [0]


@pytest.mark.parametrize(("settings", "said"), [
    ({"optimizer__lrr": 1}, "optimizer__lrr: .*unknown key 'lrr'; did you mean 'lr'"),
    ({"epochs": 3}, "unknown key 'epochs'; did you mean 'training.epochs'"),
    ({"optimiser": "adam"}, "did you mean 'optimizer'"),
    ({"optimizer__lr": -1, "model__hidden": [0]}, "model.hidden\\[0\\].*\n.*optimizer__lr: .*got -1"),
    ({"random_state": -1}, "random_state=-1: seed"),
    ({"loss": "mse"}, "use `loss: cross_entropy`"),
    ({"config": "absent.yaml"}, "absent.yaml"),
    ({"plugins": ["mine.py"]}, "mine.py"),
    ({"threads": 0}, "threads"),
])  # fmt: skip
def test_a_wrong_parameter_is_told_in_fit(settings, said):
    estimator = small(**settings)
    with pytest.raises(nettrain.NettrainError, match=said):
        estimator.fit(X, Y)


FITTED, OF_STRINGS = small(training__epochs=1).fit(X, Y), small(training__epochs=1).fit(MIXED, MIXED["city"])  # fmt: skip


@pytest.mark.parametrize(("call", "error", "said"), [
    (lambda: FITTED.predict(X.to_numpy()[:, :2]), ValueError, "2 features, but NettrainClassifier is expecting 4"),
    (lambda: FITTED.predict(X[X.columns[::-1]]), ValueError, "same order"),
    (lambda: FITTED.predict(X.rename(columns={X.columns[0]: "length"})), ValueError, "unseen at fit time:\n- length"),
    (lambda: FITTED.predict(X.mask(X > 7)), nettrain.DataError, "row 102.*missing or NaN; add impute"),
    (lambda: FITTED.predict(csr_matrix(X)), TypeError, "toarray"),
    (lambda: OF_STRINGS.predict(np.ones((2, 2))), nettrain.DataError, "strings of the columns city"),
    (lambda: small().predict(X), NotFittedError, "not fitted"),
    (lambda: small().fit(np.array([["a", "b"], ["c", "d"]]), [0, 1]), ValueError, "numeric"),
    (lambda: small().fit(X.replace(7.9, np.inf), Y), nettrain.DataError, "row 131.*infinite"),
    (lambda: small().fit(X, Y[:9]), ValueError, "inconsistent numbers of samples"),
    (lambda: small().fit(X, Y * 0), ValueError, "holds one class, 0; .* at least two classes"),
    (lambda: small().fit(X, X["sepal length (cm)"]), ValueError, "regression target"),
    (lambda: small().fit(X, np.column_stack([Y, Y])), ValueError, "Unknown label type: multiclass-multioutput|labels of 0 and 1"),
    (lambda: small().fit(X, Y, sample_weight=-np.ones(150)), ValueError, "Negative"),
    (lambda: small().fit(X, Y, sample_weight=[1, 2]), ValueError, "sample_weight"),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_data_that_cannot_be_used_is_told(call, error, said):
    with pytest.raises(error, match=f"(?s){said}"):
        call()


def test_without_scikit_learn_the_import_says_what_to_install():
    code = (
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'sklearn' else find(name, *a)\n"
        "import nettrain.sklearn"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert done.stderr.endswith(
        'ImportError: scikit-learn is not installed: pip install "nettrain[sklearn]"\n'
    )


def test_quantiles_and_calibrated_intervals_of_new_rows():
    x, y = load_diabetes(return_X_y=True)
    loss = {"type": "quantile", "quantiles": [0.1, 0.5, 0.9]}
    regressor = NettrainRegressor({"model": "mlp", "loss": loss}, **SMALL).fit(x[:250], y[:250])
    quantiles = regressor.predict_quantiles(x[350:])
    assert quantiles.shape == (92, 3) and (np.diff(quantiles, axis=1) >= 0).all()
    np.testing.assert_array_equal(regressor.predict(x[350:]), quantiles[:, 1])
    with pytest.raises(nettrain.NettrainError, match="has no intervals"):
        regressor.predict_interval(x)
    regressor.calibrate(x[250:350], y[250:350])
    lower, upper = regressor.predict_interval(x[350:])
    assert ((lower <= y[350:]) & (y[350:] <= upper)).mean() > 0.8
    assert (
        upper - lower > np.subtract(*regressor.predict_interval(x[350:], 0.5)[::-1])
    ).mean() > 0.9

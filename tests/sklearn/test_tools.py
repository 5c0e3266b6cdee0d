"""What scikit-learn builds out of estimators: pipelines, searches, calibration, votes, importances."""

import pickle

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "nettrain[sklearn]"')

from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nettrain.sklearn import NettrainClassifier, NettrainRegressor

SMALL = {"model__hidden": [8], "optimizer__lr": 0.05, "training__epochs": 10}
X, Y = load_iris(return_X_y=True, as_frame=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


def small(**changes):
    return NettrainClassifier(**(SMALL | changes))


def test_a_grid_searches_keys_of_the_configuration_inside_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), small())
    grid = {"nettrainclassifier__optimizer__lr": [1e-6, 0.05]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, NAMES)
    assert search.best_params_ == {"nettrainclassifier__optimizer__lr": 0.05}
    assert search.score(X, NAMES) > 0.9


def test_a_grid_may_search_a_key_that_the_estimator_was_not_given():
    search = GridSearchCV(small(), {"regularization__l2": [0.0, 10.0]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"regularization__l2": 0.0}
    assert search.best_estimator_.get_params()["regularization__l2"] == 0.0


def test_successive_halving_spends_epochs():
    search = HalvingRandomSearchCV(
        small(training__epochs=1), {"optimizer__lr": [1e-6, 1e-5, 1e-4, 0.05]}, resource="training__epochs",
        min_resources=3, max_resources=6, n_candidates=4, factor=2, cv=2, random_state=0,
    ).fit(X, Y)  # fmt: skip
    assert search.best_params_["optimizer__lr"] == 0.05
    assert search.best_estimator_.n_iter_ == 6


def test_a_classifier_is_calibrated_and_votes():
    calibrated = CalibratedClassifierCV(small(), cv=2).fit(X, NAMES)
    assert calibrated.score(X, NAMES) > 0.9
    voting = VotingClassifier([("network", small()), ("bayes", GaussianNB())], voting="soft")
    assert voting.fit(X, NAMES).score(X, NAMES) > 0.9


def test_permutation_importance_finds_the_column_that_counts():
    frame = pd.DataFrame({"noise": np.arange(90) % 7.0, "city": ["a", "b", "c"] * 30})
    estimator = small().fit(frame, frame["city"])
    importance = permutation_importance(estimator, frame, frame["city"], random_state=0)
    assert importance.importances_mean[1] > 0.4 > 0.1 > importance.importances_mean[0]


def test_transformers_may_hand_over_data_frames():
    frame = pd.DataFrame({"age": np.arange(60) % 17.0, "city": ["a", "b", "c"] * 20})
    prepare = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["city"]), remainder=StandardScaler()
    )
    pipeline = make_pipeline(prepare, small()).set_output(transform="pandas")
    assert pipeline.fit(frame, frame["city"]).score(frame, frame["city"]) == 1
    assert list(pipeline[-1].feature_names_in_) == list(pipeline[:-1].get_feature_names_out())


def test_a_regressor_is_cross_validated():
    x, y = load_diabetes(return_X_y=True)
    scores = cross_val_score(NettrainRegressor(**SMALL), x, y, cv=2)
    assert (scores > 0.3).all()


def test_a_clone_has_the_parameters_and_is_not_fitted():
    fitted = small(warm_start=True).fit(X, Y)
    copied = clone(fitted)
    assert copied.get_params() == fitted.get_params()
    assert not hasattr(copied, "classes_")
    copied.set_params(optimizer__lr=1.0, random_state=3)
    assert (copied.get_params()["optimizer__lr"], copied.random_state) == (1.0, 3)
    assert fitted.get_params()["optimizer__lr"] == 0.05


def test_a_pickle_holds_the_bytes_of_the_checkpoint_and_no_network():
    fitted = small().fit(X, NAMES)
    state = fitted.__getstate__()
    assert isinstance(state["checkpoint_"], bytes) and "_model" not in state
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    assert (again.predict_proba(X) == fitted.predict_proba(X)).all()
    assert (again.partial_fit(X, NAMES).n_iter_, fitted.n_iter_) == (11, 10)
    assert not hasattr(pickle.loads(pickle.dumps(small())), "classes_")  # noqa: S301

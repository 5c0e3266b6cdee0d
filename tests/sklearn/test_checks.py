"""scikit-learn's own checks of an estimator, all of them."""

import pytest

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "nettrain[sklearn]"')

from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import (
    check_sample_weight_equivalence_on_dense_data,
    parametrize_with_checks,
)

from nettrain.sklearn import NettrainClassifier, NettrainRegressor

SMALL = {"model__hidden": [8], "optimizer__lr": 0.05, "training__epochs": 10}
# A batch of all rows, no statistics of columns, which count every row alike, and room for 1e-7.
ALL_ROWS = SMALL | {"training__batch_size": None, "dataset__transforms": [], "dtype": "float64"}
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "rows are shuffled into mini-batches, and a row that stands twice falls into "
    "other batches than one of weight 2; a batch of all rows passes, see below"
}


@parametrize_with_checks(
    [NettrainClassifier(**SMALL)], expected_failed_checks=lambda estimator: EXPECTED
)
def test_scikit_learn_accepts_the_classifier(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [NettrainRegressor(**SMALL)], expected_failed_checks=lambda estimator: EXPECTED
)
def test_scikit_learn_accepts_the_regressor(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "estimator",
    [
        NettrainClassifier(**ALL_ROWS),
        NettrainRegressor(**ALL_ROWS, dataset__target_transforms=[]),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_in_a_batch_of_all_rows_a_weight_of_2_is_the_same_row_twice(estimator):
    check_sample_weight_equivalence_on_dense_data("estimator", estimator)


def test_weights_that_are_not_used_are_found():
    class Careless(NettrainClassifier):
        def fit(self, X, y, sample_weight=None):
            return super().fit(X, y)

    with pytest.raises(AssertionError, match="sample_weight"):
        check_sample_weight_equivalence_on_dense_data("Careless", Careless(**ALL_ROWS))


@pytest.mark.parametrize("kind", [NettrainClassifier, NettrainRegressor])
def test_what_scikit_learn_asks_of_an_estimator_comes_before_its_base(kind):
    mixin, base = kind.__mro__.index(kind.__bases__[0]), kind.__mro__.index(BaseEstimator)
    assert mixin < base

"""The regressor for scikit-learn: one number of each row, or several."""

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted, column_or_1d

from nettrain.data.target import Target
from nettrain.inference.conformal import LEVEL, Conformal, with_intervals
from nettrain.inference.load import predictor_of
from nettrain.sklearn.estimator import NettrainEstimator
from nettrain.sklearn.training import FITTED


class NettrainRegressor(RegressorMixin, NettrainEstimator):  # type: ignore[misc]
    """Regressor from any configuration of nettrain.

    Targets are standardized for training; predictions are in their own units. All else, the
    parameters too, is as in `NettrainClassifier`.

    Args:
        config: A YAML file, a mapping of the same form, or a RunConfig; None: an mlp.
        random_state: Seed of everything random; None: the configuration's.
        warm_start: Whether `fit` begins with the weights and transforms of the fit before.
        run_directory: Where `fit` writes a run directory; None: nowhere.
        threads: Of steps and evaluation; None: as many as cores.
        allow_plugins: Whether the Python files under the key `plugins` may be imported.
        **settings: Any key of the configuration in double-underscore form.

    Attributes:
        n_features_in_: Columns of X in `fit`.
        feature_names_in_: Their names, where X had names.
        n_iter_: Epochs trained.
        loss_curve_: The training loss of each epoch.
        history_: All metrics of each epoch, as in metrics.jsonl.
        checkpoint_: The bytes of a checkpoint, which `nettrain.load` reads from a file.
        run_directory_: The run directory of the last `fit`; None: none was written.

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> from nettrain.sklearn import NettrainRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> regressor = NettrainRegressor(model__hidden=[16], optimizer__lr=0.01).fit(X, y)
        >>> regressor.score(X, y) > 0.5
        True
    """

    _tasks = ("regression",)
    _otherwise = "use NettrainClassifier for classes and labels"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows and their values.

        Args:
            X: Numbers (n, d), a data frame, whose columns may hold strings, or images (n, h, w) or
                (n, h, w, c). NaN is a missing value.
            y: Values (n,) or (n, t).
            sample_weight: How much each row (n,) counts in the loss; None: all alike.

        Raises:
            NettrainError: The configuration is not valid, or does not fit the data.
            ValueError: X, y or the weights cannot be used.
        """
        X = self._checked(X, reset=True, y=y)
        return self._train(X, self._target(y, len(X)), sample_weight, incremental=False)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one epoch on some rows; weights, optimizer and transforms stay from call to call.

        The transforms are fitted to the rows of the first call.

        Args:
            X: See `fit`.
            y: See `fit`.
            sample_weight: See `fit`.
        """
        X = self._checked(X, reset=not hasattr(self, "checkpoint_"), y=y)
        return self._train(X, self._target(y, len(X)), sample_weight, incremental=True)

    def predict(self, X: Any) -> np.ndarray:
        """Values (n,) or (n, t) in the units of y."""
        check_is_fitted(self)
        return self._model.predict(self._checked(X, reset=False))

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Quantiles (n, k), or (n, k, t) of several targets, of a model with `loss: quantile`."""
        check_is_fitted(self)
        return self._model.quantiles(self._checked(X, reset=False))

    def calibrate(self, X: Any, y: Any, level: float = LEVEL) -> Self:
        """Make conformal intervals (`predict_interval`) from rows that `fit` has not seen.

        Args:
            X: See `fit`.
            y: See `fit`.
            level: The fraction of new values that should lie within their intervals.

        Raises:
            ConfigError: The level is not in (0, 1), or the rows are too few for it.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        truth = self._target(y, len(X)).values
        found = self._model.predictions_of(self._model.rows(X))
        conformal = Conformal.fit(found, truth, self._model.decision).at(level)
        checkpoint = with_intervals(self._checkpoint(), conformal)
        model = predictor_of(checkpoint, FITTED, allow_plugins=self.allow_plugins)
        self._set_model(checkpoint, model)
        return self

    def predict_interval(self, X: Any, level: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends, each (n,) or (n, t), after `calibrate`.

        Args:
            X: See `fit`.
            level: None: that of `calibrate`.
        """
        check_is_fitted(self)
        return self._model.interval(self._checked(X, reset=False), level)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _target(self, y: Any, rows: int) -> Target:
        values = self._numbers_or_labels(y, rows, numeric=True)
        if values.ndim == 2 and values.shape[1] == 1:
            values = column_or_1d(values, warn=True)
        columns = values.reshape(rows, -1).astype(np.float64)
        count = columns.shape[1]
        names = ("target",) if count == 1 else tuple(f"target_{i}" for i in range(count))
        return Target(columns, names, task="regression")

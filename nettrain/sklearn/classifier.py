"""The classifier for scikit-learn: classes, or several labels of each row."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from nettrain.data.target import LabelType, Target
from nettrain.inference.predictor import Predictor
from nettrain.sklearn.estimator import NettrainEstimator

_LABEL_TYPES: dict[str, LabelType] = {"b": "boolean", "i": "integer", "u": "integer"}


class NettrainClassifier(ClassifierMixin, NettrainEstimator):  # type: ignore[misc]
    """Classifier from any configuration of nettrain.

    Without parameters it is an mlp of 64 and 64 units, trained by Adam for 30 epochs in batches of
    32 rows, on standardized columns; strings of a data frame become indicators. Nothing is printed
    or written. All rows are trained on, unless `dataset__split__validation` holds some out; the
    weights are then those of the best epoch.

    Args:
        config: A YAML file, a mapping of the same form, or a RunConfig; None: an mlp. Its data and
            test part are left out: `fit` is given the rows to train on.
        random_state: Seed of initial weights, shuffling and dropout: a number, or a RandomState to
            draw it from; None: the configuration's, by default 0, so that every fit is the same.
        warm_start: Whether `fit` begins with the weights, transforms and classes of the fit before.
        run_directory: Where `fit` writes a run directory, such as "runs/digits"; a name that is
            taken gets a suffix (runs/digits-2). None: nowhere.
        threads: Of steps and evaluation; None: as many as cores. Results do not depend on it.
        allow_plugins: Whether the Python files under the key `plugins` may be imported.
        **settings: Any key of the configuration in double-underscore form, in place of that of
            `config`: `optimizer__lr=0.01`, `model__hidden=[64]`, `training__epochs=50`,
            `loss="hinge"`. They are parameters like all others: `GridSearchCV` searches them.

    Attributes:
        classes_: The classes (k,) in their own type, sorted; of several labels, 0 to l - 1.
        n_features_in_: Columns of X in `fit`.
        feature_names_in_: Their names, where X had names.
        n_iter_: Epochs trained.
        loss_curve_: The training loss of each epoch.
        history_: All metrics of each epoch, as in metrics.jsonl.
        checkpoint_: The bytes of a checkpoint, which `nettrain.load` reads from a file.
        run_directory_: The run directory of the last `fit`; None: none was written.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from nettrain.sklearn import NettrainClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> classifier = NettrainClassifier(model__hidden=[16], optimizer__lr=0.01).fit(X, y)
        >>> classifier.predict(X[:1])
        array([0])
    """

    _tasks = ("classification", "multilabel")
    _otherwise = "use NettrainRegressor for numbers"

    classes_: np.ndarray

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows and their classes.

        Args:
            X: Numbers (n, d), a data frame, whose columns may hold strings, or images (n, h, w) or
                (n, h, w, c). NaN is a missing value.
            y: Classes (n,), or labels (n, l) of 0 and 1.
            sample_weight: How much each row (n,) counts in the loss; None: all alike.

        Raises:
            NettrainError: The configuration is not valid, or does not fit the data; an unknown key
                is named with the nearest known one.
            ValueError: X, y or the weights cannot be used.
        """
        X = self._checked(X, reset=True, y=y)
        labels = self._labels(y, len(X))
        if self.warm_start and hasattr(self, "checkpoint_"):
            self._check_known(labels, "warm_start")
        else:
            self._set_classes(labels)
        return self._train(X, self._target(labels), sample_weight, incremental=False)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch on some rows; weights, optimizer and transforms stay from call to call.

        The transforms are fitted to the rows of the first call, of whatever classes they are.

        Args:
            X: See `fit`.
            y: See `fit`.
            classes: All classes, in the first call; None: those of y.
            sample_weight: See `fit`.

        Raises:
            ValueError: y holds a class that the first call did not have.
        """
        first = not hasattr(self, "checkpoint_")
        X = self._checked(X, reset=first, y=y)
        labels = self._labels(y, len(X))
        if first:
            self._set_classes(
                labels if classes is None or labels.ndim == 2 else np.asarray(classes)
            )
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes: {np.unique(classes).tolist()} are not those of the first fit, "
                f"{self.classes_.tolist()}"
            )
        self._check_known(labels, "partial_fit")
        return self._train(X, self._target(labels), sample_weight, incremental=True)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row (n,), or labels (n, l) of 0 and 1."""
        found = self.predict_proba(X)
        if self._model.task == "multilabel":
            return (found >= 0.5).astype(np.int64)
        return self.classes_[found.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class (n, k), in the order of `classes_`, or label (n, l)."""
        check_is_fitted(self)
        return self._model.probabilities(self._checked(X, reset=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _labels(self, y: Any, rows: int) -> np.ndarray:
        """Classes (n,) or labels (n, l)."""
        labels = self._numbers_or_labels(y, rows, numeric=False)
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = column_or_1d(labels, warn=True)
        check_classification_targets(labels)
        if labels.ndim == 2 and type_of_target(labels) != "multilabel-indicator":
            raise ValueError(
                "y: several columns must be labels of 0 and 1; for one class per row, y has the "
                "shape (n,)"
            )
        return labels

    def _set_classes(self, labels: np.ndarray) -> None:
        self.classes_ = np.arange(labels.shape[1]) if labels.ndim == 2 else np.unique(labels)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds one class, {self.classes_.tolist()[0]!r}; a classifier needs at least "
                "two classes"
            )

    def _check_known(self, labels: np.ndarray, what: str) -> None:
        """Raises ValueError for a class that the fit before did not have."""
        if labels.ndim == 2:
            return
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y holds the class {unknown.tolist()[0]!r}, which is not among those of the "
                f"first fit, {self.classes_.tolist()}: {what} cannot add classes; name all of "
                "them in the first partial_fit (classes=), or fit a clone"
            )

    def _target(self, labels: np.ndarray) -> Target:
        """Codes into the names of the classes, from which a run directory predicts the same."""
        if labels.ndim == 2:
            names = tuple(f"target_{index}" for index in range(labels.shape[1]))
            return Target(labels.astype(np.float64), names, task="multilabel")
        kind = _LABEL_TYPES.get(self.classes_.dtype.kind)
        if self.classes_.dtype.kind == "f":  # 1.0 and 2.0, or else y were no classes
            kind = "float"
        texts = self.classes_ if kind is None else self.classes_.astype(np.int64)
        codes = np.searchsorted(self.classes_, labels)
        names = tuple(map(str, texts.tolist()))
        return Target(codes, classes=names, task="classification", label_type=kind)

    def _set_columns(self, model: Predictor) -> None:
        super()._set_columns(model)
        labels = np.arange(len(model.schema.targets))
        self.classes_ = labels if model.task == "multilabel" else model.schema.labels

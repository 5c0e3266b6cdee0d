"""What classifier and regressor share: parameters, checks of the input, fitting, pickling."""

import os
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    validate_data,
)

from nettrain.component import to_mapping
from nettrain.data.dataset import Dataset
from nettrain.data.in_memory import features_for, features_in_memory
from nettrain.data.target import Target
from nettrain.errors import DataError, RunError
from nettrain.inference.load import predictor_of
from nettrain.inference.predictor import Predictor
from nettrain.inspection.recorded_run import RecordedRun
from nettrain.sklearn.settings import Config, configuration
from nettrain.sklearn.training import FITTED, Earlier, Trained, fit, fit_epoch
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.run_directory import checkpoint_path
from nettrain.training.callbacks import Row


class NettrainEstimator(BaseEstimator):  # type: ignore[misc]
    """Base of the estimators; see `NettrainClassifier` for parameters and attributes."""

    _tasks: ClassVar[tuple[str, ...]]
    _otherwise: ClassVar[str]  # what to use for other tasks

    checkpoint_: bytes
    history_: list[Row]
    loss_curve_: list[float]
    n_iter_: int
    run_directory_: str | None
    _model: Predictor

    def __init__(
        self,
        config: Config = None,
        *,
        random_state: Any = None,
        warm_start: bool = False,
        run_directory: str | os.PathLike[str] | None = None,
        threads: int | None = None,
        allow_plugins: bool = False,
        **settings: object,
    ) -> None:
        self.config = config
        self.random_state = random_state
        self.warm_start = warm_start
        self.run_directory = run_directory
        self.threads = threads
        self.allow_plugins = allow_plugins
        self._settings = settings

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name, the changes of the configuration among them."""
        return {**super().get_params(deep=deep), **self._settings}

    def set_params(self, **params: object) -> Self:
        """Set parameters; any key of the configuration may be one, such as `optimizer__lr`.

        Like scikit-learn's estimators, it checks them in `fit`.
        """
        for key, value in params.items():
            if key in self._get_param_names():
                setattr(self, key, value)
            else:
                self._settings = {**self._settings, key: value}
        return self

    @classmethod
    def from_run(
        cls, run: str | os.PathLike[str], *, threads: int | None = None, allow_plugins: bool = False
    ) -> Self:
        """A fitted estimator from a run directory or a checkpoint.

        Its `config` is that of the run, so that a clone trains the same model. The columns of a
        table count in the order of `feature_names_in_`: numbers first, then strings.

        Args:
            run: A run directory, or a checkpoint; an ensemble's too, which only predicts.
            threads: Of steps and evaluation; None: as many as cores.
            allow_plugins: Whether the Python files that its configuration names may be imported.

        Raises:
            CheckpointError: There is no checkpoint, or it is damaged.
            RunError: The run predicts something else than this estimator.

        Example:
            classifier = NettrainClassifier.from_run("runs/digits")
        """
        path = Path(run)
        file = checkpoint_path(path)
        checkpoint = Checkpoint.read(file)
        model = predictor_of(checkpoint, file, allow_plugins=allow_plugins)
        estimator = cls(
            to_mapping(model.config),  # type: ignore[arg-type]
            threads=threads,
            allow_plugins=allow_plugins,
        )
        if model.task not in cls._tasks or model.schema.autoencoder:
            raise RunError(
                f"{path}: {cls.__name__} cannot predict its own inputs; use nettrain.load"
                if model.schema.autoencoder
                else f"{path}: {cls.__name__} cannot predict {model.task}; {cls._otherwise}"
            )
        rows = RecordedRun.open(path).epochs if path.is_dir() else []
        estimator._set_model(checkpoint, model)
        estimator._set_columns(model)
        estimator.history_ = rows
        estimator.loss_curve_ = [row["train_loss"] for row in rows if "train_loss" in row]
        estimator.run_directory_ = str(path) if path.is_dir() else None
        estimator.n_iter_ = len(rows) or checkpoint.metadata(file).epoch or 0
        return estimator

    def __getstate__(self) -> dict[str, Any]:
        """The parameters and the bytes of the checkpoint; the network is built from them again."""
        state: dict[str, Any] = super().__getstate__()
        return {key: value for key, value in state.items() if key != "_model"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the network again."""
        super().__setstate__(state)
        if hasattr(self, "checkpoint_"):
            self._model = predictor_of(self._checkpoint(), FITTED, allow_plugins=self.allow_plugins)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True  # `impute` fills gaps
        tags.input_tags.three_d_array = True  # images
        return tags

    def _checked(self, X: Any, *, reset: bool, y: object = "no_validation") -> Any:
        """X as a data frame, whose names and strings it keeps, or an array of numbers.

        The number of columns and their names are remembered, or compared with those of `fit`.
        """
        if hasattr(X, "columns") or y is None:  # without y it raises
            validate_data(self, X, y, reset=reset, skip_check_array=True)
            return X
        if not reset and self._model.schema.texts:
            columns = ", ".join(self._model.schema.texts)
            raise DataError(
                f"X: the model needs the strings of the columns {columns}: give it a DataFrame"
            )
        return validate_data(self, X, reset=reset, allow_nd=True, ensure_all_finite="allow-nan")

    def _numbers_or_labels(self, y: object, rows: int, *, numeric: bool) -> np.ndarray:
        """y as an array (n,) or (n, t), without gaps."""
        if hasattr(y, "toarray"):
            y = y.toarray()
        array: np.ndarray = _check_y(y, multi_output=True, y_numeric=numeric, estimator=self)
        if len(array) != rows:
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: {[rows, len(array)]}"
            )
        return array

    def _train(
        self,
        X: object,
        target: Target,
        sample_weight: object,
        *,
        incremental: bool,
    ) -> Self:
        earlier = self._earlier() if incremental or self.warm_start else None
        if earlier is None:
            features = features_in_memory(X, "X")
        else:
            features = features_for(X, self._model.schema, "X")
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(
                sample_weight, target.values, dtype=np.float64, ensure_non_negative=True
            )
        dataset = Dataset(features, target, origin="X, y", weights=weights)
        config = configuration(
            self.config, self._settings, seed=self._seed(), allow_plugins=self.allow_plugins
        )
        if incremental:
            trained = fit_epoch(config, dataset, earlier, self.threads)
        else:
            trained = fit(
                config,
                dataset,
                earlier=earlier,
                run_directory=self.run_directory,
                threads=self.threads,
            )
        return self._accept(trained, continued=incremental and earlier is not None)

    def _accept(self, trained: Trained, *, continued: bool) -> Self:
        """Take over what a training has made."""
        model = predictor_of(trained.checkpoint, FITTED, allow_plugins=self.allow_plugins)
        self._set_model(trained.checkpoint, model)
        self.history_ = [*(self.history_ if continued else []), *trained.rows]
        self.loss_curve_ = [row["train_loss"] for row in self.history_]
        self.n_iter_ = len(self.history_)
        written = trained.run_directory
        self.run_directory_ = None if written is None else str(written)
        return self

    def _set_model(self, checkpoint: Checkpoint, model: Predictor) -> None:
        self.checkpoint_ = checkpoint.to_bytes()
        self._model = model

    def _set_columns(self, model: Predictor) -> None:
        """The attributes that `validate_data` sets in `fit`."""
        schema = model.schema
        names = (*schema.numbers, *schema.texts)
        self.n_features_in_ = len(names) or schema.shape[0]
        if any(name != f"column_{index}" for index, name in enumerate(names)):
            self.feature_names_in_ = np.array(names, dtype=object)

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint.from_bytes(self.checkpoint_, FITTED)

    def _earlier(self) -> Earlier | None:
        """What `partial_fit` and a warm start continue from; None before the first fit."""
        if not hasattr(self, "checkpoint_"):
            return None
        checkpoint = self._checkpoint()
        if checkpoint.metadata(FITTED).ensemble is not None:
            raise RunError("an ensemble cannot be trained further: fit a clone, or one member")
        return Earlier(checkpoint, self.n_iter_)

    def _seed(self) -> int | None:
        if self.random_state is None or isinstance(self.random_state, int | np.integer):
            return None if self.random_state is None else int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

"""The peers, each at its defaults: trained on the training rows alone, but for those that stop by the validation rows.

Categories go in as each library takes them by itself: natively by HistGradientBoosting and LightGBM (pandas' type category) and, where they
are named, by XGBoost and CatBoost; one-hot for scikit-learn's other models, which also get standardized numbers, medians in place of
missing ones, and a standardized target. Nothing else is set, but for seeds, threads and silence.
"""

from typing import Any

import numpy as np
import pandas as pd
from task import Predict, Task


def _of(task: Task, model: Any, prepare: Any = None) -> Predict:
    """Fit, and predict in the order of the classes."""

    def prepared(x: pd.DataFrame) -> pd.DataFrame:
        return x if prepare is None else prepare(x)

    model.fit(prepared(task.x), task.y)
    if not task.classes:
        return lambda x: np.ravel(model.predict(prepared(x)))
    seen = np.asarray(model.classes_, int)

    def predict(x: pd.DataFrame) -> np.ndarray:
        found = np.zeros((len(x), len(task.classes)))
        found[:, seen] = model.predict_proba(prepared(x))
        return found

    return predict


def hist_gradient_boosting(task: Task) -> Predict:
    """scikit-learn's HistGradientBoosting."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if task.classes else HistGradientBoostingRegressor
    return _of(task, kind(random_state=task.seed))


def lightgbm(task: Task) -> Predict:
    """LightGBM."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = LGBMClassifier if task.classes else LGBMRegressor
    return _of(task, kind(random_state=task.seed, n_jobs=task.threads, verbose=-1))


def xgboost(task: Task) -> Predict:
    """XGBoost."""
    from xgboost import XGBClassifier, XGBRegressor

    kind = XGBClassifier if task.classes else XGBRegressor
    return _of(task, kind(random_state=task.seed, n_jobs=task.threads, enable_categorical=True))


def catboost(task: Task) -> Predict:
    """CatBoost."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    kind = CatBoostClassifier if task.classes else CatBoostRegressor
    model = kind(
        random_seed=task.seed, thread_count=task.threads, verbose=False, allow_writing_files=False,
        cat_features=task.categories,
    )  # fmt: skip
    texts = task.categories

    def prepare(x: pd.DataFrame) -> pd.DataFrame:
        return x.assign(**{name: x[name].astype(object).fillna("missing") for name in texts})

    return _of(task, model, prepare)


def _with_columns(task: Task, model: Any) -> Any:
    """A model of scikit-learn behind one-hot and standardized columns."""
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer(
        [("numbers", numbers, task.numbers), ("texts", texts, task.categories)]
    )
    both = make_pipeline(columns, model)
    return both if task.classes else TransformedTargetRegressor(both, transformer=StandardScaler())


def scikit_learn_mlp(task: Task) -> Predict:
    """scikit-learn's multi-layer perceptron."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    kind = MLPClassifier if task.classes else MLPRegressor
    return _of(task, _with_columns(task, kind(random_state=task.seed)))


def linear(task: Task) -> Predict:
    """Logistic regression (1,000 iterations at most), or ridge regression."""
    from sklearn.linear_model import LogisticRegression, Ridge

    return _of(
        task, _with_columns(task, LogisticRegression(max_iter=1000) if task.classes else Ridge())
    )


def _with_validation(task: Task, model: Any) -> Predict:
    """Of a model that takes the validation rows, as pytabkit's do, and no missing numbers."""
    medians = task.x[task.numbers].median()

    def complete(x: pd.DataFrame) -> pd.DataFrame:
        return x.fillna(medians)

    model.fit(
        complete(task.x), task.y, X_val=complete(task.x_validation), y_val=task.y_validation,
        cat_col_names=task.categories,
    )  # fmt: skip
    if not task.classes:
        return lambda x: np.ravel(model.predict(complete(x)))
    return lambda x: model.predict_proba(complete(x))


def pytabkit_realmlp(task: Task) -> Predict:
    """RealMLP with its authors' tuned defaults (pytabkit)."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Classifier if task.classes else RealMLP_TD_Regressor
    return _with_validation(
        task, kind(random_state=task.seed, n_threads=task.threads, device="cpu")
    )


def pytabkit_tabm(task: Task) -> Predict:
    """TabM with its authors' package, at the defaults of pytabkit."""
    from pytabkit import TabM_D_Classifier, TabM_D_Regressor

    kind = TabM_D_Classifier if task.classes else TabM_D_Regressor
    return _with_validation(
        task, kind(random_state=task.seed, n_threads=task.threads, device="cpu")
    )

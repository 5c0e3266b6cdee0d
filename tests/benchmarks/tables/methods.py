"""The methods of the benchmark: a row each."""

import importlib
import importlib.metadata
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from task import Predict, Task

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
        title: In tables.
        package: Whose version is told beside the figures.
        fit: The function that fits, of peers.py, or a call that makes one of networks.py.
        modules: What is imported before the clock starts.
        limit: CPU seconds after which a fit is given up; None: it takes what it takes.
    """

    title: str
    package: str
    fit: Callable[[], Callable[[Task], Predict]]
    modules: tuple[str, ...]
    limit: int | None = None

    @property
    def version(self) -> str:
        """Of the package; of nettrain the hash of its tree in Git, with a `+` for changed files."""
        if self.package != "nettrain":
            return importlib.metadata.version(self.package)
        tree = _git("rev-parse", "--short=10", "HEAD:nettrain")
        return tree + ("+" if _git("status", "--porcelain", "--", "nettrain") else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip() if done.returncode == 0 else "?"


def _peer(title: str, package: str, name: str, *modules: str, limit: int | None = None) -> Method:
    """A function of peers.py."""
    return Method(
        title, package, lambda: getattr(importlib.import_module("peers"), name), modules, limit
    )


def _network(title: str, make: Callable[..., Callable[[Task], Predict]]) -> Method:
    """What `make` makes of the module networks.py."""
    modules = ("nettrain.training.train", "nettrain.inference.load", "nettrain.search.ensembles.ensemble",
               "nettrain.search.executors.serial", "numba")  # fmt: skip
    return Method(title, "nettrain", lambda: make(importlib.import_module("networks")), modules)


_SCIKIT_LEARN = ("sklearn.compose", "sklearn.impute", "sklearn.pipeline", "sklearn.preprocessing")
REFERENCE = "histgb"
METHODS = {
    "before": _network("nettrain, mlp 64-64", lambda n: n.trained(n.plain(type="mlp", hidden=[64, 64]))),
    "tabular": _network("nettrain, tabular", lambda n: n.trained(n.proposed)),
    "realmlp": _network("nettrain, realmlp", lambda n: n.trained(n.plain(type="realmlp"))),
    "tabm": _network("nettrain, tabm", lambda n: n.trained(n.plain(type="tabm"))),
    "tabular_5": _network("nettrain, 5 x tabular", lambda n: n.ensemble(n.proposed, 5)),
    "linear": _peer("linear, logistic", "scikit-learn", "linear", "sklearn.linear_model", *_SCIKIT_LEARN),
    "sklearn_mlp": _peer("scikit-learn MLP", "scikit-learn", "scikit_learn_mlp", "sklearn.neural_network", *_SCIKIT_LEARN),
    "histgb": _peer("HistGradientBoosting", "scikit-learn", "hist_gradient_boosting", "sklearn.ensemble"),
    "lightgbm": _peer("LightGBM", "lightgbm", "lightgbm", "lightgbm"),
    "xgboost": _peer("XGBoost", "xgboost", "xgboost", "xgboost"),
    "catboost": _peer("CatBoost", "catboost", "catboost", "catboost"),
    "pytabkit_realmlp": _peer("pytabkit RealMLP-TD", "pytabkit", "pytabkit_realmlp", "pytabkit", limit=300),
    "pytabkit_tabm": _peer("pytabkit TabM-D", "pytabkit", "pytabkit_tabm", "pytabkit", limit=300),
}  # fmt: skip

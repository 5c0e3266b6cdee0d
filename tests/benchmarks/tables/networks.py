"""The networks of nettrain: configurations for a table with its split, trained as `nettrain fit` trains them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from task import Predict, Task

import nettrain
from nettrain.inspection.proposal.choice import Wishes
from nettrain.inspection.proposal.propose import propose_config

Config = dict[str, Any]


def trained(configuration: Callable[[Task], Config]) -> Callable[[Task], Predict]:
    """A method: one network."""

    def fit(task: Task) -> Predict:
        result = nettrain.train(
            configuration(task), output_directory=task.folder, threads=task.threads
        )
        return predictions(nettrain.load(result.run_directory), task)

    return fit


def ensemble(configuration: Callable[[Task], Config], members: int) -> Callable[[Task], Predict]:
    """A method: networks of several seeds, whose predictions are averaged."""

    def fit(task: Task) -> Predict:
        config = configuration(task) | {"ensemble": {"members": members}}
        many = {"executor": "local", "workers": task.threads}
        alone = {"executor": "serial"}
        result = nettrain.ensemble(
            config, output_directory=task.folder, **(alone if task.threads == 1 else many)
        )
        return predictions(nettrain.load(result.directory), task)

    return fit


def predictions(model: Any, task: Task) -> Predict:
    """Of a trained model, in the order of the task's classes."""
    if not task.classes:
        return lambda x: np.ravel(model.predict(x))
    order = [model.classes.index(name) for name in task.classes]

    def predict(x: pd.DataFrame) -> np.ndarray:
        return model.probabilities(x)[:, order]

    return predict


def proposed(task: Task) -> Config:
    """What `nettrain fit TABLE --target NAME` trains, on the benchmark's split."""
    kind = "classification" if task.classes else "regression"
    config = propose_config(task.csv, Wishes(target=task.target, task=kind)).mapping()
    config["dataset"]["split"] = {"file": str(task.rows)}
    return config | {"name": "run", "seed": task.seed}


def plain(**model: object) -> Callable[[Task], Config]:
    """A model with the settings that it brings: nothing else is said but that numbers are no classes."""

    def configuration(task: Task) -> Config:
        source = {"type": "csv", "path": str(task.csv), "target": task.target}
        return {
            "name": "run",
            "dataset": {"source": source, "split": {"file": str(task.rows)}},
            "model": model,
            "seed": task.seed,
            **({} if task.classes else {"loss": "mse"}),
        }

    return configuration

"""The proposers by the methods that a sweep names."""

from collections.abc import Iterator
from contextlib import contextmanager

from nettrain.errors import ConfigError
from nettrain.search.sweep.config import Sweep
from nettrain.search.sweep.proposers.base import Proposer
from nettrain.search.sweep.proposers.grid import Grid
from nettrain.search.sweep.proposers.random import RandomSettings


def proposer_for(sweep: Sweep) -> Proposer:
    """What chooses the settings of a sweep, and prunes trials.

    Raises:
        ConfigError: Optuna is needed, and not installed.
    """
    proposer = _proposer(sweep)
    early = sweep.spec.early_terminate
    if early.type == "none":
        return proposer
    with optuna_for(f"early_terminate: {early.type}"):
        from nettrain.search.sweep.pruning import Pruning, pruner_for
    pruner = pruner_for(early.type, early.min_epochs, _most_epochs(sweep))
    return Pruning(proposer, pruner, sweep.space, maximize=sweep.maximize)


def _proposer(sweep: Sweep) -> Proposer:
    if sweep.spec.method == "grid":
        return Grid(sweep.space)
    if sweep.spec.method == "random":
        return RandomSettings(sweep.space, sweep.base.seed)
    with optuna_for("method: bayes"):
        from nettrain.search.sweep.proposers.bayes import Bayes
    return Bayes(sweep.space, sweep.base.seed, maximize=sweep.maximize)


def _most_epochs(sweep: Sweep) -> int:
    """Of the longest trial."""
    varied = sweep.space.parameters.get("training.epochs")
    if varied is None:
        return sweep.base.training.epochs
    return int(max(varied.values) if varied.values is not None else varied.max or 1)


@contextmanager
def optuna_for(what: str) -> Iterator[None]:
    """Around imports that need it. Raises ConfigError where it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "optuna":
            raise
        raise ConfigError(
            f'{what}: optuna is not installed; pip install "nettrain[search]"'
        ) from None

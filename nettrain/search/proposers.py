"""The proposers by the methods that a sweep names."""
from nettrain.search.grid import Grid
from nettrain.search.proposer import Proposer
from nettrain.search.random_settings import RandomSettings
from nettrain.search.sweep_config import Sweep


def proposer_for(sweep: Sweep) -> Proposer:
    """What chooses the settings of a sweep."""
    if sweep.spec.method == "grid":
        return Grid(sweep.space)
    return RandomSettings(sweep.space, sweep.base.seed)

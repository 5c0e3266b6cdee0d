"""The configurations of ensembles reach what their first lines say: voting gains on the mean of three seeds."""

import os
from pathlib import Path

import numpy as np
import pytest

from nettrain.config.load import load_ensemble
from nettrain.search.ensembles.ensemble import ensemble

CONFIGS = Path(__file__).parents[2] / "configs" / "ensembles"
# The figure of the test part, how much the ensemble must be above its mean member, and above what it must be.
REACHES = {
    "digits": ("accuracy", 0.002, 0.97),
    "triangle": ("accuracy", 0.2, 0.9),
    "wine_quality": ("r2", 0.03, 0.39),
}
LOADED = {path.stem: load_ensemble(path) for path in sorted(CONFIGS.glob("*.yaml"))}


def test_every_configuration_has_its_figures():
    assert set(LOADED) == set(REACHES)


@pytest.mark.slow
@pytest.mark.parametrize("name", REACHES)
def test_an_ensemble_is_better_than_its_mean_member(name, tmp_path):
    if name == "wine_quality" and "NETTRAIN_DATA" not in os.environ:
        pytest.skip("real data sets: set NETTRAIN_DATA to the folder that holds them")
    metric, gain, least = REACHES[name]
    results = []
    for seed in range(3):
        results.append(
            ensemble(CONFIGS / f"{name}.yaml", sets=[f"seed={seed}"], output_directory=tmp_path)
        )
    together = np.mean([result.metrics["test"][metric] for result in results])
    alone = np.mean([result.mean_member["test"][metric] for result in results])
    first = np.mean([result.members[0].metrics["test"][metric] for result in results])
    assert together >= least and together - alone >= gain
    if name == "triangle":
        assert (
            together - first >= 0.05
        )  # one network of one hidden unit, on rows that all weigh the same

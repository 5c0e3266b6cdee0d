"""The YAML of `nettrain ensemble`, typed: a run configuration and how its members vote."""

from dataclasses import dataclass, fields
from typing import Annotated, Literal

from pydantic import Field

from nettrain.component import Integer, Record
from nettrain.config.run_config import RunConfig


@dataclass(frozen=True, kw_only=True)
class EnsembleConfig(Record):
    """Several networks that vote, trained by `nettrain ensemble`.

    seeds: the same rows, other seeds (Hansen & Salamon 1990). bagging: a bootstrap sample of the
    training rows each (Breiman 1996). boosting: rows weighted by the errors of earlier members,
    AdaBoost SAMME (Zhu et al. 2009), for classification only.

    Each member is a run of its own, with its own batches and best epoch. Where that is not needed,
    `model: {type: mlp, members: 10}` (tabular and tabm have members too) trains networks of one
    shape together in one run, in half the time for small ones.
    """

    method: Annotated[
        Literal["seeds", "bagging", "boosting"], Field(description="how the members differ")
    ] = "seeds"
    members: Annotated[
        Annotated[Integer, Field(ge=2, le=1000)],
        Field(description="number of networks; boosting may stop earlier"),
    ] = 10
    vote: Annotated[
        Literal["mean", "majority"] | None,
        Field(
            description="mean of probabilities or values, or majority of classes; "
            "null: mean, majority for boosting",
            examples=["mean"],
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class EnsembleRun(RunConfig):
    """A run configuration with the key `ensemble`, complete."""

    ensemble: EnsembleConfig = EnsembleConfig()

    @property
    def base(self) -> RunConfig:
        """The run that the members are variations of."""
        return RunConfig(**{field.name: getattr(self, field.name) for field in fields(RunConfig)})

"""The YAML of `nettrain ensemble`, typed: a run configuration and how several such runs become one model."""

from dataclasses import dataclass, fields
from typing import Annotated, Literal

from pydantic import Field

from nettrain.component import Integer, Record
from nettrain.config.run_config import RunConfig


@dataclass(frozen=True, kw_only=True)
class EnsembleConfig(Record):
    """Several networks that vote; read by `nettrain ensemble`.

    seeds     the same rows, other first weights and another order (Hansen & Salamon 1990)
    bagging   each on a bootstrap sample: as many training rows, drawn with replacement (Breiman 1996)
    boosting  each on the rows weighted by the mistakes of those before it: AdaBoost SAMME (Zhu et al. 2009); classes only
    """

    method: Annotated[
        Literal["seeds", "bagging", "boosting"], Field(description="in what the networks differ")
    ] = "seeds"
    members: Annotated[
        Annotated[Integer, Field(ge=2)],
        Field(description="how many networks; boosting may stop before"),
    ] = 10
    vote: Annotated[
        Literal["mean", "majority"] | None,
        Field(
            description="mean of probabilities or values, or majority of decisions; null: mean, in boosting majority",
            examples=["mean"],
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class EnsembleRun(RunConfig):
    """A run configuration with the key `ensemble`, complete."""

    ensemble: EnsembleConfig = EnsembleConfig()

    @property
    def base(self) -> RunConfig:
        """The run of which the members are variations."""
        return RunConfig(**{field.name: getattr(self, field.name) for field in fields(RunConfig)})

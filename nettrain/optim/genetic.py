"""A genetic algorithm: many networks, of which the better ones have children."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count, NonNegative
from nettrain.optim import ClosureOptimizer, Evaluate, Rate


@dataclass(frozen=True, kw_only=True)
class Genetic(ClosureOptimizer):
    """elite survive; child_i = parent_i or other_i, evenly; + lr N(0, 1) with probability `mutation`; parents from the better half.

    A genome is the vector of all trained weights; its fitness is the objective over the whole training part. w is the best genome.
    Holland 1975; Montana & Davis 1989 for networks. No gradient, for small networks. One generation an epoch.
    Raises ConfigError unless elite < population.
    """

    lr: Annotated[
        Rate, Field(description="standard deviation of a mutation, before the schedule")
    ] = 0.3
    population: Annotated[Count, Field(ge=2, description="genomes in each generation")] = 50
    elite: Annotated[Count, Field(description="best genomes that survive as they are")] = 5
    mutation: Annotated[
        NonNegative, Field(le=1, description="probability that a weight of a child is changed")
    ] = 0.2
    spread: Annotated[
        NonNegative,
        Field(description="standard deviation of the first generation around the first weights"),
    ] = 1.0

    def __post_init__(self) -> None:
        if self.elite >= self.population:
            raise ValueError(
                f"elite must be below population, got elite {self.elite} and population {self.population}"
            )

    def state(self, size: int, dtype: np.dtype | type) -> dict[str, np.ndarray]:
        """The genomes, best first, and the objective of each."""
        return {
            "genomes": np.zeros((self.population, size), dtype),
            "objective": np.full(self.population, np.inf),
        }

    def minimise(
        self,
        w: np.ndarray,
        state: dict[str, np.ndarray],
        evaluate: Evaluate,
        *,
        lr: float,
        t: int,
        generator: np.random.Generator,
    ) -> None:
        genomes, objective = state["genomes"], state["objective"]
        if t == 1:
            genomes[...] = w
            genomes[1:] += self.spread * generator.standard_normal(genomes[1:].shape)
            born = slice(0, None)
        else:
            born = slice(self.elite, None)
            genomes[born] = self.children(genomes, lr, generator)
        for place in range(born.start, self.population):
            objective[place] = evaluate(genomes[place])
        order = np.argsort(objective, kind="stable")  # what is NaN comes last
        genomes[...], objective[...] = genomes[order], objective[order]
        w[...] = genomes[0]

    def children(
        self, genomes: np.ndarray, lr: float, generator: np.random.Generator
    ) -> np.ndarray:
        """As many as replace all but the elite, (population - elite, size)."""
        number, size = self.population - self.elite, genomes.shape[1]
        better = max(2, self.population // 2)
        parents, others = generator.integers(0, better, (2, number))
        found = np.where(generator.random((number, size)) < 0.5, genomes[parents], genomes[others])
        changed = generator.random((number, size)) < self.mutation
        found += changed * (lr * generator.standard_normal((number, size))).astype(genomes.dtype)
        return found

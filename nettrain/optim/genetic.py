"""Genetic algorithm."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count, NonNegative
from nettrain.optim import Array, ClosureOptimizer, Evaluate, Rate, State


@dataclass(frozen=True, kw_only=True)
class Genetic(ClosureOptimizer):
    """Genetic algorithm. child_i = father_i or mother_i, + lr N(0, 1) with probability `mutation`.

    A genome is the vector of all trained weights; its fitness is the objective over the whole
    training part. Each generation keeps the `elite` best genomes and replaces the others by
    children of two parents from the better half; w is the best genome. One generation per epoch. It
    needs no gradient and suits small networks. Holland 1975; Montana & Davis 1989 for networks.

    Raises:
        ConfigError: elite is not below population.
    """

    lr: Annotated[
        Rate, Field(description="standard deviation of a mutation, before the schedule")
    ] = 0.3
    population: Annotated[Count, Field(ge=2, description="genomes per generation")] = 50
    elite: Annotated[Count, Field(description="best genomes that are kept as they are")] = 5
    mutation: Annotated[
        NonNegative, Field(le=1, description="probability that a weight of a child is changed")
    ] = 0.2
    spread: Annotated[
        NonNegative,
        Field(description="standard deviation of the first generation around the initial weights"),
    ] = 1.0

    def __post_init__(self) -> None:
        if self.elite >= self.population:
            raise ValueError(
                f"elite must be below population, got elite {self.elite} "
                f"and population {self.population}"
            )

    def state(self, size: int, dtype: np.dtype | type) -> State:
        """The genomes, best first, and the objective of each."""
        return {
            "genomes": np.zeros((self.population, size), dtype),
            "objective": np.full(self.population, np.inf),
        }

    def minimise(
        self,
        w: Array,
        state: State,
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
        for i in range(born.start, self.population):
            objective[i] = evaluate(genomes[i])
        order = np.argsort(objective, kind="stable")  # NaN comes last
        genomes[...], objective[...] = genomes[order], objective[order]
        w[...] = genomes[0]

    def children(self, genomes: Array, lr: float, generator: np.random.Generator) -> Array:
        """Children that replace all but the elite, (population - elite, size)."""
        number, size = self.population - self.elite, genomes.shape[1]
        better = max(2, self.population // 2)
        fathers, mothers = generator.integers(0, better, (2, number))
        born = np.where(generator.random((number, size)) < 0.5, genomes[fathers], genomes[mothers])
        mutated = generator.random((number, size)) < self.mutation
        born += mutated * (lr * generator.standard_normal((number, size)))
        return born

"""Bayesian search: each setting is drawn where good trials were dense and bad ones were not."""

import optuna

from nettrain.search.sweep.optuna_space import suggested
from nettrain.search.sweep.proposers.optuna_proposer import OptunaProposer, quiet
from nettrain.search.sweep.space import Setting, Space
from nettrain.streams import generator

STARTUP = 10  # trials at random, before there is anything to learn from


class Bayes(OptunaProposer):
    """Tree-structured Parzen estimator (TPE), Optuna's. x = argmax l(x) / g(x).

    l and g are the densities of the settings of good and of other trials; candidates are drawn from
    l. Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization". Trials under way count
    as bad, so that several workers do not try the same (the constant liar of Ginsbourger et al.
    2010).

    Trial i depends on (seed, i) and on which trials had ended when it began. With one worker, the
    table is the same every time, and after
    any interruption; with more, the order in which trials end decides.
    """

    def __init__(self, space: Space, seed: int, *, maximize: bool) -> None:
        super().__init__(space, maximize=maximize, name="bayes")
        self._seed = seed

    def ask(self, index: int) -> Setting:
        """Drawn, without end."""
        with quiet():
            seed = int(generator(self._seed, "bayes", index).integers(2**32))
            self.study.sampler = optuna.samplers.TPESampler(
                n_startup_trials=STARTUP, constant_liar=True, seed=seed
            )
            return suggested(self.begin(index), self.space)

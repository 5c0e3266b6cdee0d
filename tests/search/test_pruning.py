"""Giving trials up early: the bad ones, not before their epochs, recorded so; the same decisions after an interruption."""

import pytest

from nettrain.search.observer import Observer
from nettrain.search.sweep.parameter import Parameter
from nettrain.search.sweep.proposers.base import Proposer
from nettrain.search.sweep.space import Space
from nettrain.search.sweep.sweep import resume_sweep, sweep

pytest.importorskip("optuna", reason='needs pip install "nettrain[search]"')
from optuna.trial import TrialState

from nettrain.search.sweep.proposers.bayes import Bayes
from nettrain.search.sweep.pruning import BEFORE, Pruning, pruner_for

EPOCHS = 27
SPACE = Space({"lr": Parameter(min=0.0, max=1.0, distribution="uniform")})


class InTurn(Proposer):
    """As bad as its index is far from the middle."""

    def __init__(self):
        self.told = []

    def ask(self, index):
        return {"lr": (index * 7 % 20) / 20}

    def tell(self, index, status, value):
        self.told.append((index, status))


def error(setting, epoch):
    return abs(setting["lr"] - 0.5) + 1.0 / epoch


def epochs_of(proposer, count, sign=1.0, done=()):
    """How long each trial lasts, where each is made in turn; `done` of them have been recalled."""
    lasted = []
    for index in range(len(done), count):
        setting = proposer.ask(index)
        for epoch in range(1, EPOCHS + 1):
            given_up = proposer.should_prune(index, epoch, sign * error(setting, epoch))
            if given_up and epoch < EPOCHS:
                break
        proposer.tell(
            index, "pruned" if epoch < EPOCHS else "finished", sign * error(setting, epoch)
        )
        lasted.append((setting, epoch))
    return lasted


def made(kind, proposer=None, min_epochs=3, maximize=False):
    return Pruning(
        proposer or InTurn(), pruner_for(kind, min_epochs, EPOCHS), SPACE, maximize=maximize
    )


@pytest.mark.parametrize("kind", ["median", "hyperband"])
@pytest.mark.parametrize("maximize", [False, True])
def test_bad_trials_are_given_up_and_the_best_is_not(kind, maximize):
    found = epochs_of(made(kind, maximize=maximize), 60, sign=-1.0 if maximize else 1.0)
    lasted = [epoch for _, epoch in found]
    assert min(lasted) == 3 and sum(epoch < EPOCHS for epoch in lasted) >= 20
    assert min(error(setting, EPOCHS) for setting, epoch in found if epoch == EPOCHS) == min(
        error(setting, EPOCHS) for setting, _ in found
    )
    bad = [epoch for setting, epoch in found if abs(setting["lr"] - 0.5) > 0.4]
    good = [epoch for setting, epoch in found if abs(setting["lr"] - 0.5) < 0.1]
    assert sum(bad) / len(bad) < 0.7 * sum(good) / len(good)


def test_the_median_of_five_is_the_first_to_be_compared_with():
    lasted = [epoch for _, epoch in epochs_of(made("median"), 12)]
    assert lasted[:BEFORE] == [EPOCHS] * BEFORE
    # By hand: trial i is |7 i mod 20 - 10| / 20 away: .5 .15 .2 .45 .1, of which .2 is the median; then come .25, .4 and .05.
    assert lasted[BEFORE : BEFORE + 3] == [3, 3, EPOCHS]


@pytest.mark.parametrize("kind", ["median", "hyperband"])
def test_every_trial_is_given_its_epochs(kind):
    assert min(epoch for _, epoch in epochs_of(made(kind, min_epochs=9), 40)) == 9
    assert {epoch for _, epoch in epochs_of(made(kind, min_epochs=EPOCHS + 5), 40)} == {EPOCHS}


@pytest.mark.parametrize("kind", ["median", "hyperband"])
@pytest.mark.parametrize("after", [7, 20])
def test_a_session_that_recalls_the_earlier_one_decides_like_it(kind, after):
    whole = epochs_of(made(kind), 40)
    later = made(kind)
    for index, (setting, lasted) in enumerate(whole[:after]):
        reports = {epoch: error(setting, epoch) for epoch in range(1, lasted + 1)}
        later.recall(
            index,
            setting,
            "finished" if lasted == EPOCHS else "pruned",
            error(setting, lasted),
            reports,
        )
    assert epochs_of(later, 40, done=whole[:after]) == whole[after:]


def test_a_trial_is_given_up_once():
    """A worker hears of it after an epoch or two, whose values are of no use any more."""
    proposer = made("median")
    epochs_of(proposer, BEFORE)
    proposer.ask(BEFORE)
    assert [proposer.should_prune(BEFORE, epoch, 9.0) for epoch in range(1, 7)] == [
        False,
        False,
        True,
        False,
        False,
        False,
    ]
    proposer.tell(BEFORE, "pruned", 9.0)
    assert not proposer.should_prune(BEFORE, 7, 9.0)


def test_epochs_that_a_run_reports_again_after_its_worker_died_are_borne():
    proposer = made("hyperband")
    proposer.ask(0)
    assert not any(proposer.should_prune(0, epoch, 1.0) for epoch in (1, 2, 1, 2, 3))


def test_the_sampler_learns_of_pruned_trials_what_they_have_reported():
    bayes, other = Bayes(SPACE, 0, maximize=False), InTurn()
    for proposer in (bayes, other):
        epochs_of(made("median", proposer), 20)
    states = [trial.state for trial in bayes.study.trials]
    assert TrialState.PRUNED in states and TrialState.COMPLETE in states
    for trial in bayes.study.trials:
        if trial.state == TrialState.PRUNED:
            assert (
                trial.value == min(trial.intermediate_values.values())
                and max(trial.intermediate_values) < EPOCHS
            )
    assert [index for index, _ in other.told] == list(range(20)) and {
        status for _, status in other.told
    } == {"pruned", "finished"}


SPEC = {
    "base": {"dataset": {"source": {"type": "xor", "rows": 60, "noise": 0.3}, "split": {"validation": 0.25, "test": 0.25}},
             "model": {"type": "mlp", "hidden": [4]}, "training": {"epochs": 12, "batch_size": 10}},
    "metric": "validation_loss", "trials": 20, "early_terminate": {"type": "median", "min_epochs": 3},
    "parameters": {"optimizer.lr": {"min": 1e-5, "max": 1e-1, "distribution": "log_uniform"}},
}  # fmt: skip


class Stop(BaseException):
    pass


class StopAfter(Observer):
    def __init__(self, count):
        self.left = count

    def ended(self, outcome):
        self.left -= 1
        if self.left == 0:
            raise Stop


@pytest.mark.parametrize(("kind", "method"), [("median", "random"), ("hyperband", "bayes")])
def test_a_sweep_records_which_trials_were_given_up_and_goes_on_as_without_a_break(
    tmp_path, method, kind
):
    spec = SPEC | {"method": method, "early_terminate": {"type": kind, "min_epochs": 2}}
    whole = sweep(spec, output_directory=tmp_path / "whole", executor="serial")
    rows = [(trial.index, trial.parameters, trial.status, trial.metric) for trial in whole.trials]
    assert {row[2] for row in rows} == {"finished", "pruned"} and whole.best.status == "finished"
    for trial in whole.trials:
        epochs = len(
            (tmp_path / "whole" / "sweep" / trial.run_directory / "metrics.jsonl")
            .read_text()
            .splitlines()
        )
        assert epochs == 12 if trial.status == "finished" else 2 <= epochs < 12
    with pytest.raises(Stop):
        sweep(spec, output_directory=tmp_path / "broken", executor="serial", observer=StopAfter(13))
    again = resume_sweep(tmp_path / "broken" / "sweep", executor="serial")
    assert [
        (trial.index, trial.parameters, trial.status, trial.metric) for trial in again.trials
    ] == rows

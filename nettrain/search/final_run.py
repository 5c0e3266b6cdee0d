"""The final run of a sweep or a cross-validation: on training + validation data, tested once."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from nettrain.config.run_config import RunConfig
from nettrain.schedules import MetricSchedule

NAME = "final"


def final_epochs(best_epochs: Sequence[int]) -> int:
    """The mean of the best epochs, rounded to the nearest whole number, halves up.

    Python's `round` takes halves to the even number: 4 of 4.5 but 6 of 5.5. The final run has more
    rows than those that chose the epochs, and so rather more to learn: up is the better side.
    """
    return max(1, int(fmean(best_epochs) + 0.5))


def final_config(
    config: RunConfig,
    best_epochs: Sequence[int | None],
    *,
    own_validation: bool,
    chose_epochs: bool,
) -> tuple[RunConfig, list[str]]:
    """The configuration of the final run, and what was decided for it.

    Args:
        config: That of the runs before.
        best_epochs: Of each of them.
        own_validation: Whether the validation part has a source of its own. The final run then has
            it too, and is made as those before.
        chose_epochs: Whether they chose their best epochs by validation rows or early stopping. If
            not, the final run trains as long as they did.
    """
    best = [epoch for epoch in best_epochs if epoch is not None]
    if own_validation or not best:
        return config, []
    training, schedule, notes = config.training, config.schedule, []
    if chose_epochs:
        epochs = final_epochs(best)
        notes.append(f"final: trained for {epochs} epochs, the mean of the best epochs of the runs")
        if schedule.depends_on_horizon:
            notes.append(
                f"final: the schedule {schedule.name()} ends after those {epochs} epochs, "
                f"in the runs before after {training.epochs}"
            )
        training = replace(training, epochs=epochs)
    if (training.monitor or "").startswith("validation_"):
        training = replace(training, monitor=None)
    if isinstance(schedule, MetricSchedule) and (schedule.monitor or "").startswith("validation_"):
        schedule = schedule.replace(monitor=None)
    return replace(config, training=training, schedule=schedule, early_stopping=None), notes

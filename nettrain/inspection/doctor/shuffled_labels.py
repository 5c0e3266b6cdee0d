"""With shuffled targets the network predicts new rows no better than chance."""

import dataclasses

import numpy as np

from nettrain.data.part import Part
from nettrain.errors import Diverged
from nettrain.inspection.doctor.association import association
from nettrain.inspection.doctor.equal_rows import groups_of_equal_rows
from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped, warning
from nettrain.inspection.doctor.sample import draw_sample, inputs_of, rows_of, targets_of, truth_of
from nettrain.inspection.doctor.setup import Setup
from nettrain.inspection.doctor.shuffled_source import learns_from_targets, shuffled_parts

NAME = "shuffled targets"
CERTAIN = 4.0  # standard deviations of chance: one false alarm in thirty thousand
LEAST_ROWS = 10


def check(setup: Setup) -> list[Finding]:
    """Shuffle the targets of training and validation rows together, train, and compare predictions.

    Equal rows keep one target: where the parts share rows, a network that learned them by heart
    predicts them, and does better than chance. Transforms that learn from targets are fitted again.
    """
    validation = setup.sample.validation
    if setup.run.pipeline.schema.autoencoder:
        return skipped(NAME, "the targets are the inputs")
    if validation is None or len(validation) < LEAST_ROWS:
        return skipped(NAME, "there are too few validation rows")
    if not setup.work.affordable:
        return skipped(NAME, setup.work.too_slow)
    train, validation = _shuffled(setup, validation)
    try:
        training = setup.train_briefly(train, validation)
    except Diverged:
        return skipped(NAME, "the training diverges")
    if training.last is None:
        raise ValueError("validation rows were not judged")
    deviations = association(setup.task, truth_of(validation), training.last.predictions)
    message = f"predictions go with the targets by {deviations:.1f} standard deviations of chance"
    if deviations <= CERTAIN:
        return ok(NAME, message)
    shared = _shared_rows(train, validation)
    if shared:
        return warning(
            NAME,
            f"{message}: {shared:,} of {len(validation):,} validation rows equal a training row, "
            "and the network knows them by heart",
            "remove the copies, or keep them together with a group column under "
            "`dataset.split.group`",
        )
    return failed(
        NAME,
        f"{message}, though no target tells anything",
        "a plugin (transform, layer or loss) sees targets of validation rows: see what it keeps",
    )


def _shared_rows(train: Part, validation: Part) -> int:
    """How many validation rows have the inputs of a training row."""
    of_train, of_validation = groups_of_equal_rows(inputs_of(train), inputs_of(validation))
    return int(np.isin(of_validation, of_train).sum())


def _shuffled(setup: Setup, validation: Part) -> tuple[Part, Part]:
    """The parts with the targets of other rows; of equal validation rows only the first."""
    if learns_from_targets(setup):
        sample = draw_sample(shuffled_parts(setup), setup.work.rows, setup.config.seed)
        return sample.train, sample.validation or validation
    train = setup.sample.train
    of_train, of_validation = groups_of_equal_rows(inputs_of(train), inputs_of(validation))
    groups, first = np.unique(np.concatenate([of_train, of_validation]), return_index=True)
    source = first[setup.generator("shuffled").permutation(len(groups))]
    single = np.sort(np.unique(of_validation, return_index=True)[1])
    both = [(train, source[of_train]), (validation, source[of_validation])]
    y = np.concatenate([targets_of(train), targets_of(validation)])
    truth = np.concatenate([truth_of(train), truth_of(validation)])
    shuffled = [dataclasses.replace(part, y=y[rows], truth=truth[rows]) for part, rows in both]
    if train.weights is not None and validation.weights is not None:
        weights = np.concatenate([train.weights, validation.weights])
        shuffled = [
            dataclasses.replace(part, weights=weights[rows])
            for part, (_, rows) in zip(shuffled, both, strict=True)
        ]
    return shuffled[0], rows_of(shuffled[1], single)

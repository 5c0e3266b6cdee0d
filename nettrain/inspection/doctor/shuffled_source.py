"""The parts of a run whose source has shuffled targets: transforms that learn from targets too."""

import dataclasses

from nettrain.data.divide import load_data
from nettrain.data.part import Part
from nettrain.data.prepare import prepare
from nettrain.data.transform import Transform
from nettrain.inspection.doctor.setup import Setup
from nettrain.training.build import data_seed, target_requirements


def learns_from_targets(setup: Setup) -> bool:
    """Whether a transform of the features does, as target encoding."""
    return any(
        type(fitted.transform).fit_to_target is not Transform.fit_to_target
        for fitted in setup.run.pipeline.transforms
    )


def shuffled_parts(setup: Setup) -> dict[str, Part]:
    """The parts after everything from the split on is done anew for shuffled targets.

    A part with a source of its own keeps its targets.
    """
    config = setup.config
    seed, requirements = data_seed(config), target_requirements(config.loss)
    loaded = load_data(
        config.dataset, seed, data=setup.data, requirements=requirements, loader=setup.loader
    )
    dataset = loaded.dataset
    if dataset.target is None:
        raise ValueError("rows without targets")
    order = setup.generator("shuffled_source").permutation(len(dataset))
    return prepare(
        config.dataset,
        seed,
        data=dataclasses.replace(dataset, target=dataset.target.take(order)),
        dtype=config.dtype,
        requirements=requirements,
        class_weights=config.training.class_weights,
        loader=setup.loader,
        target_transforms=config.model.target_transforms,
    ).parts

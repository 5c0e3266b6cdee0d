"""What a linear model reaches on the rows that a stored network was trained and is evaluated on."""

from nettrain.data.dataset import Dataset
from nettrain.inference.model import Model
from nettrain.inference.predictor import Predictor
from nettrain.inspection.linear_model import fit_to_targets, flat_inputs, left_out
from nettrain.metrics import all_metrics, outcome_of
from nettrain.training.engine.blas import one_blas_thread


def linear_metrics(predictor: Predictor, dataset: Dataset, train: Dataset) -> dict[str, float]:
    """The metrics on some rows of a linear model fitted to the training rows.

    Its inputs are the network's, after the transforms; it counts every row alike.

    Args:
        predictor: The network that it stands beside.
        dataset: Rows with targets.
        train: The training rows.

    Returns:
        Empty for ensembles, and where it is left out (`left_out`).
    """
    if not isinstance(predictor, Model):
        return {}
    pipeline, task = predictor.pipeline, predictor.task
    if left_out(predictor.config, pipeline, len(train.features)) is not None:
        return {}
    with one_blas_thread():
        dtype = predictor.config.dtype
        x = flat_inputs(pipeline.inputs(train.features, dtype, train.place), pipeline)
        model = fit_to_targets(x, predictor.truth(train), pipeline)
        x = flat_inputs(pipeline.inputs(dataset.features, dtype, dataset.place), pipeline)
        outcome = outcome_of(task, predictor.truth(dataset), model.predictions(x, task))
        return all_metrics(outcome, predictor.metrics)

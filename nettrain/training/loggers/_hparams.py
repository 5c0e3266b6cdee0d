"""TensorBoard's HParams: the parameters of a sweep with their domains, and its trials."""

import json
from collections.abc import Mapping
from typing import Any

from nettrain.config.logger import LoggedGroup, LoggedRun, Status
from nettrain.numbers import is_finite


def experiment(group: LoggedGroup) -> Any:
    """A `Summary` of the whole sweep: which parameters, from which domains, compared in what."""
    from tensorboard.plugins.hparams import summary_v2

    metric = group.spec.get("metric", "validation_loss")
    name = metric["name"] if isinstance(metric, Mapping) else metric
    shown = dict.fromkeys([name, "train_loss"])
    return summary_v2.hparams_config_pb(
        hparams=[
            summary_v2.HParam(path, _domain(parameter))
            for path, parameter in group.spec["parameters"].items()
        ],
        metrics=[summary_v2.Metric(tag) for tag in shown],
    )


def _domain(parameter: Mapping[str, Any]) -> Any:
    """The listed values, or the interval; values of several types are written as text."""
    from tensorboard.plugins.hparams import summary_v2

    values = parameter.get("values")
    if values is not None:
        plain = [_plain(value) for value in values]
        numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in plain)
        if numeric:
            plain = [float(value) for value in plain]
        elif len({type(value) for value in plain}) > 1:
            return None
        return summary_v2.Discrete(list(dict.fromkeys(plain)))
    return summary_v2.RealInterval(float(parameter["min"]), float(parameter["max"]))


def session_start(run: LoggedRun) -> Any:
    """A `Summary` of a trial's setting."""
    from tensorboard.plugins.hparams import summary_v2

    setting = {path: _plain(value) for path, value in run.setting.items()}
    return summary_v2.hparams_pb(setting, trial_id=run.name, start_time_secs=run.started)


def session_end(status: Status, time: float) -> Any:
    """A `Summary` of how a trial ended."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    name = "STATUS_SUCCESS" if status == "finished" else "STATUS_FAILURE"
    end = plugin_data_pb2.SessionEndInfo(status=api_pb2.Status.Value(name), end_time_secs=time)
    content = plugin_data_pb2.HParamsPluginData(session_end_info=end)
    return Summary(
        value=[
            Summary.Value(
                tag=metadata.SESSION_END_INFO_TAG,
                metadata=metadata.create_summary_metadata(content),
                tensor=metadata.NULL_TENSOR,
            )
        ]
    )


def _plain(value: Any) -> bool | float | str:
    """A value that HParams can hold; lists, null and integers beyond every float as text."""
    held = isinstance(value, bool | float | str) or is_finite(value)
    return value if held else json.dumps(value)

"""From an estimator's parameters to a configuration: `optimizer__lr=0.01` is `optimizer.lr`."""

import dataclasses
import os
from collections.abc import Mapping

from nettrain.config.key_path import KeyPath
from nettrain.config.load import load, plain
from nettrain.config.overrides import Override
from nettrain.config.run_config import RunConfig
from nettrain.config.yaml_text import Document

Config = str | os.PathLike[str] | Mapping[str, object] | RunConfig | None


def configuration(
    config: Config, settings: Mapping[str, object], *, seed: int | None, allow_plugins: bool
) -> RunConfig:
    """The validated configuration of an estimator.

    Its data is what `fit` is given. Rows that it would hold out for a test are trained on: those
    that test an estimator are not handed to `fit`.

    Args:
        config: A YAML file, a mapping of the same form, a RunConfig, or None: an mlp.
        settings: Changes, by paths in double-underscore form.
        seed: Of everything random; None: the configuration's.
        allow_plugins: Whether the Python files under `plugins` may be imported.

    Raises:
        ConfigError: One error that lists every problem.
    """
    if config is None or (isinstance(config, Mapping) and "extends" not in config):
        config = {"model": "mlp", **(config or {})}
    overrides = [_override("dataset__source", "memory")]
    overrides += [_override(key, value) for key, value in settings.items()]
    if seed is not None:
        overrides.append(Override(("seed",), Document(seed), f"random_state={seed}"))
    loaded = load(config, overrides, allow_plugins=allow_plugins)
    split = dataclasses.replace(loaded.dataset.split, test=0.0)
    dataset = dataclasses.replace(loaded.dataset, split=split, test_source=None)
    return dataclasses.replace(loaded, dataset=dataset)


def _override(key: str, value: object) -> Override:
    path: KeyPath = tuple(int(part) if part.isdecimal() else part for part in key.split("__"))
    return Override(path, Document(plain(value)), key)

"""A run configuration with the values of one trial put in."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from nettrain.config.key_path import parse
from nettrain.config.overrides import Override, apply
from nettrain.config.run_config import RunConfig
from nettrain.config.yaml_text import Document
from nettrain.search.sweep.space import Setting


def changed(base: Mapping[str, Any], setting: Setting, folder: Path | None = None) -> Document:
    """A configuration with some keys changed.

    Args:
        base: The configuration.
        setting: The values, by key path.
        folder: Where relative paths among the values count from; None: the current folder.
    """
    document = Document(deepcopy(base), {(): ""})
    changes = [
        Override(parse(path) or (), Document(deepcopy(value)), f"parameters.{path}", folder)
        for path, value in setting.items()
    ]
    apply(document, RunConfig, changes)
    return document

"""The settings that a model brings: what a configuration leaves out is filled in from them."""

import copy
from collections.abc import Iterator, Mapping, Sequence

from nettrain.component import Record
from nettrain.config.extends import over
from nettrain.config.fields import record_of
from nettrain.config.key_path import KeyPath
from nettrain.config.overrides import Override, apply
from nettrain.config.yaml_text import Document
from nettrain.nn.architecture import Architecture


def with_model_settings(
    document: Document, record: type[Record], changes: Sequence[Override]
) -> Document:
    """Return the document with the settings of its model under it, as if it extended them.

    A model without settings, or one that does not exist, changes nothing.

    Args:
        document: what was read; it is used up.
        record: the class of the whole configuration.
        changes: overrides, which may choose the model; they are not applied.
    """
    settings = _settings(_model(document, record, changes))
    if not settings or not isinstance(document.value, dict):
        return document
    value = copy.deepcopy(dict(settings))
    return over(Document(value, dict(_places(value, document.value))), document)


def _model(document: Document, record: type[Record], changes: Sequence[Override]) -> object:
    """What stands at `model` after the overrides."""
    if not isinstance(document.value, dict):
        return None
    model = {"model": copy.deepcopy(document.value.get("model"))}
    apply(Document(model), record, [change for change in changes if change.path[0] == "model"])
    return model["model"]


def _settings(model: object) -> Mapping[str, object]:
    architecture = record_of(Architecture, model)
    return (
        architecture.settings
        if architecture is not None and issubclass(architecture, Architecture)
        else {}
    )


def _places(
    settings: Mapping[str, object], own: Mapping[str, object], path: KeyPath = ()
) -> Iterator[tuple[KeyPath, str]]:
    """The keys that the document itself does not have."""
    for key, value in settings.items():
        if key not in own:
            yield (*path, key), "settings of the model"
            continue
        mine = own[key]
        if isinstance(value, Mapping) and isinstance(mine, Mapping):
            yield from _places(value, mine, (*path, key))

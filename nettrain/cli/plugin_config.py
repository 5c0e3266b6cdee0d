"""The plugins of a configuration, for commands that need nothing else of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nettrain.errors import ConfigError


@contextmanager
def with_plugins(config: Path | None, *, allow_plugins: bool) -> Iterator[None]:
    """Inside, the components in the plugins of a configuration are known by name."""
    if config is None:
        if allow_plugins:
            raise ConfigError(
                "--allow-plugins: name the configuration that has the plugins: --config FILE"
            )
        yield
        return
    from nettrain.config.load import plugins_of
    from nettrain.config.plugins import in_use

    with in_use(plugins_of(config, allow_plugins=allow_plugins)):
        yield

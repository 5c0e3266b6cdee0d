"""Pictures and pages of runs: matplotlib figures and Jinja templates (extra `report`)."""

from importlib.util import find_spec

from nettrain.errors import ConfigError


def check_installed() -> None:
    """Raises ConfigError with the command that installs what pictures and pages need."""
    missing = [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f'{" and ".join(missing)} not installed: pip install "nettrain[report]" draws pictures '
            "and pages"
        )

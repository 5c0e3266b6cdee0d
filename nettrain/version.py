"""The version, for the package's metadata, `nettrain --version` and environment.json."""

__version__ = "0.1.0"

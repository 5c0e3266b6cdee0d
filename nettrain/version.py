"""The version, in one place: the package's metadata, `nettrain --version` and environment.json take it from here."""

__version__ = "0.1.0"

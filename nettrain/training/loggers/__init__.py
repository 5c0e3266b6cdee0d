"""Loggers, one per file; their base is `nettrain.config.logger`."""

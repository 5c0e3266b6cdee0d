"""Trained models for other programs, one sub-package or module per target."""

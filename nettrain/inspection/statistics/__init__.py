"""Intervals and tests, one method per file: arrays in, numbers out."""

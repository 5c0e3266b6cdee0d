"""Sections about several runs: side by side, of a sweep, the folds, the members and their vote."""

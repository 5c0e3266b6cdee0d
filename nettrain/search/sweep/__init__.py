"""Sweeps: many settings of a run compared, the best one tested once."""

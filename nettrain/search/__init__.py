"""Choosing a setting and trusting its score: sweeps, cross-validation, ensembles. All of it calls the one `train`."""

"""Trained models: loaded from a checkpoint, they evaluate and predict, one network or an ensemble that votes."""

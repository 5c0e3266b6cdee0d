"""Trained models, read from checkpoints: one network, or an ensemble that votes."""

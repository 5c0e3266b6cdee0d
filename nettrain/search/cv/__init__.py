"""k-fold cross-validation."""

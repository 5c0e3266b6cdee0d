"""Training: one run from its configuration to its directory, evaluation, and predictions from what it left."""

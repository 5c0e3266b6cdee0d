"""Training: one run from its configuration to its directory, and its evaluation."""

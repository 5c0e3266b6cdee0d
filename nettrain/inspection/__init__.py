"""Looking into runs: time per layer, gradient checks; their list, comparison and reproduction."""

"""What chooses the settings of a sweep's trials: grid, random, Bayesian."""

"""Plans: computations that are recorded once and then replayed on permanent arrays."""

"""The whole YAML, typed: reading it, its sections, and what is said of mistakes in it."""

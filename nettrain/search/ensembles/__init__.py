"""Ensembles: members trained on other seeds, samples or weights, which vote."""

"""What the statistics of training say: norms per layer, dead and saturated units, symptoms and their remedies."""

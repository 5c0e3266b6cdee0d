"""What the networks for tables have in common."""

IMPUTE = {"type": "impute", "strategy": "median", "flag": True}  # gaps filled, and told
# Numbers of unlike scales near [-3, 3], whatever their outliers.
NUMBER_TRANSFORMS = [IMPUTE, "robust_scale", "smooth_clip"]


def category_transforms(largest: int) -> list[object]:
    """Indicators for columns of so many values at most, codes that are embedded for the others."""
    return [{"type": "one_hot", "max_size": largest}, "ordinal"]

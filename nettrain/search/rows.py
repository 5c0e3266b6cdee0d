"""The rows of a configuration, before and after they are divided: what folds and bootstrap samples are drawn from."""

from nettrain.config.plugins import in_use
from nettrain.config.run_config import RunConfig
from nettrain.data.loader import Loader, Whole
from nettrain.data.prepare import Loaded, divide, weighted
from nettrain.training.build import rows_of, wanted


def rows_of_config(
    config: RunConfig, loader: Loader, group: str | None = None
) -> tuple[Whole, Loaded]:
    """All rows, and those of each part as `fit` would have them.

    group  one more column that is no feature. Raises ConfigError and DataError
    """
    asked = rows_of(config)
    weights, split, limit = asked.pop("weights"), asked.pop("split"), asked.pop("limit")
    extra_columns = tuple(
        name for name in dict.fromkeys((split.column, group or split.group)) if name is not None
    )
    with in_use(config.plugins):
        whole = loader.whole(**asked, extra_columns=extra_columns, wanted=wanted(config.loss))
        whole = whole if weights is None else weighted(whole, weights)
        return whole, divide(whole, split=split, limit=limit, seed=asked["seed"])

"""Categories as codes, for a network that embeds them."""

from dataclasses import dataclass, replace

from nettrain.data.features import Codes, Features
from nettrain.data.transform import Columns, State, Transform
from nettrain.data.unseen import warn_of_unseen
from nettrain.transforms._categories import chosen_columns, learned_values, present_values


@dataclass(frozen=True, kw_only=True)
class Ordinal(Transform):
    """Ordinal encoding. y = the place of x among the v sorted training values, from 0 to v - 1.

    A missing cell has the code v, a category not seen in training v + 1, with one warning that
    counts the rows. The codes come behind all numbers, under the name of their column, and no
    transform after this one changes them. They are no quantities: the network looks them up in
    tables (layers by_columns and embedding; the models mlp and tabular do it by themselves).

    Training has rows of the code v + 1 only where others have merged categories: with
    rare_categories in front of this transform, new categories are treated as rare ones were.
    scikit-learn: OrdinalEncoder(handle_unknown="use_encoded_value"), where a missing cell is the
    last of the values.
    """

    by_chunks = True

    columns: Columns = None

    def fit(self, features: Features) -> State:
        """Learns the columns, and the values of each that occur, sorted."""
        names = chosen_columns(self.columns, features, self.name())
        state: State = {"columns": names}
        for name in names:
            state[f"values:{name}"] = present_values(features.categories[name])
        return state

    def apply(self, features: Features, state: State) -> Features:
        """Makes codes of the chosen columns."""
        learned = learned_values(state)
        codes = {
            name: Codes(features.categories[name].places(values), len(values) + 2)
            for name, values in learned.items()
        }
        warn_of_unseen(features, learned, "share one code")
        rest = {name: column for name, column in features.categories.items() if name not in learned}
        return replace(features, categories=rest, codes=features.codes | codes)

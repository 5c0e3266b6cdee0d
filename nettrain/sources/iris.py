"""The bundled iris flowers."""

from dataclasses import dataclass, replace
from pathlib import Path

from nettrain.data.dataset import Dataset
from nettrain.data.source import Source

_FILE = Path(__file__).parent / "bundled" / "iris.csv"


@dataclass(frozen=True, kw_only=True)
class Iris(Source):
    """Iris (bundled): lengths and widths of sepals and petals, in cm -> the species.

    150 rows of four numbers, three classes of 50. Fisher 1936, UCI (CC BY 4.0), with Fisher's
    values as in scikit-learn.
    """

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, sorted by class; there is no predefined test part."""
        dataset = Source.parse({"type": "csv", "path": str(_FILE), "target": "species"}).load(
            seed, extra_columns
        )
        return replace(dataset, origin="iris", lines=None)

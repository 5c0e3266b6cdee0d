"""A callback of your own: print a line whenever the validation loss improves.

Run it with: python configs/callback.py
"""

from pathlib import Path
from typing import Any

import nettrain


class Improvements(nettrain.Callback):
    """Prints the epochs whose validation loss is the lowest so far."""

    def __init__(self) -> None:
        self.lowest = float("inf")

    def epoch_end(self, run: nettrain.Run, row: dict[str, Any]) -> None:
        """Called after each epoch; `row` is its line in metrics.jsonl."""
        if row["validation_loss"] < self.lowest:
            self.lowest = row["validation_loss"]
            print(f"epoch {row['epoch']}: validation loss {self.lowest:.4f}")


def main() -> None:
    """Train with the callback, and load the result."""
    config = Path(__file__).with_name("iris.yaml")
    result = nettrain.train(config, callbacks=[Improvements()])
    model = nettrain.load(result.run_directory)
    print(f"test accuracy {result.metrics['test']['accuracy']:.3f}, classes {model.classes}")


if __name__ == "__main__":
    main()

"""AdamW is Adam, once the engine has let the weights decay."""

from nettrain.optim.compiled.adam import loop, numbers

__all__ = ["loop", "numbers"]

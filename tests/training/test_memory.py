"""Networks that cannot fit into memory are refused before anything is allocated."""

from types import SimpleNamespace

import pytest

from nettrain.errors import ConfigError
from nettrain.training import memory


def layer(name, shape, outputs):
    parameters = {"w": SimpleNamespace(shape=shape)}
    return SimpleNamespace(name=name, parameters=parameters, output_shape=(outputs,))


SMALL, WIDE = layer("dense_1", (4, 8), 8), layer("dense_2", (10**12, 10**12), 10**12)
FLAT = layer("tall", (1,), 10**8)
CASES = {
    "fits": ([SMALL], 16, None),
    "parameters": ([SMALL, WIDE], 1, "make dense_2 smaller (1,000,000,000,000,000,000,000,000"),
    "outputs": ([SMALL, FLAT], 32, "outputs of tall for a batch of 32 rows need 12.8 GB"),
    "outputs fit": ([SMALL, FLAT], 2, None),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_fit_is_refused_with_the_layer_to_blame(name, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 10**9)
    layers, batch_size, message = CASES[name]
    if message is None:
        memory.check_fits_memory(layers, batch_size, 4)
        return
    with pytest.raises(ConfigError, match=r"1\.0 GB are free") as refused:
        memory.check_fits_memory(layers, batch_size, 4)
    assert message in str(refused.value)

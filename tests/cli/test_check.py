import json


def test_check_shows_every_layer_and_writes_nothing(folder, command):
    before = sorted(folder.iterdir())
    found = command("check", "flowers.yaml")
    assert found.exit_code == 0
    lines = {line.split()[0]: line.split() for line in found.stdout.splitlines() if line.strip()}
    assert lines["dense_1"] == ["dense_1", "dense", "8", "24", "32"]
    assert lines["total"] == ["total", "42", "64"]
    assert "loss: cross_entropy" in found.stderr and "memory: " in found.stderr
    assert found.stderr.splitlines()[-1] == "next: nettrain fit flowers.yaml"
    assert sorted(folder.iterdir()) == before


def test_check_tells_how_much_is_frozen(folder, command):
    layers = "[{type: dense, units: 8, trainable: false}, relu, dense]"
    found = command("check", "flowers.yaml", "--set", "model.type=sequential", "--set", f"model.layers={layers}")
    assert found.exit_code == 0, found.output
    assert "frozen: 24 of 42 parameters stay as they are" in found.stderr.splitlines()
    assert "frozen" not in command("check", "flowers.yaml").stderr


def test_check_json_has_the_layers_and_the_number_of_parameters(folder, command):
    found = json.loads(command("check", "flowers.yaml", "--set", "model.hidden=[]", "--json").stdout)
    assert found == {"parameters": 6, "layers": [{"name": "dense_1", "type": "dense", "output_shape": [2], "parameters": 6}]}

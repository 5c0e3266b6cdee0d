"""The catalogue of layers, one per file; their base is nettrain.nn.layer."""

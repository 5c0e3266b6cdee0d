"""The catalogue of layers, one a file; their base is nettrain.nn.layer."""

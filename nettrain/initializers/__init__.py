"""The catalogue of initializers, one a file; their base is nettrain.nn.initializer."""

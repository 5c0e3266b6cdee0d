"""The catalogue of initializers, one per file; their base is nettrain.nn.initializer."""

"""The catalogue of architectures, one a file; their base is nettrain.nn.architecture."""

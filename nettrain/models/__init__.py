"""The catalogue of architectures, one per file; their base is nettrain.nn.architecture."""

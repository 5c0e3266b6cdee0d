"""The catalogue of activations, one per file; their base is nettrain.nn.activation."""

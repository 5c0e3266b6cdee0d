"""The catalogue of activations, one a file; their base is nettrain.nn.activation."""

"""The catalogue of losses, one a file; their base is nettrain.nn.loss."""

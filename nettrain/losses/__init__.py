"""The catalogue of losses, one per file; their base is nettrain.nn.loss."""

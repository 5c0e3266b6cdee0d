"""The catalogue of sources, one a file; their base is nettrain.data.source."""

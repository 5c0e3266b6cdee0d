"""The catalogue of transforms, one a file; their base is nettrain.data.transform."""

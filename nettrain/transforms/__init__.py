"""The catalogue of transforms, one per file; their base is nettrain.data.transform."""

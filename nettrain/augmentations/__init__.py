"""The catalogue of augmentations, one a file; their base is nettrain.data.augmentation."""

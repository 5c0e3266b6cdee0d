"""The catalogue of augmentations, one per file; their base is nettrain.data.augmentation."""

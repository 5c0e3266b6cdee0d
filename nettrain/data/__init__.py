"""From a source to batches: loading, splitting, transforms fitted on the training part, one prepared dataset."""

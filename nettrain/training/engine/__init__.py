"""One step of training: batch, gradient, update, and how they run on several threads."""

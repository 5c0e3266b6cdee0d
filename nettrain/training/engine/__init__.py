"""What makes one step of training: batch, gradient, update, and how they are run on several threads."""

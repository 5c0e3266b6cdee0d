"""Looking into a run: time per layer, FLOPs, gradient checks, the learning-rate range test."""

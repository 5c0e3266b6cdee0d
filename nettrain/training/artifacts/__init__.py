"""What a run leaves on disk: its directory, checkpoints, logs, and how they are written safely."""

"""One training in several processes: who they are, what they exchange, and that they agree."""

"""From data to a configuration: what is chosen for rows that nobody has described, and why."""

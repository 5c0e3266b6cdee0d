"""The figures of a run, one kind per file: what it needs, how to read it, and how it is drawn."""

"""The command line: one module a command, what failures look like, and what is drawn on a terminal."""

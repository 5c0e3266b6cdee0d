"""The command line: one module per command, failures, and tables for the terminal."""

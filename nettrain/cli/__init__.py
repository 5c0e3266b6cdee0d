"""The command line: one module per command, the reporting of failures, and tables for the terminal."""

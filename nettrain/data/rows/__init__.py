"""Rows of numbers: in memory, read from a file, or made when a batch takes them."""

"""Rows of numbers that are not in memory as they are: read from a file, or made for a batch."""

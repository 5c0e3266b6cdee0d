"""How far a figure can be trusted: intervals and tests, arrays in, numbers out, one method per file."""

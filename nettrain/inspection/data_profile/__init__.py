"""The columns of a data set as they were understood, and what about them is suspicious."""

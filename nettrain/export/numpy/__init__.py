"""A trained network as a file of plain NumPy."""

"""Readers of file formats: text tables, JSON lines, columnar files, IDX, NumPy files, images, downloads."""

"""Readers of file formats: text tables, JSON lines, columnar files, arrays, images, downloads."""

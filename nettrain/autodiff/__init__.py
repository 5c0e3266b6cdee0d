"""Automatic differentiation on NumPy arrays; needs nothing else of nettrain and could be lifted out."""

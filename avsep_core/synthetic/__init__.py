"""Synthetic worlds made by code: faces that speak, and later things that move and sound."""

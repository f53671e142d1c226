"""Blind audiovisual source separation by matching pursuit (Llagostera Casanovas et al., 2008)."""

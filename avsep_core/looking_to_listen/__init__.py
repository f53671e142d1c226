"""Chapter 3, looking to listen: pick a face, hear only that voice (Ephrat et al., 2018)."""

"""Chapter 5, co-separation: what looks alike shall sound alike (Gao and Grauman, 2019)."""

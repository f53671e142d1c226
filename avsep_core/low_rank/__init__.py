"""Chapter 2, low rank and sparsity: which pixels make the sound (Pu et al., 2017)."""

"""A lineage of hundreds of things as one picture that can be read at once: families, short labels, folded groups."""

"""Drawing provenance: a neutral graph, its layered layout, and the layout as SVG or as text."""

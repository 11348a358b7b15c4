"""The colors of the kinds of nodes, those of the PROV Graph Layout Conventions."""

from __future__ import annotations

from collections.abc import Mapping

from provrepo.drawing.graph import NodeKind

__all__ = ["FILL", "STROKE"]

FILL: Mapping[NodeKind, str] = {"entity": "#fffc87", "activity": "#9fb1fc", "agent": "#fed37f"}
STROKE: Mapping[NodeKind, str] = {"entity": "#808080", "activity": "#0000ff", "agent": "#b07a1a"}
"""The outline of an agent is darker than in the conventions, to be visible on white."""

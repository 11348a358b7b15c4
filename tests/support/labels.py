"""Labels that would be more than text if a writer of diagrams did not escape them."""

from __future__ import annotations

__all__ = ["HOSTILE"]

HOSTILE = (
    'a "b" c',
    "`md` **x** __init__ ~~y~~",
    "# 35; &lt; &amp; <b>x</b>",
    "<script>alert(1)</script>",
    "style a:x#1;",
    "classDef a:b#c;",
    "end",
    "a\\N\\\\ \\",
    "line\nbreak\r\n\ttab",
    "%% comment",
    "---",
    "- item",
    "1. item",
    "+ item",
    'click n0 href "javascript:alert(1)"',
    "{{x}} [[y]] |z|",
    "right \u202e to left",
    "-->",
    '" onmouseover="x',
    "#quot;",
    "ﬂ°°60¶ß",
    '"] --> evil["',
    "subgraph x",
    "$$x^2$$",
    "fa:fa-car",
    "@{shape: x}",
    "www.example.org a@example.org https://example.org/",
    "日本語 ✓ é",
    ";;;",
    "n0_0 -> n0_1;",
    "*/ }",
    "end of a very long label " + "x" * 500,
)

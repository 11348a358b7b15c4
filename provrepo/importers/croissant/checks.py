"""What Croissant 1.1 requires of a description, beyond what the mapping needs: findings with their places.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

from __future__ import annotations

from collections.abc import Iterator

from provrepo.importers.croissant.graph import CROISSANT, Graph, Node
from provrepo.importers.json_values import Problem

__all__ = ["REQUIRED", "check"]

REQUIRED = ("sc:name", "sc:description", "sc:license", "sc:url", "sc:creator", "sc:datePublished", "sc:distribution")
"""Members that each dataset has: the table “Required”, and ``distribution``."""

_RESOURCES = ("cr:FileObject", "cr:FileSet")


def check(graph: Graph) -> Iterator[Problem]:
    """The rules that a description breaks.

    Args:
        graph: the description.
    """
    root = graph.root
    if "sc:Dataset" not in root.types:
        yield Problem("/@type", "Croissant 1.1 requires the type sc:Dataset (Dataset-level Information, Required)")
    versions = [found.id if isinstance(found, Node) else found for _, found in root.all("dct:conformsTo")]
    if not any(version in CROISSANT for version in versions):
        yield Problem("/conformsTo", f"neither {' nor '.join(CROISSANT)}; it is read as the latter")
    for term in REQUIRED:
        if not root.all(term):
            yield Problem(
                "", f"Croissant 1.1 requires {term.removeprefix('sc:')} (Dataset-level Information, Required)"
            )
    for place, found in root.all("sc:distribution"):
        if not isinstance(found, Node) or not any(kind in found.types for kind in _RESOURCES):
            yield Problem(
                place, "Croissant 1.1 requires a FileObject or a FileSet here (Modified and Added Properties)"
            )
        elif "cr:FileObject" in found.types:
            yield from _file(found, live=bool(root.text("cr:isLiveDataset")) or _true(root, "cr:isLiveDataset"))
        else:
            yield from _file_set(found)
    for node in root.nodes("cr:recordSet"):
        if "cr:RecordSet" not in node.types:
            yield Problem(node.pointer, "Croissant 1.1 requires the type cr:RecordSet (RecordSet)")
        for field in node.nodes("cr:field"):
            yield from _field(field)


def _true(node: Node, term: str) -> bool:
    return any(found is True for _, found in node.all(term))


def _file(node: Node, *, live: bool) -> Iterator[Problem]:
    if not node.text("sc:contentUrl") and not node.all("cr:containedIn"):
        yield Problem(node.pointer, "a FileObject needs contentUrl, where its bytes are (FileObject)")
    if not node.text("sc:encodingFormat"):
        yield Problem(node.pointer, "a FileObject needs encodingFormat, its media type (FileObject)")
    if not live and not node.all("sc:sha256", "cr:md5", "sc:md5", "cr:containedIn"):
        yield Problem(node.pointer, "no checksum: it is not known whether this file is another one later (Checksums)")


def _file_set(node: Node) -> Iterator[Problem]:
    if not node.all("cr:includes") and not node.all("cr:containedIn"):
        yield Problem(node.pointer, "a FileSet needs includes or containedIn: which files, and of what (FileSet)")


def _field(node: Node) -> Iterator[Problem]:
    if "cr:Field" not in node.types:
        yield Problem(node.pointer, "Croissant 1.1 requires the type cr:Field (Field)")
    inside = node.nodes("cr:subField")
    if not node.all("cr:dataType") and not inside and not node.all("cr:references"):
        yield Problem(node.pointer, "a Field needs dataType (Field)")
    if node.all("cr:arrayShape") and not _true(node, "cr:isArray"):
        yield Problem(node.pointer, "arrayShape needs isArray true (Field)")
    for each in (*inside, *node.nodes("cr:annotation")):
        yield from _field(each)

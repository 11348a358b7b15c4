"""Elements of PROV-XML: their names in messages, their unread parts, and their spelling in XML literals."""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from typing import Any, TypeAlias

from lxml import etree

from provrepo.model.document import Unmapped, UnreadPart
from provrepo.vocab import PROV, XSI

__all__ = ["Element", "Leftovers", "markup", "parts", "shown", "shown_name"]

Element: TypeAlias = Any
"""An ``lxml.etree._Element``; lxml has no types."""

_XML = "http://www.w3.org/XML/1998/namespace"
_IGNORED = frozenset({f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation", f"{{{_XML}}}space"})
"""XML attributes that may occur anywhere and do not describe anything."""


class Leftovers:
    """Lists parts of the source that no statement stands for in ``Document.unmapped``.

    Args:
        unmapped: that of the document.
    """

    def __init__(self, unmapped: Unmapped) -> None:
        self._unmapped = unmapped

    def element(self, element: Element) -> None:
        """List an element that is not read, with its content."""
        if element.tag == f"{{{PROV}}}other":
            reason = "PROV-XML defines it for content that is not PROV"
        elif element.tag.startswith(f"{{{PROV}}}"):
            reason = "PROV-XML has no such element here"
        else:
            reason = "it is not in PROV's namespace, and only statements and bundles are read there"
        self._leave(f"the element {shown(element)}", reason, element)

    def attributes(self, element: Element, read: Collection[str] = ()) -> None:
        """List the XML attributes of an element that are not in ``read``."""
        for key in element.attrib:
            if key not in read and key not in _IGNORED:
                self.attribute(element, key)

    def attribute(self, element: Element, key: str) -> None:
        """List an XML attribute that is not read."""
        reason = "PROV-XML has no such attribute there"
        if key in ("id", "ref"):
            reason = f"an attribute without a prefix is in no namespace; write prov:{key}"
        self._leave(f"the attribute {shown_name(key)} of {shown(element)}", reason, element)

    def text(self, element: Element) -> None:
        """List text between elements, if there is any."""
        for stray in (element.text, *(child.tail for child in element)):
            if stray is not None and not stray.isspace():
                what = f"the text {stray.strip()[:40]!r} in {shown(element)}"
                self._leave(what, "PROV-XML has no text there", element)

    def children(self, element: Element) -> None:
        """List the content of an element."""
        self.text(element)
        for child in element:
            self.element(child)

    def _leave(self, part: str, reason: str, element: Element) -> None:
        self._unmapped.add_part(UnreadPart(part, reason, element.sourceline))


def markup(element: Element) -> str:
    """The content of an element as XML, without the indentation that pretty-printers add between elements."""
    parents = [inner for inner in element.iter() if len(inner)]
    for parent in parents:
        if not any(piece and not piece.isspace() for piece in (parent.text, *(child.tail for child in parent))):
            parent.text = None
            for child in parent:
                child.tail = None
    pieces = [_escaped(element.text or "")]
    for child in element:
        alone = deepcopy(child)
        etree.cleanup_namespaces(alone)
        pieces.append(etree.tostring(alone, encoding="unicode"))
    return "".join(pieces)


def _escaped(content: str) -> str:
    return content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shown(element: Element) -> str:
    """The name of an element for messages."""
    return shown_name(element.tag)


def shown_name(tag: str) -> str:
    """A Clark name for messages: that of PROV with its prefix, others with their namespace."""
    iri, local = parts(tag)
    return f"prov:{local}" if iri == PROV else f"{local} of <{iri}>" if iri else f"{local}, in no namespace,"


def parts(tag: str) -> tuple[str, str]:
    """Namespace, empty if there is none, and local name of a Clark name."""
    iri, _, local = tag.removeprefix("{").rpartition("}")
    return iri, local

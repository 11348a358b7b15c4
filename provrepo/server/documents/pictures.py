"""Pictures of stored versions: drawn once, since a version never changes, and kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from provrepo.codecs.svg.codec import Picture, picture
from provrepo.model.document import Document
from provrepo.repository.records import VersionInfo

__all__ = ["PREFIX", "Pictures"]

PREFIX = "picture"
"""With which the ids inside the picture begin, so that none is one of the page's."""

_KEPT = 32


class Pictures:
    """The last pictures that were drawn; safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str, bool], Picture] = OrderedDict()
        self._lock = Lock()

    def of(self, info: VersionInfo, document: Document, link: Callable[[str], str] | None = None) -> Picture:
        """The picture of a version.

        Args:
            info: which version; its bytes, format and base IRI decide what is drawn.
            document: what it says.
            link: the address to which the node of an identifier leads, the same one for each call; None for no links.
        """
        key = (info.sha256, info.format, info.base or "", link is not None)
        with self._lock:
            known = self._kept.pop(key, None)
        found = known or picture(document, prefix=PREFIX, link=link)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

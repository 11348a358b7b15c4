"""A cache of the pictures of stored versions, which never change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from provrepo.codecs.svg.codec import Picture, picture
from provrepo.model.document import Document
from provrepo.repository.records import VersionInfo

__all__ = ["PREFIX", "PictureCache"]

PREFIX = "picture"
"""The prefix of ids inside a picture, so that they differ from those of the page."""

_SIZE = 32


class PictureCache:
    """The most recently used pictures. Thread-safe."""

    def __init__(self) -> None:
        self._cache: OrderedDict[tuple[str, str, str, bool], Picture] = OrderedDict()
        self._lock = Lock()

    def of(self, info: VersionInfo, document: Document, link: Callable[[str], str] | None = None) -> Picture:
        """The picture of a version.

        Args:
            info: the version; its bytes, format and base IRI identify the picture.
            document: its parsed content.
            link: returns the address to which the node of an identifier leads; must be the same function in all calls.
                None for no links.
        """
        key = (info.sha256, info.format, info.base or "", link is not None)
        with self._lock:
            cached = self._cache.pop(key, None)
        found = cached or picture(document, prefix=PREFIX, link=link)
        with self._lock:
            self._cache[key] = found
            while len(self._cache) > _SIZE:
                self._cache.popitem(last=False)
        return found

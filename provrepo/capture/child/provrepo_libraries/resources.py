"""What adapted clients of HTTP tell of an answer: the URL, what identifies its version, and the digest of its content.

``provrepo.resource``
    a mapping: ``id``, ``method``, ``url``, ``requested`` (the URL that redirected to it), ``etag``, ``version``,
    ``modified``, ``media``, ``coding``: an answer has begun
``provrepo.content``
    id, SHA-256, size: its content was read to the end, as it was sent: ``coding`` is still applied to it

URLs are told without users, passwords, queries and fragments.
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

_REDIRECTS = (301, 302, 303, 307, 308)
_KEPT = 100
_redirected: dict[tuple[int, str], str] = {}
"""By the thread and the target of a redirection: the URL that was asked for first."""


class Answer:
    """The answer to a request; nothing is told of one that failed, or that redirects.

    Args:
        method: of the request.
        url: of the request.
        status: of the answer.
        headers: of the answer: a mapping that ignores case.
        decoded: whether its content is read without its coding.
    """

    def __init__(self, method: str, url: str, status: int, headers: Any, decoded: bool = False) -> None:
        self.inside = False
        self._id = ""
        self._size = 0
        self._digest: Any = None
        plain = _plain(url)
        requested = _redirected.pop((get_ident(), plain), "")
        if status in _REDIRECTS and headers.get("location"):
            if len(_redirected) >= _KEPT:
                _redirected.clear()
            _redirected[get_ident(), _plain(urljoin(url, headers.get("location")))] = requested or plain
        elif 200 <= status < 300 and method not in ("HEAD", "OPTIONS", "CONNECT"):
            self._id = os.urandom(8).hex()
            about = {"id": self._id, "method": method, "url": plain, "requested": requested}
            for name, header in (("etag", "etag"), ("modified", "last-modified"), ("media", "content-type")):
                about[name] = headers.get(header) or ""
            about["version"] = headers.get("x-amz-version-id") or headers.get("x-goog-generation") or ""
            coding = "" if decoded else headers.get("content-encoding") or ""
            about["coding"] = "" if coding == "identity" else coding
            sys.audit("provrepo.resource", about)
            if status == 200 and method == "GET":  # 206 has a part of the content
                import hashlib

                self._digest = hashlib.sha256()

    def read(self, data: Any) -> None:
        """More of the content was read."""
        if self._digest is not None:
            self._digest.update(data)
            self._size += len(data)

    def ended(self) -> None:
        """The content was read to its end."""
        if self._digest is not None:
            sys.audit("provrepo.content", self._id, self._digest.hexdigest(), self._size)
            self._digest = None


def _plain(url: str) -> str:
    """A URL without users, passwords, queries and fragments."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", "", ""))

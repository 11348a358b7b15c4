"""The codec of PROV-XML (https://www.w3.org/TR/prov-xml/)."""

from __future__ import annotations

from provrepo.codecs.provxml.reader import read
from provrepo.codecs.provxml.writer import losses, write

__all__ = ["losses", "read", "write"]

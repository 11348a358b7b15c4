"""PROV-JSON (https://www.w3.org/Submission/2013/SUBM-prov-json-20130424/)."""

from __future__ import annotations

from provrepo.codecs.provjson.reader import read
from provrepo.codecs.provjson.writer import losses, write

__all__ = ["losses", "read", "write"]

"""PROV-JSON (https://www.w3.org/Submission/2013/SUBM-prov-json-20130424/)."""

from __future__ import annotations

from provrepo.codecs.provjson_read import read
from provrepo.codecs.provjson_write import losses, write

__all__ = ["losses", "read", "write"]

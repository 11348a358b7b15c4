"""PROV-N, the Provenance Notation (https://www.w3.org/TR/prov-n/)."""

from __future__ import annotations

from provrepo.codecs.provn.reader import read
from provrepo.codecs.provn.writer import losses, write

__all__ = ["losses", "read", "write"]

"""PROV-N, the Provenance Notation (https://www.w3.org/TR/prov-n/)."""

from __future__ import annotations

from provrepo.codecs.provn_read import read
from provrepo.codecs.provn_write import losses, write

__all__ = ["losses", "read", "write"]

"""The codec of PROV-JSONLD (https://www.w3.org/submissions/2024/SUBM-prov-jsonld-20240825/).

A document has one JSON object for each statement, in the shape that the submission defines. This is not a JSON-LD
processor, and contexts are never fetched.
"""

from __future__ import annotations

from provrepo.codecs.provjsonld.reader import read
from provrepo.codecs.provjsonld.writer import losses, write

__all__ = ["losses", "read", "write"]

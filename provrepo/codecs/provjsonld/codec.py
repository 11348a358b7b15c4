"""PROV-JSONLD (https://www.w3.org/submissions/2024/SUBM-prov-jsonld-20240825/): the codec of the table of formats.

One JSON object for each statement, in the fixed shape that the submission gives; this is no JSON-LD processor, and no
context is ever fetched. Terms are in ``provjsonld_terms``, reading and writing have a module each.
"""

from __future__ import annotations

from provrepo.codecs.provjsonld.reader import read
from provrepo.codecs.provjsonld.writer import losses, write

__all__ = ["losses", "read", "write"]

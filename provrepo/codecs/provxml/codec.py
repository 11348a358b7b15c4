"""PROV-XML (https://www.w3.org/TR/prov-xml/): the codec that the table of formats names.

Reading and writing have a module each; what both must agree on about names is in ``provxml_names``.
"""

from __future__ import annotations

from provrepo.codecs.provxml.reader import read
from provrepo.codecs.provxml.writer import losses, write

__all__ = ["losses", "read", "write"]

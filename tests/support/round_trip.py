"""The formats that documents are written in and read from, for tests that write a document and read it again."""

from provrepo.codecs.formats import FORMATS

__all__ = ["BOTH_WAYS"]

BOTH_WAYS = tuple(format_ for format_ in FORMATS if format_.reads and format_.writes)

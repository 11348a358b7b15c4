"""Regular expressions of shapes and of queries in shapes, put in place of those of pySHACL and rdflib.

Both hand what a profile and a document say to Python's ``re``, which can take time exponential in the text. pySHACL
also leaves out the flags ``s`` and ``x``.
"""

from __future__ import annotations

import re
from typing import Any

import rdflib.plugins.sparql.operators
from pyshacl.constraints.core.string_based_constraints import PatternConstraintComponent

from provrepo.checks.shapes.matching import Unmatchable, matcher, python_flags

__all__ = ["install"]


class _Compiled:
    """A pattern with the two methods of ``re.Pattern`` that pySHACL calls."""

    def __init__(self, pattern: str, flags: int) -> None:
        try:
            self.search = matcher(pattern, flags).search
        except Unmatchable:
            # Of a profile that was kept before patterns had to be matchable in this way; the deadline bounds it.
            compiled = re.compile(pattern, flags)
            self.search = lambda text: compiled.search(text) is not None

    def match(self, _text: str) -> bool:
        """False: pySHACL then searches, which finds what matches at the beginning too."""
        return False


class _Expressions:
    """Stands for the module ``re`` where rdflib evaluates ``REGEX``."""

    def __getattr__(self, name: str) -> Any:
        return getattr(re, name)

    @staticmethod
    def search(pattern: str, text: str, flags: int = 0) -> bool:
        """Whether a pattern matches in a text."""
        return _Compiled(pattern, flags).search(text)


def install() -> None:
    """Let pySHACL and rdflib match as ``matching`` does, in this process."""
    settle: Any = PatternConstraintComponent.__init__

    def prepared(self: Any, shape: Any) -> None:
        settle(self, shape)
        flags = python_flags("" if self.flags is None else str(self.flags))
        self.compiled_cache.update({pattern: _Compiled(str(pattern), flags) for pattern in self.string_rules})

    component: Any = PatternConstraintComponent
    component.__init__ = prepared
    operators: Any = rdflib.plugins.sparql.operators
    operators.re = _Expressions()

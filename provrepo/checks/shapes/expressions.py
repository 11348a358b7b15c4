"""Replacement of the regular expressions of pySHACL and rdflib by ``matching``, for shapes and queries in shapes.

Both pass patterns of a profile and texts of a document to Python's ``re``, which can take time exponential in the
text. pySHACL also ignores the flags ``s`` and ``x``.
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
            # The profile was stored before patterns had to be matchable in linear time; the deadline bounds it.
            compiled = re.compile(pattern, flags)
            self.search = lambda text: compiled.search(text) is not None

    def match(self, _text: str) -> bool:
        """False: pySHACL then calls ``search``, which includes matches at the beginning."""
        return False


class _Expressions:
    """Substitute for the module ``re`` where rdflib evaluates ``REGEX``."""

    def __getattr__(self, name: str) -> Any:
        return getattr(re, name)

    @staticmethod
    def search(pattern: str, text: str, flags: int = 0) -> bool:
        """Whether a pattern matches in a text."""
        return _Compiled(pattern, flags).search(text)


def install() -> None:
    """Make pySHACL and rdflib match by ``matching``, in this process."""
    original: Any = PatternConstraintComponent.__init__

    def patched(self: Any, shape: Any) -> None:
        original(self, shape)
        flags = python_flags("" if self.flags is None else str(self.flags))
        self.compiled_cache.update({pattern: _Compiled(str(pattern), flags) for pattern in self.string_rules})

    component: Any = PatternConstraintComponent
    component.__init__ = patched
    operators: Any = rdflib.plugins.sparql.operators
    operators.re = _Expressions()

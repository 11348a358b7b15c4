"""Sub-properties and subclasses of PROV-O's terms that a document declares itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provrepo.codecs.provo_terms import (
    CLASS,
    PREDICATES,
    SUBCLASS_OF,
    SUBCLASSES,
    SUBPROPERTY_OF,
    SUBTYPES,
    Meaning,
)
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import INFLUENCE

__all__ = ["DECLARATIONS", "Declared"]

DECLARATIONS = (SUBCLASS_OF, SUBPROPERTY_OF)
"""The properties whose triples are declarations."""


class Declared:
    """The properties and classes that declarations put below those of PROV-O.

    Attributes:
        predicates: what PROV's own and the declared properties mean.
        own: the declared ones; their triples say more than the statement, and stay as attributes.
        classes: the PROV classes that a declared class is below.
    """

    __slots__ = ("classes", "own", "predicates")

    def __init__(self, declarations: Sequence[Quad]) -> None:
        self.predicates: Mapping[str, Meaning] = PREDICATES
        self.own: dict[str, Meaning] = {}
        self.classes: dict[str, list[str]] = {}
        if not declarations:
            return
        properties = _above(declarations, SUBPROPERTY_OF)
        for name, above in properties.items():
            meanings = [PREDICATES[term] for term in above if term in PREDICATES]
            if meanings and name not in PREDICATES:
                self.own[name] = min(meanings, key=_generality)
        self.predicates = {**PREDICATES, **self.own}
        for name, above in _above(declarations, SUBCLASS_OF).items():
            known = sorted(term for term in above if term in CLASS or term in SUBCLASSES or term in SUBTYPES)
            if known and name not in CLASS and name not in SUBCLASSES and name not in SUBTYPES:
                self.classes[name] = known


def _generality(meaning: Meaning) -> tuple[bool, str, str, str]:
    # Of several properties above a declared one the narrowest counts: wasInfluencedBy is above all relations, and
    # wasDerivedFrom above its variants.
    return meaning.kind is INFLUENCE, meaning.kind.name, "" if meaning.variant else "~", meaning.variant or ""


def _above(declarations: Sequence[Quad], relation: str) -> dict[str, list[str]]:
    """All that is above each declared term, through any number of steps."""
    direct: dict[str, list[str]] = {}
    for quad in declarations:
        if quad.predicate == relation and isinstance(quad.object, Identifier):
            direct.setdefault(quad.subject, []).append(quad.object)
    result = {}
    for name in direct:
        found = dict.fromkeys([name])
        stack = [name]
        while stack:
            for term in direct.get(stack.pop(), ()):
                if term not in found:
                    found[term] = None
                    stack.append(term)
        result[name] = list(found)[1:]
    return result

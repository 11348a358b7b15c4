"""Sub-properties and subclasses of PROV-O's terms that a document declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from provrepo.codecs.provo.terms import CLASS, PREDICATES, SUBCLASS_OF, SUBCLASSES, SUBPROPERTY_OF, SUBTYPES, Meaning
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import INFLUENCE

__all__ = ["DECLARATIONS", "Declared"]

DECLARATIONS = (SUBCLASS_OF, SUBPROPERTY_OF)
"""The properties whose triples are declarations."""


class Declared:
    """The properties and classes that are declared below those of PROV-O.

    Attributes:
        predicates: the meaning of PROV's properties and of the declared ones.
        own: the declared properties; their triples state more than the statement, and stay as attributes.
        classes: declared class → the PROV classes above it.
    """

    __slots__ = ("classes", "own", "predicates")

    def __init__(self, declarations: Sequence[Quad]) -> None:
        self.predicates: Mapping[str, Meaning] = PREDICATES
        self.own: dict[str, Meaning] = {}
        self.classes: dict[str, list[str]] = {}
        if not declarations:
            return
        for name, above in _above(declarations, SUBPROPERTY_OF, PREDICATES).items():
            self.own[name] = min((PREDICATES[term] for term in above), key=_generality)
        self.predicates = {**PREDICATES, **self.own}
        self.classes = _above(declarations, SUBCLASS_OF, [*CLASS, *SUBCLASSES, *SUBTYPES])


def _generality(meaning: Meaning) -> tuple[bool, str, str, str, str]:
    # Of several properties above a declared one the narrowest is used: wasInfluencedBy is above all relations, and
    # wasDerivedFrom above its variants.
    narrow = "" if meaning.variant else "~"
    return meaning.kind is INFLUENCE, meaning.kind.name, narrow, meaning.variant or "", meaning.role.name


def _above(declarations: Sequence[Quad], relation: str, terms: Iterable[str]) -> dict[str, list[str]]:
    """Declared name → the terms above it, through any number of steps.

    The traversal goes down from the terms, so its cost is at most their number times that of the declarations.
    """
    direct: dict[str, list[str]] = {}
    for quad in declarations:
        if quad.predicate == relation and isinstance(quad.object, Identifier):
            direct.setdefault(quad.object, []).append(quad.subject)
    known = dict.fromkeys(terms)
    result: dict[str, list[str]] = {}
    for term in known:
        reached = {term}
        stack = [term]
        while stack:
            for name in direct.get(stack.pop(), ()):
                if name not in reached:
                    reached.add(name)
                    stack.append(name)
                    if name not in known:
                        result.setdefault(name, []).append(term)
    return result

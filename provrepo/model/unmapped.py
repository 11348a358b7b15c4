"""The reasons for which no statement stands for a triple, as readers of RDF give them in ``Document.unmapped``."""

from __future__ import annotations

from provrepo.model.identifiers import Identifier
from provrepo.model.prov_namespace import CLASSES, NON_PROVENANCE, TERMS, term_of
from provrepo.model.quads import Quad
from provrepo.vocab import RDF_TYPE

__all__ = [
    "AMBIGUOUS",
    "NO_IDENTIFIER",
    "NO_INSTANT",
    "NO_MENTION",
    "NO_PAIR",
    "NO_PLACE",
    "RDF12",
    "meant_as_statement",
    "uses_prov_terms",
]

NO_IDENTIFIER = "a literal where PROV-O has an identifier"
NO_INSTANT = "a time that is not an xsd:dateTime"
NO_PLACE = "about something that is neither an element nor a relation of PROV"
AMBIGUOUS = "several values in one relation, of which no triple states which belong together"
NO_PAIR = "a key-entity pair that has an identifier, or not exactly one key and one entity"
NO_MENTION = "prov:asInBundle without the one prov:mentionOf that it belongs to"
RDF12 = "a triple term or a string with a base direction (RDF 1.2), which PROV cannot represent"

_OF_STATEMENTS = (NO_IDENTIFIER, NO_INSTANT, AMBIGUOUS, NO_MENTION)
"""The reasons of triples whose property is one of PROV, or is declared a sub-property of one by the document."""


def meant_as_statement(quad: Quad, reason: str) -> bool:
    """Whether an unmapped triple has a property of PROV that makes statements.

    Args:
        quad: a triple of ``Document.unmapped``.
        reason: its reason.
    """
    name = term_of(quad.predicate)
    return name not in NON_PROVENANCE and (name in TERMS or reason in _OF_STATEMENTS)


def uses_prov_terms(quad: Quad, reason: str) -> bool:
    """Whether an unmapped triple uses terms of PROV, so that a document without it does not make the same statements.

    False for the triples of a key-entity pair, which are kept even if a statement stands for a part of the pair.
    """
    if reason == NO_PAIR:
        return False
    name = term_of(quad.predicate)
    if name is None and quad.predicate == RDF_TYPE and isinstance(quad.object, Identifier):
        name = term_of(quad.object)
        return name is not None and name not in CLASSES
    return meant_as_statement(quad, reason) or (name is not None and name not in TERMS)

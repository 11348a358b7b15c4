"""Why a triple makes no statement: the reasons under which readers of RDF keep it in ``Document.unmapped``."""

from __future__ import annotations

from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier
from provrepo.model.prov_namespace import CLASSES, NON_PROVENANCE, TERMS, term_of
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
NO_INSTANT = "an instant that is not an xsd:dateTime"
NO_PLACE = "about something that is neither an element nor a relation of PROV"
AMBIGUOUS = "several values in one relation that cannot be told apart: which belong together is not said"
NO_PAIR = "a key-entity pair that has a name of its own, or more or less than a key and an entity"
NO_MENTION = "prov:asInBundle without the one prov:mentionOf that it belongs to"
RDF12 = "a triple term or a text with a direction of RDF 1.2, for which PROV has no place"

_OF_STATEMENTS = (NO_IDENTIFIER, NO_INSTANT, AMBIGUOUS, NO_MENTION)
"""Reasons that only triples have whose property is one of PROV, or is put below one of PROV by the document."""


def meant_as_statement(quad: Quad, reason: str) -> bool:
    """Whether a triple that is not read was meant to make a statement, with a property that PROV has.

    Args:
        quad: one of ``Document.unmapped``.
        reason: why it is there.
    """
    name = term_of(quad.predicate)
    return name not in NON_PROVENANCE and (name in TERMS or reason in _OF_STATEMENTS)


def uses_prov_terms(quad: Quad, reason: str) -> bool:
    """Whether a triple in PROV's words makes no statement, so that documents without it do not say the same.

    A triple of a key-entity pair may be kept beside the statement that it makes.
    """
    if reason == NO_PAIR:
        return False
    name = term_of(quad.predicate)
    if name is None and quad.predicate == RDF_TYPE and isinstance(quad.object, Identifier):
        name = term_of(quad.object)
        return name is not None and name not in CLASSES
    return meant_as_statement(quad, reason) or (name is not None and name not in TERMS)

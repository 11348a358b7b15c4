"""The terms of the PROV namespace, and the namespaces that are confused with it."""

from __future__ import annotations

import re
from functools import lru_cache

from provrepo.vocab import PROV

__all__ = [
    "CLASSES",
    "NON_PROVENANCE",
    "PROPERTIES",
    "TERMS",
    "closest",
    "declared_wrongly",
    "misspelled",
    "namespace_for",
    "term_of",
    "within_one_edit",
]

_O_CLASSES = """
    Activity ActivityInfluence Agent AgentInfluence Association Attribution Bundle Collection Communication Delegation
    Derivation EmptyCollection End Entity EntityInfluence Generation Influence InstantaneousEvent Invalidation Location
    Organization Person Plan PrimarySource Quotation Revision Role SoftwareAgent Start Usage
"""
"""PROV-O, section 4: https://www.w3.org/TR/prov-o/."""

_O_PROPERTIES = """
    actedOnBehalfOf activity agent alternateOf atLocation atTime endedAtTime entity generated generatedAtTime
    hadActivity hadGeneration hadMember hadPlan hadPrimarySource hadRole hadUsage influenced influencer invalidated
    invalidatedAtTime qualifiedAssociation qualifiedAttribution qualifiedCommunication qualifiedDelegation
    qualifiedDerivation qualifiedEnd qualifiedGeneration qualifiedInfluence qualifiedInvalidation
    qualifiedPrimarySource qualifiedQuotation qualifiedRevision qualifiedStart qualifiedUsage specializationOf
    startedAtTime used value wasAssociatedWith wasAttributedTo wasDerivedFrom wasEndedBy wasGeneratedBy
    wasInfluencedBy wasInformedBy wasInvalidatedBy wasQuotedFrom wasRevisionOf wasStartedBy
"""

_INVERSES = """
    activityOfInfluence agentOfInfluence contributed ended entityOfInfluence generalizationOf
    generatedAsDerivation hadDelegate hadDerivation hadInfluence hadRevision informed locationOf
    qualifiedAssociationOf qualifiedAttributionOf qualifiedCommunicationOf qualifiedDelegationOf
    qualifiedDerivationOf qualifiedEndOf qualifiedGenerationOf qualifiedInfluenceOf qualifiedInvalidationOf
    qualifiedQuotationOf qualifiedRevisionOf qualifiedSourceOf qualifiedPrimarySourceOf qualifiedStartOf
    qualifiedUsageOf quotedAs started wasActivityOfInfluence wasAssociateFor wasMemberOf wasPlanOf wasPrimarySourceOf
    wasRoleIn wasUsedBy wasUsedInDerivation qualifiedInsertionOf qualifiedRemovalOf
"""
"""The names that PROV-O, appendix B, reserves for inverses. The last two follow the same pattern and are read."""

_ANNOTATIONS = """
    aq category component constraints definition dm editorialNote editorsDefinition inverse n order qualifiedForm
    sharesDefinitionWith todo unqualifiedForm
"""
"""The properties with which the ontology annotates its own terms."""

_DM = "InternationalizedString QUALIFIED_NAME label location role type"
"""Attributes and datatypes: PROV-DM section 5.7, PROV-XML, and PROV-N section 3.7.3.2."""

_DICTIONARY = """
    Dictionary EmptyDictionary Insertion KeyEntityPair Removal derivedByInsertionFrom derivedByRemovalFrom dictionary
    hadDictionaryMember insertedKeyEntityPair pairEntity pairKey qualifiedInsertion qualifiedRemoval removedKey
"""
"""https://www.w3.org/TR/prov-dictionary/"""

_AQ = """
    DirectQueryService ServiceDescription describesService has_anchor has_provenance has_query_service pingback
    provenanceUriTemplate
"""
"""https://www.w3.org/TR/prov-aq/"""

_LINKS = "asInBundle mentionOf"
"""https://www.w3.org/TR/prov-links/"""

_DC = """
    Accept Contribute Contributor Copyright Create Creator Modify Publish Publisher Replace RightsAssignment
    RightsHolder Submit
"""
"""https://www.w3.org/TR/prov-dc/"""

TERMS: frozenset[str] = frozenset(
    name
    for names in (_O_CLASSES, _O_PROPERTIES, _INVERSES, _ANNOTATIONS, _DM, _DICTIONARY, _AQ, _LINKS, _DC)
    for name in names.split()
)
"""The local name of every term that a specification defines in the PROV namespace."""

CLASSES: frozenset[str] = frozenset(name for name in TERMS if name[0].isupper()) - {"QUALIFIED_NAME"}
"""Those that may be the type of a thing."""

PROPERTIES: frozenset[str] = frozenset(
    name for names in (_O_PROPERTIES, _DICTIONARY, _LINKS) for name in names.split() if name[0].islower()
)
"""The properties that are read, without the names of inverses."""

NON_PROVENANCE: frozenset[str] = frozenset((*_AQ.split(), *_ANNOTATIONS.split()))
"""The terms for access to provenance and for annotations; no statement of PROV-DM uses them."""

_READ = sorted(name for names in (_O_CLASSES, _O_PROPERTIES, _DM, _DICTIONARY, _LINKS) for name in names.split())
"""The terms that are suggested for a term that does not exist."""


def term_of(iri: str) -> str | None:
    """The local name of an IRI in the PROV namespace; None for any other IRI and for the namespace itself."""
    return iri[len(PROV) :] or None if iri.startswith(PROV) else None


@lru_cache(maxsize=1024)
def closest(name: str, among: frozenset[str] = frozenset(_READ)) -> str | None:
    """The term that a local name is probably a misspelling of, or None.

    Args:
        name: the local name.
        among: the local names of the terms to choose from.
    """
    if len(name) > _LONGEST:
        return None
    from difflib import get_close_matches

    terms = sorted(among)
    plain = {term.lower(): term for term in terms}
    same = plain.get(name.lower())
    found = [same] if same else get_close_matches(name, terms, 1, 0.75)
    return found[0] if found else None


# --- namespaces that are similar to PROV's

_LONGEST = 64
"""The most characters of a local name or a namespace that is compared with PROV's."""

_SCHEME = re.compile(r"(?i)[a-z]+:/*(?:www\.)?")
_ENDS = re.compile(r"(?:[#/]|%23)*$")

_ADDRESS = "w3.org/ns/prov"
"""PROV's namespace without its scheme, ``www.`` and its end."""

_SPELLED = ("http://www.w3.org/ns/prov", "https://www.w3.org/ns/prov")

_OTHER_ADDRESSES = frozenset(
    f"w3.org/{address}"
    for address in (
        *("prov", "tr/prov-o", "ns/prov.owl", "ns/prov.ttl", "ns/prov-o", "ns/prov-dm"),
        *("ns/prov-aq", "ns/prov-dc", "ns/prov-dictionary", "ns/prov-links"),
    )
)
"""Addresses of documents about PROV that are confused with its namespace."""

_DOCUMENTS = frozenset(
    f"http://www.w3.org/ns/prov{part}{end}"
    for part in ("-o", "-aq", "-dc", "-dictionary", "-links", "-o-inverses", "-o-inverses-deprecated")
    for end in ("", "#")
) | {"http://www.w3.org/TR/prov-o/"}
"""The IRIs of ontologies and of the Recommendation themselves, which a document may name and declare prefixes for."""


@lru_cache(maxsize=4096)
def misspelled(namespace: str) -> bool:
    """Whether a namespace is a misspelling of PROV's: another scheme, end or case, or one edit.

    ``https://www.w3.org/ns/prov#`` and ``http://www.w3.org/ns/prov`` are; ``https://openprovenance.org/ns/prov#`` and
    ``http://www.w3.org/ns/prov/extension#`` are other namespaces.
    """
    if namespace == PROV or len(namespace) > _LONGEST:
        return False
    spelled = _ENDS.sub("", namespace).lower()
    address = _SCHEME.sub("", spelled, count=1)
    near = any(
        within_one_edit(text, wanted) for text, wanted in ((address, _ADDRESS), *((spelled, w) for w in _SPELLED))
    )
    return near or address in _OTHER_ADDRESSES


def namespace_for(iri: str) -> str | None:
    """The namespace of an IRI that is a term of PROV in a misspelled namespace; None for any other IRI.

    The local name must be a term of PROV: other documents have addresses beside the namespace.
    """
    if iri.startswith(PROV) or len(iri) > 2 * _LONGEST or not ("w3.org" in iri or "/ns/" in iri):
        return None
    cut = max(iri.rfind("#"), iri.rfind("/")) + 1
    namespace, local = iri[:cut], iri[cut:]
    if local in TERMS:
        return namespace if misspelled(namespace) else None
    # A prefix that was declared without its "#" is joined with the term: http://www.w3.org/ns/provEntity.
    for start in range(1, len(local)):
        if local[start:] in TERMS:
            return iri[: cut + start] if misspelled(iri[: cut + start]) else None
    return None


def declared_wrongly(namespace: str) -> bool:
    """Whether a declared namespace is a misspelling of PROV's and not the IRI of a document about PROV."""
    return misspelled(namespace) and namespace not in _DOCUMENTS


def within_one_edit(text: str, wanted: str) -> bool:
    """Whether one insertion, deletion, replacement or swap of characters turns one text into the other."""
    if abs(len(text) - len(wanted)) > 1:
        return False
    start = 0
    while start < min(len(text), len(wanted)) and text[start] == wanted[start]:
        start += 1
    ours, theirs = text[start:], wanted[start:]
    if len(ours) == len(theirs):
        return ours[1:] == theirs[1:] or (ours[:2] == theirs[1::-1] and ours[2:] == theirs[2:])
    return ours[1:] == theirs if len(ours) > len(theirs) else ours == theirs[1:]

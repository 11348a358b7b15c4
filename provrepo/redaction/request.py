"""What a redaction withholds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import UsageError
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import ACTIVITY, AGENT, ENTITY
from provrepo.vocab import PREDECLARED, PROV, PROV_TYPE

__all__ = ["KIND_OF_TYPE", "TIMES", "Redaction", "resolved"]

TIMES = {f"{PROV}atTime", f"{PROV}startedAtTime", f"{PROV}endedAtTime"}
"""Attributes of PROV-O that are arguments of PROV-DM."""

KIND_OF_TYPE = {f"{PROV}Entity": ENTITY, f"{PROV}Activity": ACTIVITY, f"{PROV}Agent": AGENT}
"""Types that all elements of a kind have."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is withheld of a document: the arguments of ``redact``."""

    remove: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()
    pseudonymize: frozenset[str] = frozenset()
    collapse: frozenset[str] = frozenset()


def resolved(document: Document, asked: Redaction) -> Redaction:
    """The same with IRIs, after checking that the document has all of it.

    Raises:
        UsageError: nothing is asked for; a name is no IRI; the document does not have it.
    """
    if not (asked.remove or asked.drop or asked.pseudonymize or asked.collapse):
        raise UsageError("nothing to redact: name what to remove, drop, pseudonymize or collapse")
    prefixes = dict(PREDECLARED)
    for instance in document.instances():
        prefixes |= instance.prefixes
    statements = list(document)
    named = {str(name) for one in statements for name in (one.id, *one.args) if isinstance(name, Identifier)}
    bundles = {str(bundle.id) for bundle in document.bundles}
    activities = {str(one.id) for one in statements if one.kind is ACTIVITY}
    timed = any(arg.time and term for one in statements for arg, term in zip(one.kind.arguments, one.args, strict=True))
    times = TIMES if timed else set()
    attributes = {str(name) for one in statements for name, _ in one.attributes}
    types = {str(value) for one in statements for name, value in one.attributes if name == PROV_TYPE}
    types |= {type_ for type_, kind in KIND_OF_TYPE.items() if any(one.kind is kind for one in statements)}
    return Redaction(
        _known(asked.remove, prefixes, named | bundles, "is not named in the document"),
        _known(asked.drop, prefixes, attributes | times, "is no attribute of the document"),
        _known(asked.pseudonymize, prefixes, types, "is no type of an element of the document"),
        _known(asked.collapse, prefixes, activities, "is no activity that the document describes"),
    )


def _known(names: Collection[str], prefixes: Mapping[str, str], there: Collection[str], why: str) -> frozenset[str]:
    found = set()
    for name in names:
        prefix, colon, local = name.partition(":")
        expanded = f"{prefixes[prefix]}{local}" if colon and prefix in prefixes and name not in there else name
        if expanded not in there:
            if not is_iri(expanded) and not expanded.startswith("_:"):
                raise UsageError(f"{name[:200]!r} is no IRI, and has no prefix that the document declares")
            raise UsageError(f"{name[:200]} {why}")
        found.add(expanded)
    return frozenset(found)

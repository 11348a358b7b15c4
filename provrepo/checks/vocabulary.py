"""Checks of PROV's vocabulary: unknown terms, similar namespaces, and triples of PROV that are not read.

These checks belong to the layer ``syntax`` and apply to all formats. Correct uses of PROV's vocabulary that make no
statement, such as a subclass of ``prov:Activity`` or a term of PROV-AQ, are not reported.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from provrepo.checks.findings import Finding, Severity
from provrepo.checks.lexical import is_date_time
from provrepo.model import unmapped as reasons
from provrepo.model.document import Document, Quad
from provrepo.model.identifiers import Identifier, Literal, Rdf12Term, Value, is_blank
from provrepo.model.prov_namespace import (
    CLASSES,
    TERMS,
    closest,
    declared_wrongly,
    namespace_for,
    term_of,
)
from provrepo.vocab import PROV, PROV_TYPE, RDF_TYPE

__all__ = ["NAMESPACE", "namespaces", "unknown_terms", "unread_triples"]

NAMESPACE = "prov-dm:namespace"
"""The rule of ``namespaces``; the focus of its findings is the namespace."""

_LAYER = "syntax"

_SHOWN = 100
"""The most findings for one property and reason, for unknown terms and for namespaces; one more has the total."""


def unread_triples(document: Document) -> Iterator[Finding]:
    """Triples with a property of PROV that make no statement, such as one with a text instead of an IRI.

    Subproperties that the document declares are treated like the properties of PROV.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for quad, reason in document.unmapped.triples():
        if not reasons.meant_as_statement(quad, reason):
            continue
        counts[quad.predicate, reason] += 1
        if counts[quad.predicate, reason] <= _SHOWN:
            yield _unread(quad, reason)
    for (predicate, reason), number in counts.items():
        if number > _SHOWN:
            yield Finding(
                _LAYER,
                "prov-o:unread",
                Severity.WARNING,
                f"{number:,} triples with {_short_name(predicate)} are not read, and {_SHOWN} are listed: {reason}.",
                path=predicate,
            )


def _unread(quad: Quad, reason: str) -> Finding:
    why, repair = reason, _repair(quad, reason)
    if term_of(quad.predicate) in CLASSES:
        why = f"{_short_name(quad.predicate)} is a class, but is used as a property"
        repair = f"Write it as a type: a {_short_name(quad.predicate)}."
    read = "is not read in full" if reason == reasons.NO_PAIR else "is not read, so that it makes no statement"
    return Finding(
        _LAYER,
        "prov-o:unread",
        Severity.WARNING,
        f"A triple with {_short_name(quad.predicate)} {read}: {why}.",
        focus=quad.subject,
        path=quad.predicate,
        value=_ntriples(quad.object),
        bundle=quad.graph,
        repair=repair,
    )


def _repair(quad: Quad, reason: str) -> str | None:
    value = quad.object
    if reason == reasons.NO_INSTANT:
        if isinstance(value, Literal) and is_date_time(value.lexical):
            return f'Write it as "{value.lexical}"^^xsd:dateTime.'
        return 'Write it as an xsd:dateTime, such as "2024-05-31T14:05:00Z"^^xsd:dateTime.'
    if reason == reasons.NO_IDENTIFIER and isinstance(value, Literal):
        if _IRI.fullmatch(value.lexical):
            return f"Write the IRI itself and not a text: <{value.lexical}>."
        return "Give the thing an IRI, name it here, and write this text as its prov:label or rdfs:label."
    return _REPAIRS.get(reason)


_IRI = re.compile(r"(?:https?://|urn:)[^\s<>\"{}|\\^`]{1,2000}")
"""A text that looks like an IRI."""

_REPAIRS = {
    reasons.NO_PLACE: "Say what the subject is: a prov:Entity, a prov:Activity or a prov:Agent, or the class of its "
    "relation.",
    reasons.AMBIGUOUS: "Give each relation a qualified node of its own.",
    reasons.NO_PAIR: "Write each pair as a blank node of its own with one prov:pairKey and one prov:pairEntity.",
    reasons.NO_MENTION: "Give the same subject one prov:mentionOf.",
    reasons.RDF12: "Write a plain triple.",
}


def unknown_terms(document: Document) -> Iterator[Finding]:
    """Terms in the PROV namespace that no specification defines, and properties of PROV that are used as a type.

    Attributes are left out: ``reserved_attributes`` checks them.
    """
    found: dict[tuple[str, bool], _Use] = {}
    for iri, as_type, focus, bundle in _terms(document):
        use = found.get((iri, as_type))
        if use is None:
            found[iri, as_type] = _Use(1, focus, bundle)
        else:
            found[iri, as_type] = use._replace(times=use.times + 1)
    for (iri, as_type), use in islice(found.items(), _SHOWN):
        name = iri[len(PROV) :]
        if name in TERMS:
            message = f"prov:{name} is not a class of PROV, but is used as a type"
        else:
            message = f"PROV has no term prov:{name}, so that its meaning is not defined"
        meant = closest(name, CLASSES) if as_type else closest(name) if name not in TERMS else None
        also = "" if meant is None else f" Did you mean prov:{meant}?"
        yield Finding(
            _LAYER,
            "prov-dm:term",
            Severity.WARNING,
            f"{message}{'' if use.times == 1 else f' ({use.times:,} uses)'}.",
            focus=use.focus,
            value=f"<{iri}>",
            bundle=use.bundle,
            repair=f"Use a term that PROV has, or one of a namespace of your own.{also}",
        )
    if len(found) > _SHOWN:
        message = f"{len(found):,} terms of the PROV namespace are not defined, of which {_SHOWN} are listed."
        yield Finding(_LAYER, "prov-dm:term", Severity.WARNING, message)


class _Use(NamedTuple):
    """The number of uses of a term or namespace, with focus and bundle of the first one."""

    times: int
    focus: str | None
    bundle: str | None


def _terms(document: Document) -> Iterator[tuple[str, bool, str | None, str | None]]:
    """Wrong uses of terms in the PROV namespace: the IRI, whether it is a type, the focus, and the bundle."""
    for instance in document.instances():
        if instance.id is not None and _is_unknown(instance.id):
            yield instance.id, False, instance.id, None
        for statement in instance:
            focus = statement.id or next(iter(statement.identifiers()), None)
            for name in (statement.id, *statement.identifiers()):
                if name is not None and _is_unknown(name):
                    yield name, False, name, instance.id
            for attribute, value in statement.attributes:
                if isinstance(value, Identifier):
                    if _is_unknown(value) or (attribute == PROV_TYPE and _is_not_class(value)):
                        yield value, attribute == PROV_TYPE, focus, instance.id
                elif _is_unknown(value.datatype):
                    yield value.datatype, False, focus, instance.id
    for subject, predicate, value, graph in document.unmapped.quads:
        for term in (subject, predicate):
            if _is_unknown(term):
                yield term, False, subject, graph
        if isinstance(value, Literal):
            if _is_unknown(value.datatype):
                yield value.datatype, False, subject, graph
        elif _is_unknown(value) or (predicate == RDF_TYPE and _is_not_class(value)):
            yield value, predicate == RDF_TYPE, subject, graph


def _is_unknown(iri: str) -> bool:
    return iri.startswith(PROV) and iri[len(PROV) :] not in TERMS and len(iri) > len(PROV)


def _is_not_class(iri: str) -> bool:
    return iri.startswith(PROV) and iri[len(PROV) :] in TERMS and iri[len(PROV) :] not in CLASSES


def namespaces(document: Document) -> Iterator[Finding]:
    """Namespaces that are similar to PROV's, whose terms are not read as PROV."""
    declared: dict[str, None] = {}
    for instance in document.instances():
        declared.update(dict.fromkeys(filter(declared_wrongly, instance.prefixes.values())))
    found: dict[str, _Use] = {namespace: _Use(0, None, None) for namespace in declared}
    known: dict[str, str | None] = {}
    for iri, bundle in _vocabulary(document):
        if iri not in known:
            known[iri] = namespace_for(iri)
        meant = known[iri]
        if meant is not None:
            use = found.get(meant, _Use(0, iri, bundle))
            found[meant] = use._replace(times=use.times + 1)
    for namespace, use in islice(found.items(), _SHOWN):
        uses = "no term is used" if not use.times else "1 use" if use.times == 1 else f"{use.times:,} uses"
        yield Finding(
            _LAYER,
            NAMESPACE,
            Severity.VIOLATION,
            f"<{namespace}> is not the namespace of PROV, so that nothing in it is read as PROV ({uses}); "
            f"the namespace of PROV is <{PROV}>.",
            focus=namespace,
            bundle=use.bundle,
            repair=f"Write <{PROV}>.",
        )
    if len(found) > _SHOWN:
        yield Finding(
            _LAYER,
            NAMESPACE,
            Severity.VIOLATION,
            f"{len(found):,} namespaces are similar to that of PROV, of which {_SHOWN} are listed.",
            repair=f"Write <{PROV}>.",
            occurrences=len(found) - _SHOWN,
        )


def _vocabulary(document: Document) -> Iterator[tuple[str, str | None]]:
    """The IRIs of properties, types and datatypes in a document, each with its bundle."""
    for instance in document.instances():
        for statement in instance:
            for attribute, value in statement.attributes:
                yield attribute, instance.id
                yield (value if isinstance(value, Identifier) else value.datatype), instance.id
    for _, predicate, value, graph in document.unmapped.quads:
        yield predicate, graph
        yield (value if isinstance(value, Identifier) else value.datatype), graph


def _short_name(iri: str) -> str:
    return f"prov:{iri[len(PROV) :]}" if iri.startswith(PROV) else f"<{iri}>"


def _ntriples(value: Value) -> str:
    """A term in N-Triples, shortened."""
    if isinstance(value, Rdf12Term):
        return value.lexical if len(value.lexical) <= 200 else value.lexical[:200] + "…"
    if isinstance(value, Identifier):
        return value if is_blank(value) else f"<{value}>"
    lexical = value.lexical if len(value.lexical) <= 200 else value.lexical[:200] + "…"
    escaped = lexical.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"' + (f"@{value.language}" if value.language is not None else f"^^<{value.datatype}>")

"""Losses of PROV-O, which cannot distinguish some statements, and of RDF syntaxes, which cannot spell some terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set

from provrepo.codecs.provo.dictionary import ENTRIES
from provrepo.codecs.provo.terms import (
    ATTRIBUTE_OF,
    CLASS,
    ORDER,
    PLACES,
    PREDICATES,
    QUALIFIED_NAMES,
    RELATIONS,
    SUBTYPES,
    home,
)
from provrepo.codecs.provo.writer import document_quads
from provrepo.codecs.rdf.terms import is_iri, literal_problem, xml_problem
from provrepo.model.canonical import merged
from provrepo.model.document import Bundle, Document, Loss
from provrepo.model.identifiers import Identifier, Literal, Value, is_blank
from provrepo.model.statements import DICTIONARY_MEMBERSHIP, INFLUENCE, MENTION, Attribute, EntryForm, Kind, Statement
from provrepo.vocab import PROV_TYPE

__all__ = ["losses"]

_DATASETS = ("trig", "nquads", "rdfjsonld")

_MEMBER = RELATIONS[DICTIONARY_MEMBERSHIP].shortcut


def losses(document: Document, format: str) -> list[Loss]:  # noqa: A002
    """The parts of a document that are not read back from PROV-O in a format.

    If there are none, ``read(write(document))`` makes the same statements as the document.
    """
    found: list[Loss] = []
    datasets = format in _DATASETS
    bundles = Counter(bundle.id for bundle in document.bundles)
    filled = {quad.graph for quad in document.unmapped.quads}
    for instance in document.instances() if datasets else [Bundle(None, document.statements)]:
        if instance.id is not None and not instance.statements and instance.id not in filled:
            found.append(Loss("RDF cannot represent an empty bundle", instance.id))
        found += _instance(instance)
    if datasets:
        found += [
            Loss("RDF merges two bundles with one identifier", name or "") for name, n in bundles.items() if n > 1
        ]
    else:
        found += [
            Loss("this syntax cannot represent named graphs", quad.subject)
            for quad in document.unmapped.quads
            if quad.graph is not None and quad.graph not in bundles
        ]
    found += _unwritable(document)
    if format == "rdfxml" and not found:
        for quad in document_quads(document):
            problem = xml_problem(quad) if quad.graph is None else None
            if problem is not None:
                found.append(Loss(problem, quad.subject))
    return found


def _unwritable(document: Document) -> Iterator[Loss]:
    """Terms for which ``write`` raises."""
    terms: dict[Identifier | Literal, None] = {}
    names: dict[Identifier, None] = {}
    for bundle in document.bundles:
        if bundle.id is not None:
            terms[bundle.id] = None
    for statement in document:
        if statement.id is not None:
            terms[statement.id] = None
        terms.update(dict.fromkeys(statement.identifiers()))
        terms.update(dict.fromkeys(entry.key for entry in statement.entries))
        for name, value in statement.attributes:
            names[name] = terms[value] = None
    for term in terms:
        if isinstance(term, Literal):
            problem = literal_problem(term)
            if problem is not None:
                yield Loss(problem, term.lexical)
        elif not is_blank(term) and not is_iri(term):
            yield Loss("RDF cannot represent an identifier that is not an absolute IRI", term)
    for name in names:
        if not is_iri(name):
            yield Loss("RDF cannot represent an attribute whose name is not an absolute IRI", name)


def _instance(instance: Bundle) -> Iterator[Loss]:
    statements = merged(instance.statements)
    kinds: dict[Identifier, list[Kind]] = {}
    for statement in statements:
        if statement.id is not None:
            known = kinds.setdefault(statement.id, [])
            if statement.kind in known:
                yield Loss("RDF cannot distinguish statements of one kind and identifier", statement.id)
            else:
                known.append(statement.kind)
    for name, found in kinds.items():
        found.sort(key=ORDER.__getitem__)
        if len([kind for kind in found if not kind.element]) > 1:
            yield Loss("RDF cannot distinguish relations of several kinds with one identifier", name)
    elements = frozenset(name for name, found in kinds.items() if found[0].element)
    for statement in statements:
        yield from _statement(statement, kinds.get(statement.id or Identifier(), [statement.kind]), elements)
    yield from _mentions(statements)


def _statement(statement: Statement, kinds: Sequence[Kind], elements: Set[Identifier]) -> Iterator[Loss]:
    kind = statement.kind
    subject = statement.id or next(iter(statement.identifiers()), Identifier())
    if kind.element:
        if statement.id is None:
            yield Loss(f"RDF cannot represent {kind.name} without an identifier")
    elif RELATIONS[kind].qualified is None:
        if statement.args[0] is None or (statement.args[1] is None and kind is not DICTIONARY_MEMBERSHIP):
            yield Loss(f"PROV-O cannot represent {kind.name} without both its ends", subject)
        if statement.id is not None or statement.attributes:
            yield Loss(f"PROV-O cannot represent an identifier or attributes of {kind.name}", subject)
    yield from _entries(statement, subject)
    if not kind.element and RELATIONS[kind].qualified is None:
        return
    for attribute in statement.attributes:
        if kind.element and attribute[0] == _MEMBER and attribute[1] in elements:
            continue  # a pair that is described as an entity is read as an attribute of its dictionary
        reason = _attribute(kind, kinds, attribute)
        if reason is not None:
            yield Loss(reason, subject)


def _entries(statement: Statement, subject: str) -> Iterator[Loss]:
    shape, entries = statement.kind.entries, statement.entries
    if shape is EntryForm.KEY and not entries and statement.args[1] is None:
        yield Loss(f"PROV-O cannot represent {statement.kind.name} with neither key nor entity", subject)
    if entries and (shape is None or (shape is not EntryForm.PAIRS and any(entry.entity for entry in entries))):
        yield Loss(f"PROV-O cannot represent entities under keys of {statement.kind.name}", subject)
    if shape is EntryForm.KEY and len(entries) > 1:
        yield Loss(f"PROV-O represents each key of {statement.kind.name} as a separate statement", subject)
    if any(_is_name(entry.key) for entry in entries):
        yield Loss(_QUALIFIED_NAME, subject)


def _is_name(value: Value) -> bool:
    return isinstance(value, Literal) and value.datatype in QUALIFIED_NAMES


_QUALIFIED_NAME = "PROV-O reads a qualified name as the identifier that it stands for"


def _attribute(kind: Kind, kinds: Sequence[Kind], attribute: Attribute) -> str | None:
    """The reason why an attribute would not be read back as one of this statement, or None."""
    name, value = attribute
    if (
        name in PREDICATES
        or name in ATTRIBUTE_OF
        or any(name in PLACES.get(other, ()) or name == ENTRIES.get(other) for other in kinds)
    ):
        return "PROV-O has a meaning for this property, so that it is not read as an attribute"
    if name == PROV_TYPE and isinstance(value, Identifier) and not _keeps_type(kind, value):
        return "PROV-O has a kind of statement for this class, so that it is not read as a prov:type"
    if _is_name(value):
        return _QUALIFIED_NAME
    if len(kinds) > 1 and home(kinds, attribute) is not kind:
        return "RDF cannot represent to which statement of one identifier an attribute belongs"
    return None


def _keeps_type(kind: Kind, cls: Identifier) -> bool:
    """Whether a node with this further class is read as a statement of the same kind."""
    implied = CLASS.get(cls) or SUBTYPES.get(cls)
    if implied is None:
        return True
    if implied is INFLUENCE:
        return (not kind.element and kind is not INFLUENCE) or (kind is INFLUENCE and cls not in CLASS)
    return cls not in CLASS and implied is kind


def _mentions(statements: Iterable[Statement]) -> Iterator[Loss]:
    by_subject: dict[str | None, list[Statement]] = {}
    for statement in statements:
        if statement.kind is MENTION:
            by_subject.setdefault(statement.args[0], []).append(statement)
    for subject, mentions in by_subject.items():
        if len(mentions) > 1 and len({statement.args[2] for statement in mentions}) > 1:
            yield Loss("PROV-O cannot represent which prov:asInBundle belongs to which prov:mentionOf", subject or "")

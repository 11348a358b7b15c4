"""A redacted copy of a document."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import ACTIVITY, Statement
from provrepo.redaction.collapsing import collapsed
from provrepo.redaction.inference import Inference, inferences
from provrepo.redaction.names import Finder, Names, can_be_stated, names_of, withhold_relations
from provrepo.redaction.request import KIND_OF_TYPE, Redaction, resolved
from provrepo.redaction.rewriting import CHANGED, Rewriting
from provrepo.vocab import PROV_TYPE, PROVREPO

__all__ = ["Redacted", "redact"]

_ADDED = (CHANGED[0], Literal("added"))
"""The mark of a statement that is the redactor's own."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted copy.

    Attributes:
        document: the copy.
        verbatim: the number of its statements that are those of the document.
        changed: the number of its statements that were changed: a name, an argument or an attribute is another one, or
            is left out.
        added: the number of its statements that stand for a collapsed group.
        removed: the number of statements of the document that are not in the copy.
        unmapped: the number of triples and extensions without a PROV-DM statement, which are never in a copy.
        closed: activities that were collapsed since they are between those that were named.
        renamed: the number of names that were replaced.
        inferences: what can still be inferred.
    """

    document: Document
    verbatim: int
    changed: int
    added: int
    removed: int
    unmapped: int
    closed: tuple[str, ...]
    renamed: int
    inferences: tuple[Inference, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all but the copy as a JSON object."""
        numbers = {name: getattr(self, name) for name in ("verbatim", "changed", "added", "removed", "unmapped")}
        return {
            **numbers,
            "renamed": self.renamed,
            "closed": list(self.closed),
            "inferences": [each._asdict() for each in self.inferences],
        }


def redact(
    document: Document,
    *,
    remove: Collection[str] = (),
    drop: Collection[str] = (),
    pseudonymize: Collection[str] = (),
    collapse: Collection[str] = (),
    new_name: Callable[[], Identifier] | None = None,
) -> Redacted:
    """Make a redacted copy of a document.

    What is withheld stands in no name and in no text of the copy. A statement of the copy is one of the document, or
    follows from its statements and is marked (``provrepo:redaction``). Lineage among what is in the copy is that of the
    document, as far as it does not lead through what was removed. A valid document stays valid.

    Args:
        document: it.
        remove: elements, relations and bundles, with every statement that cannot be made without them. Names are IRIs,
            or names with a prefix that the document declares.
        drop: attributes; ``prov:startedAtTime``, ``prov:endedAtTime`` and ``prov:atTime`` are the times of statements.
        pseudonymize: types, or ``prov:Entity``, ``prov:Activity``, ``prov:Agent``: elements of this type get names that
            say nothing, and keep their types alone.
        collapse: activities that become one, with everything between them.
        new_name: makes the names of pseudonyms and of collapsed activities; by default random UUIDs, so that names of
            two copies cannot be joined.

    Raises:
        UsageError: nothing is asked for; a name is no IRI; the document does not have it.
    """
    asked = resolved(document, Redaction(*map(frozenset, (remove, drop, pseudonymize, collapse))))
    new_name = new_name or _random
    statements = list(document)
    names = Names({Identifier(name) for name in asked.remove})
    kept = [instance for instance in document.instances() if instance.id is None or instance.id not in names.removed]
    left = [one for instance in kept for one in instance if can_be_stated(one, names)]
    found = collapsed(left, asked.collapse, new_name) if asked.collapse else None
    if found is not None:
        names.removed |= found.hidden
    withhold_relations(statements, names)
    chosen = _chosen(left, asked.pseudonymize)
    names.rename(chosen, new_name)
    _rename_what_tells(document, names, new_name)
    rewriting = Rewriting(names, asked.drop, frozenset(chosen))
    copy = _copied(document, rewriting, names)
    added = _added(found.statements, found.activities, names) if found is not None else []
    copy.statements += added
    copy.prefixes.setdefault("provrepo", PROVREPO)
    for statements_ in (copy.statements, *(bundle.statements for bundle in copy.bundles)):
        statements_.sort(key=_order)
    _keep_used_prefixes(copy)
    return Redacted(
        copy,
        rewriting.verbatim,
        rewriting.changed,
        len(added),
        len(statements) - rewriting.verbatim - rewriting.changed,
        len(document.unmapped) + sum(len(instance.extensions) for instance in document.instances()),
        tuple(sorted(found.closed)) if found is not None else (),
        len(names.renamed),
        tuple(
            inferences(
                document,
                copy,
                withheld=names.withheld(),
                values={str(v) for one in statements for name, v in one.attributes if name in asked.drop},
                pseudonyms={names.renamed[name]: type_ for name, type_ in chosen.items() if name in names.renamed},
                collapsed=found.activities if found is not None else (),
            )
        ),
    )


def _random() -> Identifier:
    return Identifier(f"urn:uuid:{uuid.uuid4()}")


def _chosen(statements: Iterable[Statement], types: frozenset[str]) -> dict[Identifier, str]:
    """The elements of some types, by their attributes or their kind, each with the first of these."""
    kinds = {KIND_OF_TYPE[type_]: type_ for type_ in types if type_ in KIND_OF_TYPE}
    found: dict[Identifier, str] = {}
    for one in statements:
        if one.id is None or not one.kind.element:
            continue
        own = [str(value) for name, value in one.attributes if name == PROV_TYPE and str(value) in types]
        own += [kinds[one.kind]] if one.kind in kinds else []
        if own:
            found.setdefault(one.id, own[0])
    return found


def _rename_what_tells(document: Document, names: Names, new_name: Callable[[], Identifier]) -> None:
    """Rename what has a withheld name in its own name, until nothing has."""
    known = {name for one in document for name, _ in names_of(one)}
    known |= {bundle.id for bundle in document.bundles if bundle.id is not None}
    known -= names.withheld()
    finder = Finder(names.withheld())
    while telling := {name for name in known if finder.inside(name)}:
        names.rename(telling, new_name)
        known -= telling
        finder = Finder(telling)


def _copied(document: Document, rewriting: Rewriting, names: Names) -> Document:
    def statements(instance: Iterable[Statement]) -> list[Statement]:
        return [made for one in instance if (made := rewriting.rewrite(one)) is not None]

    copy = Document(statements(document.statements), prefixes=dict(document.prefixes))
    for bundle in document.bundles:
        name = None if bundle.id is None else names.kept(bundle.id)
        if name is not None:
            copy.bundles.append(Bundle(name, statements(bundle), dict(bundle.prefixes)))
    return copy


def _added(statements: Iterable[Statement], activities: Iterable[Identifier], names: Names) -> list[Statement]:
    """The statements that stand for a collapsed group, with the names of the copy, and marked."""
    type_ = (Identifier(PROV_TYPE), Identifier(f"{PROVREPO}Collapsed"))
    made = [Statement(ACTIVITY, name, (None, None), (type_, _ADDED)) for name in activities]
    for one in statements:
        args = tuple(names.renamed.get(term, term) if isinstance(term, Identifier) else term for term in one.args)
        made.append(Statement(one.kind, None, args, (_ADDED,)))
    return made


def _order(one: Statement) -> tuple[bool, str, str, str]:
    """The order of the copy depends on what it states alone: that of the document tells what stood next to what."""
    return not one.kind.element, one.kind.name, str(one.id or ""), repr((one.args, one.attributes))


def _keep_used_prefixes(copy: Document) -> None:
    used = {
        text
        for one in copy
        for text in (
            *(str(name) for name, _ in names_of(one)),
            *(str(name) for name, _ in one.attributes),
            *(value.datatype if isinstance(value, Literal) else str(value) for _, value in one.attributes),
            *(entry.key.datatype if isinstance(entry.key, Literal) else str(entry.key) for entry in one.entries),
        )
    } | {str(bundle.id) for bundle in copy.bundles}
    for prefixes in (copy.prefixes, *(bundle.prefixes for bundle in copy.bundles)):
        for prefix in [name for name, space in prefixes.items() if not any(text.startswith(space) for text in used)]:
            del prefixes[prefix]

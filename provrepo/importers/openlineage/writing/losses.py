"""What of a document has no place in the facets of OpenLineage. The facet of ``embedded`` keeps all of it."""

from __future__ import annotations

from provrepo.importers.openlineage.writing.embedded import FACET
from provrepo.importers.openlineage.writing.graph import Graph
from provrepo.importers.openlineage.writing.names import event_time
from provrepo.model.document import Document, Loss
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import ACTIVITY, AGENT, ENTITY, Statement
from provrepo.vocab import DCAT, PROV, PROV_LABEL, PROV_TYPE, RDFS_LABEL

__all__ = ["without_place"]

_SAID = {PROV_LABEL, RDFS_LABEL}
"""Labels are in the names of datasets and jobs, as IRIs are."""

_TYPES = {f"{PROV}Plan", f"{PROV}Collection", f"{PROV}Entity", f"{PROV}Activity", f"{DCAT}Dataset"}
"""Types that follow from the place in an event."""


def without_place(document: Document, graph: Graph) -> list[Loss]:
    """Name each statement, or part of a statement, that no facet of OpenLineage itself has a place for.

    Args:
        document: the document.
        graph: its statements, after they were mapped.
    """
    found = [_kept("bundles", bundle.id or "") for bundle in document.bundles]
    for activity in graph.activities:
        if any(time is None or time != event_time(time) for time in graph.times(activity)):
            reason = (
                "an event needs a time with a zone, so another time of the document, or UTC, stands for what is absent"
            )
            found.append(Loss(f"{reason}; the facet {FACET} says what is stated", activity, kept=True))
    for statement in document:
        kind, subject = statement.kind, statement.id or repr(statement)
        if (statement.id if kind is AGENT else id(statement)) not in graph.placed and kind not in (ACTIVITY, ENTITY):
            found.append(_kept(kind.name, subject))
            continue
        if kind is not ACTIVITY and any(a.time and t for a, t in zip(kind.arguments, statement.args, strict=True)):
            found.append(_kept(f"the time of {kind.name}", subject))
        if statement.id is not None and not kind.element:
            found.append(_kept(f"the identifier of {kind.name}", subject))
        if not all(_placed(statement, name, value, graph) for name, value in statement.attributes):
            found.append(_kept(f"some attributes of {kind.name}", subject))
    return found


def _placed(statement: Statement, name: Identifier, value: object, graph: Graph) -> bool:
    if (statement.kind.element and name in _SAID) or (name == PROV_TYPE and value in _TYPES):
        return True
    key = statement.id if statement.kind.element else id(statement)
    return (key, name, value) in graph.placed


def _kept(what: str, subject: str) -> Loss:
    return Loss(
        f"OpenLineage has no place for {what}; the facet {FACET} keeps it, which other tools do not read", subject, True
    )

"""A lineage as PROV: one document, with a bundle for each graph that asserts something, or a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import AGENT, ATTRIBUTION, ENTITY, MENTION, SPECIALIZATION, Statement, Term
from provrepo.repository.lineage.records import DIAGRAMS, FOR_DATABASES, KINDS, LineageEdge, LineageGraph, LineageNode
from provrepo.views.lineage.rules import BY_RESOLUTION, EDGES, Rule
from provrepo.vocab import PROV, PROV_LABEL, PROV_TYPE, XSD_STRING

__all__ = ["document", "write"]


def document(graph: LineageGraph, *, bundles: bool) -> Document:
    """A lineage as a document; see ``LineageGraph.document``."""
    found = Document()
    if not bundles:
        found.statements += [statement for node in graph.nodes for statement in _elements(node)]
        found.statements += map(_relation, graph.edges)
        return found
    # PROV-CONSTRAINTS, section 7.2, validates the top level and each bundle separately. A thing that is an entity in
    # one document and an activity in another can be neither at the top level, which combines all documents.
    found.statements += [statement for node in graph.nodes if not _contradictory(node) for statement in _elements(node)]
    names = graph.bundle_names()
    graphs: dict[str, list[Statement]] = {}
    # What no document asserts belongs to no bundle of a document.
    found.statements += [_relation(edge) for edge in graph.edges if edge.basis == BY_RESOLUTION]
    for edge in graph.edges:
        if edge.basis == BY_RESOLUTION:
            continue
        for source in edge.sources:
            graphs.setdefault(names.get(source, source.graph), []).append(_relation(edge))
    found.statements += _attributions(graph.attributed_bundles())
    found.bundles += (Bundle(Identifier(name), graphs[name]) for name in sorted(graphs))
    return found


def _attributions(bundles: Mapping[str, tuple[str, str]]) -> list[Statement]:
    """The attribution of bundles to the repositories that assert them."""
    found: list[Statement] = []
    for iri, name in sorted(set(bundles.values())):
        label = ((Identifier(PROV_LABEL), Literal(name, XSD_STRING)),) if name else ()
        found.append(Statement(AGENT, Identifier(iri), (), label))
    for bundle, (iri, _) in sorted(bundles.items()):
        kind = ((Identifier(PROV_TYPE), Identifier(f"{PROV}Bundle")),)
        found.append(Statement(ENTITY, Identifier(bundle), (), kind))
        arguments: list[Term] = [None] * len(ATTRIBUTION.arguments)
        arguments[0], arguments[1] = Identifier(bundle), Identifier(iri)
        found.append(Statement(ATTRIBUTION, None, tuple(arguments), ()))
    return found


def write(graph: LineageGraph, format: str) -> bytes:  # noqa: A002 (the name that callers use)
    """A lineage in a format; see ``LineageGraph.write``."""
    from provrepo.codecs import formats
    from provrepo.codecs.diagrams import codec as diagrams
    from provrepo.codecs.svg import codec as svg

    chosen = formats.by_name(format)
    if chosen.name == "svg":
        return svg.file(document(graph, bundles=False), note=graph.left_out())
    if chosen.name in FOR_DATABASES:
        from provrepo.repository.lineage import property_graph

        return property_graph.write(graph, chosen.name)
    if chosen.name in DIAGRAMS:
        shown = document(graph, bundles=False)
        return diagrams.file(shown, format=chosen.name, note=graph.left_out(), marked=graph.start)
    return document(graph, bundles=chosen.bundles).write(chosen.name)


def _contradictory(node: LineageNode) -> bool:
    """Whether it is asserted to be both an entity and an activity, which are disjoint (PROV-CONSTRAINTS 55)."""
    return {"entity", "activity"} <= set(node.kinds)


def _elements(node: LineageNode) -> list[Statement]:
    attributes: list[tuple[Identifier, Identifier | Literal]] = []
    if node.label:
        attributes.append((Identifier(PROV_LABEL), Literal(node.label, XSD_STRING)))
    attributes += [(Identifier(PROV_TYPE), Identifier(cls)) for cls in node.types]
    kinds = [kind for kind in KINDS if kind.name in node.kinds]
    iri = Identifier(node.iri)
    return [
        Statement(kind, iri, tuple(None for _ in kind.arguments), tuple(attributes) if place == 0 else ())
        for place, kind in enumerate(kinds)
    ]


@cache
def _rules() -> dict[str, Rule]:
    # A mention names a bundle, which no edge has; it implies a specialization (PROV-Links, section 3).
    return {rule.name: replace(rule, kind=SPECIALIZATION) if rule.kind is MENTION else rule for rule in EDGES}


def _relation(edge: LineageEdge) -> Statement:
    rule = _rules()[edge.relation]
    arguments: list[Term] = [None] * len(rule.kind.arguments)
    arguments[0], arguments[rule.place] = Identifier(edge.subject), Identifier(edge.object)
    return Statement(rule.kind, None, tuple(arguments), ())

"""SPARQL Update operations on a dataset: insertion and removal of graphs, and edits of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import pyoxigraph as ox

from provrepo.codecs.rdf.terms import PyoxigraphTerms
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier
from provrepo.views.sparql.catalog import AGENT, OWN_PROJECT, STAMP, TYPE, WITH, Catalogue, Edit
from provrepo.views.sparql.dataset_store import DatasetStore, quads_of

__all__ = ["Updates"]

_BATCH = 20_000
"""The most quads deleted in one transaction. For a larger version its successor is loaded first."""


class Updates:
    """Makes the operations of one view, as text; several form one update when joined with ``;``."""

    def __init__(self, catalogue: Catalogue, stamp: str) -> None:
        """Make operations for a catalogue.

        Args:
            catalogue: the catalogue of the datasets.
            stamp: the stamp of the view, which each edit of the catalogue writes.
        """
        self._catalogue = catalogue
        self._graph = ox.NamedNode(catalogue.graph)
        self._stamp = stamp

    def insertion(self, content: Iterable[ox.Quad], records: Iterable[Quad]) -> str:
        """The operation that inserts quads of named graphs, their triples in the default graph, and catalogue records.

        Args:
            content: quads of named graphs.
            records: quads of the catalogue, which do not enter the default graph.
        """
        inserted = "".join(f"{quad.subject} {quad.predicate} {quad.object} .\n{_in_graph(quad)}" for quad in content)
        return "INSERT DATA {\n" + inserted + "".join(map(_in_graph, PyoxigraphTerms().quads(records))) + "}"

    def removal(self, graph: ox.NamedNode, *, limit: int | None = None) -> str:
        """The operation that deletes quads of a graph, and their triples in the default graph.

        A triple stays in the default graph while another graph than the catalogue contains it: then the variable that
        stands for its subject has no value, and nothing is deleted there (SPARQL 1.1 Update, section 3.1.3). Where
        graphs are removed one after the other, the triple leaves with the last graph that contains it. So the default
        graph is always the union of the others.

        The engine evaluates this in half the time that separate queries for each triple and the text of a
        ``DELETE DATA`` would take.

        Args:
            graph: the graph.
            limit: the most quads to delete; None for all.
        """
        some = "" if limit is None else f"LIMIT {limit}"
        return (
            f"DELETE {{ ?removed ?p ?o . GRAPH {graph} {{ ?s ?p ?o }} }} WHERE {{\n"
            f"{{ SELECT ?s ?p ?o {{ GRAPH {graph} {{ ?s ?p ?o }} }} {some} }}\n"
            f"BIND(IF(EXISTS {{ GRAPH ?other {{ ?s ?p ?o }} FILTER(?other NOT IN ({graph}, {self._graph})) }}, "
            "?none, ?s) AS ?removed) }"
        )

    def remove(
        self,
        dataset_store: DatasetStore,
        removed: Mapping[Identifier, list[Identifier]],
        then: str,
        *,
        first: str = "",
    ) -> None:
        """Remove graphs from the dataset, and from the default graph the triples that no other graph contains.

        Args:
            dataset_store: the store of the dataset.
            removed: the graphs, by version.
            then: further operations of the same transaction.
            first: what to execute before, in a transaction of its own, where the graphs are too large for one
                transaction; ``then`` includes it.
        """
        nodes = [ox.NamedNode(graph) for graphs in removed.values() for graph in graphs]
        deleted = sum(1 for _ in islice(quads_of(dataset_store.store, nodes), _BATCH + 1))
        if deleted > _BATCH:
            if first:
                dataset_store.update(first)
            for node in nodes:
                while next(quads_of(dataset_store.store, [node]), None) is not None:
                    dataset_store.update(self.removal(node, limit=_BATCH), deleted=_BATCH)
            deleted = 0
        operations = [self.removal(node) for node in nodes] + [f"DROP SILENT GRAPH {node}" for node in nodes]
        dataset_store.update(";\n".join([*operations, then]), deleted=deleted)

    def edit(self, edit: Edit, removed: Mapping[Identifier, Sequence[Identifier]]) -> str:
        """The operations of an edit of the catalogue; they also write the stamp.

        Args:
            edit: the edit.
            removed: graphs that are removed from the dataset with it, by version.
        """
        replaced = list(edit.replaced)
        for version, graphs in removed.items():
            replaced += self._catalogue.emptied(version, graphs)
        stamp = f"{_iri(self._catalogue.repository)} {_iri(STAMP)} {ox.Literal(self._stamp)}"
        operations = [
            self._delete(f"{_iri(subject)} {'?p' if predicate is None else _iri(predicate)} ?o")
            for subject, predicate in replaced
        ]
        inserted = "".join(map(_in_graph, PyoxigraphTerms().quads(edit.added)))
        return ";\n".join([*operations, f"INSERT DATA {{\n{inserted}GRAPH {self._graph} {{ {stamp} }} }}"])

    def project_removal(self, project: Identifier) -> str:
        """The operations that delete a project's records from the catalogue, and agents that no other record names."""
        agents = f"?a {_iri(TYPE)} {_iri(AGENT)}"
        return ";\n".join(
            [
                self._delete(f"?s {_iri(OWN_PROJECT)} {_iri(project)} . ?s ?p ?o"),
                self._delete(f"{_iri(project)} ?p ?o"),
                f"DELETE {{ GRAPH {self._graph} {{ {agents} }} }} WHERE {{ GRAPH {self._graph} {{ {agents} "
                f"FILTER NOT EXISTS {{ ?activity {_iri(WITH)} ?a }} }} }}",
            ]
        )

    def _delete(self, pattern: str) -> str:
        return f"DELETE WHERE {{ GRAPH {self._graph} {{ {pattern} }} }}"


def _iri(identifier: Identifier) -> str:
    return str(ox.NamedNode(identifier))


def _in_graph(quad: ox.Quad) -> str:
    return f"GRAPH {quad.graph_name} {{ {quad.subject} {quad.predicate} {quad.object} }}\n"

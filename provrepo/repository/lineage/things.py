"""One thing: its node, and all assertions about it by document, version and submitter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provrepo.errors import TimedOut
from provrepo.limits import WORKER_WAIT
from provrepo.model.document import Bundle, Document, Quad
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import AGENT, ATTRIBUTION, ENTITY, Statement
from provrepo.repository import catalog
from provrepo.repository.exchange.blobs import has_blob
from provrepo.repository.lineage import assertions
from provrepo.repository.lineage.assertions import Assertion, VersionBytes
from provrepo.repository.lineage.records import LineageNode, SourceReference
from provrepo.repository.records import VersionInfo
from provrepo.vocab import PROV, PROV_LABEL, PROV_TYPE, XSD_STRING
from provrepo.words import lasting

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["KnownThing", "VersionAssertions", "version_assertions"]


@dataclass(frozen=True, slots=True)
class VersionAssertions:
    """The assertions of one version about a thing.

    Attributes:
        version: the version: its project, document and number, when and by whom it was submitted.
        assertions: those that describe the thing, then its relations, in the order of the source.
        total: the number of its statements about the thing, returned or not.
        submitter: the IRI of the submitter.
        triples: the triples about the thing of an RDF source that are not PROV statements.
    """

    version: VersionInfo
    assertions: tuple[Assertion, ...]
    total: int
    submitter: Identifier
    triples: tuple[Quad, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        info = self.version
        return {
            **SourceReference(info.project, info.name, info.version, info.iri).to_dict(),
            "time": info.time,
            "actor": info.actor,
            "submitter": info.submitter,
            "agent": self.submitter,
            "sha256": info.sha256,
            "format": info.format,
            "state": info.state,
            "total_statements": self.total,
            "statements": [assertion.to_dict() for assertion in self.assertions],
            "triples": [
                {"predicate": quad.predicate, "object": assertions.value_to_dict(quad.object)} for quad in self.triples
            ],
        }


@dataclass(frozen=True, slots=True)
class KnownThing:
    """A thing and the assertions about it.

    Attributes:
        node: its node, with the versions that mention it.
        versions: the versions that were read, with their assertions, by project and document.
        as_of: the entry or time of the query; None for now.
    """

    node: LineageNode
    versions: tuple[VersionAssertions, ...]
    as_of: str | None = None

    @property
    def total_versions(self) -> int:
        """The number of versions that mention it, read or not."""
        return self.node.total_sources

    @property
    def total_statements(self) -> int:
        """The number of statements about it in ``versions``, returned or not."""
        return sum(each.total for each in self.versions)

    @property
    def returned_statements(self) -> int:
        """The number of them that are returned."""
        return sum(len(each.assertions) for each in self.versions)

    @property
    def truncated(self) -> bool:
        """Whether there are more versions or statements than are returned."""
        return self.total_versions > len(self.versions) or self.total_statements > self.returned_statements

    def others(self) -> list[str]:
        """The other IRIs in its statements: of things, types and bundles."""
        found: dict[str, None] = {}
        for each in self.versions:
            for statement, bundle in ((assertion.statement, assertion.bundle) for assertion in each.assertions):
                values = (value for _, value in statement.attributes if isinstance(value, Identifier))
                found.update(dict.fromkeys((statement.id or "", *statement.identifiers(), *values, bundle)))
            found.update((quad.object, None) for quad in each.triples if isinstance(quad.object, Identifier))
        return [iri for iri in found if iri not in ("", self.node.iri)]

    def to_dict(self) -> dict[str, Any]:
        """As JSON; ``docs/reference/lineage.md`` describes each field."""
        return {
            **self.node.summary(),
            "projects": list(self.node.projects),
            "as_of": self.as_of,
            "truncated": self.truncated,
            "total_versions": self.total_versions,
            "total_statements": self.total_statements,
            "sources": [each.to_dict() for each in self.versions],
        }

    def document(self) -> Document:
        """The same as PROV: a bundle for each graph that asserts something, attributed to the submitter."""
        found = Document()
        bundles: dict[str, Bundle] = {}
        agents: dict[str, Statement] = {}
        for each in self.versions:
            info = each.version
            for assertion in each.assertions:
                if assertion.graph not in bundles:
                    graph = Identifier(assertion.graph)
                    bundles[graph] = Bundle(graph)
                    bundle = (Identifier(PROV_TYPE), Identifier(PROV + "Bundle"))
                    found.statements.append(Statement(ENTITY, graph, (), (bundle,)))
                    found.statements.append(Statement(ATTRIBUTION, None, (graph, each.submitter)))
                bundles[assertion.graph].statements.append(assertion.statement)
            label = (Identifier(PROV_LABEL), Literal(info.submitter, XSD_STRING))
            agents.setdefault(each.submitter, Statement(AGENT, each.submitter, (), (label,)))
        found.statements += agents.values()
        found.bundles += bundles.values()
        return found


def version_assertions(
    store: Store,
    iri: str,
    sources: Sequence[SourceReference],
    *,
    limit: int,
    timeout: float,
    curates: Callable[[str], bool],
    abandoned: Callable[[], bool] | None = None,
) -> tuple[VersionAssertions, ...]:
    """The assertions of versions about a thing; raises as ``assertions.read``.

    Versions whose bytes were erased meanwhile are left out, and so are those that were withdrawn from a project, except
    where ``curates`` returns that the caller may read them.
    """
    minter = store.minter()
    infos = [
        info
        for source in sources
        if (
            info := catalog.one_version(
                store, source.project, source.document, source.version, curator=curates(source.project)
            )
        )
        is not None
        and has_blob(store, info.project, info.sha256)
    ]
    try:
        found = assertions.read(
            store.queries,
            iri,
            [
                VersionBytes(
                    str(store.blobs.path(i.sha256)),
                    i.format,
                    i.base,
                    i.sha256,
                    i.iri,
                    (blank := minter.of(i.project, i.name, i.version)).base,
                    blank.identity,
                )
                for i in infos
            ],
            limit=limit,
            size=store.settings.query_bytes,
            timeout=timeout,
            patience=WORKER_WAIT,
            abandoned=abandoned,
        )
    except TimedOut:
        raise TimedOut(
            f"reading the assertions about it took longer than the {lasting(timeout)} that were left; ask for one "
            "project, or for fewer versions"
        ) from None
    return tuple(
        VersionAssertions(info, each.assertions, each.total, minter.actor(info.project, info.actor), each.triples)
        for info, each in zip(infos, found, strict=True)
    )

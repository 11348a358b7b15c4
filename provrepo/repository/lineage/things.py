"""What is known of one thing: a summary, and everything that is said about it by which document, version and person."""

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
from provrepo.repository.lineage import assertions as sayings
from provrepo.repository.lineage.assertions import Saying, Wanted
from provrepo.repository.lineage.records import LineageNode, Said
from provrepo.repository.records import VersionInfo
from provrepo.vocab import PROV, PROV_LABEL, PROV_TYPE, XSD_STRING

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["Account", "KnownThing", "accounts"]


@dataclass(frozen=True, slots=True)
class Account:
    """What one version says about a thing.

    Attributes:
        version: the version: its project, document and number, when and by whom it was submitted.
        sayings: its statements about the thing: those that describe it, then its relations, as in the source.
        total: how many statements there are, told or not.
        submitter: the IRI of who submitted it.
        triples: what an RDF source says of it that PROV has no place for.
    """

    version: VersionInfo
    sayings: tuple[Saying, ...]
    total: int
    submitter: Identifier
    triples: tuple[Quad, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        info = self.version
        return {
            **Said(info.project, info.name, info.version, info.iri).to_dict(),
            "time": info.time,
            "actor": info.actor,
            "submitter": info.submitter,
            "sha256": info.sha256,
            "format": info.format,
            "state": info.state,
            "total_statements": self.total,
            "statements": [saying.to_dict() for saying in self.sayings],
            "triples": [
                {"predicate": quad.predicate, "object": sayings.value_to_dict(quad.object)} for quad in self.triples
            ],
        }


@dataclass(frozen=True, slots=True)
class KnownThing:
    """A thing.

    Attributes:
        node: what it is, and the versions that speak of it.
        accounts: what these versions say of it, by project and document.
        as_of: the entry or time that was asked for; None for now.
    """

    node: LineageNode
    accounts: tuple[Account, ...]
    as_of: str | None = None

    @property
    def total_versions(self) -> int:
        """How many versions speak of it, told or not."""
        return self.node.total_sources

    @property
    def total_statements(self) -> int:
        """How many statements the versions of ``accounts`` have about it, told or not."""
        return sum(account.total for account in self.accounts)

    @property
    def told_statements(self) -> int:
        """How many of them are told."""
        return sum(len(account.sayings) for account in self.accounts)

    @property
    def truncated(self) -> bool:
        """Whether there are more versions or statements than are told."""
        return self.total_versions > len(self.accounts) or self.total_statements > self.told_statements

    def others(self) -> list[str]:
        """The IRIs beside its own that its statements hold: of other things, and of types and bundles."""
        found: dict[str, None] = {}
        for account in self.accounts:
            for statement, bundle in ((saying.statement, saying.bundle) for saying in account.sayings):
                values = (value for _, value in statement.attributes if isinstance(value, Identifier))
                found.update(dict.fromkeys((statement.id or "", *statement.identifiers(), *values, bundle)))
            found.update((quad.object, None) for quad in account.triples if isinstance(quad.object, Identifier))
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
            "sources": [account.to_dict() for account in self.accounts],
        }

    def document(self) -> Document:
        """The same as PROV: a bundle for each graph that says something, attributed to who submitted it."""
        found = Document()
        bundles: dict[str, Bundle] = {}
        agents: dict[str, Statement] = {}
        for account in self.accounts:
            info = account.version
            for saying in account.sayings:
                if saying.graph not in bundles:
                    graph = Identifier(saying.graph)
                    bundles[graph] = Bundle(graph)
                    bundle = (Identifier(PROV_TYPE), Identifier(PROV + "Bundle"))
                    found.statements.append(Statement(ENTITY, graph, (), (bundle,)))
                    found.statements.append(Statement(ATTRIBUTION, None, (graph, account.submitter)))
                bundles[saying.graph].statements.append(saying.statement)
            label = (Identifier(PROV_LABEL), Literal(info.submitter, XSD_STRING))
            agents.setdefault(account.submitter, Statement(AGENT, account.submitter, (), (label,)))
        found.statements += agents.values()
        found.bundles += bundles.values()
        return found


def _of(said: Said) -> tuple[str, str, int]:
    return said.project, said.document, said.version


def accounts(
    store: Store,
    iri: str,
    sources: Sequence[Said],
    *,
    limit: int,
    timeout: float,
    curates: Callable[[str], bool],
    abandoned: Callable[[], bool] | None = None,
) -> tuple[Account, ...]:
    """What versions say of a thing; raises as ``sayings.read``.

    Those aside whose bytes have been erased meanwhile, and those that were withdrawn from a project, unless ``curates``
    says of its name that they may be read.
    """
    minter = store.minter()
    infos = [
        info
        for said in sources
        if (info := catalog.one_version(store, *_of(said), curator=curates(said.project))) is not None
        and store.blobs.exists(info.sha256)
    ]
    try:
        found = sayings.read(
            store.queries,
            iri,
            [
                Wanted(
                    str(store.blobs.path(i.sha256)),
                    i.format,
                    i.base,
                    i.sha256,
                    i.iri,
                    minter.of(i.project, i.name, i.version).identity,
                )
                for i in infos
            ],
            base=minter.base,
            limit=limit,
            size=store.settings.query_bytes,
            timeout=timeout,
            patience=WORKER_WAIT,
            abandoned=abandoned,
        )
    except TimedOut:
        raise TimedOut(
            f"reading what is said of it took longer than the {timeout:.3g} s that were left; ask for one project, or "
            "for fewer versions"
        ) from None
    return tuple(
        Account(info, said.sayings, said.total, minter.actor(info.actor), said.triples)
        for info, said in zip(infos, found, strict=True)
    )

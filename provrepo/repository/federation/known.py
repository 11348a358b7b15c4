"""Which things a peer is known to know, for a lineage that asks about no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provrepo.ledger.exchange.peers import Peer
from provrepo.model.identifiers import is_content
from provrepo.repository.context import Context
from provrepo.repository.federation.records import FederatedSource
from provrepo.repository.federation.walk import Participant

__all__ = ["Known"]


class Known:
    """What shows that a peer knows a thing, from what this repository stores and from what was answered so far."""

    def __init__(self, context: Context, peers: Iterable[Peer]) -> None:
        """Read the mirrors, and the pingbacks (PROV-AQ, section 5) of the projects that the actor may read.

        Args:
            context: of the call.
            peers: the peers.
        """
        urls = {peer.name: peer.url for peer in peers}
        self._things: dict[str | None, set[str]] = {}
        self._documents: dict[str | None, set[tuple[str, str]]] = {}
        mirrors = context.store.ledger.mirrors()
        self._mirrored: dict[str | None, set[str]] = {
            name: {mirror.project for mirror in mirrors if mirror.origin.startswith(url)} for name, url in urls.items()
        }
        for project in context.readable_projects():
            for link in context.store.pingbacks.stored(project):
                for name, url in urls.items():
                    if not link.uri.startswith(url):
                        continue
                    if link.anchor:
                        self._things.setdefault(name, set()).add(link.anchor)
                    else:
                        self._documents.setdefault(name, set()).add((project, link.document))

    def may_ask(self, participant: Participant, iri: str, sources: Sequence[FederatedSource]) -> bool:
        """Whether a peer is known to know a thing.

        It may know content, which has the same name everywhere; what is named below its URL; the things of documents
        that are mirrored from there or named there, or with which a pingback connects it; and what it has named itself.

        Args:
            participant: the peer, with its answers so far.
            iri: the thing.
            sources: the first versions here that mention it.
        """
        name, url = participant.laboratory.name, participant.laboratory.url
        if is_content(iri) or iri.startswith(url) or iri in participant.named or iri in self._things.get(name, ()):
            return True
        documents, mirrored = self._documents.get(name, ()), self._mirrored.get(name, ())
        return any(
            source.project in mirrored or source.graph.startswith(url) or (source.project, source.document) in documents
            for source in sources
        )

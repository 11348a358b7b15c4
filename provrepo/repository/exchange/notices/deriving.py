"""Telling peers that something was derived from their documents: by the verb ``announce``, or by a project's setting.

A version is derived from a document of a peer if it uses or derives from a thing that a copy of it describes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from provrepo.errors import Busy, Error, UsageError
from provrepo.ledger.exchange.outgoing_notices import SentNotice
from provrepo.model.statements import DERIVATION, USAGE
from provrepo.repository import documents
from provrepo.repository.context import Context
from provrepo.repository.exchange.notices import held, tables
from provrepo.repository.exchange.notices.announcing import notice_id, receiver, services, to_send
from provrepo.repository.exchange.notices.payload import DERIVED, RELATIONSHIPS, Notice

if TYPE_CHECKING:
    from provrepo.ledger.entries import Entry
    from provrepo.repository.records import VersionInfo
    from provrepo.repository.store import Store

__all__ = ["announce", "announce_new"]

log = logging.getLogger(__name__)

_PAGE = 200


def announce(
    context: Context, project: str, name: str, version: int | None = None, *, peers: Sequence[str] = ()
) -> list[SentNotice]:
    """Tell the peers from whose documents a version was derived. They can tell its holder of withdrawals then.

    The notices are stored, and sent by a server or by ``send_notices``. Nobody is told twice.

    Args:
        project: the project.
        name: the document.
        version: the version; None for the current one.
        peers: only these peers; by default all.

    Returns:
        The notices about this version, new or not.

    Raises:
        NotFound: no such document, version or peer.
        Withdrawn: it was withdrawn or erased.
        UsageError: nothing that it uses comes from these peers.
        Denied: the actor is not the owner.
        Busy: another process holds the views.
    """
    context.require_owner("announces derivations to peers")
    for peer in peers:
        context.store.peers.get(peer)
    info = documents.version(context, project, name, version)
    origins = [origin for origin in _origins(context, info) if not peers or origin.peer in peers]
    if not origins:
        raise UsageError(
            f"{project}/{name}@{info.version} uses nothing that came from {' or '.join(peers) or 'a peer'}"
        )
    _store(context.store, info, origins)
    found = tables.outgoing(context.store).listed(project, name)
    return [
        one
        for one in found
        if one.about == DERIVED and one.version == info.version and (not peers or one.peer in peers)
    ]


def announce_new(store: Store) -> None:
    """Announce the versions that were accepted since the last call, in the projects that do so.

    Which versions these are follows from the ledger, so that none is missed after a crash.
    """
    outbox, position = tables.outgoing(store), store.ledger.position()
    if not store.exchange.exists or outbox.derived_up_to("") == position or not store.peers.list():
        return
    context = Context(store)
    mirrors = {mirror.project for mirror in store.ledger.mirrors()}
    for project in sorted(set(store.ledger.projects()) - mirrors):
        if not store.ledger.settings(project).get("announce"):
            continue
        after = max(_since(store, project), outbox.derived_up_to(project))
        while page := list(store.ledger.entries(project, after=after, limit=_PAGE, every=True)):
            for entry in page:
                if entry.kind == "submit":
                    _announce_entry(context, entry)
            after = page[-1].sequence
            outbox.set_derived_up_to(project, after)
    outbox.set_derived_up_to("", position)


def _announce_entry(context: Context, entry: Entry) -> None:
    try:
        info = documents.version(context, entry.project, entry.body["document"], entry.body["version"])
        _store(context.store, info, _origins(context, info))
    except Busy:
        raise  # it is tried again
    except Error as error:  # withdrawn meanwhile, or damaged
        log.warning("whether %s was derived from documents of peers is not known: %s", entry.place, error)


def _since(store: Store, project: str) -> int:
    """Return the sequence number of the entry of settings since which a project announces derivations."""
    since, on = 0, False
    for entry in store.ledger.changes(project):
        if "announce" in entry.body:
            if entry.body["announce"] and not on:
                since = entry.sequence
            on = bool(entry.body["announce"])
    return since


def _origins(context: Context, info: VersionInfo) -> list[held.Origin]:
    """Return the versions of peers that describe what a version uses, in order."""
    from provrepo.views.lineage.index import Lineage

    used = {
        str(statement.args[1])
        for statement in documents.read(context, info.project, info.name, info.version)
        if statement.kind in (DERIVATION, USAGE) and statement.args[1] is not None
    }
    if not used:
        return []
    index, datasets = context.store.view(Lineage), context.readable_projects()
    sources = set()
    for iri in used:
        thing = index.thing(iri, datasets)
        sources |= (
            {(each.project, each.document, each.version) for each in thing.sources} if thing is not None else set()
        )
    found = set()
    for project, document, version in sources - {(info.project, info.name, info.version)}:
        submission = context.store.ledger.version(project, document, version)
        origin = held.origin(context.store, submission) if submission is not None else None
        if origin is not None and context.store.peers.find(origin.peer) is not None:
            found.add(origin)
    return sorted(found)


def _store(store: Store, info: VersionInfo, origins: Iterable[held.Origin]) -> None:
    sender = services(store)
    for origin in origins:
        target = receiver(store, origin.peer, "")
        place = f"projects/{origin.project}/documents/{origin.document}/versions/{origin.version}"
        notice = Notice(
            id=notice_id(),
            about=DERIVED,
            subject=info.iri,
            relationship=RELATIONSHIPS[DERIVED],
            object=origin.iri or f"{target[0]}{place}",
            origin=sender[0],
            origin_inbox=sender[1],
            target=target[0],
            target_inbox=target[1],
            summary=f"{info.name} in project {info.project} was derived from {origin.document} in {origin.project}.",
            project=origin.project,
            document=origin.document,
            version=origin.version,
            sequence=info.sequence,
            time=info.time,
        )
        tables.outgoing(store).add(
            f"{info.iri} {notice.object}",
            to_send(notice, origin.peer, "", here=(info.project, info.name, info.version)),
        )

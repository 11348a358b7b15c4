"""The verbs about notices: what was sent and received, and who holds copies."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import NotFound, UsageError
from provrepo.ledger.exchange.holders import PROTOCOLS, Holder
from provrepo.ledger.exchange.incoming_notices import ReceivedNotice, Subject
from provrepo.ledger.exchange.outgoing_notices import SentNotice
from provrepo.ledger.exchange.peers import same_repository
from provrepo.model.identifiers import web_address
from provrepo.repository import access, catalog
from provrepo.repository.context import Context
from provrepo.repository.exchange.notices import announcing, held, sending, tables
from provrepo.repository.exchange.notices.payload import TAKEN_BACK
from provrepo.repository.exchange.notices.sending import Sending
from provrepo.repository.people.roles import Right

__all__ = [
    "DIRECTIONS",
    "Holder",
    "ReceivedNotice",
    "Sending",
    "SentNotice",
    "add_holder",
    "holders",
    "inbox",
    "is_about",
    "notice",
    "notices",
    "remove_holder",
    "require_direction",
    "send_notices",
    "stored_holders",
]

DIRECTIONS = ("sent", "received")


def notices(
    context: Context, project: str | None = None, name: str | None = None, *, direction: str | None = None
) -> list[SentNotice | ReceivedNotice]:
    """Return notices, the sent ones first, each in the order of time. Acknowledgments are not listed.

    Args:
        project: only those about documents of this project; None for all.
        name: only those about this document.
        direction: ``sent`` or ``received``; None for both.

    Raises:
        NotFound: no such project or document.
        Denied: the actor may not change the project; or may not write to all projects, for all of them.
        UsageError: no such direction, or a document without its project.
    """
    require_direction(direction)
    if project is None:
        access.require_administer(context.actor)
        if name is not None:
            raise UsageError("name the project of the document as well")
    else:
        context.require(project, Right.CURATE)
        if name is not None:
            catalog.history(context.store, project, name)
    found: list[SentNotice | ReceivedNotice] = []
    if direction != "received":
        announcing.announce_all(context.store)
        found += tables.outgoing(context.store).listed(project, name)
    if direction != "sent":
        found += _received(context, None if project is None else {project}, name)
    return found


def require_direction(direction: str | None) -> None:
    """Refuse what is not a direction of notices.

    Raises:
        UsageError: it is neither of ``DIRECTIONS``, nor None for both.
    """
    if direction not in (None, *DIRECTIONS):
        raise UsageError(f"{direction!r} is not a direction of notices: {', '.join(DIRECTIONS)}")


def inbox(context: Context) -> list[ReceivedNotice]:
    """Return the received notices that the actor may see: the owner all, others those about projects they may change.

    Acknowledgments are not listed.
    """
    if context.actor.owner or access.may_administer(context.actor):
        return _received(context, None)
    return _received(context, set(context.projects_with(Right.CURATE)))


def notice(context: Context, id: str) -> SentNotice | ReceivedNotice:  # noqa: A002
    """Return one notice with its text.

    Args:
        id: its identifier, or the last step of its address below ``/inbox``.

    Raises:
        NotFound: there is no such notice that the actor may see.
    """
    store = context.store
    sent = tables.outgoing(store).find(id)
    if sent is not None and context.curates(sent.project):
        return sent
    found = tables.incoming(store).find(id)
    if found is not None and found.key in {one.key for one in inbox(context)}:
        return found
    if found is not None and access.may_administer(context.actor):
        return found
    raise NotFound("there is no such notice that you may see")


def send_notices(context: Context, *, again: bool = False) -> Sending:
    """Send the notices that wait, without a pause, and write those about new entries before.

    Args:
        again: send also those that were refused, given up, or not acknowledged.

    Raises:
        Denied: the actor is not the owner.
    """
    context.require_owner("sends notices")
    return sending.send_all(context.store, at_once=True, again=again)


def holders(context: Context, project: str | None = None) -> list[Holder]:
    """Return who holds copies of the documents of a project, or of all, in the order in which they were added.

    A repository that is known as two peers is listed once.

    Args:
        project: the project; None for all.

    Raises:
        NotFound: no such project.
        Denied: the actor may not change the project; or may not write to all projects, for all of them.
    """
    if project is None:
        access.require_administer(context.actor)
    else:
        context.require(project, Right.CURATE)
    announcing.find_holders(context.store)
    return stored_holders(context, project)


def stored_holders(context: Context, project: str | None = None) -> list[Holder]:
    """Return the holders of copies that are stored: as ``holders``, without asking for rights or finding new ones."""
    same = same_repository(context.store.peers.list())
    found: dict[tuple[object, ...], Holder] = {}
    for holder in tables.holders(context.store).listed(project):
        found.setdefault(_held_by(holder, same), holder)
    return list(found.values())


def add_holder(
    context: Context,
    project: str,
    name: str | None = None,
    version: int | None = None,
    *,
    peer: str = "",
    url: str = "",
    protocol: str = "inbox",
    since: int | None = None,
) -> Holder:
    """State that a peer or an address has a copy, so that it is told of withdrawals, corrections and erasures.

    Args:
        project: the project.
        name: the document; None for all documents of the project.
        version: the version; None for all versions.
        peer: the name of the peer that has the copy.
        url: instead of a peer, the address of an inbox (Linked Data Notifications) or for pingbacks (PROV-AQ).
        protocol: ``inbox`` or ``pingback``.
        since: the sequence number of the last entry of the project that the copy contains; later events are announced,
            also those of the past. By default that of the version, or the last entry of the project.

    Raises:
        NotFound: no such project, document, version or peer.
        Withdrawn: the version was erased.
        UsageError: not exactly one of ``peer`` and ``url`` is given, or a value is invalid.
        Denied: the actor is not the owner.
    """
    context.require_owner("names holders, since they are contacted")
    context.require_read(project)
    store = context.store
    length = store.ledger.length(project)
    if bool(peer) == bool(url):
        raise UsageError("name either a peer or the address of an inbox")
    if protocol not in PROTOCOLS or (peer and protocol != "inbox"):
        raise UsageError(f"a holder is told by {' or '.join(PROTOCOLS)}, a peer by its inbox; not by {protocol!r}")
    if peer:
        store.peers.get(peer)
    if version is not None and name is None:
        raise UsageError("a version is one of a document: name the document")
    from_version = 0
    if name is not None:
        info = catalog.find_version(store, project, name, version or 1, erased=True, curator=True)
        from_version = info.sequence if version else 0
    if since is not None and not 0 <= since <= length:
        raise UsageError(f"the entries of {project} have the numbers 1 to {length}, so {since} is none that a copy has")
    start = since if since is not None else from_version or length
    return tables.holders(store).add(
        Holder(0, project, name or "", version or 0, peer, _address(url) if url else "", protocol, "declared", start)
    )


def remove_holder(context: Context, id: int) -> Holder:  # noqa: A002
    """Remove a holder, which is told nothing any more.

    Args:
        id: its number.

    Returns:
        The removed holder.

    Raises:
        NotFound: there is no such holder.
        Denied: the actor is not the owner.
    """
    context.require_owner("removes holders")
    table = tables.holders(context.store)
    gone = table.remove(id)
    if gone is None:
        raise NotFound(f"there is no holder {id}")
    same = same_repository(context.store.peers.list())
    for other in table.listed(gone.project):
        if _held_by(other, same) == _held_by(gone, same):
            table.remove(other.id)
    return gone


def _held_by(holder: Holder, same: Mapping[str, str]) -> tuple[object, ...]:
    """Return what is held by which repository: equal for two names of one peer."""
    return holder.project, holder.document, holder.version, same.get(holder.peer, holder.peer), holder.url


def _received(context: Context, projects: set[str] | None, name: str | None = None) -> list[ReceivedNotice]:
    """Return the received notices about some projects, or all, and maybe about one document in them."""
    found = tables.incoming(context.store).listed()
    if projects is not None:
        found = [one for one in found if is_about(context, one, projects, name)]
    tables.incoming(context.store).mark_seen(found)
    return found


def is_about(
    context: Context, notice: ReceivedNotice | Subject, projects: Collection[str], name: str | None = None
) -> bool:
    """Return whether a received notice is about a document of some projects here, or about the one of this name."""
    return any(project in projects and name in (None, found) for project, found in _places(context, notice))


def _places(context: Context, notice: ReceivedNotice | Subject) -> set[tuple[str, str]]:
    """Return the documents here that a received notice is about."""
    if notice.about not in TAKEN_BACK:
        return {(notice.project, notice.document)} if notice.project else set()
    # Its names are names at the peer. What is not proven is shown to the owner only.
    copies = held.copies(context.store, notice.peer, notice.project, notice.document) if notice.proof else ()
    return {(copy.project, copy.document) for copy in copies}


def _address(url: str) -> str:
    """Return an address that notices are sent to.

    Raises:
        UsageError: it is not an http or https URL, or contains a user or password.
    """
    parts = web_address(url)
    if parts is None or parts.fragment or "@" in parts.netloc or not is_iri(url) or len(url) > access.LONGEST:
        raise UsageError(f"{url[:200]!r} is not the address of an inbox, such as https://prov.example/inbox")
    return url

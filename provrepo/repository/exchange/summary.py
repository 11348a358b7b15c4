"""How much is exchanged with other repositories: the numbers on the home page and on the pages of projects."""

from __future__ import annotations

from dataclasses import dataclass

from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.exchange.mirroring.verbs import mirrors
from provrepo.repository.exchange.notices import tables
from provrepo.repository.exchange.notices.verbs import is_about, stored_holders

__all__ = ["Summary", "summary"]

_STOPPED = frozenset({"unreachable", "refused", "failed", "invalid", "reset", "shortened", "forked"})
"""The states of a mirror that could not follow its origin."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers about the exchange of a project, or of the whole repository.

    Attributes:
        peers: the peers; None for those of a project.
        failing: those of them whose last contact failed.
        mirrors: the mirrors that the actor may read; None for those of a project.
        stopped: those of them that could not follow their origin at the last attempt.
        holders: the holders of copies; None if the actor may not see them. The same holds for all that follow.
        sent: the notices that were written here.
        unanswered: those of them that are not acknowledged.
        received: the notices that were received.
        pushes: the versions that were sent to peers, or are on their way.
    """

    peers: int | None = None
    failing: int = 0
    mirrors: int | None = None
    stopped: int = 0
    holders: int | None = None
    sent: int | None = None
    unanswered: int = 0
    received: int | None = None
    pushes: int | None = None


def summary(context: Context, project: str | None = None) -> Summary:
    """Count what the lists of an exchange show to the actor.

    It writes nothing: what follows from the latest entries of the ledger is counted once it is stored, by the next
    round of the server or by one of the lists.

    Args:
        context: the data directory, and the actor, who may read the project.
        project: the project; None for the whole repository.
    """
    store = context.store
    if project is not None:
        return _counted(context, project) if context.curates(project) else Summary()
    followed = mirrors(context)
    own = {"mirrors": len(followed), "stopped": sum(one.state in _STOPPED for one in followed)}
    if not access.may_administer(context.actor):
        return Summary(**own)
    known = store.peers.list()
    return _counted(context, None, peers=len(known), failing=sum(bool(one.failed) for one in known), **own)


def _counted(context: Context, project: str | None, **known: int) -> Summary:
    store = context.store
    sent = tables.outgoing(store).counted(project)
    received = tables.incoming(store).counted()
    if project is not None:
        received = [(one, number) for one, number in received if is_about(context, one, {project})]
    return Summary(
        **known,
        holders=len(stored_holders(context, project)),
        sent=sum(sent.values()),
        unanswered=sum(number for state, number in sent.items() if state != "acknowledged"),
        received=sum(number for _, number in received),
        pushes=store.parts.pushes.count(project),
    )

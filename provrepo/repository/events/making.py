"""Documents made of received events: one for each run, with a new version when more events come."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provrepo.errors import Archived, Busy, Error, NoSpace, NotFound, OverQuota, ProjectFull
from provrepo.importers.openlineage.codec import merge
from provrepo.importers.openlineage.events import FORMAT
from provrepo.importers.parts import Part
from provrepo.ledger.events import Events, Group
from provrepo.repository.context import Context
from provrepo.repository.imports.verbs import reason_of, store_part
from provrepo.repository.records import Actor
from provrepo.repository.upkeep.periodic import Periodic

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["Made", "make_documents", "start"]

_log = logging.getLogger(__name__)

QUIET = 1.0
"""Seconds without a new event after which the document of a run that has ended is made: late events join it."""

INTERVAL = 60.0
"""Seconds after which the document of a run that goes on is made."""

_POSTPONED = 600.0
"""Seconds until another attempt for a project that is archived, or whose quota is used up."""

_SECONDS = 0.5
"""The pause between two rounds."""


@dataclass(frozen=True, slots=True)
class Made:
    """The result of one round.

    Attributes:
        documents: the number of versions that were stored.
        refused: the number of documents that could not be stored.
        waiting: the number of documents whose events wait.
    """

    documents: int
    refused: int
    waiting: int


def make_documents(store: Store, *, quiet: float = QUIET, interval: float = INTERVAL) -> Made:
    """Make the documents that are due, and cover the events by entries.

    What cannot be stored keeps its events, is named in ``/health``, and is tried again when more events come.

    Args:
        store: the data directory.
        quiet: see ``QUIET``.
        interval: see ``INTERVAL``.

    Raises:
        NoSpace: the disk is nearly full.
        Busy: all workers are busy.
    """
    events = Events(store.ledger)
    events.seal()
    documents = refused = 0
    for group in events.due(quiet=quiet, interval=interval):
        try:
            problem = _make(store, events, group)
        except (Archived, OverQuota, ProjectFull) as error:
            problem = str(error)
            events.postpone(group, problem, seconds=_POSTPONED)
        else:
            events.made(group, problem)
        documents += not problem
        refused += bool(problem)
        if problem and problem != group.problem:
            _log.warning("%s/%s cannot be stored: %s", group.project, group.document, problem)
    return Made(documents, refused, events.waiting())


def _make(store: Store, events: Events, group: Group) -> str:
    """Store the document of a group; return why it could not be stored, empty if it could."""
    data = b"\n".join(events.data(group.project, group.document))
    if not data:
        return ""  # all of it was erased
    part = Part(group.document, merge(b"", data), FORMAT, splits=True)
    try:
        store_part(Context(store, _sender(store, group)), part, group.project)
    except (Archived, NoSpace, Busy):
        raise
    except Error as error:
        return reason_of(error)
    return ""


def _sender(store: Store, group: Group) -> Actor:
    """The actor who sent the last event. He might write to the project then, which decides, not what he may now."""
    try:
        name = store.accounts.actor(group.actor)
    except NotFound:
        name = ""
    return Actor(group.actor, name, projects=(group.project,), write=True, token=group.token)


def start(store: Store, *, seconds: float = _SECONDS) -> None:
    """Let a server make documents, until the store is closed."""
    Periodic(store, "making documents of events", lambda: make_documents(store), seconds=seconds).start()

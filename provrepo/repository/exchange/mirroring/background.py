"""A server brings the mirrors up to date every few minutes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from provrepo.errors import Error
from provrepo.repository.context import Context
from provrepo.repository.exchange.mirroring.verbs import pull
from provrepo.repository.upkeep.periodic import Periodic

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["failures", "start"]

log = logging.getLogger("provrepo.repository.exchange.mirroring.background")

_STOPPED = frozenset({"reset", "shortened", "forked"})
"""The states in which the operator decides what happens: the origin is not asked again until then."""

_ENDING = 10.0
"""Seconds to wait for a pull at the end, which stops after a request."""


def start(store: Store) -> None:
    """Pull all mirrors now and every ``settings.pull_every`` seconds, until the store is closed; never if that is 0.

    Only the addresses that the operator gave to ``provrepo mirror`` are contacted, with the tokens of peers.
    """

    def work() -> None:
        for name in _due(store):
            if periodic.stopping():
                return
            _pull(store, name, periodic.stopping)

    seconds = float(store.settings.pull_every)
    periodic = Periodic(store, "pulling mirrors", work, seconds=seconds, now=True, ending=_ENDING)
    periodic.start()


def failures(store: Store, name: str) -> int:
    """Return how often the pull of a mirror has failed in this process since it succeeded."""
    return store.parts.troubles.count(_trouble(name))


def _trouble(name: str) -> str:
    return f"mirror {name} was not pulled"


def _due(store: Store) -> list[str]:
    return [
        mirror.project
        for mirror in store.ledger.mirrors()
        if mirror.active and mirror.origin and mirror.state not in _STOPPED
    ]


def _pull(store: Store, name: str, stopping: Callable[[], bool]) -> None:
    before = store.ledger.length(name)
    try:
        found = pull(Context(store), name, abandoned=stopping)
    except Error as error:
        if not stopping():
            store.parts.troubles.failed(log, _trouble(name), str(error))
    except Exception as error:  # the other mirrors are pulled all the same
        log.debug("mirror %s was not pulled", name, exc_info=True)
        store.parts.troubles.failed(log, _trouble(name), f"{type(error).__name__}: {error}")
    else:
        store.parts.troubles.works(log, _trouble(name))
        if found.sequence > before:
            log.info("%s: %d new entries from %s", name, found.sequence - before, found.origin)

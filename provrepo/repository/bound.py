"""What the verbs of ``Repository`` stand on, whichever file they are in: the data directory, and who is asking.

Verbs of one matter are a class in a file of their own, which inherits from this one; ``Repository`` inherits from all
of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provrepo.errors import Denied, UsageError
from provrepo.repository import access
from provrepo.repository.records import DEFAULT, Actor

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["Bound"]


class Bound:
    """A data directory, bound to one actor; what every verb asks first."""

    def __init__(self, store: Store, actor: Actor | None = None) -> None:
        """Bind an actor.

        Args:
            store: the data directory.
            actor: who is asking; None for the local owner.
        """
        self._store = store
        self._actor = actor

    @property
    def actor(self) -> Actor:
        """Who is asking.

        Raises:
            NoRepository: the local owner of a data directory that is not there.
        """
        if self._actor is None:
            self._actor = self._store.owner()
        return self._actor

    def require(self, project: str, *, write: bool = False) -> None:
        """Ask whether the actor may read a project, or change it. Every verb about a project asks the same by itself.

        Args:
            project: its name.
            write: whether it is to be changed.

        Raises:
            NotFound: there is no such project, or none that the actor may know of.
            Denied: the actor may read it only.
        """
        if write:
            self._writable(project)
        else:
            self._readable(project)

    def _readable(self, project: str) -> None:
        """Raises NotFound where the actor may not know of a project."""
        access.require_read(self.actor, project, public=self._store.ledger.public(), exists=self._exists)

    def _projects(self) -> list[str]:
        """The projects that the actor may read, by name."""
        public = self._store.ledger.public()
        return [name for name in self._store.ledger.projects() if access.may_read(self.actor, name, name in public)]

    def _exists(self, project: str) -> bool:
        # Its owner need not make the default project; reading does not either.
        return self._store.ledger.length(project) > 0 or (project == DEFAULT and self.actor.owner)

    def _curates(self, project: str) -> bool:
        """Whether the actor may read what was withdrawn from a project; the project may be read already."""
        return access.may_curate(self.actor, project)

    def _writable(self, project: str) -> None:
        """Raises Denied where the actor may not change a project, NotFound where it may not know of it."""
        access.require_write(
            self.actor,
            project,
            public=self._store.ledger.public(),
            exists=lambda name: self._store.ledger.length(name) > 0,
        )

    def _owner(self, what: str) -> None:
        """Raises Denied where the actor is not the owner of the data directory, who alone does ``what``."""
        if not self.actor.owner:
            raise Denied(f"only the owner of the data directory {what}")

    def _ensure_default(self) -> None:
        """Make the project that is there without having been made; only its owner does."""
        if not self._store.ledger.length(DEFAULT):
            with self._store.ledger.appending(DEFAULT) as appending:
                if not appending.exists():
                    appending.append(
                        "settings",
                        {"public": False, "title": "", "profiles": []},
                        actor=self.actor.id,
                        token=self.actor.token,
                    )

    def _seconds(self, timeout: float | None) -> float:
        """How long an answer may be worked on: what was asked for, as far as this actor may have it."""
        if timeout is not None and not timeout > 0:
            raise UsageError("a query's timeout is a positive number of seconds")
        most = self._store.settings.query_timeout
        if self.actor == access.ANONYMOUS:
            most = min(most, self._store.settings.query_timeout_public)
        return most if timeout is None else min(timeout, most)

"""The context of a call: the data directory and the actor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from provrepo.errors import Denied, UsageError
from provrepo.ledger.governance import standing
from provrepo.repository import access
from provrepo.repository.people.roles import Right
from provrepo.repository.records import DEFAULT, Actor

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["Context", "HasContext"]


class Context:
    """The first argument of every verb: a data directory, and the actor for whom it is used.

    Attributes:
        store: the data directory.
    """

    def __init__(self, store: Store, actor: Actor | None = None) -> None:
        """Bind an actor to a data directory.

        Args:
            store: the data directory.
            actor: None for the local owner.
        """
        self.store = store
        self._actor = actor

    @property
    def actor(self) -> Actor:
        """The actor. The local owner is looked up on first use: a verb may create the data directory before.

        Raises:
            NoRepository: the actor is the local owner and the data directory does not exist.
        """
        if self._actor is None:
            self._actor = self.store.owner()
        return self._actor

    def require_read(self, project: str) -> None:
        """Raise NotFound where the project does not exist or the actor may not read it."""
        self.require(project, Right.READ)

    def require(self, project: str, right: Right) -> frozenset[Right]:
        """Require that the actor has a right in a project, and return all rights that it has there.

        Raises:
            NotFound: the project does not exist, or the actor may not read it.
            Denied: the actor may read it, and lacks the right.
        """
        exists = self._exists if right is Right.READ else self._is_created
        return access.require(self.actor, project, right, public=self.store.ledger.public(), exists=exists)

    def require_change(self, project: str, right: Right) -> frozenset[Right]:
        """Require that the actor may change a project, and return all rights that it has there.

        Raises:
            NotFound, Denied: as ``require`` does.
            Archived: the project is archived, so that nobody may change it.
        """
        found = self.require(project, right)
        self.require_active(project)
        return found

    def require_active(self, project: str) -> None:
        """Raise Archived where a project, which the actor may read, is archived."""
        standing.require_active(project, self.store.ledger.settings(project))

    def require_document(self, project: str, name: str) -> None:
        """Require that the actor may replace and withdraw a document: a submitter only what he has submitted.

        Who submitted the first version is the submitter of the document; a name that is not in use has none.

        Raises:
            NotFound, Denied, Archived: as ``require_change`` does.
        """
        if Right.CURATE in self.require_change(project, Right.SUBMIT):
            return
        with self.store.ledger.stream(project) as stream:
            access.require_submitter(self.actor, name, stream.submitter(name))

    def rights(self, project: str) -> frozenset[Right]:
        """The rights of the actor in a project, which need not exist."""
        return access.rights(self.actor, project, public=project in self.store.ledger.public())

    def projects_with(self, right: Right) -> list[str]:
        """The projects in which the actor has a right, by name."""
        public = self.store.ledger.public()
        return [
            name
            for name in self.store.ledger.projects()
            if right in access.rights(self.actor, name, public=name in public)
        ]

    def readable_projects(self) -> list[str]:
        """The projects that the actor may read, by name."""
        return self.projects_with(Right.READ)

    def curates(self, project: str) -> bool:
        """Whether the actor may read withdrawn versions of a project that it may read."""
        return Right.CURATE in self.rights(project)

    def _is_created(self, project: str) -> bool:
        return self.store.ledger.length(project) > 0

    def _exists(self, project: str) -> bool:
        # The default project of the owner exists without being created; reading does not create it.
        return self._is_created(project) or (project == DEFAULT and self.actor.owner)

    def require_owner(self, what: str) -> None:
        """Raise Denied where the actor is not the owner of the data directory; ``what`` is the action, for people."""
        if not self.actor.owner:
            raise Denied(f"only the owner of the data directory {what}")

    def ensure_default(self) -> None:
        """Create the default project if it does not exist."""
        if not self.store.ledger.length(DEFAULT):
            with self.store.ledger.appending(DEFAULT) as appending:
                if not appending.exists():
                    appending.append(
                        "settings",
                        {"public": False, "title": "", "profiles": []},
                        actor=self.actor.id,
                        token=self.actor.token,
                    )

    def seconds(self, timeout: float | None) -> float:
        """The deadline of an answer in seconds: the requested one, up to what the settings allow this actor."""
        if timeout is not None and not timeout > 0:
            raise UsageError("a query's timeout is a positive number of seconds")
        most = self.store.settings.query_timeout
        if self.actor == access.ANONYMOUS:
            most = min(most, self.store.settings.query_timeout_public)
        return most if timeout is None else min(timeout, most)


class HasContext(Protocol):
    """An object with a context: ``Repository``, which this module does not import."""

    context: Context

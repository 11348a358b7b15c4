"""Access control: the rights of an actor, which every verb checks first."""

from __future__ import annotations

from collections.abc import Callable, Collection

from provrepo.errors import Denied, InvalidName, NotFound, UsageError
from provrepo.ledger.kinds import is_name
from provrepo.repository.records import Actor

__all__ = [
    "ANONYMOUS",
    "LONGEST",
    "may_administer",
    "may_curate",
    "may_read",
    "may_write",
    "name",
    "require_administer",
    "require_read",
    "require_write",
    "text",
]

ANONYMOUS = Actor(id="", name="anonymous")
"""The anonymous actor, who may read public projects."""

LONGEST = 10_000
"""The most characters of a free text in an entry, which is part of many answers."""


def name(what: str, value: str) -> str:
    """Return a name of a project, document or profile after checking it.

    Args:
        what: the kind of thing, for the message.
        value: the name.

    Raises:
        InvalidName: the name is malformed.
    """
    if not is_name(value):
        raise InvalidName(
            f"{value[:120]!r} cannot name a {what}: names are 1 to 100 letters, digits, '_' and '-', "
            "and start with a letter or digit"
        )
    return value


def text(what: str, value: str) -> str:
    """Return a free text for an entry after checking it: a title, a note, a reason, the name of an actor.

    Args:
        what: the kind of text, for the message.
        value: the text.

    Raises:
        UsageError: the text is too long, or contains a lone surrogate, which JSON can escape (RFC 8259, section 8.2).
    """
    if len(value) > LONGEST:
        raise UsageError(f"the {what} has {len(value):,} characters; it can have at most {LONGEST:,}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise UsageError(f"the {what} is not Unicode text")
    return value


def may_read(actor: Actor, project: str, public: bool) -> bool:
    """Return whether the actor may read a project: it is public, or a token of the actor covers it."""
    return public or actor.owner or (bool(actor.id) and _covers(actor, project))


def may_write(actor: Actor, project: str) -> bool:
    """Return whether the actor may submit to a project and withdraw from it."""
    return actor.owner or (actor.write and _covers(actor, project))


def may_curate(actor: Actor, project: str) -> bool:
    """Return whether the actor may read withdrawn versions and internal reasons of a project, as writers may."""
    return may_write(actor, project)


def may_administer(actor: Actor) -> bool:
    """Return whether the actor may administer projects: the owner, and actors with a write token for all projects."""
    return actor.owner or (actor.write and bool(actor.id) and actor.projects is None)


def _covers(actor: Actor, project: str) -> bool:
    return actor.projects is None or project in actor.projects


def require_read(actor: Actor, project: str, *, public: Collection[str], exists: Callable[[str], bool]) -> None:
    """Refuse a project that the actor may not read in the same way as one that does not exist.

    The right is checked before any look-up of the name, so that both cases take the same steps.

    Args:
        actor: the actor.
        project: the name of the project, valid or not.
        public: the names of the public projects.
        exists: returns whether a project exists; called only if the actor may read it.

    Raises:
        NotFound: the actor may not read the project, or it does not exist.
    """
    # The stream of the repository itself has no name, and is no project.
    if not is_name(project) or not may_read(actor, project, project in public) or not exists(project):
        raise NotFound(f"there is no project {project!r}")


def require_write(actor: Actor, project: str, *, public: Collection[str], exists: Callable[[str], bool]) -> None:
    """Raise NotFound as ``require_read`` does, and Denied if the actor may read the project but not change it."""
    require_read(actor, project, public=public, exists=exists)
    if not may_write(actor, project):
        raise Denied(f"{actor.name} may not change project {project!r}; a token for it is needed")


def require_administer(actor: Actor) -> None:
    """Raise Denied if the actor may not administer projects."""
    if not may_administer(actor):
        raise Denied(f"{actor.name} may not administer the repository; a token for all projects is needed")

"""Who may do what. Roles will grow here; every verb asks here first."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from provrepo.errors import Denied, InvalidName, NotFound, UsageError
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
"""A stranger: reads what is public."""

LONGEST = 10_000
"""Characters of a text for people that is kept in an entry: it is part of many answers."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def name(what: str, value: str) -> str:
    """A valid name of a project or document.

    Raises:
        InvalidName: it is not one; ``what`` says of what.
    """
    if not _NAME.fullmatch(value):
        raise InvalidName(
            f"{value[:120]!r} cannot name a {what}: names are 1 to 100 letters, digits, '_' and '-', "
            "and start with a letter or digit"
        )
    return value


def text(what: str, value: str) -> str:
    """A text for people that an entry can hold: a title, a note, a reason, the name of an actor.

    Raises:
        UsageError: it is too long, or holds half a character (JSON can escape one: RFC 8259, section 8.2); ``what``
            says what it is.
    """
    if len(value) > LONGEST:
        raise UsageError(f"the {what} has {len(value):,} characters; it can have at most {LONGEST:,}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise UsageError(f"the {what} is not Unicode text")
    return value


def may_read(actor: Actor, project: str, public: bool) -> bool:
    """Whether the actor may read a project: everybody a public one, otherwise those whose token covers it."""
    return public or actor.owner or (bool(actor.id) and _covers(actor, project))


def may_write(actor: Actor, project: str) -> bool:
    """Whether the actor may submit to a project and withdraw from it."""
    return actor.owner or (actor.write and _covers(actor, project))


def may_curate(actor: Actor, project: str) -> bool:
    """Whether the actor may read what was withdrawn from a project, and why internally: who may write to it."""
    return may_write(actor, project)


def may_administer(actor: Actor) -> bool:
    """Whether the actor may create projects and change their settings: the owner, and tokens for all projects."""
    return actor.owner or (actor.write and bool(actor.id) and actor.projects is None)


def _covers(actor: Actor, project: str) -> bool:
    return actor.projects is None or project in actor.projects


def require_read(actor: Actor, project: str, *, public: Collection[str], exists: Callable[[str], bool]) -> None:
    """Refuse a project that the actor may not know of just as one that does not exist.

    The first is decided before anything is looked for by the project's name, so that both take the same steps.

    Args:
        actor: who asks.
        project: its name, valid or not.
        public: the names of the public projects.
        exists: whether there is a project of a name; asked only of those that the actor may read.

    Raises:
        NotFound: the actor may not read it, or it does not exist.
    """
    if not may_read(actor, project, project in public) or not exists(project):
        raise NotFound(f"there is no project {project!r}")


def require_write(actor: Actor, project: str, *, public: Collection[str], exists: Callable[[str], bool]) -> None:
    """Raises NotFound as ``require_read`` does, and Denied for what the actor may see but not change."""
    require_read(actor, project, public=public, exists=exists)
    if not may_write(actor, project):
        raise Denied(f"{actor.name} may not change project {project!r}; a token for it is needed")


def require_administer(actor: Actor) -> None:
    """Raises Denied where the actor may not make projects."""
    if not may_administer(actor):
        raise Denied(f"{actor.name} may not make projects; a token for all projects is needed")

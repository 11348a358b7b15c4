"""Access control: the rights of an actor, which every verb checks first."""

from __future__ import annotations

from collections.abc import Callable, Collection

from provrepo.errors import Denied, InvalidName, NotFound, UsageError
from provrepo.ledger.kinds import is_name
from provrepo.repository.people.roles import ROLES, Right
from provrepo.repository.records import Actor

__all__ = [
    "ANONYMOUS",
    "LONGEST",
    "may_administer",
    "may_submit_somewhere",
    "name",
    "require",
    "require_administer",
    "require_submitter",
    "require_tokens",
    "rights",
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


def rights(actor: Actor, project: str, *, public: bool) -> frozenset[Right]:
    """Return what an actor may do in a project. Every other answer about access is made of this one.

    * The local owner may do everything.
    * A token without scopes gives by itself what it was made with: to read its projects or, if it may write, to curate
      them. One that may write to all projects manages them.
    * A token with scopes gives those rights of its actor's role that are among them, in its projects. An administrator
      has every right in every project.
    * A review link reads its project, as a token without scopes that may not write.
    * Everybody reads a public project.

    That a project is archived takes no right away: ``Context.require_change`` refuses changes of it.

    Args:
        actor: the actor.
        project: the name of the project.
        public: whether the project is public.
    """
    if actor.owner:
        return _ALL
    found = _NONE
    if actor.id and (actor.projects is None or project in actor.projects):
        found = _granted(actor) if actor.scopes is None else _of_role(actor, project) & actor.scopes
    return found | _READ if public else found


def may_submit_somewhere(actor: Actor) -> bool:
    """Return whether there may be a project to which the actor may submit documents."""
    if actor.owner or actor.scopes is None:
        return actor.owner or actor.write
    named = [name for name, _ in actor.roles] if not actor.administrator else ["any"]
    return Right.SUBMIT in actor.scopes and any(Right.SUBMIT in _of_role(actor, name) for name in named)


def may_administer(actor: Actor) -> bool:
    """Return whether the actor may create projects and see what concerns the whole repository.

    These are the owner, an administrator, and the actor of a token without scopes that may write to all projects.
    """
    if actor.scopes is not None:
        return actor.administrator and Right.MANAGE in actor.scopes and actor.projects is None
    return actor.owner or (actor.write and bool(actor.id) and actor.projects is None)


def require(
    actor: Actor, project: str, right: Right, *, public: Collection[str], exists: Callable[[str], bool]
) -> frozenset[Right]:
    """Require a right in a project. A project that the actor may not read is refused as one that does not exist.

    The rights are determined before any look-up of the name, so that both cases take the same steps.

    Args:
        actor: the actor.
        project: the name of the project, valid or not.
        right: the right.
        public: the names of the public projects.
        exists: returns whether a project exists; called only if the actor may read it.

    Returns:
        All rights of the actor in the project.

    Raises:
        NotFound: the actor may not read the project, or it does not exist.
        Denied: the actor may read the project, and lacks the right.
    """
    # The stream of the repository itself has no name, and is no project.
    found = rights(actor, project, public=project in public) if is_name(project) else _NONE
    if Right.READ not in found or not exists(project):
        raise NotFound(f"there is no project {project!r}")
    if right not in found:
        raise Denied(f"{actor.name} may not {_DEEDS[right].format(repr(project))}")
    return found


def require_submitter(actor: Actor, document: str, submitter: str) -> None:
    """Raise Denied if a document is of another actor.

    Args:
        actor: an actor who may submit to the project, and not curate it.
        document: the name of the document.
        submitter: the actor of its first version; empty if there is none.
    """
    if submitter not in ("", actor.id):
        raise Denied(
            f"{document} was submitted by somebody else: {actor.name} may replace and withdraw own documents; "
            "choose another name, or ask a curator of the project"
        )


def require_tokens(actor: Actor) -> None:
    """Raise Denied if the actor may not make and end tokens: neither the local owner nor a person who has signed in.

    A token that made tokens would outlive its own revocation.
    """
    if not (actor.owner or actor.signed_in):
        raise Denied(
            f"{actor.name} may not make or end tokens: only the owner of the data directory does, and a person who has "
            "signed in, for herself"
        )


def require_administer(actor: Actor) -> None:
    """Raise Denied if the actor may not administer the repository."""
    if not may_administer(actor):
        raise Denied(f"{actor.name} may not administer the repository; a token for all projects is needed")


_NONE: frozenset[Right] = frozenset()
_READ = frozenset({Right.READ})
_CURATE = ROLES["curator"]
_ALL = frozenset(Right)

_DEEDS = {
    Right.READ: "read project {0}",
    Right.SUBMIT: "change project {0}; a token for it is needed",
    Right.CURATE: "curate project {0}: review, and change what others have submitted; the role of a curator is needed",
    Right.MANAGE: "change the settings and members of {0}; the role of its owner is needed",
}
"""What a right allows, for messages."""


def _granted(actor: Actor) -> frozenset[Right]:
    """The rights that a token without scopes gives in each of its projects."""
    if not actor.write:
        return _READ
    return _ALL if actor.projects is None else _CURATE


def _of_role(actor: Actor, project: str) -> frozenset[Right]:
    if actor.administrator:
        return _ALL
    return next((ROLES[role] for name, role in actor.roles if name == project), _NONE)

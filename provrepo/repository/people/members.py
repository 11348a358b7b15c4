"""Verbs about the members of projects and the administrators of the repository."""

from __future__ import annotations

from provrepo.errors import Conflict, NotFound, UsageError
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.members import NO_ROLE, Member, Members
from provrepo.ledger.people import People
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.people.roles import ADMINISTRATOR, OWNER, ROLES, Right

__all__ = ["actor_named", "administrators", "members", "remove_member", "set_administrator", "set_member"]


def members(context: Context, project: str) -> list[Member]:
    """Return the members of a project with their roles, by name.

    Raises:
        NotFound: no such project.
        Denied: the actor may not submit to the project.
    """
    context.require(project, Right.SUBMIT)
    return Members(context.store.ledger.database).listed(project)


def set_member(context: Context, project: str, who: str, role: str) -> Member:
    """Give an actor a role in a project, instead of the one that it has there.

    The role counts for tokens with scopes. Tokens without scopes give access by themselves.

    Args:
        project: the project.
        who: the name of a person or service, or its identifier, or the e-mail address or ORCID of a person.
        role: ``reader``, ``submitter``, ``curator`` or ``owner``.

    Raises:
        NotFound: no such project.
        UsageError: there is no such role, or nobody of that name.
        Denied: the actor may not manage the project, or it is a mirror.
        Conflict: the project would have no owner any more, and the actor is no administrator.
        Archived: the project is archived.
    """
    context.require_change(project, Right.MANAGE)
    if role not in ROLES:
        raise UsageError(f"{role[:100]!r} is not a role; there are: {', '.join(ROLES)}")
    actor = actor_named(context, who)
    _change(context, project, actor, role)
    return next(member for member in members(context, project) if member.actor == actor)


def remove_member(context: Context, project: str, who: str) -> None:
    """Take away the role of an actor in a project. What it has submitted stays.

    Raises:
        NotFound: no such project, or the actor has no role in it.
        UsageError: nobody has that name.
        Denied: the actor may not manage the project.
        Conflict: the project would have no owner any more, and the actor is no administrator.
        Archived: the project is archived.
    """
    context.require_change(project, Right.MANAGE)
    if not _change(context, project, actor_named(context, who), NO_ROLE):
        raise NotFound(f"{who} has no role in project {project!r}")


def administrators(context: Context) -> list[Member]:
    """Return the administrators of the repository by name.

    Raises:
        Denied: the actor may not administer the repository.
    """
    access.require_administer(context.actor)
    return Members(context.store.ledger.database).listed(REPOSITORY)


def set_administrator(context: Context, who: str, administrator: bool) -> bool:
    """Make an actor an administrator of the repository, or an ordinary one again.

    Returns:
        Whether this changed anything.

    Raises:
        UsageError: nobody has that name.
        Denied: the actor may not administer the repository.
    """
    access.require_administer(context.actor)
    return _change(context, REPOSITORY, actor_named(context, who), ADMINISTRATOR if administrator else NO_ROLE)


def actor_named(context: Context, who: str) -> str:
    """Return the identifier of an actor by its name or identifier, or by the e-mail address or ORCID of a person.

    Raises:
        UsageError: there is none, or several.
    """
    store = context.store
    found = {person.actor for person in People(store.ledger.database).find(who)}
    named = store.accounts.find(who)
    if named is not None:
        found.add(named)
    if not found and who in store.accounts.names():
        found.add(who)
    if len(found) > 1:
        raise UsageError(f"{who[:100]!r} may be {', '.join(sorted(found))}: give one of these identifiers")
    if not found:
        raise UsageError(
            f"nobody is called {who[:100]!r}: `provrepo user add` adds a person, and `provrepo token create` a service"
        )
    return found.pop()


def _change(context: Context, project: str, actor: str, role: str) -> bool:
    with context.store.ledger.appending(project) as appending:
        if project != REPOSITORY and role != OWNER:
            _require_an_owner(context, Members.with_role(appending, OWNER), actor, project)
        changed = Members.change(appending, actor, role, by=context.actor.id, token=context.actor.token)
    if changed:
        context.store.index()
    return changed


def _require_an_owner(context: Context, owners: list[str], actor: str, project: str) -> None:
    """Refuse to take the role of the last owner of a project away; only administrators may.

    Args:
        context: the data directory and the actor who takes it away.
        owners: the owners, in the transaction that changes the role.
        actor: who has the role.
        project: the project.

    Raises:
        Conflict: nobody would be owner any more.
    """
    if owners == [actor] and not access.may_administer(context.actor):
        raise Conflict(
            f"project {project} would have no owner any more: make somebody else its owner first, with "
            f"`provrepo project transfer {project} WHO`, or ask an administrator"
        )

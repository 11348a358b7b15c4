"""The verb that gives a project to another owner."""

from __future__ import annotations

from provrepo.errors import Conflict
from provrepo.ledger.members import Member, Members
from provrepo.repository.context import Context
from provrepo.repository.people.members import actor_named
from provrepo.repository.people.roles import OWNER, Right

__all__ = ["transfer_project"]

_AFTERWARDS = "curator"
"""The role of a former owner."""


def transfer_project(context: Context, project: str, who: str) -> list[Member]:
    """Give a project to another owner. Who was owner is curator afterwards.

    An owner gives up its own role; other owners stay. If an administrator who is no owner of the project does it, all
    owners give up their roles.

    Args:
        project: the project.
        who: the new owner: a name or identifier, or the e-mail address or ORCID of a person.

    Returns:
        The members afterwards, by name.

    Raises:
        NotFound: no such project.
        UsageError: nobody of that name.
        Conflict: it is the only owner already.
        Denied: the actor may not manage the project, or it is a mirror.
        Archived: the project is archived.
    """
    context.require_change(project, Right.MANAGE)
    context.store.ledger.require_own(project)
    new, by = actor_named(context, who), context.actor
    with context.store.ledger.appending(project) as appending:
        owners = Members.with_role(appending, OWNER)
        former = [by.id] if by.id in owners and not by.owner else owners
        former = [actor for actor in former if actor != new]
        changed = Members.change(appending, new, OWNER, by=by.id, token=by.token)
        for actor in former:
            Members.change(appending, actor, _AFTERWARDS, by=by.id, token=by.token)
        if not changed and not former:
            raise Conflict(f"{who} is the only owner of project {project} already")
    context.store.index()
    return Members(context.store.ledger.database).listed(project)

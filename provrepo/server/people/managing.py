"""The page of the members of a project, and its forms."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, url_for

from provrepo.ledger.entries import now
from provrepo.repository.people.roles import ROLES, Right
from provrepo.repository.repository import Repository
from provrepo.server.pages import pages
from provrepo.server.people import invitations
from provrepo.server.protocol import auth, forms
from provrepo.server.protocol.rejections import Rejected

__all__ = ["blueprint", "page"]

blueprint = Blueprint("managing", __name__)


def page(project: str, link: str = "") -> Response:
    """The members of a project; for those who manage it, also its invitations and the forms.

    Args:
        project: the project.
        link: an invitation that was just made, with its secret, which is shown once.
    """
    repo = auth.repository()
    info = repo.project(project)
    manages = Right.MANAGE in repo.context.rights(project)
    time = now()
    links = [(each, each.is_open(time)) for each in repo.invitations(project)] if manages else []
    return pages.page(
        "members.html",
        project=info,
        members=repo.members(project),
        links=links,
        roles=list(ROLES),
        owns=manages and info.mirror is None,
        manages=manages and not info.archived and info.mirror is None,
        link=link,
    )


@blueprint.post("/projects/<project>/manage")
def change(project: str) -> Response:
    """Change members, owners, invitations and the state of the project, by a form of one of its pages."""
    auth.require_form()
    chosen = forms.field("action")
    if chosen == "invite":
        role, label = forms.field("role"), forms.field("label")
        secret, made = auth.repository().invite(
            project, role, days=forms.whole("days", 14) or 0, uses=forms.whole("uses"), label=label
        )
        answer = page(project, invitations.link(made.id, secret))
        answer.headers["Cache-Control"] = "no-store"
        return answer
    if chosen not in _ACTIONS:
        raise Rejected(400, f"the action is none of {', '.join(['invite', *_ACTIONS])}")
    _ACTIONS[chosen](auth.repository(), project)
    where = "projects.one" if chosen in ("public", "embargo", "lift") else "members.listed"
    return Response(status=303, headers={"Location": url_for(where, project=project), "Cache-Control": "no-store"})


_ACTIONS: dict[str, Callable[[Repository, str], object]] = {
    "role": lambda repo, project: repo.set_member(project, forms.needed("who"), forms.needed("role")),
    "remove": lambda repo, project: repo.remove_member(project, forms.needed("who")),
    "transfer": lambda repo, project: repo.transfer_project(project, forms.needed("who")),
    "reviews": lambda repo, project: repo.set_project(project, review=forms.needed("review")),
    "public": lambda repo, project: repo.set_project(project, public=True),
    "archive": lambda repo, project: repo.set_project(project, archived=True),
    "open": lambda repo, project: repo.set_project(project, archived=False),
    "embargo": lambda repo, project: repo.set_embargo(project, forms.needed("until"), reason=forms.field("reason")),
    "lift": lambda repo, project: repo.set_embargo(project, None),
    "revoke": lambda repo, project: repo.revoke_invitation(project, forms.needed("invitation")),
}
"""What the forms do besides inviting, by the value of their button."""

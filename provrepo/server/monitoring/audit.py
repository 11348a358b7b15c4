"""The audit log of a project over HTTP, for callers who may change the project."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from provrepo.limits import MAX_PAGE_SIZE, PAGE_SIZE
from provrepo.repository.actions import Action
from provrepo.server.pages import pages
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, Offer, choose, content_type
from provrepo.server.protocol.respond import Links, json_response
from provrepo.server.queries import running
from provrepo.words import counted

__all__ = ["AUDIT_SORTS", "OFFERS", "blueprint"]

blueprint = Blueprint("audit", __name__)

OFFERS = (JSON, Offer("csv", ("text/csv",), (".csv",)), HTML)
_FILTERS = ("document", "since", "until", "by", "action", "refused", "sort", "format")

AUDIT_SORTS = {"oldest": "Oldest first", "newest": "Newest first"}
"""The orders of events."""


@blueprint.get("/projects/<project>/audit")
def of_project(project: str) -> Response:
    """List who changed and who read a project, or one document of it, oldest first unless ``sort`` says otherwise."""
    choice = choose(OFFERS)
    limit = parameters.number("limit", MAX_PAGE_SIZE) or PAGE_SIZE
    refused = parameters.flag("refused")
    newest = parameters.choice("sort", AUDIT_SORTS) == "newest"
    with running.query_slot():
        found = auth.repository().audit(
            project,
            parameters.text("document"),
            since=parameters.time_or_entry("since"),
            until=parameters.time_or_entry("until"),
            by=parameters.text("by"),
            action=parameters.text("action"),
            refused=refused,
            after=parameters.text("after"),
            limit=limit,
            newest=newest,
        )
    following = None
    if found.following:
        filters: dict[str, Any] = {name: request.args[name] for name in _FILTERS if request.args.get(name)}
        following = url_for("audit.of_project", project=project, **filters, limit=limit, after=found.following)
    if choice.name == JSON.name:
        response = json_response(found.to_dict(), next_=following)
    elif choice.name == HTML.name:
        filters = {name: request.args.get(name, "") for name in _FILTERS}
        response = pages.page(
            "listed.html",
            project=project,
            heading=f"Who changed and who read {project}",
            lead="Changes are entries of the ledger. Requests are kept as long as the settings say.",
            caption=f"{counted(len(found.events), 'event')}, {AUDIT_SORTS['newest' if newest else 'oldest'].lower()}",
            columns=("Action", "Time", "By", "Document", "Version", "Status", "Token"),
            rows=[
                (e.action, e.time, e.name or "anonymous", e.document, e.version or "", e.status or "", e.token)
                for e in found.events
            ],
            fields=[
                ("document", "Document", filters["document"]),
                ("by", "By", filters["by"]),
                ("since", "Since", filters["since"]),
                ("until", "Until", filters["until"]),
            ],
            choices=[
                ("action", "Action", filters["action"], (("", "all"), *((each, each) for each in Action))),
                ("refused", "Answers", filters["refused"], (("", "answered"), ("true", "refused"))),
                ("sort", "Sort", filters["sort"], tuple(AUDIT_SORTS.items())),
            ],
            empty="No event fits.",
            following=following,
        )
    else:
        response = Response(found.to_csv(), content_type=content_type(choice.media_type))
        if following:
            links = Links()
            links.add(following, "next", choice.media_type)
            response.headers["Link"] = str(links)
    response.headers["Cache-Control"] = "no-store"
    return response

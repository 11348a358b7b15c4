"""The webhooks of a project, for those who manage it: list, add, remove, test, and their page with forms."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from provrepo.repository.exchange.webhooks.messages import EVENTS
from provrepo.server.pages import pages
from provrepo.server.protocol import auth, body, codings, forms
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response

__all__ = ["blueprint"]

blueprint = Blueprint("webhooks", __name__)

_ALL = "/projects/<project>/webhooks"
_ONE = f"{_ALL}/<webhook>"
_MEMBERS: dict[str, tuple[type, ...]] = {"url": (str,), "events": (list,), "coverage": (int, float), "hours": (int,)}


@blueprint.get(_ALL)
def listed(project: str) -> Response:
    """The webhooks of a project, the oldest first, with what is wrong; without their secrets."""
    found = auth.repository().webhooks(project)
    if choose((JSON, HTML)).name == HTML.name:
        return conditional(_page(project))
    return json_response({"project": project, "webhooks": [one.to_dict() for one in found]})


@blueprint.post(_ALL)
def add(project: str) -> Response:
    """Add a webhook; the answer has the secret that signs its messages, which is not shown again."""
    given = body.json_object()
    for name, value in given.items():
        strings = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        if name not in _MEMBERS or isinstance(value, bool) or not isinstance(value, _MEMBERS[name]) or not strings:
            raise Rejected(400, 'send {"url": "https://…"}, if need be with "events", "coverage" and "hours"')
    if "url" not in given:
        raise Rejected(400, 'send {"url": "https://…"}, if need be with "events", "coverage" and "hours"')
    return _secret(
        json_response(auth.repository().add_webhook(project, given.pop("url"), **given).to_dict(), status=201)
    )


@blueprint.delete(_ONE)
def remove(project: str, webhook: str) -> Response:
    """Remove a webhook. Messages that wait for it are deleted."""
    auth.repository().remove_webhook(project, webhook)
    return Response(status=204)


@blueprint.post(f"{_ONE}/rotate")
def rotate(project: str, webhook: str) -> Response:
    """Replace the secret of a webhook; for a day, messages are signed with both. The answer has the new one."""
    return _secret(json_response(auth.repository().rotate_webhook(project, webhook).to_dict()))


@blueprint.post(f"{_ONE}/enable")
def enable(project: str, webhook: str) -> Response:
    """Let a webhook that was disabled be told of events again, from now on."""
    return json_response(auth.repository().enable_webhook(project, webhook).to_dict())


@blueprint.post(f"{_ONE}/test")
def test(project: str, webhook: str) -> Response:
    """Send a message of the type ``test`` to a webhook now; the answer says whether it was delivered."""
    return json_response(auth.repository().test_webhook(project, webhook).to_dict())


@blueprint.post(f"{_ALL}/change")
def change(project: str) -> Response:
    """Add, remove, test, rotate or enable a webhook, by a form of the page."""
    codings.open_body()
    auth.require_form()
    repo, said, secret = auth.repository(), "", ""
    action, webhook = forms.field("action"), forms.field("webhook")
    if action == "add":
        coverage, hours = forms.decimal("coverage"), forms.whole("hours")
        events = request.form.getlist("event")
        made = repo.add_webhook(project, forms.field("url"), events=events, coverage=coverage, hours=hours)
        said, secret = f"{made.url} was added.", made.secret
    elif action == "rotate":
        made = repo.rotate_webhook(project, webhook)
        said, secret = f"{made.url} has a new secret.", made.secret
    elif action == "remove":
        repo.remove_webhook(project, webhook)
        said = "It was removed."
    elif action == "enable":
        said = f"{repo.enable_webhook(project, webhook).url} is told of events again."
    elif action == "test":
        found = repo.test_webhook(project, webhook)
        said = "The test message was delivered." if found.delivered else f"It was not delivered: {found.failure}"
    else:
        raise Rejected(400, "the action is none of add, remove, test, rotate and enable")
    return _secret(_page(project, said, secret))


def _page(project: str, said: str = "", secret: str = "") -> Response:
    found = auth.repository().webhooks(project)
    return pages.page(
        "webhooks.html",
        project=project,
        webhooks=found,
        events=EVENTS,
        said=said,
        secret=secret,
        action=url_for("webhooks.change", project=project),
    )


def _secret(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response

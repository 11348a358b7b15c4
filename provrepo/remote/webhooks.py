"""Verbs about the webhooks of a project, at a distance."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from provrepo.errors import NotFound
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded
from provrepo.repository.exchange.webhooks.verbs import WebhookInfo, WebhookTest

__all__ = ["add_webhook", "enable_webhook", "remove_webhook", "rotate_webhook", "test_webhook", "webhooks"]


def webhooks(connection: Connection, project: str) -> list[WebhookInfo]:
    """Return the webhooks of a project."""
    path = connection.project(project, "webhooks")
    with connection.understanding():
        return [decoded(WebhookInfo, item) for item in connection.json("GET", path, project=project)["webhooks"]]


def add_webhook(
    connection: Connection,
    project: str,
    url: str,
    *,
    events: Sequence[str] = (),
    coverage: float | None = None,
    hours: int | None = None,
) -> WebhookInfo:
    """Let an address be told of events of a project."""
    given = {"url": url, "events": list(events), "coverage": coverage, "hours": hours}
    wanted = {name: value for name, value in given.items() if value not in (None, [])}
    return connection.record(
        WebhookInfo,
        "POST",
        connection.project(project, "webhooks"),
        project=project,
        headers={"Content-Type": "application/json"},
        content=json.dumps(wanted).encode("ascii"),
    )


def remove_webhook(connection: Connection, project: str, id: str) -> None:  # noqa: A002
    """Remove a webhook."""
    connection.send("DELETE", connection.project(project, "webhooks", _step(id)), project=project)


def rotate_webhook(connection: Connection, project: str, id: str) -> WebhookInfo:  # noqa: A002
    """Replace the secret of a webhook."""
    return _changed(connection, project, id, "rotate")


def enable_webhook(connection: Connection, project: str, id: str) -> WebhookInfo:  # noqa: A002
    """Let a webhook be told of events again."""
    return _changed(connection, project, id, "enable")


def test_webhook(connection: Connection, project: str, id: str) -> WebhookTest:  # noqa: A002
    """Send a test message to a webhook."""
    path = connection.project(project, "webhooks", _step(id), "test")
    return connection.record(WebhookTest, "POST", path, project=project)


def _changed(connection: Connection, project: str, id: str, what: str) -> WebhookInfo:  # noqa: A002
    path = connection.project(project, "webhooks", _step(id), what)
    return connection.record(WebhookInfo, "POST", path, project=project)


def _step(id: str) -> str:  # noqa: A002
    if not re.fullmatch(r"[\w-]{1,80}", id, re.ASCII):
        raise NotFound(f"there is no webhook {id[:80]!r}")
    return id

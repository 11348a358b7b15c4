"""Verbs that check and store documents at a distance."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from provrepo.checks.report import Report
from provrepo.codecs.formats import by_name, check_base, content, detect
from provrepo.errors import Refused, Waits
from provrepo.model.document import Document
from provrepo.remote.connection import JSON, Connection
from provrepo.remote.decoding import decoded
from provrepo.repository import access
from provrepo.repository.exchange.records import PendingInfo
from provrepo.repository.governance.publication import Publication
from provrepo.repository.records import DEFAULT, Receipt
from provrepo.repository.submission.submit import name_for

if TYPE_CHECKING:
    from provrepo.codecs.formats import Source
    from provrepo.http_client.messages import Answer

__all__ = ["publication", "publish", "submit", "validate"]


def submit(
    connection: Connection,
    source: Source,
    *,
    project: str = DEFAULT,
    name: str | None = None,
    profiles: Sequence[str] = (),
    update: bool = False,
    if_match: str | None = None,
    format: str | None = None,  # noqa: A002
    base: str | None = None,
    note: str = "",
    again: bool = False,
    allow_empty: bool = False,
    keep: bool = False,
) -> Receipt:
    """Check a document and store it durably."""
    data, file = content(source)
    access.name("project", project)
    with connection.checked(project):
        if format is not None:
            by_name(format)
        check_base(base)
        access.text("note", note)
        document = access.name("document", name) if name is not None else name_for(file, _digest(data))
    query = {
        "base": base,
        "profile": list(profiles) or None,
        "note": note or None,
        "again": again or None,
        "allow_empty": allow_empty or None,
        "keep": keep or None,
    }
    headers = {"Content-Type": _media_type(data, file, format)}
    if if_match is None:
        method, path = "POST", connection.project(project, "documents")
        query |= {"name": document, "update": update or None}
    else:
        method, path = "PUT", connection.document(project, document)
        headers["If-Match"] = if_match if if_match == "*" else f'"{if_match}"'
    try:
        answer = connection.send(method, path, project=project, query=query, headers={**JSON, **headers}, content=data)
    except Refused as refusal:
        with connection.understanding():
            refusal.kept = None if refusal.kept is None else decoded(PendingInfo, refusal.kept)
        raise
    return _receipt(connection, answer, project, document)


def _receipt(connection: Connection, answer: Answer, project: str, document: str) -> Receipt:
    """Return the receipt in an answer.

    Raises:
        Waits: the document waits for a review.
        RemoteError: the answer has neither.
    """
    with connection.understanding():
        if answer.status == HTTPStatus.ACCEPTED:
            waiting = decoded(PendingInfo, answer.json())
            raise Waits(f"{project}/{document} waits for a review as {waiting.id}", waiting)
        return decoded(Receipt, answer.json())


def publication(
    connection: Connection,
    project: str,
    document: str,
    *,
    to: str,
    version: int | None = None,
    name: str | None = None,
    note: str | None = None,
) -> Publication:
    """Return what becomes visible when a version is published."""
    query = {"to": to, "version": version, "name": name, "note": note, "preview": True}
    path = connection.document(project, document, "publish")
    return connection.record(Publication, "POST", path, project=project, query=query)


def publish(
    connection: Connection,
    project: str,
    document: str,
    *,
    to: str,
    version: int | None = None,
    name: str | None = None,
    note: str | None = None,
    update: bool = False,
) -> Receipt:
    """Submit the bytes of a version to a public project."""
    query = {"to": to, "version": version, "name": name, "note": note, "update": update or None}
    path = connection.document(project, document, "publish")
    answer = connection.send("POST", path, project=project, query=query, headers=JSON)
    return _receipt(connection, answer, to, name or document)


def validate(
    connection: Connection,
    source: Source | Document,
    *,
    project: str | None = None,
    profiles: Sequence[str] = (),
    constraints: str | None = None,
    format: str | None = None,  # noqa: A002
    base: str | None = None,
) -> Report:
    """Check a document and store nothing. A ``Document`` is checked in this process, with built-in profiles only."""
    if project is not None:
        connection.project(project)
    if isinstance(source, Document):
        from provrepo.checks.validation import validate as check

        if project is not None:
            connection.require(project)
        return check(source, profiles=list(profiles), constraints=constraints)
    if format is not None:
        by_name(format)
    check_base(base)
    data, file = content(source)
    query = {"project": project, "profile": list(profiles) or None, "constraints": constraints, "base": base}
    headers = {"Content-Type": _media_type(data, file, format)}
    return connection.record(Report, "POST", ("validate",), project=project, query=query, headers=headers, content=data)


def _media_type(data: bytes, file: str | None, format: str | None) -> str:  # noqa: A002
    return (by_name(format) if format is not None else detect(data, file)).media_type


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""Notices and repositories for the tests of this folder."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from provrepo.repository.exchange.notices.payload import RELATIONSHIPS, Notice, write
from provrepo.repository.repository import Repository

LD_JSON = 'application/ld+json;profile="https://www.w3.org/ns/activitystreams"'
"""As coarnotify sends it."""

THERE = "https://lab-a.example/"
"""The peer lab-a, which is never contacted."""


def withdrawal(**changes: Any) -> Notice:
    """A notice of lab-a that version 2 of its document crops/run was withdrawn."""
    found = Notice(
        id=f"urn:uuid:{uuid.uuid4()}",
        about="withdrawn",
        subject=f"{THERE}projects/crops/documents/run",
        relationship="",
        object=f"{THERE}projects/crops/documents/run/versions/2",
        origin=THERE,
        origin_inbox=f"{THERE}inbox",
        target="https://lab-b.example/",
        target_inbox="https://lab-b.example/inbox",
        project="crops",
        document="run",
        version=2,
        sequence=7,
        entry="cd" * 32,
        time="2026-03-01T10:00:00Z",
        by="Ada",
        reason="wrong unit",
    )
    made = replace(found, **changes)
    return replace(made, relationship=made.relationship or RELATIONSHIPS[made.about])


def derivation(repository: Repository, project: str, name: str, version: int = 1, **changes: Any) -> Notice:
    """A notice of lab-a that it has derived something from a version here."""
    return withdrawal(
        about="derived",
        subject=f"{THERE}projects/soil/documents/map/versions/1",
        object=repository.version(project, name, version).iri,
        **{
            "project": project,
            "document": name,
            "version": version,
            "sequence": 0,
            "entry": "",
            "reason": "",
            **changes,
        },
    )


def receive(repository: Repository, notice: Notice) -> Any:
    """Receive a notice with the rights of a repository's actor."""
    return repository.receive_notice(write(notice))


def peer(owner: Repository, name: str = "lab-a", url: str = THERE) -> tuple[Repository, str]:
    """Add a peer; returns the repository as its token gives it, and the token."""
    owner.add_peer(name, url)
    token, _ = owner.create_token(name, projects=[], write=False)
    actor = owner.context.store.authenticate(token)
    assert actor is not None
    return owner.as_actor(actor), token


def states(repository: Repository) -> list[tuple[str, str, str]]:
    """What was sent to whom, and its state."""
    sent = (one.to_dict() for one in repository.notices(direction="sent"))
    return [(one["about"], one["peer"] or one["url"], one["state"]) for one in sent]


def kinds(repository: Repository, project: str, directions: Iterable[str] = ("sent", "received")) -> list[str]:
    """The topics of the entries about notices in a project's stream."""
    stream = repository.context.store.ledger.entries(project)
    chosen = set(directions)
    return [entry.body["about"] for entry in stream if entry.kind == "notice" and entry.body["direction"] in chosen]

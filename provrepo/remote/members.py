"""Verbs about the members of projects, at a distance."""

from __future__ import annotations

import json

from provrepo.ledger.members import Member
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded

__all__ = ["members", "remove_member", "set_member", "transfer_project"]


def members(connection: Connection, project: str) -> list[Member]:
    """Return the members of a project."""
    path = connection.project(project, "members")
    with connection.understanding():
        return [decoded(Member, item) for item in connection.json("GET", path, project=project)["members"]]


def set_member(connection: Connection, project: str, who: str, role: str) -> Member:
    """Give an actor a role in a project."""
    return connection.record(
        Member,
        "POST",
        connection.project(project, "members"),
        project=project,
        headers={"Content-Type": "application/json"},
        content=json.dumps({"who": who, "role": role}).encode("ascii"),
    )


def transfer_project(connection: Connection, project: str, who: str) -> list[Member]:
    """Give a project to another owner, and return its members."""
    with connection.understanding():
        found = connection.json(
            "POST",
            connection.project(project, "transfer"),
            project=project,
            headers={"Content-Type": "application/json"},
            content=json.dumps({"who": who}).encode("ascii"),
        )
        return [decoded(Member, item) for item in found["members"]]


def remove_member(connection: Connection, project: str, who: str) -> None:
    """Take away the role of an actor in a project."""
    connection.send("DELETE", connection.project(project, "members", who), project=project)

"""Rights in a project, and the roles that give them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["ADMINISTRATOR", "OWNER", "ROLES", "Right"]


class Right(StrEnum):
    """What an actor may do in a project. A token of a member may be limited to some of them, its scopes."""

    READ = "read"
    """Read the current and former versions of its documents, and ask about them."""

    SUBMIT = "submit"
    """Submit documents, and replace and withdraw those that the actor has submitted."""

    CURATE = "curate"
    """Replace and withdraw the documents of others, review, and read withdrawn versions and internal reasons."""

    MANAGE = "manage"
    """Change its settings, profiles and members."""


ROLES: Mapping[str, frozenset[Right]] = {
    "reader": frozenset({Right.READ}),
    "submitter": frozenset({Right.READ, Right.SUBMIT}),
    "curator": frozenset({Right.READ, Right.SUBMIT, Right.CURATE}),
    "owner": frozenset(Right),
}
"""The roles of members of a project, each with the rights of the one before it and one more."""

OWNER = "owner"
"""The role of those who decide about a project."""

ADMINISTRATOR = "administrator"
"""The role in the whole repository: every right in every project, and to create projects."""

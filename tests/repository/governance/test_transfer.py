"""Owners of projects: transfer, and the last owner."""

from __future__ import annotations

import pytest

from provrepo.errors import Conflict, Denied, UsageError
from provrepo.repository.people.roles import ROLES
from provrepo.repository.repository import Repository
from tests.repository.people.test_members import acting


@pytest.fixture
def owner(repository: Repository) -> Repository:
    repository.create_project("crops")
    for role in ROLES:
        repository.add_user(role)
        repository.set_member("crops", role, role)
    return repository


def roles(repository: Repository) -> dict[str, str]:
    return {member.name: member.role for member in repository.members("crops")}


def test_an_owner_gives_the_project_away(owner: Repository) -> None:
    former = acting(owner, "owner")
    found = former.transfer_project("crops", "reader")
    assert {member.name: member.role for member in found} == roles(owner)
    assert roles(owner) == {"reader": "owner", "owner": "curator", "curator": "curator", "submitter": "submitter"}
    with pytest.raises(Denied):
        acting(owner, "owner").set_project("crops", title="mine")
    recorded = [(each.entry["role"], each.entry["actor"]) for each in owner.entries("crops")[-2:]]
    assert recorded == [("owner", former.actor.id), ("curator", former.actor.id)]


def test_other_owners_stay(owner: Repository) -> None:
    owner.set_member("crops", "curator", "owner")
    acting(owner, "owner").transfer_project("crops", "reader")
    assert [name for name, role in roles(owner).items() if role == "owner"] == ["curator", "reader"]


def test_an_administrator_replaces_all_owners(owner: Repository) -> None:
    owner.set_member("crops", "curator", "owner")
    owner.transfer_project("crops", "reader")
    assert [name for name, role in roles(owner).items() if role == "owner"] == ["reader"]


def test_whoever_is_the_only_owner_gets_nothing(owner: Repository) -> None:
    with pytest.raises(Conflict, match="only owner of project crops already"):
        owner.transfer_project("crops", "owner")
    with pytest.raises(UsageError, match="nobody is called"):
        owner.transfer_project("crops", "nobody")
    with pytest.raises(Denied):
        acting(owner, "curator").transfer_project("crops", "curator")
    assert roles(owner)["owner"] == "owner"


def test_the_last_owner_cannot_leave(owner: Repository) -> None:
    last = acting(owner, "owner")
    for call in (lambda: last.remove_member("crops", "owner"), lambda: last.set_member("crops", "owner", "reader")):
        with pytest.raises(Conflict, match="would have no owner any more"):
            call()
    assert roles(owner)["owner"] == "owner"
    last.set_member("crops", "reader", "owner")
    last.remove_member("crops", "owner")
    assert "owner" not in roles(owner)


def test_an_administrator_may_leave_a_project_without_an_owner(owner: Repository) -> None:
    owner.remove_member("crops", "owner")
    assert "owner" not in roles(owner)

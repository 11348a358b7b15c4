"""People: what is known of them, found by any of their names, and erased."""

from __future__ import annotations

from pathlib import Path

import pytest

from provrepo.errors import Conflict, Denied, NotFound, UsageError
from provrepo.repository.repository import Repository
from tests.conftest import PROVJSON

ORCID = "https://orcid.org/0000-0002-1825-0097"


@pytest.fixture
def owner(repository: Repository) -> Repository:
    repository.create_project("crops")
    repository.add_user("Ada Lovelace", email="ada@lab.example", orcid="0000-0002-1825-0097", ror="ror.org/03yrm5c26")
    return repository


def test_identifiers_become_web_addresses(owner: Repository) -> None:
    (ada,) = owner.users()
    assert (ada.orcid, ada.ror) == (ORCID, "https://ror.org/03yrm5c26")


@pytest.mark.parametrize("who", ["Ada Lovelace", "ada@lab.example", "0000-0002-1825-0097", ORCID, "actor"])
def test_a_person_is_found_by_any_name(owner: Repository, who: str) -> None:
    who = owner.users()[0].actor if who == "actor" else who
    assert owner.set_member("crops", who, "curator").name == "Ada Lovelace"


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 10_001},
        {"name": "\ud800"},
        {"name": "Bob", "email": "no address"},
        {"name": "Bob", "email": "bob@"},
        {"name": "Bob", "orcid": "0000-0002-1825-0098"},
        {"name": "Bob", "orcid": "https://evil.example/0000-0002-1825-0097"},
        {"name": "Bob", "ror": "https://ror.org/nothing"},
    ],
)
def test_malformed_values_are_refused(owner: Repository, given: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        owner.add_user(**given)
    assert [one.name for one in owner.users()] == ["Ada Lovelace"]


def test_two_people_never_share_a_name_address_or_orcid(owner: Repository) -> None:
    for given in ({"name": "Ada Lovelace"}, {"name": "B", "email": "ada@lab.example"}, {"name": "B", "orcid": ORCID}):
        with pytest.raises(Conflict):
            owner.add_user(**given)
    owner.add_user("Bob", email="bob@lab.example")
    for change in ({"name": "Ada Lovelace"}, {"email": "ada@lab.example"}, {"orcid": ORCID}):
        with pytest.raises(Conflict):
            owner.set_user("Bob", **change)
    assert [one.to_dict()["email"] for one in owner.users()] == ["ada@lab.example", "bob@lab.example"]


def test_a_service_becomes_a_person_with_the_same_identifier(owner: Repository) -> None:
    _, made = owner.create_token("pipeline")
    assert owner.add_user("pipeline").actor == made.actor


def test_a_new_name_keeps_identifier_and_roles(owner: Repository) -> None:
    owner.set_member("crops", "Ada Lovelace", "owner")
    changed = owner.set_user("ada@lab.example", name="Ada King", email="")
    assert (changed.name, changed.email) == ("Ada King", "")
    (member,) = owner.members("crops")
    assert (member.actor, member.name, member.role) == (changed.actor, "Ada King", "owner")
    with pytest.raises(UsageError, match="nobody is called"):
        owner.set_member("crops", "Ada Lovelace", "reader")


def test_a_removed_person_leaves_documents_and_no_name(owner: Repository, tmp_path: Path) -> None:
    owner.set_member("crops", "Ada Lovelace", "submitter")
    owner.set_administrator("Ada Lovelace", True)
    secret, _ = owner.create_token("Ada Lovelace", scopes=["submit"])
    actor = owner.context.store.authenticate(secret)
    assert actor is not None
    owner.as_actor(actor).submit(PROVJSON, project="crops", name="run", format="provjson")
    owner.remove_user(ORCID)
    assert owner.context.store.authenticate(secret) is None
    assert (owner.users(), owner.members("crops"), owner.administrators()) == ([], [], [])
    assert "Ada" not in owner.document("crops", "run").current.submitter
    assert list(owner.context.store.ledger.verify()) == []
    files = [path for path in (tmp_path / "data").rglob("ledger.sqlite*") if path.is_file()]
    assert files
    for path in files:
        assert b"Lovelace" not in path.read_bytes()
        assert b"ada@lab.example" not in path.read_bytes()
        assert b"0000-0002-1825-0097" not in path.read_bytes()
    with pytest.raises(NotFound, match="no person"):
        owner.remove_user(ORCID)


def test_people_are_for_administrators(owner: Repository) -> None:
    secret, _ = owner.create_token("pipeline", projects=["crops"])
    actor = owner.context.store.authenticate(secret)
    assert actor is not None
    other = owner.as_actor(actor)
    for call in (other.users, other.administrators, lambda: other.add_user("Zoe"), lambda: other.remove_user("Zoe")):
        with pytest.raises(Denied):
            call()

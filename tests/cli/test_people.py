"""Commands about people and their tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

import provrepo
from provrepo.ledger.people import People
from tests.support.command import Command


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path / "data")


def valid(command: Command) -> set[str]:
    """The names of the tokens that are valid."""
    return {each["name"] for each in command.json("token", "list") if each["revoked"] is None}


def test_a_token_is_replaced_by_one_with_the_same_access(command: Command) -> None:
    command("project", "create", "crops")
    first = command.json("token", "create", "ann", "--project", "crops", "--label", "nightly")
    again = command("token", "rotate", first["id"], "--hours", "0")
    listed = {each["id"]: each for each in command.json("token", "list")}
    successor = listed[first["id"]]["successor"]
    assert {key: listed[successor][key] for key in ("name", "label", "projects")} == {
        "name": "ann",
        "label": "nightly",
        "projects": ["crops"],
    }
    assert again.stdout.strip() != first["token"], "the secret is a new one"
    assert f"replaced by {successor}" in command("token", "list").stdout
    assert "no token" in command.error("token", "rotate", "nothing", code=1)


def test_tokens_are_revoked_one_by_one_by_person_or_all(command: Command) -> None:
    ids = {name: command.json("token", "create", name)["id"] for name in ("ann", "bob", "cy", "dan")}
    assert f"{ids['ann']} (ann) revoked " in command("token", "revoke", ids["ann"]).stdout
    assert valid(command) == {"bob", "cy", "dan"}
    assert command("token", "revoke", "--of", "bob").stdout == "1 token revoked\n"
    assert valid(command) == {"cy", "dan"}
    assert command.json("token", "revoke", "--all") == {"revoked": 2}
    assert valid(command) == set()
    for wrong in ((), (ids["cy"], "--all"), ("--of", "cy", "--all")):
        assert "--of WHO, or --all" in command.error("token", "revoke", *wrong, code=2)


def test_a_person_is_unlinked_from_the_accounts_of_a_provider(command: Command) -> None:
    actor = command.json("user", "add", "Ann", "--email", "ann@lab.example")["actor"]
    with provrepo.open(command.data) as repository:
        database = repository.context.store.ledger.database
        with database.writing() as connection:
            People.link(connection, "https://id.example", "ann-1", actor)
    assert "1 account" in command("user", "unlink", "Ann").stdout
    assert "0 accounts" in command("user", "unlink", "Ann").stdout
    assert "no person is called 'Bob'" in command.error("user", "unlink", "Bob", code=1)

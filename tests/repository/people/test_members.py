"""Members: what each role allows, tokens with scopes, and their entries."""

from __future__ import annotations

from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Denied, NotFound, UsageError, Withdrawn
from provrepo.ledger.entries import REPOSITORY
from provrepo.repository.people.roles import ROLES, Right
from provrepo.repository.repository import Repository
from tests.conftest import PROVJSON, TURTLE
from tests.support.ledgers import tamper

OTHER = PROVJSON.replace(b"cleaned", b"washed")


def acting(owner: Repository, name: str, scopes: tuple[str, ...] = tuple(Right), **more: object) -> Repository:
    """The repository for the holder of a new token with scopes."""
    secret, _ = owner.create_token(name, scopes=scopes, **more)  # type: ignore[arg-type]
    actor = owner.context.store.authenticate(secret)
    assert actor is not None
    return owner.as_actor(actor)


@pytest.fixture
def owner(repository: Repository) -> Repository:
    repository.create_project("crops")
    repository.create_project("soil")
    for role in ROLES:
        repository.add_user(role)
        repository.set_member("crops", role, role)
    return repository


def refused(repository: Repository, call: str, *args: object, **kwargs: object) -> bool:
    try:
        getattr(repository, call)(*args, **kwargs)
    except (Denied, NotFound):
        return True
    return False


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gives_its_rights_in_its_project(owner: Repository, role: str) -> None:
    owner.submit(PROVJSON, project="crops", name="others", format="provjson")
    owner.submit(PROVJSON, project="crops", name="gone", format="provjson")
    owner.withdraw("crops", "gone", reason="wrong sheet")
    member = acting(owner, role)
    rights = ROLES[role]
    assert [info.name for info in member.projects()] == ["crops"]
    assert member.original("crops", "others")
    assert refused(member, "submit", TURTLE, project="crops", name="own") == (Right.SUBMIT not in rights)
    assert refused(member, "submit", OTHER, project="crops", name="others", update=True, format="provjson") == (
        Right.CURATE not in rights
    )
    assert refused(member, "withdraw", "crops", "others", reason="wrong") == (Right.CURATE not in rights)
    assert refused(member, "set_project", "crops", title="Crops") == (Right.MANAGE not in rights)
    assert refused(member, "set_member", "crops", "reader", "reader") == (Right.MANAGE not in rights)
    assert refused(member, "members", "crops") == (Right.SUBMIT not in rights)
    assert refused(member, "audit", "crops") == (Right.CURATE not in rights)
    assert refused(member, "create_project", "more")
    assert refused(member, "project", "soil")
    assert refused(member, "submit", TURTLE, project="soil", name="own")
    if Right.CURATE in rights:
        assert member.original("crops", "gone", 1)
    else:
        with pytest.raises(Withdrawn):
            member.original("crops", "gone", 1)


def test_a_submitter_replaces_and_withdraws_own_documents(owner: Repository) -> None:
    submitter = acting(owner, "submitter")
    submitter.submit(PROVJSON, project="crops", name="own", format="provjson")
    assert submitter.submit(OTHER, project="crops", name="own", update=True, format="provjson").version.version == 2
    # It stays the document of its submitter after a curator has replaced it.
    owner.submit(TURTLE, project="crops", name="own", update=True, format="turtle")
    assert submitter.withdraw("crops", "own", reason="wrong").current.state == "withdrawn"
    assert submitter.submit(OTHER, project="crops", name="own", format="provjson", again=True).version.version == 4


def test_the_name_of_anothers_withdrawn_document_is_not_free(owner: Repository) -> None:
    owner.submit(PROVJSON, project="crops", name="others", format="provjson")
    owner.withdraw("crops", "others", reason="wrong")
    submitter = acting(owner, "submitter")
    with pytest.raises(Denied, match="submitted by somebody else"):
        submitter.submit(OTHER, project="crops", name="others", format="provjson")
    assert owner.history("crops", "others")[-1].version == 1


def test_scopes_limit_a_role_and_give_nothing_beyond_it(owner: Repository) -> None:
    assert refused(acting(owner, "owner", ("read",)), "submit", TURTLE, project="crops", name="own")
    assert refused(acting(owner, "reader", tuple(Right)), "submit", TURTLE, project="crops", name="own")
    curating = acting(owner, "owner", ("submit", "curate"))
    assert not refused(curating, "submit", TURTLE, project="crops", name="own")
    assert refused(curating, "set_project", "crops", title="Crops")
    owner.set_member("soil", "owner", "owner")
    limited = acting(owner, "owner", tuple(Right), projects=["soil"])
    assert [info.name for info in limited.projects()] == ["soil"]


def test_a_role_that_is_taken_away_counts_for_the_next_call(owner: Repository) -> None:
    secret, _ = owner.create_token("curator", scopes=["curate"])
    before = owner.context.store.authenticate(secret)
    assert before is not None
    assert owner.as_actor(before).projects()
    owner.remove_member("crops", "curator")
    after = owner.context.store.authenticate(secret)
    assert after is not None
    assert owner.as_actor(after).projects() == []
    with pytest.raises(NotFound, match="has no role"):
        owner.remove_member("crops", "curator")


def test_tokens_without_scopes_give_access_by_themselves(owner: Repository) -> None:
    secret, _ = owner.create_token("reader", projects=["soil"])
    actor = owner.context.store.authenticate(secret)
    assert actor is not None
    granted = owner.as_actor(actor)
    assert [info.name for info in granted.projects()] == ["soil"]
    assert not refused(granted, "submit", TURTLE, project="soil", name="own")


def test_an_administrator_has_every_right(owner: Repository) -> None:
    owner.set_administrator("reader", True)
    assert [one.name for one in owner.administrators()] == ["reader"]
    administrator = acting(owner, "reader")
    assert administrator.create_project("more").name == "more"
    assert administrator.set_member("soil", "submitter", "submitter").role == "submitter"
    assert not refused(administrator, "add_user", "Zoe")
    # With a token for some projects, only in these, and no more for the repository.
    limited = acting(owner, "reader", tuple(Right), projects=["soil"])
    assert refused(limited, "create_project", "other")
    assert [info.name for info in limited.projects()] == ["soil"]
    owner.set_administrator("reader", False)
    assert refused(acting(owner, "reader"), "create_project", "other")


@pytest.mark.parametrize(
    ("who", "role", "error", "words"),
    [
        ("Zoe", "reader", UsageError, "nobody is called 'Zoe'"),
        ("reader", "king", UsageError, "there are: reader, submitter, curator, owner"),
        ("reader", "administrator", UsageError, "not a role"),
        ("reader", "none", UsageError, "not a role"),
    ],
)
def test_mistakes_are_named(owner: Repository, who: str, role: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        owner.set_member("crops", who, role)


def test_scopes_that_do_not_exist_are_refused(owner: Repository) -> None:
    with pytest.raises(UsageError, match="'write' is not a scope; there are: read, submit, curate, manage"):
        owner.create_token("reader", scopes=["write"])
    with pytest.raises(UsageError, match="limited by them"):
        owner.create_token("reader", scopes=["read"], write=False)


def test_a_token_with_scopes_expires_unless_told_otherwise(owner: Repository) -> None:
    _, made = owner.create_token("reader", scopes=["submit"])
    assert made.scopes == ("read", "submit")
    assert made.expires is not None
    assert owner.create_token("reader", scopes=["read"], days=400)[1].expires > made.expires  # type: ignore[operator]
    assert owner.create_token("reader")[1].expires is None


def test_each_change_is_an_entry_without_names(owner: Repository) -> None:
    before = owner.context.store.ledger.length("crops")
    owner.set_member("crops", "reader", "curator")
    owner.set_member("crops", "reader", "curator")  # changes nothing
    owner.remove_member("crops", "reader")
    entries = [e for e in owner.context.store.ledger.entries("crops") if e.sequence > before]
    assert [(e.kind, e.body["role"]) for e in entries] == [("member", "curator"), ("member", "none")]
    assert all(b"reader" not in e.data for e in entries)
    owner.set_administrator("reader", True)
    (entry,) = [e for e in owner.context.store.ledger.entries(REPOSITORY) if e.kind == "role"]
    assert entry.body["role"] == "administrator"
    assert list(owner.context.store.ledger.verify()) == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE members SET role = 'owner' WHERE role = 'reader'", "recorded reader"),
        ("DELETE FROM members WHERE role = 'reader'", "has the role none"),
        ("UPDATE members SET sequence = sequence + 1 WHERE role = 'reader'", "names another entry"),
        ("INSERT INTO members SELECT 'soil', actor, role, 1 FROM members WHERE role = 'reader'", "no entry gave it"),
        ('UPDATE tokens SET scopes = \'["read", "manage"]\' WHERE scopes IS NOT NULL', "its access"),
        ("UPDATE tokens SET scopes = NULL", "its access"),
    ],
)
def test_what_was_changed_by_sql_is_found(owner: Repository, statement: str, words: str) -> None:
    owner.create_token("reader", scopes=["read"])
    ledger = owner.context.store.ledger
    assert list(ledger.verify()) == []
    tamper(ledger, statement)
    (problem,) = list(ledger.verify())
    assert words in problem


def test_a_mirror_has_no_members(tmp_path: Path, owner: Repository) -> None:
    owner.submit(PROVJSON, project="crops", name="run", format="provjson")
    owner.pack("crops", tmp_path / "crops.zip")
    with provrepo.open(tmp_path / "other") as other:
        other.init()
        other.unpack(tmp_path / "crops.zip", name="mirrored")
        other.add_user("Zoe")
        with pytest.raises(Denied, match="mirror"):
            other.set_member("mirrored", "Zoe", "reader")
        # The entries about members of the origin give nobody a role here.
        assert other.members("mirrored") == []
        assert list(other.context.store.ledger.verify()) == []


def test_a_decision_does_not_depend_on_the_number_of_members(owner: Repository) -> None:
    """Counted in statements of SQL, not in seconds."""
    for number in range(30):
        owner.add_user(f"person {number}")
        owner.set_member("crops", f"person {number}", "reader")
    secret, _ = owner.create_token("person 7", scopes=["read"])
    counted: list[str] = []
    with owner.context.store.ledger.database.reading() as connection:
        connection.set_trace_callback(counted.append)
        try:
            assert owner.context.store.authenticate(secret) is not None
        finally:
            connection.set_trace_callback(None)
    assert sum("SELECT" in statement for statement in counted) <= 2

"""``provrepo.connect`` has the verbs of ``Repository``, with their parameters, results and errors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import provrepo
from provrepo.cli.main import cli
from provrepo.errors import Conflict, Denied, Error, NotFound, ReadError, Stale, UsageError
from provrepo.remote import decoding, repository
from provrepo.remote.repository import RemoteRepository
from provrepo.repository.lineage.records import SourceReference
from provrepo.repository.records import ProjectInfo
from provrepo.repository.repository import Repository
from tests.support.distance import EX, NEXT, RUN, Pair, pair
from tests.support.mlflow_stores import database

VERBS = sorted(
    name for name, value in vars(Repository).items() if inspect.isfunction(value) and hasattr(value, "__wrapped__")
)
HERE_ONLY = {
    *("init", "base", "identity", "erase", "remaining", "rebuild", "fsck", "check_views", "backup", "pingback"),
    *("create_token", "tokens", "revoke_token", "add_profile", "backtest"),
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("both") / "data") as found:
        yield found


@pytest.fixture
def remote(both: Pair) -> Iterator[RemoteRepository]:
    with provrepo.connect(both.url, token=both.token) as found:
        yield found


@pytest.fixture
def local(both: Pair) -> Iterator[Repository]:
    with provrepo.open(both.data) as found:
        yield found


def test_verbs_are_found() -> None:
    assert {"submit", "lineage", "fsck", "set_project"} < set(VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_has_the_same_signature(name: str) -> None:
    here, there = getattr(Repository, name), getattr(RemoteRepository, name)
    assert inspect.signature(there) == inspect.signature(here)
    assert there.__doc__ == here.__doc__
    assert there.__name__ == name
    if implementation := getattr(there, "implementation", None):
        # The functions themselves, which the signature above does not show.
        assert _parameters(implementation) == _parameters(here)


def _parameters(function: Callable[..., Any]) -> list[tuple[str, object, object]]:
    _, *parameters = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default) for each in parameters]


def test_an_option_of_the_directory_may_have_its_default_only(
    remote: RemoteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def projects(connection: object) -> list[object]:
        return []

    def local(self: object, /, *, more: bool = False) -> list[object]:
        return []

    method = repository._verb(local, projects)  # type: ignore[arg-type]
    assert method(remote, more=False) == []  # type: ignore[call-arg]
    with pytest.raises(UsageError, match=r"^local takes more in the data directory only"):
        method(remote, more=True)  # type: ignore[call-arg]


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("projects", (), {}),
    ("project", ("crops",), {}),
    ("project", ("nowhere",), {}),
    ("documents", ("crops",), {}),
    ("documents", ("crops",), {"withdrawn": True, "limit": 2}),
    ("documents", ("crops",), {"withdrawn": True, "after": "gone"}),
    ("documents", ("crops",), {"limit": 0}),
    ("newest_documents", ("crops",), {}),
    ("newest_documents", ("crops",), {"offset": 1, "limit": 2}),
    ("document", ("crops", "gone"), {}),
    ("document", ("crops", "none"), {}),
    ("history", ("crops", "run"), {}),
    ("version", ("crops", "run"), {}),
    ("version", ("crops", "run", 1), {}),
    ("version", ("crops", "run", 0), {}),
    ("version", ("crops", "run", -1), {}),
    ("version", ("crops", "run", 10**12), {}),
    ("version", ("crops", "gone"), {}),
    ("original", ("crops", "run", 1), {}),
    ("read", ("crops", "next"), {}),
    ("export", ("crops", "run"), {"format": "trig"}),
    ("export", ("crops", "run"), {"format": "none"}),
    ("report", ("crops", "run"), {}),
    ("entries", ("crops",), {}),
    ("entries", ("crops",), {"after": 2, "limit": 2}),
    ("entries", ("crops",), {"after": -1}),
    ("arrivals", ([SourceReference("crops", "run", 1, ""), SourceReference("crops", "none", 1, "")],), {}),
    ("log", ("crops",), {}),
    ("log", ("nowhere",), {}),
    ("log_tile", ("crops", "0/000.p/2"), {}),
    ("log_tile", ("crops", "entries/000.p/1"), {}),
    ("log_tile", ("crops", "0/001"), {}),
    ("receipt", ("crops", "run"), {}),
    ("receipt", ("crops", "run", 1), {}),
    ("receipt", ("crops", "gone"), {}),
    ("receipt", ("crops", "none"), {}),
    ("audit", ("crops",), {"action": "submit", "limit": 2}),
    ("audit", ("crops",), {"action": "nonsense"}),
    ("audit", ("crops",), {"limit": 0}),
    ("exposure", ("empty",), {}),
    ("members", ("crops",), {}),
    ("members", ("nowhere",), {}),
    ("set_member", ("crops", "nobody", "reader"), {}),
    ("set_member", ("crops", "bob", "king"), {}),
    ("transfer_project", ("crops", "nobody"), {}),
    ("publication", ("crops", "run"), {"to": "nowhere"}),
    ("publish", ("crops", "run"), {"to": "crops"}),
    ("invite", ("crops", "king"), {}),
    ("invite", ("crops", "reader"), {"days": 0}),
    ("invitations", ("crops",), {}),
    ("revoke_invitation", ("crops", "none"), {}),
    ("set_embargo", ("crops", "soon"), {}),
    ("set_embargo", ("crops", None), {}),
    ("remove_member", ("crops", "bob"), {}),
    ("remove_member", ("nowhere", "bob"), {}),
    ("query", ("SELECT * { ?s a prov:Entity } ORDER BY ?s",), {"project": "crops"}),
    ("query", ("SELECT * { ?s a ?o } ORDER BY ?s ?o",), {"project": ["crops", "default"], "timeout": 20}),
    ("query", ("CONSTRUCT WHERE { ?s prov:used ?o }",), {"public": True}),
    ("query", ("ASK { <x> ?p ?o }",), {"base": EX}),
    ("query", ("ASK {}",), {"timeout": 0}),
    ("query", ("ASK {}",), {"project": []}),
    ("query", ("ASK {",), {}),
    ("query_version", ("crops", "run", 1, "SELECT * { ?s prov:used ?o }"), {}),
    ("query_version", ("crops", "run", 7, "ASK {}"), {}),
    ("datasets", ("crops",), {}),
    ("datasets", ("crops",), {"limit": 0}),
    ("datasets", ("nowhere",), {"text": "x"}),
    ("dataset", ("crops", f"{EX}table"), {}),
    ("dataset", ("crops", "no iri"), {}),
    ("dataset", ("crops", f"{EX}table"), {"offset": -1}),
    ("to_run_again", ("crops",), {}),
    ("to_run_again", ("crops",), {"input": f"{EX}table", "reason": "withdrawn"}),
    ("to_run_again", ("crops",), {"reason": "broken"}),
    ("to_run_again", ("nowhere",), {}),
    ("lineage", (f"{EX}report",), {}),
    ("lineage", (f"{EX}report",), {"sources": [f"{EX}raw"], "limit": 2, "depth": 9}),
    ("lineage", (f"{EX}report",), {"direction": "sideways"}),
    ("lineage", (f"{EX}report",), {"timeout": 0}),
    ("lineage", (f"{EX}none",), {"as_of": "crops/2"}),
    ("lineage", (f"{EX}report",), {"federated": True}),
    ("impact", (f"{EX}raw",), {}),
    ("common", ([f"{EX}report", f"{EX}figure"],), {}),
    ("thing", (f"{EX}table",), {}),
    ("thing", (f"{EX}table",), {"versions": 1, "limit": 1}),
    ("node", (f"{EX}table",), {}),
    ("node", ("no iri",), {}),
    ("labels", ([f"{EX}table", f"{EX}clean", f"{EX}none"],), {"project": "crops"}),
    ("search", ("table",), {}),
    ("profiles", (), {}),
    ("profile", ("core", "crops"), {}),
    ("gate", (f"{EX}report",), {"sources": [f"{EX}raw"], "min_coverage": 50, "project": "crops"}),
    ("gate", (f"{EX}report",), {"sources": [], "min_coverage": 101}),
    ("metrics", ("crops",), {}),
    ("metrics", (), {}),
    ("pingbacks", ("crops",), {}),
    ("discard_pingbacks", ("crops", "run"), {}),
    ("validate", (RUN,), {"profiles": ["core"], "format": "provn"}),
    ("validate", (NEXT,), {"constraints": "gate", "base": EX, "project": "strict"}),
    ("validate", (RUN,), {"project": "nowhere"}),
    ("validate", (RUN,), {"profiles": ["none"]}),
    ("validate", (provrepo.read(RUN, format="provn"),), {"profiles": ["core"]}),
    ("waiting", (), {}),
    ("pending", (), {}),
    ("pending", ("crops",), {}),
    ("pending", ("nowhere",), {}),
    ("pending_document", ("none",), {}),
    ("pending_document", ("none",), {"project": "crops"}),
    ("pending_document", ("none",), {"project": "nowhere"}),
    ("pending_original", ("../x",), {}),
    ("pending_report", ("none",), {}),
    ("accept_pending", ("none",), {"project": "crops"}),
    ("reject_pending", ("none",), {}),
    ("webhooks", ("crops",), {}),
    ("webhooks", ("nowhere",), {}),
    ("add_webhook", ("crops", "ftp://x"), {}),
    *((name, ("crops", "none"), {}) for name in ("remove_webhook", "rotate_webhook", "enable_webhook", "test_webhook")),
    ("ask_pending", ("none",), {"reason": "x"}),
    ("replace_pending", ("none", RUN), {}),
    ("peers", (), {}),
    ("peer", ("far",), {}),
    ("peer", ("../x",), {}),
    ("pushes", (), {}),
    ("pushes", ("nowhere",), {}),
    ("holders", ("crops",), {}),
    ("notices", (), {}),
    ("notices", (), {"direction": "sideways"}),
    ("notices", (None, "run"), {}),
    ("notices", ("crops", "none"), {}),
    ("notice", ("none",), {}),
    ("mirrors", (), {}),
]


def _result(call: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    try:
        return call(*arguments, **options)
    except Error as error:
        # Errors of a server have the status of its answer, those of a data directory have none.
        own = {name: value for name, value in vars(error).items() if name not in ("report", "status", "retry_after")}
        return type(error), str(error), own


@pytest.mark.parametrize(("name", "arguments", "options"), CALLS, ids=lambda value: str(value)[:60])
def test_each_verb_gives_the_same(
    local: Repository, remote: RemoteRepository, name: str, arguments: tuple[Any, ...], options: dict[str, Any]
) -> None:
    here = _result(getattr(local, name), arguments, options)
    there = _result(getattr(remote, name), arguments, options)
    assert type(there) is type(here)
    assert there == here


def test_every_verb_is_called_or_needs_the_directory(remote: RemoteRepository) -> None:
    called = {name for name, _, _ in CALLS} | {
        *(
            "submit",
            "withdraw",
            "create_project",
            "set_project",
            "indexing_server",
            "pack",
            "import_documents",
            "export_project",
        )
    }
    for name in set(VERBS) - called:
        parameters = inspect.signature(getattr(Repository, name)).parameters.values()
        required = [p for p in list(parameters)[1:] if p.default is p.empty]
        positional = ["x" for p in required if p.kind is not p.KEYWORD_ONLY]
        keywords = {p.name: "x" for p in required if p.kind is p.KEYWORD_ONLY}
        with pytest.raises(
            UsageError, match=r"^this needs the data directory itself.*, and http.* is a server; run it on the machine"
        ):
            getattr(remote, name)(*positional, **keywords)
    assert set(VERBS) - called >= HERE_ONLY


def test_roles_are_given_and_taken(remote: RemoteRepository, local: Repository) -> None:
    local.create_project("roles")
    local.add_user("Zoë/Ann", email="zoe@lab.example")
    given = remote.set_member("roles", "zoe@lab.example", "curator")
    assert [given] == local.members("roles") == remote.members("roles")
    remote.remove_member("roles", "Zoë/Ann")
    assert local.members("roles") == []


def test_invitations_are_made_listed_and_revoked(remote: RemoteRepository, local: Repository) -> None:
    local.create_project("inviting")
    secret, made = remote.invite("inviting", "reader", label="Zoë", uses=0)
    assert [made] == local.invitations("inviting") == remote.invitations("inviting")
    assert (len(secret), made.label, made.most) == (43, "Zoë", 0)
    assert remote.revoke_invitation("inviting", made.id) == local.invitations("inviting")[0]


def test_an_invitation_of_the_command_leads_to_the_server(both: Pair, local: Repository) -> None:
    local.create_project("leading")
    made = CliRunner().invoke(
        cli, ["--data", both.url, "invite", "leading", "reader"], env={"PROVREPO_TOKEN": both.token}
    )
    assert made.exit_code == 0, made.output
    assert made.output.startswith(f"{both.url.rstrip('/')}/invitations/{local.invitations('leading')[0].id}#")


def test_records_of_other_tools_are_imported(
    both: Pair, remote: RemoteRepository, local: Repository, tmp_path: Path
) -> None:
    local.create_project("imported")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "run.provn").write_bytes(RUN)
    (tmp_path / "notes.txt").write_text("notes")
    found = remote.import_documents(tmp_path, project="imported", note="a note")
    assert [receipt.version for receipt in found.receipts] == [local.version("imported", "deep-run")]
    assert [skipped.reason for skipped in found.skipped] == ["not recognized as a format that can be read"]
    here = local.import_documents(tmp_path, project="imported", note="a note")
    assert [receipt.version for receipt in here.receipts] == [receipt.version for receipt in found.receipts]
    nothing = remote.import_documents(tmp_path / "notes.txt", project="imported", format="openlineage")
    assert nothing == local.import_documents(tmp_path / "notes.txt", project="imported", format="openlineage")
    assert nothing.receipts == ()
    for each in (remote, local):
        with pytest.raises(NotFound):
            each.import_documents(RUN, project="nowhere")
        with pytest.raises(ReadError):
            each.import_documents(b"PK no archive", project="imported")


def test_a_file_of_several_documents_is_collected_here(
    remote: RemoteRepository, local: Repository, tmp_path: Path
) -> None:
    local.create_project("tracked")
    found = remote.import_documents(database(tmp_path / "mlflow.db"), project="tracked")
    assert (len(found.receipts), found.skipped) == (3, ())
    again = remote.import_documents((tmp_path / "mlflow.db").read_bytes(), project="tracked")
    assert [receipt.created for receipt in again.receipts] == [False] * 3


def test_documents_are_stored_and_withdrawn(both: Pair, remote: RemoteRepository, local: Repository) -> None:
    made = remote.create_project("writing", title="Writing", profiles=["core"])
    assert made == local.project("writing")
    assert remote.set_project("writing", profiles=[], public=True) == local.project("writing")
    first = remote.submit(RUN, project="writing", name="run", format="provn", note="a note")
    assert (first.created, first.indexed, first.version.note) == (True, True, "a note")
    assert first.version == local.version("writing", "run")
    assert first.entry == local.entries("writing")[-1].sha256
    assert first.report == local.report("writing", "run")
    again = remote.submit(RUN, project="writing", name="run", format="provn")
    assert (again.created, again.version) == (False, first.version)
    other = RUN.replace(b"raw data", b"other data")
    with pytest.raises(Conflict, match="is taken by other bytes"):
        remote.submit(other, project="writing", name="run")
    with pytest.raises(Stale):
        remote.submit(other, project="writing", name="run", if_match="0" * 64)
    assert remote.submit(other, project="writing", name="run", if_match=first.version.sha256).version.version == 2
    assert remote.submit(RUN, project="writing", name="run", if_match="*").version.version == 3
    unnamed = remote.submit(NEXT, project="writing")
    assert unnamed.version == local.version("writing", unnamed.version.name)
    with pytest.raises(Stale):
        remote.withdraw("writing", "run", reason="x", if_match="0" * 64)
    info = remote.withdraw("writing", "run", reason="why", internal_reason="inside", if_match=first.version.sha256)
    assert info == local.document("writing", "run")
    assert (info.reason, info.internal_reason) == ("why", "inside")


def test_pages_are_followed(remote: RemoteRepository, local: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provrepo.remote.connection.MAX_PAGE_SIZE", 1)
    assert remote.projects() == local.projects()
    for module in ("documents",):
        monkeypatch.setattr(f"provrepo.remote.{module}.MAX_PAGE_SIZE", 1)
    assert remote.documents("crops", withdrawn=True) == local.documents("crops", withdrawn=True)
    assert remote.entries("crops", limit=5) == local.entries("crops", limit=5)


def test_a_reader_may_not_write(both: Pair, local: Repository) -> None:
    token, _ = local.create_token("eve", write=False, projects=["crops"])
    with provrepo.connect(both.url, token=token) as reader:
        assert reader.project("crops").name == "crops"
        with pytest.raises(Denied, match="eve may not change project 'crops'"):
            reader.submit(RUN, project="crops", format="provn")
        with pytest.raises(Denied, match="eve may not change project"):
            reader.withdraw("crops", "run", reason="x")
        with pytest.raises(Denied, match="a token for all projects is needed"):
            reader.create_project("mine")
        with pytest.raises(NotFound, match=r"^there is no project 'strict'$"):
            reader.documents("strict")
        with pytest.raises(NotFound, match=r"^there is no project 'strict'$"):
            reader.lineage(f"{EX}report", project="strict")
        with pytest.raises(NotFound, match=r"^there is no project 'strict'$"):
            reader.query("ASK {}", project=["crops", "strict"])


def test_without_a_token_what_is_public_is_read(both: Pair, local: Repository) -> None:
    with provrepo.connect(both.url) as anonymous:
        assert [found.name for found in anonymous.projects()] == ["crops", *_public(local)]
        with pytest.raises(Denied, match="anonymous may not change project 'crops'"):
            anonymous.submit(RUN, project="crops", format="provn")
        assert anonymous.history("crops", "gone")[0].internal_reason == ""


def _public(local: Repository) -> list[str]:
    return [found.name for found in local.projects() if found.public and found.name != "crops"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ProjectInfo, None),
        (ProjectInfo, []),
        (ProjectInfo, {}),
        (ProjectInfo, {"name": 3, "public": True}),
        (ProjectInfo, {"name": "x", "public": 1}),
        (ProjectInfo, {"name": "x", "public": True, "documents": True}),
        (ProjectInfo, {"name": "x", "public": True, "profiles": "core"}),
        (ProjectInfo, {"name": "x", "public": True, "profiles": [1]}),
        (int, True),
        (dict, []),
    ],
)
def test_values_of_another_type_are_refused(kind: type, value: object) -> None:
    with pytest.raises(decoding.Unexpected):
        decoding.decoded(kind, value)


def test_unknown_members_are_ignored_and_missing_ones_have_their_default() -> None:
    assert decoding.decoded(ProjectInfo, {"name": "x", "public": True, "more": 1}) == ProjectInfo("x", True)


def test_a_url_is_not_a_directory() -> None:
    with pytest.raises(UsageError, match="names a server"):
        provrepo.open("https://prov.example/")
    with pytest.raises(UsageError, match="is not the URL of a server"):
        provrepo.connect("/srv/provrepo")

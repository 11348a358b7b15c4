"""The verbs: what is submitted can be read, and a refused call stores nothing."""

from __future__ import annotations

import hashlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import provrepo
import provrepo.settings
from provrepo.errors import (
    Busy,
    Conflict,
    Denied,
    InvalidName,
    NotFound,
    QueryError,
    ReadError,
    Refused,
    Stale,
    TooLarge,
    UnknownFormat,
    UsageError,
    Withdrawn,
)
from provrepo.repository.access import LONGEST
from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from provrepo.repository.submission.submit import name_for
from tests.conftest import PROVJSON, TURTLE
from tests.support.ledgers import leftovers

COUNT = "SELECT (COUNT(*) AS ?n) WHERE { ?s a prov:Activity }"
UNDESCRIBED = b"""document
prefix ex <http://example.org/>
activity(ex:run, 2026-01-01T10:00:00Z, -)
used(ex:run, ex:nowhere, -)
endDocument"""


def number(repository: Repository, query: str = COUNT, **where: object) -> int:
    (row,) = repository.query(query, **where).rows  # type: ignore[arg-type]
    return int(row["n"].lexical)  # type: ignore[union-attr]


def left_behind(repository: Repository) -> tuple[list[str], list[str]]:
    """Return the stored blobs and documents."""
    store = repository.context.store
    return sorted(store.blobs.all()), [info.name for info in repository.documents("default")]


def test_what_goes_in_comes_out(repository: Repository) -> None:
    receipt = repository.submit(PROVJSON, name="run-1")
    assert receipt.created
    assert receipt.indexed
    assert receipt.report.conforms
    assert receipt.version.version == 1
    assert receipt.version.sha256 == hashlib.sha256(PROVJSON).hexdigest()
    assert receipt.version.format == "provjson"
    assert receipt.version.statements == 7
    assert repository.original("default", "run-1")[0] == PROVJSON
    assert repository.export("default", "run-1") == PROVJSON
    exported = provrepo.read(repository.export("default", "run-1", format="turtle"), format="turtle")
    assert provrepo.compare(exported, provrepo.read(PROVJSON)).same
    assert number(repository) == 1


def test_turtle_keeps_every_triple_and_its_bytes(repository: Repository) -> None:
    repository.submit(TURTLE, name="run")
    assert repository.export("default", "run", format="turtle") == TURTLE
    assert repository.query("ASK { <http://example.org/run> prov:used <http://example.org/raw> }").boolean is True
    # Completion derives the qualified form from the unqualified one.
    assert repository.query("ASK { ?a prov:qualifiedUsage/prov:entity <http://example.org/raw> }").boolean is True


def test_the_same_bytes_are_the_same_version(repository: Repository) -> None:
    first = repository.submit(PROVJSON, name="run")
    again = repository.submit(PROVJSON, name="run")
    assert (first.created, again.created) == (True, False)
    assert again.version == first.version
    assert again.entry == first.entry
    assert again.report == first.report
    assert len(repository.history("default", "run")) == 1


def test_a_taken_name_is_a_conflict_unless_it_is_an_update(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    with pytest.raises(Conflict, match="taken by other bytes"):
        repository.submit(TURTLE, name="run")
    receipt = repository.submit(TURTLE, name="run", update=True)
    assert receipt.version.version == 2
    states = [(info.version, info.state) for info in repository.history("default", "run")]
    assert states == [(1, "superseded"), (2, "current")]
    assert repository.original("default", "run", 1)[0] == PROVJSON
    # Only the current version is in the dataset, with one derivation.
    assert number(repository, "SELECT (COUNT(*) AS ?n) WHERE { ?s prov:wasDerivedFrom ?o }") == 1
    assert number(repository) == 1


def test_an_earlier_version_can_become_current_again(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    repository.submit(TURTLE, name="run", update=True)
    receipt = repository.submit(PROVJSON, name="run", update=True)
    assert receipt.created
    assert receipt.version.version == 3


def test_if_match_replaces_only_what_the_caller_knew(repository: Repository) -> None:
    first = repository.submit(PROVJSON, name="run")
    with pytest.raises(Stale):
        repository.submit(TURTLE, name="run", if_match="0" * 64)
    repository.submit(TURTLE, name="run", if_match=first.version.sha256)
    with pytest.raises(Stale):
        repository.submit(TURTLE + b"\n", name="run", if_match=first.version.sha256)
    repository.submit(TURTLE + b"\n", name="run", if_match="*")
    with pytest.raises(Stale, match="no current version"):
        repository.submit(TURTLE, name="unknown", if_match="*")


def test_a_refused_submission_leaves_nothing_but_its_report(repository: Repository) -> None:
    with pytest.raises(Refused) as refused:
        repository.submit(UNDESCRIBED, name="bad", profiles=["core"])
    report = refused.value.report
    assert isinstance(report, provrepo.Report)
    assert not report.conforms
    assert report.layers == ("syntax", "constraints", "shapes")
    assert left_behind(repository) == ([], [])
    assert leftovers(repository.settings.data) == []


def test_a_projects_profiles_hold_for_every_submission(repository: Repository) -> None:
    repository.create_project("strict", profiles=["core"])
    with pytest.raises(Refused):
        repository.submit(UNDESCRIBED, project="strict", name="bad")
    assert repository.submit(PROVJSON, project="strict", name="good").version.profiles[0].startswith("core")


@pytest.mark.parametrize(
    ("data", "options", "error"),
    [
        (b'{"entity": {"ex:a": {}', {}, ReadError),
        (b"\x00\x01\x02\xff\xfe", {}, ReadError),
        (b"", {}, ReadError),
        (b"document\nentity(nowhere:e)\nendDocument", {}, ReadError),
        ("@prefix ex: <http://ex/> . ex:ü a ex:Ding".encode("latin-1"), {"format": "turtle"}, ReadError),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', {"format": "provxml"}, ReadError),
        (PROVJSON, {"format": "word"}, UnknownFormat),
        (PROVJSON, {"name": "../../etc/passwd"}, InvalidName),
        (PROVJSON, {"name": ""}, InvalidName),
        (PROVJSON, {"project": "a b"}, InvalidName),
        (PROVJSON, {"project": "unknown"}, NotFound),
        (PROVJSON, {"profiles": ["unknown"]}, UsageError),
    ],
)
def test_bad_input_is_said_and_nothing_is_stored(
    repository: Repository, data: bytes, options: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        repository.submit(data, **{"name": "bad", **options})  # type: ignore[arg-type]
    assert str(raised.value)
    assert left_behind(repository) == ([], [])


def test_a_file_that_cannot_be_opened(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot read"):
        repository.submit(tmp_path / "nothing.provn")


def test_more_bytes_than_allowed(tmp_path: Path) -> None:
    settings = provrepo.settings.Settings(data=tmp_path / "data", max_body=10)
    with provrepo.open(settings=settings) as repository, pytest.raises(TooLarge):
        repository.submit(PROVJSON, name="run")


def test_the_place_of_an_error_survives_the_worker(repository: Repository) -> None:
    with pytest.raises(ReadError) as raised:
        repository.submit(b"document\n  entity(ex:a)\nendDocument", name="bad")
    assert (raised.value.format, raised.value.line) == ("provn", 2)


def test_withdrawing_takes_it_out_of_the_dataset_and_keeps_the_record(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    repository.submit(TURTLE, name="other")
    with pytest.raises(UsageError, match="reason"):
        repository.withdraw("default", "run", reason=" ")
    info = repository.withdraw("default", "run", reason="wrong sensor")
    assert (info.withdrawn, info.reason) == (True, "wrong sensor")
    with pytest.raises(Withdrawn, match="wrong sensor"):
        repository.version("default", "run")
    with pytest.raises(Withdrawn):
        repository.withdraw("default", "run", reason="again")
    assert repository.original("default", "run", 1)[0] == PROVJSON
    assert [i.name for i in repository.documents("default")] == ["other"]
    assert [i.name for i in repository.documents("default", withdrawn=True)] == ["other", "run"]
    # The other document contains the activity, too; only the withdrawn one contains the label.
    assert number(repository) == 1
    assert repository.query("ASK { ?s rdfs:label 'cleaned' }").boolean is False
    assert repository.submit(PROVJSON, name="run", again=True).version.version == 2


def test_erasing_deletes_the_bytes_and_keeps_the_digest(repository: Repository) -> None:
    first = repository.submit(PROVJSON, name="run").version
    repository.submit(PROVJSON, name="twin")
    erased = repository.erase("default", "run", 1, reason="court order")
    assert erased.state == "erased"
    assert erased.sha256 == first.sha256
    assert repository.context.store.blobs.exists(first.sha256), "another version consists of the same bytes"
    assert repository.erase("default", "twin", 1, reason="court order").state == "erased"
    assert not repository.context.store.blobs.exists(first.sha256)
    with pytest.raises(Withdrawn, match="erased"):
        repository.original("default", "run", 1)
    assert number(repository) == 0
    assert repository.fsck().sound
    before = quads(repository)
    repository.rebuild()
    assert quads(repository) == before
    again = repository.submit(PROVJSON, name="run", again=True)
    assert (again.created, again.version.version) == (True, 2)


def quads(repository: Repository) -> dict[str, list[str]]:
    from provrepo.views.sparql.store import Quads

    view = repository.context.store.view(Quads)
    return {dataset: list(view.dump(dataset)) for dataset in view.datasets()}


def test_rebuild_gives_the_same_quads_twice(repository: Repository) -> None:
    repository.create_project("open", public=True)
    repository.submit(PROVJSON, name="a")
    repository.submit(TURTLE, name="a", update=True)
    repository.submit(PROVJSON, name="b", project="open")
    repository.submit(TURTLE, name="c", project="open")
    repository.withdraw("open", "c", reason="mistake")
    live = quads(repository)
    assert set(live) == {"default", "open", "*public"}
    for _ in range(2):
        repository.rebuild()
        assert quads(repository) == live


def test_making_a_project_public_and_private_again(repository: Repository) -> None:
    repository.create_project("lab")
    repository.submit(PROVJSON, name="run", project="lab")
    assert number(repository, public=True) == 0
    repository.set_project("lab", public=True)
    assert number(repository, public=True) == 1
    repository.set_project("lab", public=False)
    assert number(repository, public=True) == 0
    assert not any("lab" in line for line in quads(repository).get("*public", []))


def test_a_base_iri_renames_everything(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    assert repository.version("default", "run").iri.startswith("urn:uuid:")
    for wrong in ("not an iri", "ftp://x/", "http://x/?q", "/relative"):
        with pytest.raises(UsageError):
            repository.init(wrong)
    assert repository.init("https://prov.example.org") == "https://prov.example.org/"
    iri = "https://prov.example.org/projects/default/documents/run/versions/1"
    assert repository.version("default", "run").iri == iri
    assert repository.query(f"ASK {{ GRAPH <{iri}> {{ ?a a prov:Activity }} }}").boolean is True
    graphs = repository.query("SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }").rows
    assert all(str(row["g"]).startswith("https://prov.example.org/") for row in graphs)


@pytest.mark.parametrize("text", ["\udcff", "a\ud800", "x" * (LONGEST + 1)])
def test_texts_that_no_entry_can_hold_are_refused(repository: Repository, text: str) -> None:
    """Arguments that are not UTF-8 contain lone surrogates, as escapes of JSON may."""
    repository.create_project("lab")
    calls = {
        "title": [
            lambda: repository.create_project("other", title=text),
            lambda: repository.set_project("lab", title=text),
        ],
        "note": [lambda: repository.submit(PROVJSON, name="run", project="lab", note=text)],
        "name": [lambda: repository.create_token(text)],
    }
    for what, ways in calls.items():
        for way in ways:
            with pytest.raises(UsageError, match=f"the {what} (is not Unicode text|has 10,001 characters)"):
                way()
    assert [info.name for info in repository.projects()] == ["lab"]
    assert repository.documents("lab") == []
    assert repository.tokens() == []


class TestAccess:
    """The rights of an actor."""

    def test_every_verb_is_a_function_over_the_context(self) -> None:
        """All verbs use the same context, and so the same actor and rights."""
        verbs = {name: method for name, method in vars(Repository).items() if hasattr(method, "__wrapped__")}
        assert len(verbs) > 40
        for name, method in verbs.items():
            assert method.__wrapped__.__name__ == name
            assert next(iter(inspect.signature(method.__wrapped__).parameters)) == "context"
            assert next(iter(inspect.signature(method).parameters)) == "self"
        own = {name for name in set(vars(Repository)) - verbs.keys() if not name.startswith("__")}
        assert own == {"settings", "actor", "as_actor", "close", "require", "serve"} | {
            "runs",
            "compare_runs",
        }  # queries

    @pytest.fixture
    def projects(self, repository: Repository) -> Repository:
        repository.create_project("open", public=True)
        repository.create_project("closed")
        repository.submit(PROVJSON, name="run", project="open")
        repository.submit(PROVJSON, name="run", project="closed")
        return repository

    def test_a_stranger_reads_what_is_public_and_knows_nothing_else(self, projects: Repository) -> None:
        stranger = projects.as_actor(projects.context.store.anonymous())
        assert [info.name for info in stranger.projects()] == ["open"]
        assert stranger.export("open", "run") == PROVJSON
        for verb in (
            lambda name: stranger.project(name),
            lambda name: stranger.documents(name),
            lambda name: stranger.document(name, "run"),
            lambda name: stranger.history(name, "run"),
            lambda name: stranger.version(name, "run"),
            lambda name: stranger.original(name, "run"),
            lambda name: stranger.export(name, "run"),
            lambda name: stranger.report(name, "run"),
            lambda name: stranger.query(COUNT, project=name),
            lambda name: stranger.submit(PROVJSON, project=name, name="x"),
            lambda name: stranger.withdraw(name, "run", reason="x"),
            lambda name: stranger.set_project(name, public=True),
        ):
            messages = []
            for name in ("closed", "unknown"):
                with pytest.raises(NotFound) as raised:
                    verb(name)
                messages.append(str(raised.value).replace(name, "…"))
            assert messages[0] == messages[1]

    def test_a_stranger_changes_nothing(self, projects: Repository) -> None:
        stranger = projects.as_actor(projects.context.store.anonymous())
        for verb in (
            lambda: stranger.submit(PROVJSON, project="open", name="x"),
            lambda: stranger.withdraw("open", "run", reason="x"),
            lambda: stranger.erase("open", "run", 1, reason="x"),
            lambda: stranger.set_project("open", public=False),
            lambda: stranger.create_project("mine"),
            lambda: stranger.create_token("me"),
            stranger.tokens,
            stranger.rebuild,
            stranger.fsck,
            lambda: stranger.revoke_token("x"),
            lambda: stranger.init("https://evil.example/"),
        ):
            with pytest.raises(Denied):
                verb()
        assert not projects.context.store.ledger.length("default"), "a stranger does not make the default project"

    def test_a_token_reaches_the_projects_it_was_made_for(self, projects: Repository) -> None:
        text, info = projects.create_token("ci", projects=["closed"])
        actor = projects.context.store.authenticate(text)
        assert actor is not None
        assert (actor.name, actor.projects) == ("ci", ("closed",))
        bound = projects.as_actor(actor)
        receipt = bound.submit(TURTLE, project="closed", name="by-token")
        assert receipt.version.submitter == "ci"
        with pytest.raises(Denied):
            bound.submit(TURTLE, project="open", name="by-token")
        with pytest.raises(Denied):
            bound.create_project("more")
        projects.revoke_token(info.id)
        assert projects.context.store.authenticate(text) is None

    def test_a_reading_token_does_not_write(self, projects: Repository) -> None:
        text, _ = projects.create_token("reader", projects=["closed"], write=False)
        actor = projects.context.store.authenticate(text)
        assert isinstance(actor, Actor)
        bound = projects.as_actor(actor)
        assert bound.export("closed", "run") == PROVJSON
        with pytest.raises(Denied):
            bound.submit(TURTLE, project="closed", name="x")


class TestTwoProcesses:
    """Any process may append; only the holder of the views applies entries and answers queries."""

    SUBMIT = """
import sys, provrepo
from pathlib import Path
with provrepo.open(sys.argv[1]) as repository:
    receipt = repository.submit(Path(sys.argv[2]).read_bytes(), name="from-elsewhere")
    print(receipt.created, receipt.indexed)
    try:
        print("answered", repository.query("ASK { ?s rdfs:label 'cleaned' }").boolean)
    except provrepo.Error as error:
        print(type(error).__name__, error)
"""

    def elsewhere(self, repository: Repository, tmp_path: Path) -> list[str]:
        file = tmp_path / "run.json"
        file.write_bytes(PROVJSON)
        command = [sys.executable, "-c", self.SUBMIT, str(repository.settings.data), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    def test_the_other_process_stores_and_this_one_indexes(self, repository: Repository, tmp_path: Path) -> None:
        repository.submit(TURTLE, name="mine")
        stored, query = self.elsewhere(repository, tmp_path)
        assert stored == "True False"
        assert query.startswith("Busy another process")
        assert repository.query("ASK { ?s rdfs:label 'cleaned' }").boolean is True

    def test_a_server_answers_and_indexes_by_itself(self, repository: Repository, tmp_path: Path) -> None:
        import time

        assert repository.serve("http://127.0.0.1:9/")
        stored, query = self.elsewhere(repository, tmp_path)
        assert stored == "True False"
        assert query == "answered True", "whoever submits finds it at once"
        deadline = time.monotonic() + 60
        while not repository.query("ASK { ?s rdfs:label 'cleaned' }").boolean:
            assert time.monotonic() < deadline, "the follower did not see the entry"
            time.sleep(0.05)

    def test_one_that_never_follows(self, tmp_path: Path) -> None:
        with provrepo.open(tmp_path / "data", follow=False) as repository:
            receipt = repository.submit(PROVJSON, name="run")
            assert (receipt.created, receipt.indexed) == (True, False)
            with pytest.raises(Busy):
                repository.query(COUNT)
        with provrepo.open(tmp_path / "data") as repository:
            assert number(repository) == 1


def test_the_report_of_a_version_is_kept(repository: Repository) -> None:
    receipt = repository.submit(PROVJSON, name="run", profiles=["core"])
    assert repository.report("default", "run") == receipt.report
    assert receipt.report.layers == ("syntax", "constraints", "shapes")


def test_what_real_tools_write_is_accepted_with_warnings_and_fails_when_it_is_only_checked(
    repository: Repository,
) -> None:
    impossible = b"document\nprefix ex <http://example.org/>\nspecializationOf(ex:a, ex:a)\nendDocument"
    receipt = repository.submit(impossible, name="impossible")
    assert [(f.rule, f.severity.value) for f in receipt.report.findings] == [("prov-constraints:52", "warning")]
    assert not repository.validate(impossible).conforms


def test_validate_keeps_nothing(repository: Repository) -> None:
    assert repository.validate(PROVJSON, profiles=["core"]).conforms
    assert not repository.validate(UNDESCRIBED, profiles=["core"]).conforms
    assert not repository.validate(provrepo.read(UNDESCRIBED), profiles=["core"]).conforms
    assert left_behind(repository) == ([], [])


def test_a_query_that_cannot_be_asked(repository: Repository) -> None:
    with pytest.raises(QueryError) as raised:
        repository.query("SELECT ?s\nWHERE { ?s ?p }")
    assert raised.value.line == 2
    with pytest.raises(NotFound):
        repository.query(COUNT, project="unknown")


def test_history_tells_who_when_and_what(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run", note="first try")
    (info,) = repository.history("default", "run")
    assert info.submitter == repository.actor.name
    assert info.note == "first try"
    assert info.verdict == "conforms"
    assert info.software.startswith("provrepo/")
    assert info.time.endswith("Z")
    for missing in (lambda: repository.history("default", "no"), lambda: repository.version("default", "run", 7)):
        with pytest.raises(NotFound):
            missing()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("runs/run-42.provn", "run-42"),
        ("primary.cwlprov.ttl", "primary"),
        ("über uns.json", "ber-uns"),
        ("....ttl", "sha256-" + "ab" * 8),
        (None, "sha256-" + "ab" * 8),
        ("x" * 200 + ".ttl", "x" * 100),
    ],
)
def test_the_name_of_a_submission_without_one(file: str | None, expected: str) -> None:
    assert name_for(file, "ab" * 32) == expected


def test_lists_are_paged_by_name(repository: Repository) -> None:
    for name in ("c", "a", "b"):
        repository.submit(PROVJSON, name=name)
    repository.withdraw("default", "b", reason="x")
    assert [i.name for i in repository.documents("default", limit=1)] == ["a"]
    assert [i.name for i in repository.documents("default", after="a", limit=1)] == ["c"]
    assert repository.documents("default", after="c") == []
    assert repository.project("default").documents == 2


def test_an_unknown_profile_is_refused_also_for_bytes_that_are_stored(tmp_path: Path) -> None:
    data = b"document\nprefix ex <http://example.org/>\nentity(ex:e)\nendDocument"
    with provrepo.open(tmp_path / "data") as repository:
        repository.submit(data, name="d")
        with pytest.raises(UsageError, match="nonesuch"):
            repository.submit(data, name="d", profiles=["nonesuch"])
        assert not repository.submit(data, name="d", profiles=["core"]).created

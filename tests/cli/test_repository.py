"""The verbs that submit to a repository on this machine and read it back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import provrepo
from tests.conftest import PROVJSON, TURTLE
from tests.support.command import Command


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """With one project and one document of two versions in it."""
    command = Command(tmp_path / "data")
    (tmp_path / "run.json").write_bytes(PROVJSON)
    (tmp_path / "run.ttl").write_bytes(TURTLE)
    command("project", "create", "crops", "--public", "--title", "Crop yield")
    command("submit", tmp_path / "run.json", "--project", "crops", "--note", "the first")
    command("submit", tmp_path / "run.ttl", "--project", "crops", "--update")
    return command


def test_init_says_where_and_which_base(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    identity = command.json("init")["identity"]
    assert command("init").stdout == f"{command.data}: no base IRI yet, identity {identity}\n"
    assert command("init", "--base", "https://prov.example").stdout.endswith(
        f"base IRI https://prov.example/, identity {identity}\n"
    )
    assert command.json("init") == {"data": str(command.data), "base": "https://prov.example/", "identity": identity}


def test_the_receipt(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    path = tmp_path / "run.json"
    path.write_bytes(PROVJSON)
    receipt = command.json("submit", path, "--profile", "core")
    assert (receipt["project"], receipt["name"], receipt["version"]) == ("default", "run", 1)
    assert receipt["sha256"] == hashlib.sha256(PROVJSON).hexdigest()
    assert receipt["created"] is True
    assert receipt["indexed"] is True
    assert receipt["verdict"] == "conforms"
    again = command("submit", path)
    assert again.stdout.startswith("default/run@1 is these bytes already\n")
    assert again.stderr == ""
    assert command.json("submit", path)["indexed"] is True


def test_beside_a_process_that_is_no_server_nobody_speaks_of_one(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    (tmp_path / "run.json").write_bytes(PROVJSON)
    command("init")
    with provrepo.open(command.data) as repository:
        assert repository.query("ASK {}").boolean is True
        said = command("submit", tmp_path / "run.json").stderr
    assert said == "stored; another process is using the views of this data directory; the next command indexes it\n"
    assert command("query", "ASK { ?s a prov:Entity }").stdout == "yes\n"


def test_submit_from_stdin(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    assert "default/named@1 stored" in command("submit", "-", "--name", "named", stdin=TURTLE).stdout
    unnamed = command("submit", "-", stdin=TURTLE).stdout
    assert f"default/sha256-{hashlib.sha256(TURTLE).hexdigest()[:16]}@1 stored" in unnamed


def test_other_bytes_under_a_taken_name(command: Command, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(PROVJSON.replace(b"cleaned", b"polished"))
    assert "taken" in command.error("submit", tmp_path / "run.json", "--project", "crops", code=1)
    assert len(command.json("history", "crops/run")) == 2


def test_a_refused_submission_gets_its_report(command: Command) -> None:
    from provrepo.resources import root

    incomplete = root() / "examples" / "incomplete.ttl"
    arguments = ("submit", incomplete, "--project", "crops", "--profile", "core")
    result = command(*arguments, code=1)
    assert "mystery.csv" in result.stdout
    assert result.stderr.startswith("error: incomplete does not conform")
    assert command.json(*arguments, code=1)["conforms"] is False
    assert [document["name"] for document in command.json("list", "crops")] == ["run"]


def test_list_and_history(command: Command) -> None:
    listed = command.json("list")
    assert [(d["project"], d["name"], d["versions"]) for d in listed] == [("crops", "run", 2)]
    text = command("list", "crops").stdout.splitlines()
    assert text[0].split()[:2] == ["DOCUMENT", "VERSION"]
    assert text[1].split()[:4] == ["crops/run", "2", "current", "turtle"]
    versions = command.json("history", "crops/run")
    assert [(v["version"], v["state"], v["note"]) for v in versions] == [
        (1, "superseded", "the first"),
        (2, "current", ""),
    ]
    assert "the first" in command("history", "crops/run").stdout


def test_export(command: Command, tmp_path: Path) -> None:
    assert command("export", "crops/run").stdout_bytes == TURTLE
    assert command("export", "crops/run@1", "--original").stdout_bytes == PROVJSON
    assert json.loads(command("export", "crops/run", "--to", "provjson").stdout)["wasDerivedFrom"]
    command("export", "crops/run", "-o", tmp_path / "out.provn")
    assert (tmp_path / "out.provn").read_text("utf-8").startswith("document")
    command("export", "crops/run", "--original", "-o", tmp_path / "out.json")
    assert (tmp_path / "out.json").read_bytes() == TURTLE


def test_withdraw_and_come_back(command: Command, tmp_path: Path) -> None:
    assert command("withdraw", "crops/run", "--reason", "wrong field").stdout.startswith("crops/run withdrawn 2")
    assert command.json("list", "crops") == []
    assert command.json("list", "crops", "--withdrawn")[0]["reason"] == "wrong field"
    assert "wrong field" in command.error("export", "crops/run", code=1)
    assert "wrong field" in command("history", "crops/run").stdout
    assert command("export", "crops/run@1").stdout_bytes == PROVJSON
    assert command("query", "ASK { ?s prov:used ?o }", "--project", "crops").stdout == "no\n"
    refused = command.error("submit", tmp_path / "run.ttl", "--project", "crops", code=1)
    assert all(word in refused for word in ("withdrawn", "wrong field", "--again"))
    again = command("submit", tmp_path / "run.ttl", "--project", "crops", "--again")
    assert "crops/run@3 stored" in again.stdout
    states = [(row["version"], row["state"], row["reason"]) for row in command.json("history", "crops/run")]
    assert states == [(1, "superseded", ""), (2, "withdrawn", "wrong field"), (3, "current", "")]
    assert "version 2 withdrawn 2" in command("history", "crops/run").stdout


def test_erase(command: Command) -> None:
    result = command("erase", "crops/run@1", "--reason", "a name that had to go")
    assert hashlib.sha256(PROVJSON).hexdigest() in result.stdout
    assert "erased" in command.error("export", "crops/run@1", code=1)
    assert command.json("history", "crops/run")[0]["state"] == "erased"
    assert command("export", "crops/run").stdout_bytes == TURTLE
    command("fsck")


QUERY = "SELECT ?run ?input { ?run prov:used ?input }"
ROW = ("http://example.org/run", "http://example.org/raw")


def test_query_outputs(command: Command, tmp_path: Path) -> None:
    arguments = ("query", QUERY, "--project", "crops")
    table = command(*arguments)
    assert [line.split() for line in table.stdout.splitlines()] == [["?run", "?input"], list(ROW)]
    assert table.stderr == "1 row\n"
    assert command(*arguments, "--output", "csv").stdout.split() == ["run,input", ",".join(ROW)]
    assert command(*arguments, "--output", "tsv").stdout.split() == ["?run", "?input", *(f"<{iri}>" for iri in ROW)]
    bindings = json.loads(command(*arguments, "--output", "json").stdout)["results"]["bindings"]
    assert [binding["run"]["value"] for binding in bindings] == [ROW[0]]
    assert "<sparql" in command(*arguments, "--output", "xml").stdout
    (tmp_path / "question.rq").write_text(QUERY)
    assert command("query", "-f", tmp_path / "question.rq", "--public").stdout == table.stdout
    assert command("query", "-f", "-", "--public", stdin=QUERY.encode()).stdout == table.stdout


def test_query_for_a_truth_and_for_a_graph(command: Command) -> None:
    assert command("query", "ASK { ?s prov:used ?o }", "--project", "crops").stdout == "yes\n"
    construct = ("query", "CONSTRUCT { ?o <http://example.org/feeds> ?s } { ?s prov:used ?o }", "--project", "crops")
    assert "feeds" in command(*construct).stdout
    assert command(*construct, "--output", "turtle").stdout == command(*construct).stdout


def test_query_without_rows(command: Command) -> None:
    result = command("query", "SELECT ?x { ?x prov:hadMember ?y }", "--project", "crops")
    assert (result.stdout, result.stderr) == ("?x\n", "0 rows\n")


def test_projects(command: Command) -> None:
    assert command.json("project", "show", "crops")["public"] is True
    assert "already" in command.error("project", "create", "crops", code=1)
    changed = command.json("project", "set", "crops", "--private", "--profile", "core")
    assert (changed["public"], changed["profiles"], changed["title"]) == (False, ["core"], "Crop yield")
    assert command.json("project", "set", "crops", "--no-profiles")["profiles"] == []
    assert command("project", "create", "other").stdout.startswith("other: private, 0 documents\n")
    assert [project["name"] for project in command.json("project", "list")] == ["crops", "other"]
    assert command("project", "list").stdout.splitlines()[1].split()[:3] == ["crops", "private", "1"]


def test_tokens(command: Command) -> None:
    made = command("token", "create", "nightly", "--project", "crops", "--read-only", "--days", "30")
    secret = made.stdout.strip()
    assert secret.startswith("pvr_")
    assert "read: crops" in made.stderr
    assert secret not in command("token", "list").stdout
    (listed,) = command.json("token", "list")
    assert (listed["name"], listed["projects"], listed["write"], listed["revoked"]) == (
        "nightly",
        ["crops"],
        False,
        None,
    )
    assert listed["expires"]
    assert listed["id"] in command("token", "revoke", listed["id"]).stdout
    assert command.json("token", "list")[0]["revoked"]


def test_rebuild_and_fsck(command: Command) -> None:
    before = command("rebuild").stdout
    assert before.splitlines()[0].split() == ["DATASET", "QUADS"]
    assert "crops" in before
    assert command("rebuild").stdout == before
    assert sorted(command.json("rebuild")) == ["*public", "crops"]
    looked = command("fsck").stdout.strip()
    assert looked.endswith(": sound")
    assert "not checked" not in looked
    assert command("fsck", "--views").stdout.strip() == looked
    assert command.json("fsck")["sound"] is True


def test_fsck_finds_what_was_altered(command: Command) -> None:
    digest = hashlib.sha256(TURTLE).hexdigest()
    blob = command.data / "blobs" / digest[:2] / digest[2:4] / digest
    blob.chmod(0o644)
    blob.write_bytes(TURTLE.replace(b"alice", b"mallo"))
    result = command("fsck", code=1)
    assert digest in result.stdout
    assert "problem" in result.stdout

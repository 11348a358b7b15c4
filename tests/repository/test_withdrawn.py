"""Withdrawn versions are readable by actors who may change the project; others get 410 in all places."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.codecs.formats import WRITABLE
from provrepo.errors import NotFound, UsageError, Withdrawn
from provrepo.ledger import confidential
from provrepo.repository.access import ANONYMOUS, LONGEST
from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from tests.support.command import Command
from tests.support.serving import BROWSER, Site, opened

EX = "https://example.org/"
INTERNAL = "patient 17 asked for it"
READERS = {"a stranger": "", "a token that reads": "reader"}
CURATORS = {"a token for all": "all", "a token for the project": "open"}


def provn(*things: str) -> bytes:
    derived = "".join(f"  entity(ex:{thing})\n  wasDerivedFrom(ex:{thing}, ex:source)\n" for thing in things)
    return f"document\n  prefix ex <{EX}>\n  entity(ex:source)\n{derived}endDocument\n".encode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Document ``d``: two versions, withdrawn, then a third. Document ``e``: one version, withdrawn."""
    with opened(tmp_path_factory.mktemp("withdrawn") / "data") as made:
        made.submit("d", provn("one"))
        made.submit("d", provn("two"))
        made.owner.withdraw("open", "d", reason="wrong sheet", internal_reason=INTERNAL)
        made.submit("d", provn("three"))
        made.submit("e", provn("four"))
        made.owner.withdraw("open", "e", reason="wrong file", internal_reason=INTERNAL)
        yield made


def get(site: Site, path: str, who: str = "", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.client.get(path, headers={**site.auth(who), **named})


# Addresses

BELOW = [
    "/statements",
    "/statements?q=a",
    "/citation",
    "",
    "/original",
    "/report",
    "/metadata",
    "/linkset",
    "/receipt",
    "/metadata?format=turtle",
    "/sparql?query=ASK%20%7B%7D",
    "/sparql",
]
BELOW += [suffix for format_ in WRITABLE for suffix in format_.suffixes] + [".html"]
HIDDEN = [("d", 1), ("d", 2), ("e", 1)]


def routes_below_a_version(site: Site) -> set[str]:
    rules = {rule.rule for rule in site.app.url_map.iter_rules()}
    return {rule.partition("<version>")[2] for rule in rules if "/versions/<version>" in rule}


def test_every_address_below_a_version_is_tried(site: Site) -> None:
    tried = {below.partition("?")[0] for below in BELOW if below[:1] != "."} | {"/pingback"}
    assert routes_below_a_version(site) <= tried, "a new address below a version is to be added to BELOW"


@pytest.mark.parametrize("who", READERS.values(), ids=READERS)
def test_readers_get_410_at_every_address_of_a_withdrawn_version(site: Site, who: str) -> None:
    for name, number in HIDDEN:
        for below in BELOW:
            path = f"/projects/open/documents/{name}/versions/{number}{below}"
            for headers in ({}, {"Accept": BROWSER}, {"Range": "bytes=0-3"}, {"If_None_Match": "*"}):
                answer = get(site, path, who, **headers)
                assert answer.status_code == 410, (path, headers)
                assert b"example.org/" not in answer.data.replace(b"w3id.org", b""), path
                assert INTERNAL not in answer.text
                assert "Link" not in answer.headers or "has_provenance" not in answer.headers["Link"]
            assert site.client.head(path, headers=site.auth(who)).status_code == 410
        sent = site.client.post(
            f"/projects/open/documents/{name}/versions/{number}/pingback",
            data="https://elsewhere.example/p",
            content_type="text/uri-list",
            headers=site.auth(who),
        )
        assert sent.status_code == 410
        asked = site.client.post(
            f"/projects/open/documents/{name}/versions/{number}/sparql",
            data="ASK {}",
            content_type="application/sparql-query",
            headers=site.auth(who),
        )
        assert asked.status_code == 410


@pytest.mark.parametrize("who", [*READERS.values(), *CURATORS.values()])
def test_the_list_stays_and_a_later_version_is_read(site: Site, who: str) -> None:
    versions = get(site, "/projects/open/documents/d/versions", who).get_json()["versions"]
    found = [(info["version"], info["state"], info["withdrawn"]) for info in versions]
    assert found == [(1, "superseded", True), (2, "withdrawn", True), (3, "current", False)]
    assert versions[1]["reason"] == "wrong sheet"
    for path in ("d", "d.ttl", "d/versions/3", "d/versions/3/original"):
        assert get(site, f"/projects/open/documents/{path}", who).status_code == 200
    for path in ("e", "e.ttl", "e/original", "e/report", "e/metadata"):
        answer = get(site, f"/projects/open/documents/{path}", who)
        assert (answer.status_code, answer.get_json()["reason"]) == (410, "wrong file"), path
    listed = get(site, "/projects/open/documents?withdrawn=true", who).get_json()["documents"]
    assert [info["current"]["withdrawn"] for info in listed if info["name"] == "e"] == [True]


@pytest.mark.parametrize("who", CURATORS.values(), ids=CURATORS)
def test_who_may_write_still_reads_it(site: Site, who: str) -> None:
    for name, number in HIDDEN:
        for below in BELOW:
            answer = get(site, f"/projects/open/documents/{name}/versions/{number}{below}", who)
            assert answer.status_code == 200, below
            assert answer.headers["Cache-Control"] == "private, no-cache", below
    page = get(site, "/projects/open/documents/d/versions/1", who, Accept=BROWSER).text
    assert "The document was withdrawn when it had this version" in page


def test_a_token_of_another_project_is_a_reader(site: Site) -> None:
    text, _ = site.owner.create_token("far", projects=["secret"])
    site.tokens["far"] = text
    assert get(site, "/projects/open/documents/d/versions/1", "far").status_code == 410


def test_all_of_it_in_a_private_project(site: Site) -> None:
    site.submit("p", provn("p"), project="secret")
    site.owner.withdraw("secret", "p", reason="x")
    where = "/projects/secret/documents/p/versions/1"
    statuses = {who: get(site, where, who).status_code for who in ("", "open", "reader", "all")}
    assert statuses == {"": 404, "open": 404, "reader": 410, "all": 200}


# Conditional requests


@pytest.mark.parametrize("below", ["", ".ttl", ".json", "/original", "/report", "/metadata"])
def test_a_tag_from_before_the_withdrawal_gets_410(site: Site, below: str) -> None:
    name = "tag" + "".join(c for c in below if c.isalpha())
    path = f"{site.submit(name, provn(name))}/versions/1{below}"
    before = get(site, path)
    assert before.status_code == 200
    assert before.headers["Cache-Control"] == "no-cache"
    tag = before.headers["ETag"]
    assert get(site, path, If_None_Match=tag).status_code == 304
    assert get(site, path, "reader", If_None_Match=tag).headers["Cache-Control"] == "private, no-cache"
    assert get(site, path, Range="bytes=0-3").data == before.data, "no ranges are sent"
    site.owner.withdraw("open", name, reason="x")
    for who in READERS.values():
        for conditions in (
            {"If_None_Match": tag},
            {"If_None_Match": f"W/{tag}"},
            {"If_None_Match": "*"},
            {"If_Modified_Since": "Sat, 01 Jan 2050 00:00:00 GMT"},
            {"If_Match": tag},
            {"Range": "bytes=0-3", "If_Range": tag},
        ):
            answer = get(site, path, who, **conditions)
            assert answer.status_code == 410, conditions
            assert "ETag" not in answer.headers
            head = {name.replace("_", "-"): value for name, value in conditions.items()}
            assert site.client.head(path, headers={**site.auth(who), **head}).status_code == 410
    # Its metadata contain the withdrawal; everything else is unchanged.
    assert get(site, path, "all", If_None_Match=tag).status_code == (200 if below == "/metadata" else 304)


def test_a_tag_from_before_a_project_was_closed_gets_404(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as site:
        path = "/projects/open/documents/run/versions/1.ttl"
        tag = get(site, path).headers["ETag"]
        site.owner.set_project("open", public=False)
        assert get(site, path, If_None_Match=tag).status_code == 404
        assert get(site, path, "open", If_None_Match=tag).status_code == 304


# Former states


ADDRESSES = ("/lineage?iri={}", "/lineage/impact?iri={}", "/thing?iri={}", "/lineage/common?iri={}&iri={source}")


def asked(site: Site, who: str, path: str) -> tuple[int, str]:
    answer = get(site, path, who)
    return answer.status_code, answer.text


@pytest.mark.parametrize("who", READERS.values(), ids=READERS)
@pytest.mark.parametrize(("thing", "place"), [("one", ("d", 1)), ("two", ("d", 2)), ("four", ("e", 1))])
def test_as_of_then_leaves_out_what_was_withdrawn_since(
    site: Site, who: str, thing: str, place: tuple[str, int]
) -> None:
    submissions = [found for found in site.owner.entries("open", limit=1000) if found.entry["kind"] == "submit"]
    held = next(found.sequence for found in submissions if (found.entry["document"], found.entry["version"]) == place)
    for address in ADDRESSES:
        for form in ("json",) if "/lineage/" in address else ("json", "html"):
            url = f"{address.format(EX + thing, source=EX + 'source')}&as_of=open/{held}&format={form}"
            status, text = asked(site, who, url)
            assert (status, "open/documents" in text) == (404, False), url
            assert asked(site, "all", url)[0] == 200, url
            assert asked(site, "open", url)[0] == 200, url


def test_as_of_then_keeps_what_was_only_replaced(site: Site) -> None:
    site.submit("kept", provn("old"))
    entry = site.owner.project("open").entries
    site.submit("kept", provn("new"))
    for who in (*READERS.values(), *CURATORS.values()):
        assert asked(site, who, f"/thing?iri={EX}old&as_of=open/{entry}")[0] == 200
        assert asked(site, who, f"/thing?iri={EX}old")[0] == 404


def test_sources_and_counts_as_of_then_leave_it_out(tmp_path: Path) -> None:
    """A thing that another document contains, too: no answer reveals the withdrawn one."""
    with provrepo.open(tmp_path / "data") as owner:
        owner.create_project("p", public=True)
        owner.submit(provn("shared"), project="p", name="a")
        owner.submit(provn("shared", "more"), project="p", name="b")
        entry = owner.project("p").entries
        owner.withdraw("p", "b", reason="x")
        stranger = owner.as_actor(ANONYMOUS)
        writer = owner.as_actor(Actor("w", "w", projects=("p",), write=True, token="t"))
        for repo, documents, derived in ((stranger, ["a"], 1), (writer, ["a", "b"], 2), (owner, ["a", "b"], 2)):
            thing = repo.thing(EX + "shared", as_of=f"p/{entry}")
            assert [account.version.name for account in thing.versions] == documents
            assert thing.node.total_sources == len(documents)
            graph = repo.lineage(EX + "source", direction="downstream", as_of=f"p/{entry}")
            assert len(graph.edges) == derived
            assert repo.impact(EX + "source", as_of=f"p/{entry}").total == derived
            assert [said.document for said in graph.edges[-1].sources] == documents
        # Rows that a query of a curator cached are not used for a reader, nor the other way round.
        assert len(stranger.lineage(EX + "source", direction="downstream", as_of=f"p/{entry}").edges) == 1
        owner.rebuild()
        assert len(stranger.lineage(EX + "source", direction="downstream", as_of=f"p/{entry}").edges) == 1
        assert len(writer.lineage(EX + "source", direction="downstream", as_of=f"p/{entry}").edges) == 2


def test_a_question_asked_before_the_withdrawal_is_answered_anew(tmp_path: Path) -> None:
    """A withdrawal clears what a traversal of a former state has cached of the versions."""
    with provrepo.open(tmp_path / "data") as owner:
        owner.create_project("p", public=True)
        owner.submit(provn("old"), project="p", name="a")
        entry = owner.project("p").entries
        owner.submit(provn("new"), project="p", name="a", update=True)
        stranger = owner.as_actor(ANONYMOUS)
        assert len(stranger.lineage(EX + "old", as_of=f"p/{entry}").nodes) == 2
        owner.withdraw("p", "a", reason="x")
        with pytest.raises(NotFound):
            stranger.lineage(EX + "old", as_of=f"p/{entry}")
        assert len(owner.lineage(EX + "old", as_of=f"p/{entry}").nodes) == 2
        owner.submit(provn("newest"), project="p", name="a")
        with pytest.raises(NotFound):
            stranger.thing(EX + "old", as_of=f"p/{entry}")
        assert len(stranger.lineage(EX + "newest").nodes) == 2


# Everything else


def everywhere(site: Site, who: str) -> dict[str, str]:
    """Return what a reader gets at all paths but those of a document."""
    sparql = "SELECT * { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"
    paths = [
        "/projects/open",
        "/projects/open/documents?withdrawn=true",
        "/projects/open/documents/d/versions",
        "/projects/open/documents/e/versions",
        "/projects/open/ledger?limit=1000",
        "/projects/open/graphs?default",
        "/projects/open/metrics",
        "/metrics",
        "/.well-known/void",
        "/projects/open/pingbacks" if who else "/",
        f"/search?q={EX}one",
        "/search?q=two",
        "/search?q=four",
        f"/lineage?iri={EX}source&direction=downstream",
        f"/thing?iri={EX}source",
        f"/api/v1/lineage?nodeId=dataset:{EX}:source",
    ]
    found = {path: get(site, path, who).text for path in paths}
    for where in ("/sparql", "/projects/open/sparql"):
        found[where] = site.client.get(where, query_string={"query": sparql}, headers=site.auth(who)).text
    return found


@pytest.mark.parametrize("who", READERS.values(), ids=READERS)
def test_its_content_and_internal_reasons_show_nowhere(site: Site, who: str) -> None:
    for path, text in everywhere(site, who).items():
        assert INTERNAL not in text, path
        for thing in ("one", "two", "four"):
            # The search page shows the search term.
            assert f"{EX}{thing}" not in text.replace(f"q={EX}one", ""), path


def test_the_internal_reason_is_shown_to_curators(site: Site) -> None:
    for who in CURATORS.values():
        versions = get(site, "/projects/open/documents/d/versions", who).get_json()["versions"]
        assert [info["internal_reason"] for info in versions] == ["", INTERNAL, ""]
        listed = get(site, "/projects/open/documents?withdrawn=true", who).get_json()["documents"]
        assert INTERNAL in [info["internal_reason"] for info in listed if info["name"] == "e"]
        assert (
            get(site, "/projects/open/documents/d/versions/2/metadata", who).get_json()["internal_reason"] == INTERNAL
        )
        assert INTERNAL in get(site, "/projects/open/documents/d/versions", who, Accept=BROWSER).text
        assert INTERNAL in get(site, "/projects/open/documents/d/versions/2", who, Accept=BROWSER).text
    for who in READERS.values():
        versions = get(site, "/projects/open/documents/d/versions", who).get_json()["versions"]
        assert {info["internal_reason"] for info in versions} == {""}


def test_the_ledger_has_a_salted_digest_of_it(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as site:
        for name in ("x", "y"):
            site.submit(name, provn(name))
            answer = site.client.delete(
                f"/projects/open/documents/{name}",
                query_string={"reason": "wrong", "internal_reason": INTERNAL},
                headers=site.auth("open"),
            )
            assert answer.get_json()["internal_reason"] == INTERNAL
        entries = get(site, "/projects/open/ledger?limit=1000").get_json()["entries"]
        digests = [found["entry"]["internal"] for found in entries if found["entry"].get("internal")]
        assert len(set(digests)) == 2, "the same words have different digests"
        assert INTERNAL not in json.dumps(entries)
        # Readers get a complete chain.
        for before, after in itertools.pairwise(entries):
            assert after["entry"]["previous"] == before["sha256"]
        assert not any("internal reason" in problem for problem in site.owner.fsck().problems)
        with site.store.ledger.database.reading() as connection:
            rows = connection.execute("SELECT digest, salt, text FROM confidential").fetchall()
            assert {(digest, confidential.digest(salt, text)) for digest, salt, text in rows} == {
                (d, d) for d in digests
            }
        # Changed texts are detected and not shown; deleted texts are not a problem.
        with sqlite3.connect(tmp_path / "data" / "ledger.sqlite") as shell:
            shell.execute("UPDATE confidential SET text = 'something else' WHERE digest = ?", (digests[0],))
        assert any(digests[0] in problem for problem in site.owner.fsck().problems)
        assert site.owner.document("open", "x").internal_reason == ""
        with sqlite3.connect(tmp_path / "data" / "ledger.sqlite") as shell:
            shell.execute("DELETE FROM confidential")
        assert not any("internal reason" in problem for problem in site.owner.fsck().problems)
        assert site.owner.document("open", "y").internal_reason == ""
        shell.close()


def test_an_erasure_has_an_internal_reason_too(tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "data") as owner:
        owner.create_project("p", public=True)
        owner.submit(provn("x"), project="p", name="x")
        assert owner.erase("p", "x", 1, reason="the law", internal_reason=INTERNAL).internal_reason == INTERNAL
        (told,) = owner.as_actor(ANONYMOUS).history("p", "x")
        assert (told.state, told.reason, told.internal_reason) == ("erased", "the law", "")


@pytest.mark.parametrize("bad", ["x" * (LONGEST + 1), "\ud800"])
@pytest.mark.parametrize("field", ["reason", "internal_reason"])
def test_reasons_that_cannot_be_kept_change_nothing(tmp_path: Path, field: str, bad: str) -> None:
    with provrepo.open(tmp_path / "data") as owner:
        owner.submit(provn("x"), name="x")
        given = {"reason": "fine", field: bad}
        with pytest.raises(UsageError, match=field.replace("_", " ")):
            owner.withdraw("default", "x", **given)
        with pytest.raises(UsageError, match=field.replace("_", " ")):
            owner.erase("default", "x", 1, **given)
        assert owner.version("default", "x").state == "current"


def test_a_reason_that_is_too_long_is_400(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as site:
        for field in ("reason", "internal_reason"):
            sent = {field: "x" * (LONGEST + 1)}
            answer = site.client.delete("/projects/open/documents/run", query_string=sent, headers=site.auth("open"))
            assert (answer.status_code, "at most 10,000" in answer.get_json()["detail"]) == (400, True)
        blank = {"reason": "wrong", "internal_reason": "  "}
        site.client.delete("/projects/open/documents/run", query_string=blank, headers=site.auth("open"))
        assert "internal" not in site.owner.entries("open", limit=1000)[-1].entry, "no words, no digest"


# Repeated submission


def test_the_same_bytes_again_are_read_and_the_former_ones_not(tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "data") as owner:
        owner.create_project("p", public=True)
        stranger = owner.as_actor(ANONYMOUS)
        owner.submit(provn("x"), project="p", name="x")
        owner.withdraw("p", "x", reason="first")
        owner.submit(provn("x"), project="p", name="x", again=True)
        assert stranger.original("p", "x")[1].version == 2
        with pytest.raises(Withdrawn, match="first"):
            stranger.original("p", "x", 1)
        owner.withdraw("p", "x", reason="second")
        for number, reason in ((1, "first"), (2, "second")):
            with pytest.raises(Withdrawn, match=reason):
                stranger.original("p", "x", number)
            assert owner.original("p", "x", number)[0] == provn("x")
        owner.submit(provn("y"), project="p", name="x")
        assert [info.withdrawn for info in stranger.history("p", "x")] == [True, True, False]


def test_erased_and_then_withdrawn(tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "data") as owner:
        owner.create_project("p", public=True)
        owner.submit(provn("x"), project="p", name="x")
        owner.submit(provn("y"), project="p", name="x", update=True)
        owner.erase("p", "x", 1, reason="the law")
        owner.withdraw("p", "x", reason="all of it")
        for repo in (owner, owner.as_actor(ANONYMOUS)):
            with pytest.raises(Withdrawn):
                repo.original("p", "x", 1)
            assert [info.state for info in repo.history("p", "x")] == ["erased", "withdrawn"]


def test_a_withdrawal_that_cannot_be_read_still_hides(tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "data") as owner:
        owner.create_project("p", public=True)
        owner.submit(provn("x"), project="p", name="x")
        owner.withdraw("p", "x", reason="a mistake")
        with sqlite3.connect(tmp_path / "data" / "ledger.sqlite") as shell:
            shell.execute("DROP TRIGGER entries_unchanged")
            shell.execute("UPDATE entries SET data = x'00' WHERE kind = 'withdraw'")
        shell.close()
        for number in (None, 1):
            with pytest.raises(Withdrawn):
                owner.as_actor(ANONYMOUS).original("p", "x", number)


READING: dict[str, Any] = {
    "version": lambda repo: repo.version("open", "d", 1),
    "original": lambda repo: repo.original("open", "d", 1),
    "read": lambda repo: repo.read("open", "d", 1),
    "export": lambda repo: repo.export("open", "d", 1, format="turtle"),
    "report": lambda repo: repo.report("open", "d", 1),
    "query_version": lambda repo: repo.query_version("open", "d", 1, "ASK {}"),
    "pingback": lambda repo: repo.pingback("open", "d", ["https://e.example/"], version=1),
}


@pytest.mark.parametrize("verb", READING)
def test_the_library_as_an_actor(site: Site, verb: str) -> None:
    with pytest.raises(Withdrawn, match="wrong sheet"):
        READING[verb](Repository(site.store, ANONYMOUS))
    reader = Actor("r", "r", projects=None, write=False, token="t")
    with pytest.raises(Withdrawn):
        READING[verb](Repository(site.store, reader))
    READING[verb](site.owner)


# The command line


def test_the_command_line(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    (tmp_path / "x.provn").write_bytes(provn("x"))
    command("submit", tmp_path / "x.provn", "--name", "x")
    told = command.json("withdraw", "default/x", "--reason", "wrong", "--internal-reason", INTERNAL)
    assert (told["reason"], told["internal_reason"]) == ("wrong", INTERNAL)
    assert INTERNAL in command("history", "default/x").stdout
    assert "was withdrawn: wrong" in command.error("export", "default/x", code=1)
    assert command("export", "default/x@1").stdout_bytes == provn("x")
    command("submit", tmp_path / "x.provn", "--name", "x", "--again")
    states = [(info["version"], info["state"], info["withdrawn"]) for info in command.json("history", "default/x")]
    assert states == [(1, "withdrawn", True), (2, "current", False)]

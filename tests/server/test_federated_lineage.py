"""A lineage across real servers on loopback: peers that answer, are down, slow, restarted, or lie."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import Denied, NotFound, UsageError
from provrepo.problems import MEDIA_TYPE, TYPES
from provrepo.repository.federation.records import FederatedLineage
from provrepo.repository.repository import Repository
from tests.support.command import Command, serving
from tests.support.lying import LyingServer, lying, response
from tests.support.serving import BROWSER, Site, opened

EX = "https://example.org/"
HERE = f"""document
  prefix ex <{EX}>
  entity(ex:result, [prov:label="result"])
  wasDerivedFrom(ex:result, ex:table)
endDocument""".encode()
THERE = f"""document
  prefix ex <{EX}>
  entity(ex:table, [prov:label="table"])
  wasDerivedFrom(ex:table, ex:raw)
  entity(ex:raw)
endDocument""".encode()


@pytest.fixture(scope="module")
def peer_data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The data directory of a peer with a private project, and a token for it."""
    data = tmp_path_factory.mktemp("peer") / "data"
    with provrepo.open(data) as repository:
        repository.create_project("soil")
        repository.submit(THERE, project="soil", name="run", format="provn")
        return data, repository.create_token("lab-a", write=False)[0]


@pytest.fixture(scope="module")
def peer(peer_data: tuple[Path, str]) -> Iterator[str]:
    with serving(peer_data[0]) as url:
        yield url


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    with provrepo.open(tmp_path_factory.mktemp("here") / "data") as repository:
        repository.submit(HERE, name="run", format="provn")
        yield repository


@pytest.fixture
def repository(shared: Repository) -> Iterator[Repository]:
    """The repository of the caller, without peers."""
    yield shared
    for peer in shared.peers():
        shared.remove_peer(peer.name)


def walk(repository: Repository, **options: Any) -> FederatedLineage:
    found = repository.lineage(f"{EX}result", federated=True, **options)
    assert isinstance(found, FederatedLineage)
    return found


def nodes(graph: FederatedLineage) -> list[str]:
    return [node.iri.removeprefix(EX) for node in graph.nodes]


def test_the_walk_goes_on_at_a_peer(repository: Repository, peer: str, peer_data: tuple[Path, str]) -> None:
    repository.add_peer("lab-b", peer, token=peer_data[1])
    found = walk(repository)
    assert nodes(found) == ["result", "table", "raw"]
    assert found.complete
    assert found.roots == (f"{EX}raw",)
    said = {edge.object.removeprefix(EX): [source.laboratory for source in edge.sources] for edge in found.edges}
    assert said == {"table": [None], "raw": ["lab-b"]}
    table = found.nodes[1]
    assert (table.label, table.projects, table.total_sources) == ("table", ("default", "lab-b/soil"), 2)
    here, there = found.laboratories
    assert (here.name, here.state, here.things, here.relations) == (None, "answered", 2, 1)
    assert (there.name, there.state, there.things, there.relations) == ("lab-b", "answered", 2, 1)
    assert there.url == f"{peer}/"


def test_a_peer_with_two_names_counts_once(repository: Repository, peer: str, peer_data: tuple[Path, str]) -> None:
    repository.add_peer("lab-b", peer, token=peer_data[1])
    alone = walk(repository)
    repository.add_peer("lab-z", peer.replace("127.0.0.1", "localhost"), token=peer_data[1])
    found = walk(repository)
    assert (found.nodes, found.edges, found.complete) == (alone.nodes, alone.edges, True)
    assert [(each.name, each.state, each.relations) for each in found.laboratories] == [
        (None, "answered", 1),
        ("lab-b", "answered", 1),
        ("lab-z", "same", 0),
    ]
    assert "lab-z: it is the repository of lab-b, and what it says counts once, under that name" in found.reports()


def test_paths_depth_and_direction_cross_too(repository: Repository, peer: str, peer_data: tuple[Path, str]) -> None:
    repository.add_peer("lab-b", peer, token=peer_data[1])
    assert nodes(walk(repository, to=f"{EX}raw")) == ["result", "table", "raw"]
    near = walk(repository, depth=1)
    assert (nodes(near), near.beyond, near.truncated) == (["result", "table"], 1, True)
    down = repository.lineage(f"{EX}raw", direction="downstream", federated=True)
    assert [node.iri.removeprefix(EX) for node in down.nodes] == ["raw", "table", "result"]
    with pytest.raises(NotFound, match="here or at the peers"):
        repository.lineage(f"{EX}unknown", federated=True)


def test_without_a_token_a_private_project_is_not_read(repository: Repository, peer: str) -> None:
    repository.add_peer("lab-b", peer)
    found = walk(repository)
    assert nodes(found) == ["result", "table"]
    assert found.complete, "the peer answered for what this caller may read there"


def test_prov_says_which_laboratory_says_what(repository: Repository, peer: str, peer_data: tuple[Path, str]) -> None:
    repository.add_peer("lab-b", peer, token=peer_data[1])
    found = walk(repository)
    document = found.document(bundles=True)
    attributed = {
        str(statement.args[0]): str(statement.args[1])
        for statement in document.statements
        if statement.kind.name == "wasAttributedTo"
    }
    graphs = {source.laboratory: source.graph for edge in found.edges for source in edge.sources}
    assert attributed[graphs["lab-b"]] == f"{peer}/"
    assert {str(bundle.id) for bundle in document.bundles} == set(attributed)
    for format_ in ("trig", "provjson", "provn", "turtle", "svg"):
        assert found.write(format_)


def failing(repository: Repository, url: str, state: str, **options: Any) -> FederatedLineage:
    """A walk with one peer that fails: everything that is here is found, and what may be missing is declared."""
    repository.add_peer("lab-b", url, token="pvr_secret_token")
    found = walk(repository, **options)
    assert nodes(found) == ["result", "table"]
    assert not found.complete
    there = found.laboratories[1]
    assert there.state == state, there
    (missing,) = found.missing
    assert (missing.laboratory, missing.things, missing.total) == ("lab-b", (f"{EX}result", f"{EX}table"), 2)
    assert missing.reason == there.message
    assert "secret" not in repr(found)
    assert "incomplete: lab-b" in "\n".join(found.reports())
    return found


def test_a_peer_that_is_down_is_declared(repository: Repository) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    failing(repository, f"http://127.0.0.1:{port}", "unreachable")


def silent(server: LyingServer, connection: socket.socket, _: bytes) -> None:
    server.gone.wait(60)
    connection.close()


def endless(server: LyingServer, connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while not server.gone.is_set():
        connection.sendall(b"1," * 100_000)


def test_a_slow_peer_is_declared(repository: Repository) -> None:
    with lying(silent) as server:
        failing(repository, server.url, "late", timeout=1.5)


def surroundings(**changes: object) -> dict[str, Any]:
    """A good answer to the first question, with changes."""
    source = {"project": "p", "document": "d", "version": 1, "graph": "urn:g"}
    thing = {
        "iri": f"{EX}result",
        "kinds": ["entity"],
        "label": "",
        "types": [],
        "projects": ["p"],
        "total_sources": 1,
        "sources": [source],
        "followed": "start",
    }
    relation = {
        "subject": f"{EX}result",
        "relation": "wasDerivedFrom",
        "object": f"{EX}table",
        "time": None,
        "source": 0,
    }
    good = {"direction": "upstream", "things": [thing], "relations": [relation], "sources": [source], "cut": []}
    for path, value in changes.items():
        target: Any = good
        *steps, last = path.split("__")
        for step in steps:
            target = target[0] if step == "0" else target[step]
        target[last] = value
    return good


def answer(value: object) -> bytes:
    return response(body=json.dumps(value).encode(), Content_Type="application/json")


LIES: dict[str, bytes | Callable[..., None]] = {
    "no JSON": response(body=b"<html>", Content_Type="text/html"),
    "half a JSON": response(body=b'{"direction": "ups', Content_Type="application/json"),
    "a list": answer([]),
    "nothing in it": answer({}),
    "nested": response(body=b"[" * 100_000, Content_Type="application/json"),
    "endless": endless,
    "another direction": answer(surroundings(direction="downstream")),
    "things are no list": answer(surroundings(things={})),
    "a thing without an IRI": answer(surroundings(things__0__iri="result")),
    "an IRI that breaks out": answer(surroundings(things__0__iri="https://e.org/> <x")),
    "an IRI for a terminal": answer(surroundings(things__0__iri="https://e.org/\x9b2J")),
    "a lone surrogate": answer(surroundings(things__0__label="\ud800")),
    "a kind that PROV does not know": answer(surroundings(things__0__kinds=["plan"])),
    "a label that is a number": answer(surroundings(things__0__label=5)),
    "a wrong number of sources": answer(surroundings(things__0__total_sources=0)),
    "an unknown relation": answer(surroundings(relations__0__relation="wasStolenFrom")),
    "a source that does not exist": answer(surroundings(relations__0__source=7)),
    "a source that is true": answer(surroundings(relations__0__source=True)),
    "a time without an end": answer(surroundings(relations__0__time=1 << 80)),
    "a time that is text": answer(surroundings(relations__0__time="2026-01-01T00:00:00Z")),
    "a project that is a path": answer(surroundings(sources__0__project="../../etc")),
    "nothing of what was asked": answer(surroundings(things__0__followed="none")),
    "compressed": response(body=b"x", Content_Type="application/json", Content_Encoding="gzip"),
    "a redirect": response("307 Temporary Redirect", Location="http://169.254.169.254/latest/meta-data/"),
    "an error without a problem": response("500 Internal Server Error"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_peer_counts_as_not_answering(repository: Repository, lie: str) -> None:
    with lying(LIES[lie]) as server:
        found = failing(repository, server.url, "malformed")
        assert len(server.requests) <= 2
    assert "169.254" not in "".join(node.iri for node in found.nodes)


def test_the_good_answer_is_accepted(repository: Repository) -> None:
    with lying(answer(surroundings())) as server:
        repository.add_peer("lab-b", server.url)
        assert walk(repository).laboratories[1].state == "answered"


def test_a_slow_peer_leaves_time_for_the_others(repository: Repository, peer: str, peer_data: tuple[Path, str]) -> None:
    with lying(silent) as server:
        repository.add_peer("lab-b", peer, token=peer_data[1])
        repository.add_peer("slow", server.url)
        found = walk(repository, timeout=8)
    assert nodes(found) == ["result", "table", "raw"]
    assert [each.state for each in found.laboratories] == ["answered", "answered", "late"]
    assert {missing.laboratory for missing in found.missing} == {"slow"}


@pytest.mark.parametrize(
    ("status", "state"),
    [("401 Unauthorized", "refused"), ("403 Forbidden", "refused"), ("404 Not Found", "unsupported")],
)
def test_a_refusal_is_declared(repository: Repository, status: str, state: str) -> None:
    with lying(response(status)) as server:
        failing(repository, server.url, state)


def test_only_peers_are_contacted_and_with_their_own_token(repository: Repository) -> None:
    with (
        lying(answer(surroundings(sources__0__graph="http://127.0.0.1:1/graph"))) as one,
        lying(response("403 No")) as two,
    ):
        repository.add_peer("one", one.url, token="pvr_for_one")
        repository.add_peer("two", two.url, token="pvr_for_two")
        found = walk(repository)
    assert {each.state for each in found.laboratories} == {"answered", "refused"}
    assert all(b"pvr_for_one" in request and b"pvr_for_two" not in request for request in one.requests)
    assert all(b"pvr_for_two" in request and b"pvr_for_one" not in request for request in two.requests)


def test_a_peer_that_restarts_answers_again(repository: Repository, tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "peer") as there:
        there.create_project("soil", public=True)
        there.submit(THERE, project="soil", name="run", format="provn")
    with serving(tmp_path / "peer") as url:
        repository.add_peer("lab-b", url)
        assert walk(repository).complete
    assert not walk(repository).complete
    with serving(tmp_path / "peer") as url:
        repository.set_peer("lab-b", url=url)
        assert nodes(walk(repository)) == ["result", "table", "raw"]


def test_only_known_things_are_asked_about_where_that_is_wanted(repository: Repository) -> None:
    asked: list[dict[str, Any]] = []

    def note(_: LyingServer, connection: socket.socket, request: bytes) -> None:
        asked.append(json.loads(request.partition(b"\r\n\r\n")[2]))
        connection.sendall(answer({**surroundings(), "things": [], "relations": []}))

    with lying(note) as server:
        content = "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"
        document = f"document prefix ex <{EX}> prefix b <{server.url}> prefix ni <ni:///> "
        document += (
            f"wasDerivedFrom(ex:result, b:thing) wasDerivedFrom(ex:result, 'ni:sha-256;{content[14:]}') endDocument"
        )
        turtle = f"<{EX}result> <http://www.w3.org/ns/prov#wasDerivedFrom> <{server.url}thing>, <{content}> ."
        repository.submit(turtle.encode(), name="more", format="turtle")
        repository.add_peer("lab-b", server.url)
        found = walk(repository, ask="known")
        sent = {iri for question in asked for iris in question.values() if isinstance(iris, list) for iri in iris}
        assert sent == {f"{EX}result", f"{server.url}thing", content}
        (missing,) = found.missing
        assert (missing.laboratory, missing.things) == ("lab-b", (f"{EX}table",))
        assert "not asked" in missing.reason
        asked.clear()
        assert walk(repository).complete
        assert any(f"{EX}table" in question.get("full", ()) for question in asked)
    repository.withdraw("default", "more", reason="only for this test")


def test_options_without_a_meaning_across_repositories_are_refused(repository: Repository) -> None:
    with pytest.raises(UsageError, match="there is no peer"):
        walk(repository)
    repository.add_peer("lab-b", "http://127.0.0.1:1")
    with pytest.raises(UsageError, match="project cannot be combined with federated"):
        walk(repository, project="default")
    with pytest.raises(UsageError, match="as_of cannot be combined with federated"):
        walk(repository, as_of="default/1")
    with pytest.raises(UsageError, match="ask is for a federated lineage"):
        repository.lineage(f"{EX}result", ask="known")


def test_the_command_line(tmp_path: Path, peer: str, peer_data: tuple[Path, str]) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.submit(HERE, name="run", format="provn")
        repository.add_peer("lab-b", peer, token=peer_data[1])
        repository.add_peer("lab-c", "http://127.0.0.1:1")
    command = Command(tmp_path / "data")
    found = command.json("lineage", f"{EX}result", "--federated")
    assert found["complete"] is False
    assert [each["state"] for each in found["laboratories"]] == ["answered", "answered", "unreachable"]
    shown = command("lineage", f"{EX}result", "--federated")
    assert "default,lab-b/soil" in shown.stdout
    assert "lab-b: 2 things, 1 relation" in shown.stderr
    assert "incomplete: lab-c" in shown.stderr
    for option in (["--impact"], ["--common", f"{EX}raw"]):
        assert "not federated" in command.error("lineage", f"{EX}result", "--federated", *option, code=2)
    assert "ask is for" in command.error("lineage", f"{EX}result", "--ask", "known", code=2)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, peer: str, peer_data: tuple[Path, str]) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.submit("more", THERE.replace(b"ex:table", b"ex:chart"))
        site.owner.submit(HERE, project="open", name="result", format="provn")
        site.owner.add_peer("lab-b", peer, token=peer_data[1])
        yield site


FEDERATED = {"iri": f"{EX}result", "federated": "true"}


def test_http_is_for_tokens_that_may_write(site: Site) -> None:
    for who in ("all", "open"):
        found = site.client.get("/lineage", query_string=FEDERATED, headers=site.auth(who))
        assert found.status_code == 200
        body = found.get_json()
        assert body["complete"] is True
        assert {node["iri"].removeprefix(EX) for node in body["nodes"]} == {"result", "table", "run", "ada", "raw"}
    for who, status in (("", 401), ("reader", 403)):
        refused = site.client.get("/lineage", query_string=FEDERATED, headers=site.auth(who))
        assert refused.status_code == status
        assert "operator's tokens" in refused.get_json()["detail"]
    with pytest.raises(Denied, match="operator's tokens"):
        site.owner.as_actor(site.store.anonymous()).lineage(f"{EX}result", federated=True)


def test_other_formats_say_whether_they_are_complete(site: Site) -> None:
    trig = site.client.get("/lineage", query_string={**FEDERATED, "format": "trig"}, headers=site.auth("all"))
    assert (trig.status_code, trig.headers["Provrepo-Complete"]) == (200, "true")
    assert "wasAttributedTo" in trig.text


def page(site: Site, who: str = "all", status: int = 200, **query: str) -> str:
    found = site.client.get(
        "/lineage", query_string={"iri": f"{EX}result", **query}, headers={**site.auth(who), "Accept": BROWSER}
    )
    assert found.status_code == status
    return found.text


def test_the_page_says_which_laboratory_says_what(site: Site) -> None:
    """Without a script: a link and a choice of the form offer it, and the page has a row for each laboratory."""
    hostile = json.dumps({"type": f"{TYPES}usage", "detail": "<script>alert(1)</script>\nno", "status": 400}).encode()
    with lying(response("400 Bad Request", hostile, Content_Type=MEDIA_TYPE)) as server:
        names = {"lab-down": "http://127.0.0.1:9/", "lab-lies": server.url}
        try:
            for name, url in names.items():
                site.owner.add_peer(name, url)
            for who, offered in (("all", True), ("open", True), ("reader", False), ("", False)):
                plain = page(site, who)
                assert ("asks lab-b" in plain) is ("Go on in other" in plain) is offered, who
                assert "This may not be everything" not in plain
            assert "asks lab-b" not in page(site, project="open"), "which is another question"
            found = page(site, federated="true")
        finally:
            for name in names:
                site.owner.remove_peer(name)
    rows = re.findall(
        r'(?s)<th scope="row">(this repository|lab-[a-z]+).*?<span class="badge[^>]*>([a-z]+)</span>', found
    )
    assert rows == [
        ("this repository", "answered"),
        ("lab-b", "answered"),
        ("lab-down", "unreachable"),
        ("lab-lies", "refused"),
    ]
    assert "This may not be everything" in found
    assert "lab-down: cannot reach http://127.0.0.1:9/: connection refused; it may know more about" in found
    assert "&lt;script&gt;alert(1)&lt;/script&gt; no" in found
    assert "<script>alert" not in found
    assert "at lab-b, soil" in found, "where a peer asserts it"
    assert 'data-head="Said by">this repository, lab-b</td>' in found or 'data-head="Said by">lab-b</td>' in found
    assert "--federated" in found, "the command for the same"
    assert "iri=https%3A%2F%2Fexample.org%2Ftable&amp;federated=true" in found, "links to other things keep it"


def test_a_complete_page_and_one_that_may_not_be_requested(site: Site) -> None:
    assert "This may not be everything" not in page(site, federated="true")
    assert "operator" in page(site, "reader", 403, federated="true")
    assert "cannot be combined with federated" in page(site, status=400, federated="true", project="open")
    downstream = page(site, federated="true", direction="downstream")
    assert "What is affected" not in downstream, "the counts are those of one repository"


def test_surroundings_are_what_the_caller_may_read(site: Site) -> None:
    def ask(who: str, **question: object) -> Any:
        return site.client.post("/lineage/surroundings", json=question, headers=site.auth(who))

    table = f"{EX}table"
    for who, projects in (("all", ["open", "secret"]), ("open", ["open"]), ("", ["open"])):
        body = ask(who, start=[table]).get_json()
        thing = next(each for each in body["things"] if each["iri"] == table)
        assert (thing["projects"], thing["followed"]) == (projects, "start")
        assert {source["project"] for source in body["sources"]} == set(projects)
    assert ask("", start=[f"{EX}nothing"]).get_json()["things"] == []
    short = ask("", start=[table], limit=1).get_json()
    assert any(each["followed"] == "none" for each in short["things"])
    assert ask("", start=[table], depth=1).get_json()["things"][0]["iri"] == table


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({}, "name 1 to 1,000 things"),
        ({"start": [f"{EX}{number}" for number in range(1001)]}, "name 1 to 1,000 things"),
        ({"start": ["relative"]}, "not an absolute IRI"),
        ({"start": "https://example.org/a"}, "not a list of texts"),
        ({"start": [5]}, "not a list of texts"),
        ({"strat": [EX]}, "no member 'strat'"),
        ({"start": [EX], "direction": "both"}, "not a direction"),
        ({"start": [EX], "depth": True}, "not a whole number"),
        ({"start": [EX], "depth": 0}, "positive number"),
        ({"start": [EX], "limit": 10**9}, "limit is a number"),
        ({"start": [EX], "strict": 1}, "not true or false"),
        ({"start": [EX], "relations": ["wasStolenFrom"]}, "no relation"),
        ({"start": [EX], "timeout": -1}, "positive number"),
        ({"start": [EX], "timeout": float("nan")}, ""),
    ],
)
def test_a_bad_question_is_refused(site: Site, question: dict[str, object], reason: str) -> None:
    found = site.client.post("/lineage/surroundings", json=question)
    assert found.status_code == 400
    assert reason in found.get_json()["detail"]


def test_a_peer_that_is_this_repository_does_not_count_twice(
    tmp_path: Path, peer: str, peer_data: tuple[Path, str]
) -> None:
    with provrepo.open(tmp_path / "data") as owner:
        owner.submit(HERE, name="run", format="provn")
        token = owner.create_token("lab-a", write=False)[0]
        identity = owner.context.store.ledger.identity().id
    with serving(tmp_path / "data") as url, provrepo.connect(url, token=token_of(tmp_path / "data")) as repository:
        with provrepo.open(tmp_path / "data") as owner:
            owner.add_peer("mirror-of-me", url, token=token)
            owner.add_peer("lab-b", peer, token=peer_data[1])
        found = repository.lineage(f"{EX}result", federated=True)
    assert isinstance(found, FederatedLineage)
    assert [(each.name, each.state) for each in found.laboratories] == [
        (None, "answered"),
        ("lab-b", "answered"),
        ("mirror-of-me", "itself"),
    ]
    assert found.complete
    assert "mirror-of-me: this repository itself" in found.reports()
    edge = next(edge for edge in found.edges if edge.subject == f"{EX}result")
    assert [source.to_dict()["laboratory"] for source in edge.sources] == [None]
    assert identity not in "".join(found.reports())


def token_of(data: Path) -> str:
    """A token of a data directory that may write."""
    with provrepo.open(data) as owner:
        return owner.create_token("someone")[0]

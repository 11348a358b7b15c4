"""Pingbacks: who may send and read them, and the limits of what is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.errors import Damaged, Denied, NotAvailable, NotFound, TooLarge, UsageError, Withdrawn
from provrepo.ledger.pingbacks import Pingbacks, Pinged
from provrepo.repository.repository import Repository
from provrepo.server.app import create_app
from provrepo.server.protocol.links import parse
from provrepo.server.protocol.rejections import Rejected
from provrepo.settings import Settings
from tests.support.sampling import examples
from tests.support.serving import Site, opened

HERE = "/projects/open/documents/run/pingback"
LIST = {"Content-Type": "text/uri-list"}
QUERY_SERVICE = "http://www.w3.org/ns/prov#has_query_service"
HAS_PROVENANCE = "http://www.w3.org/ns/prov#has_provenance"


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("pingbacks")) as found:
        yield found


@pytest.fixture
def site(everything: Site) -> Iterator[Site]:
    """A site in its initial state: without pingbacks, and with the default settings."""
    store = everything.store
    usual, file = store.settings, store.settings.data / "pingbacks.sqlite"
    yield replace(everything, client=create_app(store).test_client())
    store.settings = usual
    everything.owner.set_project("secret", public=False)
    store.pingbacks.close()
    for path in file.parent.glob(file.name + "*"):
        path.unlink()
    store.parts.pingbacks = Pingbacks(file)


def _kept(site: Site, document: str = "run") -> list[tuple[str, str, str]]:
    found = site.store.pingbacks.stored("open", document)
    return [(one.relation, one.uri, one.anchor) for one in found]


# Sending


def test_a_list_is_kept(site: Site) -> None:
    data = b"# from the coyote\r\nhttp://coyote.example/contraption/provenance\r\n\r\nhttps://coyote.example/b?x=1&y=2#z\r\n"
    answer = site.client.post(HERE, data=data, headers=LIST)
    assert (answer.status_code, answer.data) == (204, b"")
    assert _kept(site) == [
        ("has_provenance", "http://coyote.example/contraption/provenance", ""),
        ("has_provenance", "https://coyote.example/b?x=1&y=2#z", ""),
    ]
    assert site.client.post(HERE, data=data, headers=LIST).status_code == 204
    assert len(_kept(site)) == 2, "what is known already is not kept twice"


def test_links_say_more_even_beside_an_empty_list(site: Site) -> None:
    link = (
        f'<http://coyote.example/sparql>; rel="{QUERY_SERVICE}"; anchor="https://example.org/table", '
        f'<http://coyote.example/extra?a=1,2>; rel="next {HAS_PROVENANCE}"; anchor="urn:x:extra-widget", '
        '<http://coyote.example/else>; rel="next"'
    )
    assert site.client.post(HERE, data=b"", headers={**LIST, "Link": link}).status_code == 204
    assert _kept(site) == [
        ("has_query_service", "http://coyote.example/sparql", "https://example.org/table"),
        ("has_provenance", "http://coyote.example/extra?a=1,2", "urn:x:extra-widget"),
    ]


def test_a_list_may_be_about_one_thing(site: Site) -> None:
    link = next(
        link
        for link in parse(site.client.get("/thing?iri=https://example.org/table").headers["Link"])
        if link.relations == ["http://www.w3.org/ns/prov#pingback"]
    )
    assert link.parameters["anchor"] == "https://example.org/table"
    assert site.client.post(link.target, data=b"http://a.example/", headers=LIST).status_code == 204
    assert _kept(site) == [("has_provenance", "http://a.example/", "https://example.org/table")]
    for hostile in ("no iri", "https://example.org/\u202egpj", "https://example.org/\r\n", "a" * 2001):
        answer = site.client.post(HERE, query_string={"iri": hostile}, data=b"http://b.example/", headers=LIST)
        assert answer.status_code == 400, hostile


def test_a_version_has_pingbacks_of_its_own(site: Site) -> None:
    path = "/projects/open/documents/twice/versions/1/pingback"
    assert site.client.post(path, data=b"http://a.example/1", headers=LIST).status_code == 204
    assert [one.version for one in site.store.pingbacks.stored("open", "twice")] == [1]
    missing = site.client.post(path.replace("1/p", "9/p"), data=b"http://a.example/1", headers=LIST)
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"", LIST, 400),
        (b"# nothing but a comment", LIST, 400),
        (b"relative/path", LIST, 400),
        (b"javascript:alert(1)", LIST, 400),
        (b"file:///etc/passwd", LIST, 400),
        (b"http://", LIST, 400),
        (b"http://[::1", LIST, 400),
        (b"https://me:secret@a.example/", LIST, 400),
        (b"http://a.example/\xff", LIST, 400),
        (b"http://a.example/<b>", LIST, 400),
        ("http://a.example/\u202e".encode(), LIST, 400),
        ("http://\u0430.example/".encode(), LIST, 400),
        (b"http://a.example/" + b"a" * 2000, LIST, 400),
        (b"\n".join(b"http://a.example/%d" % n for n in range(101)), LIST, 413),
        (b"http://a.example/\n" * 5000, LIST, 413),
        (b"http://a.example/", {"Content-Type": "text/plain"}, 415),
        (b"http://a.example/", {}, 415),
        (b"http://a.example/", {**LIST, "Content-Encoding": "br"}, 415),
        (b"http://a.example/", {**LIST, "Link": "http://b.example/"}, 400),
        (b"http://a.example/", {**LIST, "Link": "<http://b.example/"}, 400),
        (b"http://a.example/", {**LIST, "Link": f'<b>; rel="{QUERY_SERVICE}"'}, 400),
        (b"http://a.example/", {**LIST, "Link": f'<http://b.example>; rel="{QUERY_SERVICE}"; anchor="a b"'}, 400),
        (b"http://a.example/", {**LIST, "Link": f'<http://b.example>; rel="{QUERY_SERVICE}; anchor='}, 400),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_not_taken(site: Site, data: bytes, headers: dict[str, str], status: int) -> None:
    answer = site.client.post(HERE, data=data, headers=headers)
    assert answer.status_code == status
    assert answer.get_json()["detail"]
    assert _kept(site) == []
    assert not (site.store.settings.data / "pingbacks.sqlite").exists()


def test_ten_megabytes_are_refused(site: Site) -> None:
    answer = site.client.post(HERE, data=b"http://a.example/\n" * 600_000, headers=LIST)
    assert answer.status_code == 413


def test_private_documents_stay_unknown(site: Site) -> None:
    def asked(path: str, who: str = "") -> tuple[int, bytes]:
        headers = {**LIST, **site.auth(who)}
        answer = site.client.post(path, data=b"http://a.example/", headers=headers)
        return answer.status_code, answer.data

    secret, nowhere = "/projects/secret/documents/run/pingback", "/projects/nowhere/documents/run/pingback"
    assert asked(secret) == asked(nowhere)
    assert asked(secret)[0] == 404
    assert asked(secret, "open")[0] == 404
    assert asked(secret, "reader")[0] == 204
    for path in ("/projects/secret/pingbacks", "/projects/secret/documents/run/pingbacks"):
        stranger = site.client.get(path)
        assert (stranger.status_code, stranger.data) == (404, site.client.get(path.replace("secret", "no")).data)
    assert asked("/projects/open/documents/none/pingback")[0] == 404
    assert asked("/projects/open/documents/gone/pingback")[0] == 410


def test_methods_and_other_sites(site: Site) -> None:
    assert site.client.get(HERE).status_code == 405
    answer = site.client.post(HERE, data=b"http://a.example/", headers={**LIST, "Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    offered = site.client.options(HERE, headers={"Origin": "https://evil.example"})
    assert "POST" not in offered.headers.get("Access-Control-Allow-Methods", "")


# The rate


def test_an_address_is_slowed_down_for_one_project(site: Site) -> None:
    store = site.store
    store.settings = replace(store.settings, pingback_rate=2)
    client = create_app(store).test_client()

    def send(address: str, path: str = HERE) -> int:
        answer = client.post(path, data=b"http://a.example/", headers=LIST, environ_base={"REMOTE_ADDR": address})
        if answer.status_code == 429:
            assert 1 <= int(answer.headers["Retry-After"]) <= 1800
        return answer.status_code

    assert [send("192.0.2.1") for _ in range(3)] == [204, 204, 429]
    assert send("192.0.2.2") == 204
    site.owner.set_project("secret", public=True)
    assert send("192.0.2.1", HERE.replace("open", "secret")) == 204
    assert [send(f"2001:db8::{n}") for n in range(1, 4)] == [204, 204, 429], "a customer's network is one sender"
    assert send("::ffff:192.0.2.1") == 429, "the same address in the other family's notation"


def test_a_client_cannot_name_its_own_address(site: Site) -> None:
    store = site.store
    store.settings = replace(store.settings, pingback_rate=1)
    client = create_app(store).test_client()
    sent = [
        client.post(HERE, data=b"http://a.example/", headers={**LIST, "X-Forwarded-For": f"192.0.2.{n}"})
        for n in range(2)
    ]
    assert [answer.status_code for answer in sent] == [204, 429]


def test_pingbacks_can_be_turned_off(site: Site) -> None:
    store = site.store
    store.settings = replace(store.settings, pingbacks=0)
    client = create_app(store).test_client()
    assert client.post(HERE, data=b"http://a.example/", headers=LIST).status_code == 501
    assert client.post(HERE.replace("open", "secret"), data=b"http://a.example/", headers=LIST).status_code == 404
    assert "#pingback" not in client.get("/projects/open/documents/run").headers["Link"]
    with pytest.raises(NotAvailable):
        site.owner.pingback("open", "run", ["http://a.example/"])


# Reading and discarding


def test_curators_read_and_discard(site: Site) -> None:
    site.client.post(HERE, data=b"http://a.example/1\nhttp://a.example/2", headers=LIST)
    assert site.client.get(HERE + "s").status_code == 401
    assert site.client.get(HERE + "s", headers=site.auth("reader")).status_code == 403
    answer = site.client.get(HERE + "s", headers=site.auth("open"))
    assert answer.status_code == 200
    body = answer.get_json()
    assert (body["project"], body["document"]) == ("open", "run")
    assert [one["uri"] for one in body["pingbacks"]] == ["http://a.example/1", "http://a.example/2"]
    assert [one["seen"] for one in body["pingbacks"]] == [False, False]
    everything = site.client.get("/projects/open/pingbacks", headers=site.auth("all")).get_json()
    assert [one["seen"] for one in everything["pingbacks"]] == [True, True]
    first = body["pingbacks"][0]["id"]
    assert site.client.delete(f"{HERE}s/{first}").status_code == 401
    assert site.client.delete(f"{HERE}s/{first}", headers=site.auth("reader")).status_code == 403
    assert site.client.delete(f"{HERE}s/{first}", headers=site.auth("open")).status_code == 204
    assert site.client.delete(f"{HERE}s/{first}", headers=site.auth("open")).status_code == 404
    assert site.client.delete(f"{HERE}s/x", headers=site.auth("open")).status_code == 404
    elsewhere = HERE.replace("run", "twice")
    assert site.client.delete(f"{elsewhere}s/{first + 1}", headers=site.auth("open")).status_code == 404
    assert _kept(site) == [("has_provenance", "http://a.example/2", "")]
    assert site.client.delete(HERE + "s", headers=site.auth("open")).status_code == 204
    assert _kept(site) == []


def test_the_verbs(site: Site) -> None:
    owner, store = site.owner, site.store
    assert (
        owner.pingback("open", "run", ["http://a.example/"], links=[Pinged("has_query_service", "http://b.example/")])
        == 2
    )
    assert owner.pingback("open", "run", ["http://a.example/"]) == 0
    assert [one.uri for one in owner.pingbacks("open")] == ["http://a.example/", "http://b.example/"]
    assert owner.pingbacks("open", "twice") == []
    anybody = Repository(store, store.anonymous())
    with pytest.raises(Denied):
        anybody.pingbacks("open", "run")
    with pytest.raises(NotFound):
        anybody.pingback("secret", "run", ["http://a.example/"])
    with pytest.raises(NotFound):
        owner.pingbacks("open", "none")
    with pytest.raises(Withdrawn):
        owner.pingback("open", "gone", ["http://a.example/"])
    with pytest.raises(UsageError, match="not a relation"):
        owner.pingback("open", "run", links=[Pinged("cites", "http://a.example/")])
    with pytest.raises(TooLarge):
        owner.pingback("open", "run", ["http://a.example/"] * 101)
    assert owner.discard_pingbacks("open", "run") == 2


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from click.testing import CliRunner

    from provrepo.cli.main import cli
    from tests.conftest import PROVJSON

    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        repository.submit(PROVJSON, project="crops", name="run")
        repository.pingback("crops", "run", ["http://a.example/1", "http://a.example/2"])

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["--data", str(tmp_path / "data"), *arguments])
        return result.exit_code, result.output

    code, out = run("pingbacks", "list", "crops/run")
    assert code == 0
    assert len(out.splitlines()) == 3
    assert "http://a.example/2" in out
    assert run("pingbacks", "list", "crops", "--output", "json")[1].count('"seen": true') == 2
    assert run("pingbacks", "discard", "crops/run", "1") == (0, "crops/run: 1 discarded\n")
    assert run("pingbacks", "discard", "crops/run") == (0, "crops/run: 1 discarded\n")
    assert run("pingbacks", "list", "crops/none")[0] == 1


# The file


def test_a_flood_replaces_itself_and_not_what_curators_kept(tmp_path: Path) -> None:
    pingbacks = Pingbacks(tmp_path / "pingbacks.sqlite")

    def keep(*numbers: int, project: str = "p") -> None:
        said = [Pinged("has_provenance", f"http://a.example/{number}") for number in numbers]
        pingbacks.store(project, "d", None, said, most=5)

    def kept(project: str = "p") -> list[int]:
        return [int(one.uri.rpartition("/")[2]) for one in pingbacks.stored(project)]

    keep(1, 2)
    pingbacks.mark_seen(pingbacks.stored("p"))
    keep(99, project="q")
    for number in range(3, 40):
        keep(number)
    assert kept() == [1, 2, 37, 38, 39], "those that nobody has seen go first, the oldest of them"
    pingbacks.mark_seen(pingbacks.stored("p"))
    keep(40)
    assert kept() == [2, 37, 38, 39, 40], "where all have been seen, the oldest goes"
    keep(*range(50, 60))
    assert kept() == [50, 51, 52, 53, 54], "one pingback has no more room than there is"
    assert kept("q") == [99]
    pingbacks.close()


def test_pingbacks_survive_and_the_file_is_checked(site: Site) -> None:
    site.owner.pingback("open", "run", ["http://a.example/1"])
    assert site.owner.fsck().sound
    file = site.store.settings.data / "pingbacks.sqlite"
    again = Pingbacks(file)
    assert [one.uri for one in again.stored("open")] == ["http://a.example/1"]
    again.close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 9")
    newer = Pingbacks(file)
    with pytest.raises(Damaged, match=r"pingbacks\.sqlite"):
        newer.stored("open")
    assert "pingbacks.sqlite" in newer.verify()[0]
    newer.close()


def test_many_at_once_are_all_kept(site: Site) -> None:
    def send(number: int) -> int:
        return site.owner.pingback("open", "run", [f"http://a.example/{number % 10}"])

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(send, range(40))) == 10, "each is new once"
    assert len(_kept(site)) == 10


def test_nothing_of_it_is_in_the_ledger(site: Site) -> None:
    before = site.store.ledger.position()
    site.owner.pingback("open", "run", ["http://a.example/1"])
    assert site.store.ledger.position() == before


# Link headers


def test_link_headers_are_read() -> None:
    found = parse('<a,b;c>;rel = "x y" ; Anchor="q\\"uo,te"; rel=z, , <>;title,<c>')
    assert [(link.target, link.relations, link.parameters.get("anchor")) for link in found] == [
        ("a,b;c", ["x", "y"], 'q"uo,te'),
        ("", [], None),
        ("c", [], None),
    ]
    assert parse("") == []


@given(st.text(alphabet='<>;,="\\ \tarel', max_size=60))
@settings(max_examples=examples(300), deadline=None)
def test_no_link_header_breaks_the_reader(header: str) -> None:
    with suppress(Rejected):
        assert all(link.target == link.target.strip() for link in parse(header))


def test_a_long_link_header_is_read_at_once() -> None:
    assert [link.target for link in parse("<a>" + "; " * 30_000)] == ["a"]
    with pytest.raises(Rejected):
        parse('<a>; b="' + "\\" * 60_001)


def test_the_default_keeps_a_thousand() -> None:
    assert (Settings().pingbacks, Settings().pingback_rate, Settings().trusted_proxy) == (1000, 60, "")

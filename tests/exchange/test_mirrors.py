"""Mirrors follow servers: three repositories on loopback, origins that are cut, lie, are restored, or go away."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import Conflict, Denied, Diverged, Error, NotFound, RemoteError, Unreachable, UsageError
from provrepo.ledger.entries import Entry, canonical
from provrepo.repository.exchange.mirroring.http_origin import split_url
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.repository.upkeep.restore import restore
from provrepo.server.app import create_app
from provrepo.settings import Settings
from tests.support.mirrored import differences, entries
from tests.support.origins import Application, Served, answer, served

PREFIXES = b"@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ex: <http://example.org/> .\n"
FIRST = PREFIXES + b"ex:clean prov:wasGeneratedBy [ a prov:Activity ; prov:used ex:raw ] .\n"
SECOND = FIRST + b"ex:more a prov:Entity ; prov:wasDerivedFrom ex:clean .\n"
LARGE = PREFIXES + b"ex:large a prov:Entity .\n" + b"# padding\n" * 60_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of which each test has a copy."""
    data = tmp_path_factory.mktemp("made") / "there"
    with provrepo.open(data) as repository:
        repository.create_project("crops", public=True, title="Crops")
        repository.submit(FIRST, project="crops", name="run")
        repository.submit(SECOND, project="crops", name="run", update=True)
        repository.submit(FIRST + b"#\n", project="crops", name="gone")
        repository.withdraw("crops", "gone", reason="wrong sheet")
    return data


@pytest.fixture
def there(made: Path, tmp_path: Path) -> Iterator[Repository]:
    with provrepo.open(Path(shutil.copytree(made, tmp_path / "there"))) as repository:
        yield repository


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Repository]:
    with provrepo.open(tmp_path / "here") as repository:
        repository.init("https://lab-b.example/")
        yield repository


@pytest.fixture
def origin(there: Repository) -> Iterator[Served]:
    with served(there) as found:
        yield found


def only(path: str, instead: Application | int | Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """What happens instead, for requests whose path ends in a text."""

    def choose(environ: dict[str, Any]) -> Any:
        if not environ["PATH_INFO"].endswith(path):
            return None
        return instead

    return choose


def test_a_mirror_follows_with_one_request_when_nothing_changed(
    there: Repository, here: Repository, origin: Served
) -> None:
    found = here.mirror(origin.project(), name="lab-a")
    assert (found.sequence, found.ahead, found.state, found.absent) == (5, 5, "current", 1)
    assert entries(here, "lab-a") == entries(there)
    assert [info.iri for info in here.history("lab-a", "run")] == [info.iri for info in there.history("crops", "run")]
    assert here.version("lab-a", "run").submitter == there.version("crops", "run").submitter
    origin.requests.clear()
    assert here.pull("lab-a").state == "current"
    assert origin.requests == ["HEAD /projects/crops/ledger"]
    there.submit(SECOND + b"#\n", project="crops", name="later")
    there.withdraw("crops", "run", reason="no longer true")
    assert here.pull("lab-a").sequence == 7
    assert here.document("lab-a", "run").reason == "no longer true"
    assert here.original("lab-a", "later")[0] == SECOND + b"#\n"
    info = here.project("lab-a").mirror
    assert info is not None
    assert (info.origin, info.project, info.sequence) == (origin.project(), "crops", 7)
    assert here.fsck(views=True).problems == ()


def test_erased_bytes_are_deleted_here_too_unless_others_have_them(
    there: Repository, here: Repository, origin: Served
) -> None:
    here.mirror(origin.project())
    digest = here.version("crops", "run").sha256
    assert here.context.store.blobs.exists(digest)
    there.erase("crops", "run", 2, reason="the law")
    here.pull("crops")
    assert not here.context.store.blobs.exists(digest)
    assert here.history("crops", "run")[1].state == "erased"
    assert here.fsck(views=True).problems == ()


def test_a_token_lets_read_what_is_private(there: Repository, here: Repository, origin: Served) -> None:
    there.set_project("crops", public=False)
    with pytest.raises(NotFound):
        here.mirror(origin.project())
    assert here.mirrors() == []
    token, _ = there.create_token("lab-b", projects=["crops"], write=False)
    here.mirror(origin.project(), token=token)
    with pytest.raises(NotFound):
        here.pull("crops")
    assert here.mirrors()[0].state == "refused"
    here.add_peer("lab-a", origin.url, token=token)
    there.submit(SECOND + b"#\n", project="crops", name="later")
    assert here.pull("crops").sequence == 7
    curator, _ = there.create_token("curator", projects=["crops"])
    assert here.pull("crops", missing=True, token=curator).absent == 0
    assert differences(here, there, "crops") == []
    assert here.fsck(views=True).problems == ()


def test_names_that_change_or_are_erased_there_do_so_here(there: Repository, here: Repository, origin: Served) -> None:
    here.mirror(origin.project())
    actor = there.actor.id
    there.context.store.accounts.rename(actor, "Ada L.")
    here.pull("crops")
    assert here.version("crops", "run").submitter == "Ada L."
    there.context.store.accounts.rename(actor, None)
    here.pull("crops")
    assert here.version("crops", "run").submitter == f"erased-{actor[:8]}"


def test_an_origin_does_not_name_actors_of_this_repository(there: Repository, here: Repository, origin: Served) -> None:
    here.mirror(origin.project())
    mirroring = here.context.store.parts.mirroring
    mirroring.rename(there.identity(), {here.actor.id: "Somebody else"})
    here.create_project("own")
    assert here.submit(FIRST, project="own").version.submitter == here.actor.name


def test_a_base_iri_that_is_set_later_is_followed(there: Repository, here: Repository, origin: Served) -> None:
    here.mirror(origin.project())
    there.init("https://lab-a.example/")
    here.pull("crops")
    assert here.version("crops", "run").iri == "https://lab-a.example/projects/crops/documents/run/versions/2"
    assert here.fsck(views=True).problems == ()


def test_a_mirror_of_a_mirror_is_the_same(there: Repository, here: Repository, origin: Served, tmp_path: Path) -> None:
    here.mirror(origin.project(), name="lab-a", public=True)
    with served(here) as second, provrepo.open(tmp_path / "third") as third:
        third.mirror(second.project("lab-a"), name="again")
        assert entries(third, "again") == entries(there)
        assert third.version("again", "run").iri == there.version("crops", "run").iri
        assert third.version("again", "run").submitter == there.version("crops", "run").submitter
        assert third.fsck(views=True).problems == ()


def test_lineage_crosses_from_own_documents_to_mirrored_ones(here: Repository, origin: Served) -> None:
    here.mirror(origin.project())
    here.create_project("own")
    here.submit(PREFIXES + b"ex:ours prov:wasDerivedFrom ex:more .\n", project="own", name="ours")
    graph = here.lineage("http://example.org/ours")
    assert "http://example.org/raw" in {node.iri for node in graph.nodes}
    assert {source.project for node in graph.nodes for source in node.sources} == {"own", "crops"}


def test_a_project_without_entries_after_the_first_is_copied(
    there: Repository, here: Repository, origin: Served
) -> None:
    there.create_project("empty", public=True)
    found = here.mirror(origin.project("empty"))
    assert (found.sequence, found.state) == (1, "current")
    assert here.documents("empty") == []


@pytest.mark.parametrize("step", ["ledger", "origin", "blobs"])
@pytest.mark.parametrize("after", [0, 1, 100])
def test_a_connection_that_is_cut_costs_only_the_rest(
    there: Repository, here: Repository, origin: Served, step: str, after: int
) -> None:
    origin.instead = only(step, after)
    with pytest.raises(RemoteError):
        here.mirror(origin.project())
    assert here.fsck().problems == ()
    origin.instead = lambda environ: None
    assert here.mirror(origin.project()).state == "current"
    assert entries(here, "crops") == entries(there)
    assert here.fsck(views=True).problems == ()


def test_a_large_blob_is_continued_where_it_was_cut(there: Repository, here: Repository, origin: Served) -> None:
    digest = there.submit(LARGE, project="crops", name="large").version.sha256
    ranges: list[str] = []

    def cut(environ: dict[str, Any]) -> int | None:
        if not environ["PATH_INFO"].endswith(digest):
            return None
        ranges.append(environ.get("HTTP_RANGE", ""))
        return 100_000 if len(ranges) < 4 else None

    origin.instead = cut
    here.mirror(origin.project())
    assert ranges == ["", "bytes=100000-", "bytes=200000-", "bytes=300000-"]
    assert here.original("crops", "large")[0] == LARGE


def test_bytes_of_another_digest_are_not_stored(there: Repository, here: Repository, origin: Served) -> None:
    digest = there.submit(LARGE, project="crops", name="large").version.sha256
    origin.instead = only(digest, answer("200 OK", b"x" * len(LARGE)))
    with pytest.raises(RemoteError, match="another digest"):
        here.mirror(origin.project())
    assert here.mirrors()[0].state == "invalid"
    origin.instead = only(digest, answer("200 OK", b"x" * (len(LARGE) + 1)))
    with pytest.raises(RemoteError, match="more than"):
        here.pull("crops")
    origin.instead = lambda environ: None
    here.pull("crops")
    assert here.original("crops", "large")[0] == LARGE


def test_an_origin_may_ask_to_slow_down(here: Repository, origin: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provrepo.repository.exchange.mirroring.http_origin._PAUSE", 0.01)
    refused: list[str] = []

    def once(environ: dict[str, Any]) -> Application | None:
        path = environ["PATH_INFO"]
        if path in refused:
            return None
        refused.append(path)
        return answer("429 Too Many Requests", Retry_After="1")

    origin.instead = once
    assert here.mirror(origin.project()).state == "current"
    assert len(refused) == 4


def test_redirects_are_not_followed(here: Repository, origin: Served) -> None:
    elsewhere = answer("302 Found", Location="http://169.254.169.254/latest/meta-data/")
    for path in ("ledger", "origin", "blobs"):
        origin.instead = only(path, elsewhere)
        with pytest.raises(RemoteError, match="redirects are not followed"):
            here.mirror(origin.project(), name="copy")


def lying(there: Repository, change: Callable[[list[bytes]], list[bytes]], **head: str) -> Callable[[Any], Any]:
    """An origin with other entries."""

    def choose(environ: dict[str, Any]) -> Application | None:
        if not environ["PATH_INFO"].endswith("/ledger"):
            return None
        sent = change(entries(there))
        last = Entry.from_bytes(sent[-1], strict=False)
        fields = {
            "ETag": f'"{last.sha256}"',
            "Provrepo_Sequence": str(len(sent)),
            "Provrepo_Setup_Id": there.context.store.ledger.setup(),
            "Provrepo_About": "lies",
            **head,
        }
        if environ["REQUEST_METHOD"] == "HEAD":
            return answer("200 OK", **fields)
        query = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&") if pair)
        after, limit = int(query.get("after", 0)), int(query.get("limit", 100))
        content = b"".join(line + b"\n" for line in sent[after : after + limit])
        return answer("200 OK", content, Content_Type="application/x-ndjson", **fields)

    return choose


def changed(sent: list[bytes], number: int, **fields: Any) -> list[bytes]:
    """Change an entry, and all after it so that they form a chain again."""
    found, previous = [], ""
    for position, data in enumerate(sent, 1):
        entry = Entry.from_bytes(data, strict=False)
        more = fields if position == number else {}
        found.append(canonical({**entry.fields, "previous": previous, **more}))
        previous = Entry.from_bytes(found[-1], strict=False).sha256
    return found


def state_after(here: Repository, error: type[Error], match: str) -> str:
    before = entries(here, "crops")
    with pytest.raises(error, match=match):
        here.pull("crops")
    assert entries(here, "crops") == before
    assert here.fsck().problems == ()
    return here.mirrors()[0].state


def test_a_rewritten_origin_is_named_with_the_first_entry_that_differs(
    there: Repository, here: Repository, origin: Served
) -> None:
    here.mirror(origin.project())
    for number in (1, 2, 4, 5):
        more = {"title": "other"} if number == 1 else {"time": "2026-01-01T00:00:00Z"}
        origin.instead = lying(there, lambda sent, number=number, more=more: changed(sent, number, **more))  # type: ignore[misc]
        assert state_after(here, Diverged, f"another entry {number} than") == "forked"
    # Also if it has more entries now.
    more_entries = lambda sent: changed([*sent, sent[-1]], 6, sequence=6, document="run", version=2)  # noqa: E731
    origin.instead = lying(there, lambda sent: changed(more_entries(sent), 3, note="other"))
    assert state_after(here, Diverged, "another entry 3 than") == "forked"
    origin.instead = lying(there, lambda sent: sent[:3])
    assert state_after(here, Diverged, "it was shortened") == "shortened"
    assert "--name OTHER" in here.mirrors()[0].message
    origin.instead = lambda environ: None
    assert here.pull("crops").state == "current"


@pytest.mark.parametrize(
    ("change", "head"),
    [
        (lambda sent: [*sent, b"garbage"], {"ETag": f'"{"00" * 32}"'}),
        (lambda sent: sent, {"Provrepo_Sequence": "900"}),
        (lambda sent: sent, {"Provrepo_Sequence": "-1"}),
        (lambda sent: sent, {"Provrepo_Sequence": "9" * 100}),
        (lambda sent: sent, {"ETag": '"x"'}),
    ],
)
def test_an_origin_that_sends_nonsense_is_refused(
    there: Repository, here: Repository, origin: Served, change: Callable[[list[bytes]], list[bytes]], head: Any
) -> None:
    def nonsense(sent: list[bytes]) -> list[bytes]:
        return sent

    choose = lying(there, nonsense, **head)

    def instead(environ: dict[str, Any]) -> Any:
        if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith("/ledger"):
            content = b"".join(line + b"\n" for line in change(entries(there)))
            return answer("200 OK", content, Content_Type="application/x-ndjson")
        return choose(environ)

    origin.instead = instead
    with pytest.raises(RemoteError):
        here.mirror(origin.project())
    assert here.fsck().problems == ()
    assert here.mirrors()[0].state in ("invalid", "forked")


def test_an_endless_list_ends(there: Repository, here: Repository, origin: Served) -> None:
    def instead(environ: dict[str, Any]) -> Any:
        if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith("/ledger"):
            return answer("200 OK", b"x" * (6 << 20), Content_Type="application/x-ndjson")
        return None

    origin.instead = instead
    with pytest.raises(RemoteError, match="limit"):
        here.mirror(origin.project())


@pytest.mark.parametrize("member", ["identity", "base", "actors", "before", "project"])
def test_a_description_that_is_not_possible_is_refused(
    there: Repository, here: Repository, origin: Served, member: str
) -> None:
    described = {
        **there.origin("crops").to_dict(),
        member: {"identity": "x", "actors": {"a": "\ud800"}}.get(member, -1),
    }
    origin.instead = only("origin", answer("200 OK", json.dumps(described).encode(), Content_Type="application/json"))
    with pytest.raises(RemoteError, match=member):
        here.mirror(origin.project())
    assert here.mirrors() == []


def test_a_restored_origin_is_followed_only_on_request(
    there: Repository, here: Repository, origin: Served, tmp_path: Path
) -> None:
    here.mirror(origin.project())
    there.backup(tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored")
    there.submit(SECOND + b"#\n", project="crops", name="later")
    with provrepo.open(tmp_path / "restored") as restored, served(restored) as again:
        parts = here.context.store.parts.mirroring
        parts.change("crops", actor="", origin=again.project())
        assert state_after(here, Diverged, "--after-reset") == "reset"
        found = here.pull("crops", after_reset=True)
        assert (found.state, found.sequence) == ("current", 6)
        assert entries(here, "crops") == entries(restored)
        assert here.pull("crops").state == "current"
    here.context.store.parts.mirroring.change("crops", actor="", origin=origin.project())
    # The first copy went on meanwhile: it is another history now.
    assert state_after(here, Diverged, "another entry 6 than") == "forked"


def test_entries_that_a_restored_origin_lost_stay_here(
    there: Repository, here: Repository, origin: Served, tmp_path: Path
) -> None:
    there.backup(tmp_path / "backup")
    there.submit(SECOND + b"#\n", project="crops", name="later")
    there.submit(SECOND + b"##\n", project="crops", name="more")
    here.mirror(origin.project())
    restore(tmp_path / "backup", tmp_path / "restored")
    with provrepo.open(tmp_path / "restored") as restored, served(restored) as again:
        here.context.store.parts.mirroring.change("crops", actor="", origin=again.project())
        assert state_after(here, Diverged, "restored from a backup") == "shortened"
        with pytest.raises(Diverged):
            here.pull("crops", after_reset=True)
        for name in ("another", "one"):
            restored.submit(SECOND + f"# {name}\n".encode(), project="crops", name=name)
        assert state_after(here, Diverged, "another entry .*: it was restored from a backup or set up anew") == "forked"
        assert here.original("crops", "later")[0] == SECOND + b"#\n"
        assert here.mirror(again.project(), name="anew").sequence == 8


def test_an_origin_that_is_down_or_denies_is_said(there: Repository, here: Repository, origin: Served) -> None:
    here.mirror(origin.project())
    here.context.store.parts.mirroring.change("crops", actor="", origin="http://127.0.0.1:9/projects/crops")
    assert state_after(here, Unreachable, "cannot reach") == "unreachable"
    here.context.store.parts.mirroring.change("crops", actor="", origin=origin.project())
    there.set_project("crops", public=False)
    assert state_after(here, NotFound, f"^{origin.project()}: ") == "refused"
    with pytest.raises(Denied, match=f"^{origin.project()}: .*; the token is PROVREPO_TOKEN, or that of the peer"):
        here.pull("crops", token="pvr_0123456789abcdef_nonsense")
    contacted = here.mirrors()[0].contacted
    assert contacted
    assert here.mirrors()[0].tried > contacted
    there.set_project("crops", public=True)
    assert here.pull("crops").message == ""


def test_ended_mirrors_are_not_pulled_and_can_begin_again(here: Repository, origin: Served) -> None:
    here.mirror(origin.project())
    assert here.end_mirror("crops").state == "ended"
    origin.requests.clear()
    with pytest.raises(Conflict, match="ended"):
        here.pull("crops")
    assert origin.requests == []
    assert here.mirror(origin.project()).state == "current"
    with pytest.raises(NotFound):
        here.pull("nothing")
    with pytest.raises(NotFound):
        here.end_mirror("nothing")


def test_only_the_owner_mirrors(here: Repository, origin: Served) -> None:
    here.mirror(origin.project())
    here.create_token("ada")
    ada = here.as_actor(here.context.store.anonymous())
    for call in (lambda: ada.mirror(origin.project()), lambda: ada.pull("crops"), lambda: ada.end_mirror("crops")):
        with pytest.raises(Denied):
            call()
    assert ada.mirrors() == []


@pytest.mark.parametrize(
    "url", ["", "crops", "http://h/", "http://h/projects/", "http://h/projects/a/b", "http://h/projects/%2e"]
)
def test_what_is_no_url_of_a_project_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="not the URL of a project"):
        split_url(url)


def test_http_says_that_it_is_a_mirror(here: Repository, origin: Served, tmp_path: Path) -> None:
    here.mirror(origin.project(), public=True)
    client = create_app(here.context.store).test_client()
    found = client.get("/projects/crops").get_json()["mirror"]
    assert (found["origin"], found["sequence"], found["state"]) == (origin.project(), 5, "current")
    assert client.get("/projects/crops/documents/run/metadata").get_json()["mirror"] == found
    for path in ("/projects/crops", "/projects/crops/documents/run"):
        page = client.get(path, headers={"Accept": "text/html"}).get_data(as_text=True)
        assert f'Mirror of <span class="iri">{origin.project()}</span>' in page
    token, _ = here.create_token("ada")
    refused = client.put(
        "/projects/crops/documents/new",
        data=FIRST,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "text/turtle", "If-Match": "*"},
    )
    assert refused.status_code == 403
    assert origin.project() in refused.get_json()["detail"]
    assert client.get("/projects").get_json()["projects"][0]["mirror"] == found


def test_the_feed_has_exact_bytes_ranges_and_digests(there: Repository, tmp_path: Path) -> None:
    client = create_app(there.context.store).test_client()
    lines = client.get("/projects/crops/ledger?limit=2", headers={"Accept": "application/x-ndjson"})
    assert lines.data.splitlines() == entries(there)[:2]
    assert 'rel="next"' in lines.headers["Link"]
    head = client.head("/projects/crops/ledger")
    last = Entry.from_bytes(entries(there)[-1])
    assert (head.headers["Provrepo-Sequence"], head.headers["ETag"]) == ("5", f'"{last.sha256}"')
    assert head.headers["Provrepo-Setup-Id"] == there.context.store.ledger.setup()
    assert client.head("/projects/crops/ledger", headers={"If-None-Match": head.headers["ETag"]}).status_code == 304
    version = there.version("crops", "run", 1)
    whole = client.get(f"/projects/crops/blobs/{version.sha256}")
    assert whole.data == FIRST
    assert whole.headers["Repr-Digest"].startswith("sha-256=:")
    tag = whole.headers["ETag"]
    part = client.get(f"/projects/crops/blobs/{version.sha256}", headers={"Range": "bytes=10-", "If-Range": tag})
    assert (part.status_code, part.data) == (206, FIRST[10:])
    stale = client.get(f"/projects/crops/blobs/{version.sha256}", headers={"Range": "bytes=10-", "If-Range": '"x"'})
    assert (stale.status_code, stale.data) == (200, FIRST)
    gone = there.history("crops", "gone")[0]
    assert client.get(f"/projects/crops/blobs/{gone.sha256}").status_code == 410
    assert client.get(f"/projects/crops/blobs/{'00' * 32}").status_code == 404
    assert client.get("/projects/crops/blobs/x").status_code == 400
    with Store.open(Settings(data=tmp_path / "empty")) as store:
        assert create_app(store).test_client().head("/projects/crops/ledger").status_code == 404

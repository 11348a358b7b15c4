"""The Atom feed of a project: RFC 4287, pages, who may read it, and what is never in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from provrepo.server.discovery import atom
from tests.support.serving import LATER, PROVN, Site, opened

NS = "{http://www.w3.org/2005/Atom}"
CANARY = "kanarienvogel"


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


def read(site: Site, path: str = "/projects/open/feed", who: str = "") -> Any:
    answer = site.client.get(path, headers=site.auth(who))
    assert (answer.status_code, answer.mimetype) == (200, "application/atom+xml")
    return ElementTree.fromstring(answer.data)


def texts(feed: Any, name: str) -> list[str]:
    return [found.text or "" for found in feed.findall(f"{NS}entry/{NS}{name}")]


def test_it_has_what_rfc_4287_requires(site: Site) -> None:
    feed = read(site)
    for element in (feed, *feed.findall(f"{NS}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{NS}{name}")) == 1
        assert len(element.findall(f"{NS}author/{NS}name")) == 1
    ids = texts(feed, "id")
    assert all(each.startswith("ni:///sha-256;") for each in ids)
    assert len(set(ids)) == len(ids)
    relations = [link.get("rel") for link in feed.findall(f"{NS}link")]
    assert relations == ["self", "alternate", "first"]
    assert all(link.get("href", "").startswith("http") for link in feed.iter(f"{NS}link"))
    updated = texts(feed, "updated")
    assert updated == sorted(updated, reverse=True)
    assert feed.findtext(f"{NS}updated") == updated[0]


def test_what_was_withdrawn_has_no_title_and_the_reason_is_text(site: Site) -> None:
    feed = read(site)
    assert texts(feed, "title")[:2] == ["gone was withdrawn", "gone, version 1"]
    assert texts(feed, "summary")[:2] == ["wrong <i>unit</i>", "withdrawn since"]
    site.owner.submit(PROVN, project="open", name="odd", note="bell \x07 & <b>")
    assert "bell \ufffd & <b>" in texts(read(site), "summary")[0]


def test_it_is_paged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atom, "_SIZE", 2)
    path, seen, pages = "/projects/open/feed", [], 0
    while path:
        feed = read(site, path)
        seen += texts(feed, "id")
        pages += 1
        following = [link.get("href") for link in feed.findall(f"{NS}link") if link.get("rel") == "next"]
        path = "/" + following[0].split("/", 3)[3] if following else ""
    monkeypatch.undo()
    assert pages == 3
    assert seen == texts(read(site), "id")
    assert site.client.get("/projects/open/feed?before=x").status_code == 400


def test_a_reader_with_the_same_page_gets_304(site: Site) -> None:
    first = site.client.get("/projects/open/feed")
    tag = {"If-None-Match": first.headers["ETag"]}
    assert site.client.get("/projects/open/feed", headers=tag).status_code == 304
    site.submit("run", LATER)
    assert site.client.get("/projects/open/feed", headers=tag).status_code == 200


def test_a_private_project_is_for_its_readers(site: Site) -> None:
    assert texts(read(site, "/projects/secret/feed", "reader"), "title") == ["run, version 1"]
    for who in ("", "open"):
        private, unknown = (
            site.client.get(f"/projects/{name}/feed", headers=site.auth(who)) for name in ("secret", "nowhere")
        )
        assert (private.status_code, private.data) == (unknown.status_code, unknown.data)
        assert private.status_code == 404


def test_nothing_that_waits_is_in_it_or_changes_it(site: Site) -> None:
    before = site.client.get("/projects/open/feed")
    repo = site.owner
    waiting, _ = repo.submit_for_review(PROVN + b"\n", project="open", name=CANARY, note=CANARY)
    repo.ask_pending(waiting.id, reason=CANARY)
    repo.replace_pending(waiting.id, LATER)
    repo.reject_pending(waiting.id)
    after = site.client.get("/projects/open/feed")
    assert after.data == before.data
    assert after.headers["ETag"] == before.headers["ETag"]


def test_the_page_of_the_project_leads_to_it(site: Site) -> None:
    page = site.client.get("/projects/open", headers={"Accept": "text/html"}).text
    assert '<link rel="alternate" type="application/atom+xml"' in page
    assert 'href="/projects/open/feed"' in page

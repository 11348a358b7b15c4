"""The state of the exchange over HTTP: peers, holders, notices, pushes and mirrors, under the rights of the caller."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import provrepo
from provrepo.ledger.exchange.holders import Holder
from provrepo.ledger.exchange.peers import Peer
from provrepo.ledger.exchange.pushes import Push
from provrepo.remote.decoding import decoded
from provrepo.remote.exchange import _notice
from provrepo.repository.exchange.mirroring.records import MirrorInfo
from tests.exchange.notices.notices import derivation, peer, receive, withdrawal
from tests.support.mirrored import copy
from tests.support.serving import Site, opened

SECRET = "a-token-for-the-peer"
LISTS = ("peers", "holders", "notices", "pushes", "mirrors")
OF_PROJECT = ("holders", "notices", "pushes")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A repository with one of each: a peer that is told of a withdrawal, a push, received notices, and a mirror."""
    folder = tmp_path_factory.mktemp("state")
    with opened(folder / "here") as site, provrepo.open(folder / "there") as there:
        owner = site.owner
        site.submit("doc")
        lab, _ = peer(owner)
        owner.set_peer("lab-a", token=SECRET)
        owner.add_holder("open", "doc", peer="lab-a")
        owner.add_holder("secret", url="https://archive.example/inbox")
        owner.push("lab-a", "open", "doc", deliver=False)
        receive(lab, withdrawal())
        receive(lab, derivation(owner, "open", "doc"))
        owner.withdraw("open", "doc", reason="wrong <b>unit</b>")
        there.create_project("crops")
        copy(owner, there, "copy")
        yield site


def records(site: Site, member: str) -> list[dict[str, Any]]:
    return [one.to_dict() for one in getattr(site.owner, member)()]


@pytest.mark.parametrize("member", LISTS)
def test_who_may_write_everywhere_sees_what_the_owner_sees(site: Site, member: str) -> None:
    found = site.client.get(f"/{member}", headers=site.auth("all"))
    assert found.get_json() == {"total": len(records(site, member)), member: records(site, member)}
    assert len(found.get_json()[member]) >= 1
    page = site.client.get(f"/{member}", headers={**site.auth("all"), "Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "<b>unit" not in page.text
    assert SECRET not in found.text + page.text
    for who in ("open", "reader"):
        other = site.client.get(f"/{member}", headers=site.auth(who))
        assert other.status_code == (200 if member == "mirrors" else 403)
        if member == "mirrors":
            seen = [] if who == "open" else records(site, "mirrors")
            assert other.get_json() == {"total": len(seen), "mirrors": seen}
    assert site.client.get(f"/{member}").status_code == (200 if member == "mirrors" else 401)


@pytest.mark.parametrize("member", OF_PROJECT)
def test_who_may_write_to_a_project_sees_its_part(site: Site, member: str) -> None:
    found = site.client.get(f"/projects/open/{member}", headers=site.auth("open")).get_json()
    own = [one.to_dict() for one in getattr(site.owner, member)("open")]
    assert found == {"project": "open", "total": len(own), member: own}
    assert found[member]
    page = site.client.get(f"/projects/open/{member}", headers={**site.auth("open"), "Accept": "text/html"})
    assert "lab-a" in page.text
    assert site.client.get(f"/projects/secret/{member}", headers=site.auth("open")).status_code == 404
    assert site.client.get(f"/projects/open/{member}", headers=site.auth("reader")).status_code == 403
    assert site.client.get(f"/projects/open/{member}").status_code == 401


def numbers(page: str, path: str) -> int:
    """The number in the link of a page to a list."""
    found = re.search(rf'href="{re.escape(path)}">([0-9,]+) ', page)
    return int(found[1].replace(",", "")) if found else -1


def test_the_home_page_links_to_the_lists_with_their_lengths(site: Site) -> None:
    lengths = {member: len(records(site, member)) for member in LISTS}
    for who, seen in (("all", LISTS), ("reader", ("mirrors",)), ("open", ()), ("", ())):
        page = site.client.get("/", headers={**site.auth(who), "Accept": "text/html"}).text
        assert {member: numbers(page, f"/{member}") for member in LISTS} == {
            member: lengths[member] if member in seen else -1 for member in LISTS
        }
        assert ('id="exchange"' in page) == bool(seen)


def test_the_home_page_says_what_needs_attention(site: Site) -> None:
    def page() -> str:
        return " ".join(site.client.get("/", headers={**site.auth("all"), "Accept": "text/html"}).text.split())

    assert "could not" not in page()
    assert "of which 1 not acknowledged" in page()
    site.store.peers.failed("lab-a", "refused")
    try:
        assert "1 peer</a>, of which 1 could not be reached" in page()
    finally:
        site.store.peers.contacted("lab-a")
    site.store.parts.mirroring.change("copy", actor="", state="forked", message="another history")
    try:
        assert "1 mirror</a>, of which 1 could not follow its origin" in page()
    finally:
        site.store.parts.mirroring.change("copy", actor="", state="current", message="")


def test_the_page_of_a_project_links_to_its_lists_with_their_lengths(site: Site) -> None:
    for project in ("open", "secret"):
        lengths = {member: len(getattr(site.owner, member)(project)) for member in OF_PROJECT}
        for who in ("all", "open", "reader", ""):
            page = site.client.get(f"/projects/{project}", headers={**site.auth(who), "Accept": "text/html"}).text
            seen = who == "all" or (who == "open" and project == "open")
            found = {member: numbers(page, f"/projects/{project}/{member}") for member in OF_PROJECT}
            assert found == {member: lengths[member] if seen else -1 for member in OF_PROJECT}


def test_notices_are_filtered_and_shown_with_their_text(site: Site) -> None:
    headers = site.auth("all")
    sent = site.client.get("/notices?direction=sent", headers=headers).get_json()["notices"]
    received = site.client.get("/notices?direction=received", headers=headers).get_json()["notices"]
    assert {one["direction"] for one in sent} == {"sent"}
    assert {one["about"] for one in received} == {"withdrawn", "derived"}
    assert site.client.get("/projects/open/notices?document=none", headers=headers).status_code == 404
    assert site.client.get("/notices?direction=up", headers=headers).status_code == 400
    one = site.client.get("/notice", query_string={"id": sent[0]["id"]}, headers=headers).get_json()
    assert one == {**sent[0], "text": site.owner.notice(sent[0]["id"]).body.decode()}
    hidden = site.client.get("/notice", query_string={"id": received[0]["id"]}, headers=site.auth("open"))
    assert hidden.status_code == 404, "it is about no document here that this token may change"
    assert site.client.get("/notice?id=urn:none", headers=headers).status_code == 404


def test_one_peer_and_one_mirror(site: Site) -> None:
    headers = site.auth("all")
    assert site.client.get("/peers/lab-a", headers=headers).get_json() == site.owner.peer("lab-a").to_dict()
    assert site.client.get("/peers/nobody", headers=headers).status_code == 404
    assert site.client.get("/peers/lab-a", headers=site.auth("open")).status_code == 403
    assert site.client.get("/projects/copy/mirror", headers=headers).get_json() == records(site, "mirrors")[0]
    assert site.client.get("/projects/open/mirror", headers=headers).status_code == 404
    assert site.client.get("/projects/copy/mirror", headers=site.auth("open")).status_code == 404


def test_clients_make_the_same_records_of_it(site: Site) -> None:
    for member, kind in (("peers", Peer), ("holders", Holder), ("pushes", Push), ("mirrors", MirrorInfo)):
        found = site.client.get(f"/{member}", headers=site.auth("all")).get_json()[member]
        assert [decoded(kind, one) for one in found] == getattr(site.owner, member)()
    for one in site.client.get("/notices", headers=site.auth("all")).get_json()["notices"]:
        whole = site.client.get("/notice", query_string={"id": one["id"]}, headers=site.auth("all")).get_json()
        assert _notice(one).to_dict() == site.owner.notice(one["id"]).to_dict()
        assert _notice(whole).body == site.owner.notice(one["id"]).body

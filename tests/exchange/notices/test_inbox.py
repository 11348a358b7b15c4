"""The inbox over HTTP: Linked Data Notifications, who sees what, and the limits of strangers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from provrepo.errors import Conflict, Denied, NotAvailable, NotFound
from provrepo.repository.exchange.notices import tables
from provrepo.repository.exchange.notices.payload import write
from provrepo.server.app import create_app
from provrepo.server.protocol.links import parse
from tests.exchange.notices.notices import LD_JSON, derivation, kinds, peer, receive, withdrawal
from tests.support.serving import Site

INBOX = "http://www.w3.org/ns/ldp#inbox"


def post(site: Site, data: bytes, who: str = "", **given: Any) -> TestResponse:
    headers = {"Content-Type": LD_JSON, **site.auth(who), **given.pop("headers", {})}
    return site.client.post("/inbox", data=data, headers=headers, **given)


def contains(site: Site, who: str = "") -> list[str]:
    answer = site.client.get("/inbox", headers=site.auth(who))
    assert answer.status_code == 200
    assert answer.mimetype == "application/ld+json"
    found = json.loads(answer.data)
    assert found["@context"] == "http://www.w3.org/ns/ldp"
    assert found["@id"].endswith("/inbox")
    return [str(address) for address in found["contains"]]


def unproven(site: Site) -> list[str]:
    return [one.id for one in tables.incoming(site.store).listed() if not one.proof]


def test_the_inbox_is_found_by_a_link(site: Site) -> None:
    for path in ("/projects/open/documents/run", "/projects/open/documents/run/versions/1", "/inbox"):
        (link,) = (
            link for link in parse(", ".join(site.client.get(path).headers.getlist("Link"))) if INBOX in link.relations
        )
        assert link.target == "/inbox", path
    assert "application/ld+json" in site.client.get("/inbox").headers["Accept-Post"]


def test_a_notice_of_a_peer_is_stored_and_can_be_read(site: Site) -> None:
    notice = withdrawal()
    answer = post(site, write(notice), "lab-a")
    assert answer.status_code == 201
    address = answer.headers["Location"]
    assert address.startswith("http://") or address.startswith("https://")
    assert post(site, write(notice), "lab-a").headers["Location"] == address, "the same notice again is the same"
    assert contains(site, "all") == [address]
    path = "/inbox/" + address.rpartition("/")[2]
    found = site.client.get(path, headers=site.auth("all"))
    assert (found.status_code, found.mimetype, found.data) == (200, "application/ld+json", write(notice))
    (received,) = site.owner.notices()
    assert received.to_dict() == {
        "direction": "received",
        "id": notice.id,
        "about": "withdrawn",
        "project": "crops",
        "document": "run",
        "version": 2,
        "peer": "lab-a",
        "proof": "token",
        "subject": notice.subject,
        "object": notice.object,
        "answers": "",
        "time": "2026-03-01T10:00:00Z",
        "by": "Ada",
        "reason": "wrong unit",
        "received": received.to_dict()["received"],
    }
    other = post(site, write(replace(notice, reason="another")), "lab-a")
    assert (other.status_code, other.get_json()["detail"].count(notice.id)) == (409, 1)


def test_a_notice_of_anybody_else_has_no_effect(site: Site) -> None:
    notice = derivation(site.owner, "open", "run")
    before = site.store.ledger.position()
    for who in ("", "all", "reader"):
        answer = post(site, write(replace(notice, id=f"urn:x:{who or 'stranger'}")), who)
        assert (answer.status_code, answer.data, answer.headers.get("Location")) == (202, b"", None), who
    assert site.store.ledger.position() == before, "entries are never deleted, so nobody may add them"
    assert site.owner.holders("open") == []
    assert [one.to_dict()["proof"] for one in site.owner.notices("open")] == ["", "", ""]
    assert post(site, write(replace(notice, id="urn:x:stranger"))).status_code == 202
    assert len(site.owner.notices("open")) == 3, "the same again is not kept twice"


def test_a_stranger_cannot_take_the_identifier_of_a_peer(site: Site) -> None:
    notice = withdrawal()
    assert post(site, write(replace(notice, reason="a lie"))).status_code == 202
    assert post(site, write(notice), "lab-a").status_code == 201
    assert post(site, write(replace(notice, reason="another lie"))).status_code == 202
    proven = [one.to_dict() for one in site.owner.notices() if one.to_dict()["proof"]]
    assert [one["reason"] for one in proven] == ["wrong unit"]


def test_only_those_see_a_notice_who_may_change_its_project(site: Site) -> None:
    _, first = (post(site, write(derivation(site.owner, project, "run")), "lab-a") for project in ("open", "secret"))
    post(site, write(withdrawal()), "lab-a")
    everything = contains(site, "all")
    assert len(everything) == 3
    assert contains(site) == contains(site, "reader") == contains(site, "lab-a") == []
    assert contains(site, "open") == everything[:1]
    secret = "/inbox/" + first.headers["Location"].rpartition("/")[2]
    assert secret.rpartition("/")[2] == everything[1].rpartition("/")[2]
    for who in ("", "open", "reader", "lab-a"):
        missing = site.client.get("/inbox/0", headers=site.auth(who))
        hidden = site.client.get(secret, headers=site.auth(who))
        assert (hidden.status_code, hidden.data) == (missing.status_code, missing.data)
        assert hidden.status_code == 404
    assert site.client.get(secret, headers=site.auth("all")).status_code == 200
    of_project = site.client.get("/projects/open/notices", headers=site.auth("open")).get_json()
    assert [one["about"] for one in of_project["notices"]] == ["derived"]
    assert site.client.get("/projects/secret/notices", headers=site.auth("open")).status_code == 404
    assert site.client.get("/projects/open/notices", headers=site.auth("reader")).status_code == 403
    assert site.client.get("/projects/open/notices").status_code == 401


def test_who_has_derived_something_is_a_holder(site: Site) -> None:
    assert post(site, write(derivation(site.owner, "open", "run")), "lab-a").status_code == 201
    (holder,) = site.owner.holders("open")
    assert (holder.peer, holder.document, holder.version, holder.how) == ("lab-a", "run", 1, "derived")
    assert kinds(site.owner, "open") == ["derived"]
    elsewhere = derivation(site.owner, "open", "run", id="urn:x:2", document="no-such")
    assert post(site, write(elsewhere), "lab-a").status_code == 201
    assert len(site.owner.holders("open")) == 1
    assert kinds(site.owner, "") == ["derived"], "what is about nothing here belongs to the repository"


@pytest.mark.parametrize(
    ("data", "media_type", "status"),
    [
        (b"{}", "application/ld+json", 400),
        (b"{", "application/ld+json", 400),
        (b"[" * 60_000, "application/ld+json", 400),
        (b'{"id":"urn:x:1","id":"urn:x:2"}', "application/ld+json", 400),
        (b"\xff", "application/ld+json", 400),
        (b" " * 70_000, "application/ld+json", 413),
        (b"{}", "application/json", 415),
        (b"{}", "text/turtle", 415),
        (b"{}", "", 415),
        (write(withdrawal(object="urn:x:a\N{RIGHT-TO-LEFT OVERRIDE}b")), "application/ld+json", 400),
        (write(withdrawal()).replace(b"lab-a.example/inbox", b"me@lab-a.example/inbox"), "application/ld+json", 400),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("who", ["", "lab-a"])
def test_what_is_no_notice_is_refused(site: Site, data: bytes, media_type: str, status: int, who: str) -> None:
    answer = post(site, data, who, headers={"Content-Type": media_type})
    assert answer.status_code == status
    assert answer.get_json()["detail"]
    assert site.owner.notices() == []


def test_a_flood_of_strangers_is_bounded_in_rate(site: Site) -> None:
    site.store.settings = replace(site.store.settings, inbox_rate=3)
    client = create_app(site.store).test_client()
    found = []
    for number in range(6):
        answer = client.post("/inbox", data=write(withdrawal(id=f"urn:x:{number}")), headers={"Content-Type": LD_JSON})
        found.append(answer.status_code)
        if answer.status_code == 429:
            assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert found == [202] * 3 + [429] * 3
    assert len(unproven(site)) == 3
    peers = {"Content-Type": LD_JSON, **site.auth("lab-a")}
    for number in range(6):
        answer = client.post("/inbox", data=write(withdrawal(id=f"urn:x:peer-{number}")), headers=peers)
        assert answer.status_code == 201, "a peer is not slowed down by strangers"


def test_a_flood_of_strangers_is_bounded_in_number(site: Site) -> None:
    site.store.settings = replace(site.store.settings, inbox=5)
    anybody = site.owner.as_actor(site.store.anonymous())
    receive(peer(site.owner, "lab-c", "https://lab-c.example/")[0], withdrawal(id="urn:x:kept"))
    for number in range(3):
        receive(anybody, withdrawal(id=f"urn:x:{number}", origin="https://nobody.example/"))
    assert len(site.owner.notices()) == 4  # they are seen now
    for number in range(3, 40):
        receive(anybody, withdrawal(id=f"urn:x:{number}", origin="https://nobody.example/"))
    assert unproven(site) == ["urn:x:0", "urn:x:1", "urn:x:2", "urn:x:38", "urn:x:39"]
    assert len([one for one in site.owner.notices() if one.to_dict()["proof"]]) == 1


def test_the_inbox_can_be_turned_off(site: Site) -> None:
    site.store.settings = replace(site.store.settings, inbox=0)
    client = create_app(site.store).test_client()
    assert client.post("/inbox", data=write(withdrawal()), headers={"Content-Type": LD_JSON}).status_code == 501
    assert INBOX not in client.get("/projects/open/documents/run").headers["Link"]
    with pytest.raises(NotAvailable):
        receive(site.owner, withdrawal())


def test_other_sites_may_not_send_notices(site: Site) -> None:
    answer = post(site, write(withdrawal()), headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    offered = site.client.options("/inbox", headers={"Origin": "https://evil.example"})
    assert "POST" not in offered.headers.get("Access-Control-Allow-Methods", "")


def test_the_verbs_need_rights(site: Site) -> None:
    owner = site.owner
    writer, reader = (
        owner.as_actor(actor) for who in ("open", "reader") if (actor := site.store.authenticate(site.tokens[who]))
    )
    for verb in (writer.notices, writer.send_notices, writer.holders):
        with pytest.raises(Denied):
            verb()
    with pytest.raises(Denied):
        writer.add_holder("open", url="https://c.example/inbox")
    with pytest.raises(Denied):
        writer.remove_holder(1)
    for verb in (reader.notices, reader.holders):
        with pytest.raises(Denied):
            verb("open")
    with pytest.raises(NotFound):
        writer.notices("secret")
    with pytest.raises(NotFound):
        owner.notices("open", "none")
    with pytest.raises(NotFound):
        owner.notice("urn:x:none")
    assert writer.notices("open") == []
    assert reader.inbox() == []


def test_a_peer_cannot_change_what_it_said(site: Site) -> None:
    lab, _ = peer(site.owner, "lab-c", "https://lab-c.example/")
    first = receive(lab, withdrawal(id="urn:x:1"))
    with pytest.raises(Conflict, match="urn:x:1"):
        receive(lab, withdrawal(id="urn:x:1", reason="other"))
    assert receive(lab, withdrawal(id="urn:x:1")) == first
    other, _ = peer(site.owner, "lab-d", "https://lab-d.example/")
    assert receive(other, withdrawal(id="urn:x:1", reason="other")).key != first.key

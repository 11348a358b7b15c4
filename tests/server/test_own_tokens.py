"""Tokens and sessions of people who have signed in: made, listed, replaced and ended by forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings
from tests.support.contract import Checked
from tests.support.serving import BROWSER

HERE = {"Accept": BROWSER, "Sec-Fetch-Site": "same-origin", "User-Agent": "Mozilla/5.0 (Windows NT) Firefox/140.0"}


class Place:
    """A repository behind a proxy that names people."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.owner = Repository(store, store.owner())
        self.app = create_app(store)
        self.app.test_client_class = Checked
        for name in ("Ada", "Bob"):
            self.owner.add_user(name)
        for name in ("crops", "soil"):
            self.owner.create_project(name)
        self.owner.set_member("crops", "Ada", "submitter")

    def signed_in(self, name: str = "Ada") -> FlaskClient:
        client: FlaskClient = self.app.test_client()
        answer = client.get("/session/sign-in", headers={**HERE, "X-Remote-User": name})
        assert answer.status_code == 200
        return client


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    settings = Settings(
        data=tmp_path_factory.mktemp("own") / "data",
        workers=1,
        threads=4,
        sign_in_header="X-Remote-User",
        sign_in_proxies="127.0.0.1",
    )
    with Store.open(settings) as store:
        yield Place(store)


@pytest.fixture(autouse=True)
def without_tokens(place: Place) -> None:
    place.owner.revoke_tokens()


def form_token(client: FlaskClient) -> str:
    found = re.search('name="form_token" value="([^"]+)"', client.get("/session", headers=HERE).text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, accept: str = "application/json", **fields: Any) -> Any:
    sent = {"form_token": form_token(client), **fields}
    return client.post(path, data=sent, headers={**HERE, "Accept": accept})


def valid(client: FlaskClient) -> list[dict[str, Any]]:
    found = client.get("/tokens?format=json", headers=HERE).json["tokens"]
    return [token for token in found if token["revoked"] is None]


def may(place: Place, token: str, project: str) -> int:
    answer = place.app.test_client().get(f"/projects/{project}", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


def test_a_person_makes_a_token(place: Place) -> None:
    client = place.signed_in()
    made = post(client, "/tokens", label="laptop", scope=["submit"], days="30")
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    token = made.json["token"]
    assert (made.json["name"], made.json["label"], made.json["scopes"]) == ("Ada", "laptop", ["read", "submit"])
    assert (may(place, token, "crops"), may(place, token, "soil")) == (200, 404)
    (listed,) = valid(client)
    assert listed["id"] == made.json["id"]
    assert token not in client.get("/tokens", headers=HERE).text
    place.owner.remove_member("crops", "Ada")
    assert may(place, token, "crops") == 404  # never more than the person at each request
    place.owner.set_member("crops", "Ada", "submitter")


def test_the_page_shows_the_token_once(place: Place) -> None:
    client = place.signed_in()
    page = post(client, "/tokens", BROWSER, label="laptop", scope="read", days="")
    assert page.status_code == 201
    found = re.search(r"pvr_\w{16}_[\w-]{43}", page.text)
    assert found
    assert may(place, found[0], "crops") == 200
    assert found[0] not in client.get("/tokens", headers=HERE).text


def test_mistakes_are_named(place: Place) -> None:
    client = place.signed_in()
    for fields, status, words in (
        ({"label": "a"}, 400, "needs scopes"),
        ({"label": "a", "scope": "root"}, 400, "is not a scope"),
        ({"label": "a", "scope": "read", "days": "367"}, 400, "1 to 366"),
        ({"label": "a", "scope": "read", "days": "0"}, 400, "1 to 366"),
        ({"label": "a", "scope": "read", "days": "x"}, 400, "whole number"),
        ({"label": "a" * 101, "scope": "read"}, 400, "at most 100"),
        ({"label": "a", "scope": "read", "name": "Bob"}, 400, "no field 'name'"),
        ({"label": "a", "scope": "read", "project": "soil"}, 404, ""),
        ({"label": "a", "scope": "read", "project": "nowhere"}, 404, ""),
    ):
        answer = post(client, "/tokens", **fields)
        assert answer.status_code == status, fields
        assert words in answer.json["detail"]
    assert valid(client) == []
    assert post(client, "/tokens", label="a", scope="read", project="crops").json["projects"] == ["crops"]
    assert post(client, "/tokens", label="a", scope="read").status_code == 409


def test_a_token_makes_no_tokens(place: Place) -> None:
    for token in (
        place.owner.create_token("Ada", scopes=["manage"])[0],
        place.owner.create_token("root")[0],
    ):
        client, sent = place.app.test_client(), {"Authorization": f"Bearer {token}"}
        assert client.get("/tokens", headers=sent).status_code == 403
        assert client.post("/tokens", data={"label": "x", "scope": "read"}, headers=sent).status_code == 403
        # Nor does a session that began with a token.
        assert client.post("/session", data={"token": token}, headers=HERE).status_code == 303
        assert client.get("/tokens", headers=HERE).status_code == 403
        assert post(client, "/tokens", label="x", scope="read").status_code == 403
    assert place.app.test_client().get("/tokens", headers=HERE).status_code == 401


def test_other_sites_make_and_end_nothing(place: Place) -> None:
    client = place.signed_in()
    made = post(client, "/tokens", label="laptop", scope="read").json
    token = form_token(client)
    for path in ("/tokens", f"/tokens/{made['id']}/rotate", f"/tokens/{made['id']}/revoke", "/tokens/revoke"):
        sent = {"form_token": token, "label": "x", "scope": "read"}
        elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
        assert client.post(path, data=sent, headers=elsewhere).status_code == 401
        assert client.post(path, data={**sent, "form_token": "x"}, headers=HERE).status_code == 403
        assert client.post(path, json=sent, headers=HERE).status_code == 415
    assert client.delete(f"/tokens/{made['id']}", headers=HERE).status_code == 403
    assert len(valid(client)) == 1


def test_tokens_of_others_are_unknown(place: Place) -> None:
    ada, bob = place.signed_in(), place.signed_in("Bob")
    made = post(ada, "/tokens", label="laptop", scope="read").json
    for id_ in (made["id"], "0" * 16):
        for path in (f"/tokens/{id_}/rotate", f"/tokens/{id_}/revoke"):
            assert post(bob, path).status_code == 404
        assert bob.delete(f"/tokens/{id_}", headers={**HERE, "Provrepo-Form": form_token(bob)}).status_code == 404
    post(bob, "/tokens/revoke")
    assert len(valid(ada)) == 1
    assert ada.delete(f"/tokens/{made['id']}", headers={**HERE, "Provrepo-Form": form_token(ada)}).status_code == 204
    assert may(place, made["token"], "crops") == 401


def test_a_token_is_replaced_with_overlap(place: Place) -> None:
    client = place.signed_in()
    first = post(client, "/tokens", label="laptop", scope="read", days="10").json
    second = post(client, f"/tokens/{first['id']}/rotate", hours="2").json
    assert second["label"] == "laptop"
    assert [may(place, made["token"], "crops") for made in (first, second)] == [200, 200]
    former, fresh = sorted(valid(client), key=lambda token: token["id"] == second["id"])
    assert (former["successor"], fresh["successor"]) == (second["id"], None)
    assert former["expires"] < fresh["expires"]
    assert post(client, f"/tokens/{first['id']}/rotate").status_code == 409
    third = post(client, f"/tokens/{second['id']}/rotate", hours="0").json
    assert may(place, second["token"], "crops") == 401
    assert may(place, third["token"], "crops") == 200
    assert post(client, "/tokens/revoke").status_code == 303
    assert [may(place, made["token"], "crops") for made in (first, third)] == [401, 401]
    assert list(place.owner.fsck().problems) == []


def test_a_token_without_scopes_is_its_makers(place: Place) -> None:
    _, token = place.owner.create_token("Ada", projects=["soil"])
    client = place.signed_in()
    assert post(client, f"/tokens/{token.id}/rotate").status_code == 403
    assert place.owner.rotate_token(token.id)[1].projects == ("soil",)
    assert post(client, f"/tokens/{token.id}/revoke").status_code == 303


def test_the_hour_of_the_last_use_is_stored_beside_requests(place: Place) -> None:
    text, token = place.owner.create_token("nightly")
    assert place.owner.tokens()[-1].used is None
    for _ in range(3):
        may(place, text, "crops")
    place.store._uses.close()
    used = next(found.used for found in place.owner.tokens() if found.id == token.id)
    assert used is not None
    assert used.endswith(":00:00.000Z")


def test_a_failure_to_store_the_use_fails_no_request(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from provrepo.errors import NoSpace

    def full(*_: object) -> None:
        raise NoSpace("the disk is full")

    monkeypatch.setattr("provrepo.ledger.accounts.Accounts.used", full)
    text, _ = place.owner.create_token("weekly")
    assert may(place, text, "crops") == 200
    place.store._uses.close()
    assert may(place, text, "crops") == 200


def sessions(client: FlaskClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/sessions?format=json", headers=HERE).json["sessions"]
    return found


def test_sessions_are_listed_and_ended(place: Place) -> None:
    one, two, bob = place.signed_in(), place.signed_in(), place.signed_in("Bob")
    found = sessions(one)
    assert [session["current"] for session in found].count(True) == 1
    assert {session["browser"] for session in found} == {"Firefox on Windows"}
    assert "this one" in one.get("/sessions", headers=HERE).text
    other = next(session["id"] for session in sessions(two) if session["current"])
    assert post(bob, f"/sessions/{other}/end").status_code == 404
    assert post(one, f"/sessions/{other}/end").status_code == 303
    assert two.get("/sessions", headers=HERE).status_code == 401
    assert one.delete("/sessions/x", headers={**HERE, "Provrepo-Form": form_token(one)}).status_code == 404
    assert post(one, "/sessions/end").status_code == 303
    assert one.get("/sessions", headers=HERE).status_code == 401
    assert len(sessions(bob)) >= 1


def test_an_expired_token_makes_room_for_its_label(tmp_path: Path, place: Place) -> None:
    _, token = place.owner.create_token("svc", label="x", days=1)
    with place.store.ledger.database.writing() as connection:
        connection.execute("UPDATE tokens SET expires = '2020-01-01T00:00:00.000Z' WHERE id = ?", (token.id,))
    assert place.owner.create_token("svc", label="x")[1].label == "x"
    assert next(found.revoked for found in place.owner.tokens() if found.id == token.id) is not None


def test_administrators_care_for_people(place: Place) -> None:
    place.owner.add_user("Root")
    place.owner.set_administrator("Root", True)
    client, ada = place.signed_in("Root"), place.signed_in()
    assert "People" in client.get("/session", headers=HERE).text
    assert post(client, "/users/add", name="Cy", email="cy@lab.example").status_code == 303
    cy = next(user for user in client.get("/users?format=json", headers=HERE).json["users"] if user["name"] == "Cy")
    assert not cy["administrator"]
    page = client.get("/users", headers=HERE).text
    assert "cy@lab.example" in page
    changed = {"name": "Cyd", "email": "", "administrator": "yes"}
    assert post(client, f"/users/{cy['actor']}/change", **changed).status_code == 303
    assert {"Cyd", "Root"} <= {one.name for one in place.owner.administrators()}
    assert post(client, f"/users/{cy['actor']}/change", name="Cyd", role="x").status_code == 400
    cyd = place.signed_in("Cyd")
    assert post(client, f"/users/{cy['actor']}/sign-out").status_code == 303
    assert cyd.get("/sessions", headers=HERE).status_code == 401
    assert post(client, f"/users/{cy['actor']}/unlink").status_code == 303
    cyd = place.signed_in("Cyd")
    assert post(client, f"/users/{cy['actor']}/remove").status_code == 303
    assert cyd.get("/sessions", headers=HERE).status_code == 401
    for path in ("/users/add", f"/users/{cy['actor']}/change", f"/users/{cy['actor']}/remove"):
        assert post(ada, path, name="Mine").status_code == 403
        assert client.post(path, data={"name": "Mine"}, headers=HERE).status_code == 403  # without the form token
    assert ada.get("/users", headers=HERE).status_code == 403
    assert place.app.test_client().get("/users").status_code == 401
    place.owner.remove_user("Root")


def test_programs_of_administrators_care_for_people(place: Place) -> None:
    place.owner.add_user("Boss")
    place.owner.set_administrator("Boss", True)
    client = place.app.test_client()
    sent = {"Authorization": f"Bearer {place.owner.create_token('Boss', scopes=['manage'])[0]}"}
    made = client.post("/users", json={"name": "Di", "orcid": "0000-0002-1825-0097"}, headers=sent)
    assert (made.status_code, made.json["administrator"]) == (201, False)
    assert client.post("/users", json={"name": "Di"}, headers=sent).status_code == 409
    for given in ({}, {"name": 7}, {"name": "x", "role": "y"}, {"name": "x", "administrator": "yes"}, {"name": ""}):
        assert client.post("/users", json=given, headers=sent).status_code == 400, given
    changed = client.patch("/users/Di", json={"affiliation": "Lab", "administrator": True}, headers=sent)
    assert (changed.json["affiliation"], changed.json["administrator"]) == ("Lab", True)
    assert client.patch("/users/Nobody", json={"affiliation": "Lab"}, headers=sent).status_code == 404
    assert client.delete(f"/users/{made.json['actor']}", headers=sent).status_code == 204
    assert client.delete(f"/users/{made.json['actor']}", headers=sent).status_code == 404
    limited = {"Authorization": f"Bearer {place.owner.create_token('Boss', scopes=['read'])[0]}"}
    assert client.get("/users", headers=limited).status_code == 403
    place.owner.remove_user("Boss")

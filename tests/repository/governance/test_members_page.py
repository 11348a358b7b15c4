"""The page of the members of a project: its forms work without a script, for those who manage it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from provrepo.repository.people.roles import ROLES, Right
from tests.support.serving import BROWSER, Site, opened

HERE = {"Accept": BROWSER, "Sec-Fetch-Site": "same-origin"}
PAGE, FORM = "/projects/secret/members", "/projects/secret/manage"


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site") / "data") as site:
        for role in ROLES:
            site.owner.add_user(role)
            site.owner.set_member("secret", role, role)
            site.tokens[role] = site.owner.create_token(role, scopes=list(Right))[0]
        site.owner.add_user("zoe", email="zoe@lab.example")
        yield site


def signed_in(site: Site, who: str) -> FlaskClient:
    client = site.app.test_client()
    assert client.post("/session", data={"token": site.tokens[who]}, headers=HERE).status_code == 303
    return client


def sent(client: FlaskClient, **fields: str) -> int:
    found = re.search('name="form_token" value="([^"]+)"', client.get(PAGE, headers=HERE).text)
    assert found
    answer = client.post(FORM, data={"form_token": found[1], **fields}, headers=HERE)
    if answer.status_code == 303:
        assert answer.headers["Location"] == PAGE
    return answer.status_code


def roles(site: Site) -> dict[str, str]:
    return {member.name: member.role for member in site.owner.members("secret")}


def test_an_owner_manages_members(site: Site) -> None:
    client = signed_in(site, "owner")
    assert sent(client, action="role", who="zoe@lab.example", role="reader") == 303
    assert roles(site)["zoe"] == "reader"
    assert sent(client, action="role", who="zoe", role="curator") == 303
    assert roles(site)["zoe"] == "curator"
    assert sent(client, action="remove", who="zoe") == 303
    assert "zoe" not in roles(site)
    page = client.get(PAGE, headers=HERE).text
    assert 'href="/projects/secret/members"' in client.get("/projects/secret", headers=HERE).text
    for text in ("Give a role", "Invite by a link", "Give the project to another owner"):
        assert text in page


def test_an_invitation_is_shown_once(site: Site) -> None:
    client = signed_in(site, "owner")
    found = re.search('name="form_token" value="([^"]+)"', client.get(PAGE, headers=HERE).text)
    assert found
    given = {
        "form_token": found[1],
        "action": "invite",
        "role": "review",
        "label": "referee 2",
        "days": "3",
        "uses": "",
    }
    answer = client.post(FORM, data=given, headers=HERE)
    link = re.search(r"http://[^<]*/invitations/([0-9a-f]{32})#([\w-]{43})", answer.text)
    assert link
    assert answer.headers["Cache-Control"] == "no-store"
    page = client.get(PAGE, headers=HERE).text
    assert "referee 2" in page
    assert link[2] not in page
    assert sent(client, action="revoke", invitation=link[1]) == 303
    assert "revoked" in client.get(PAGE, headers=HERE).text


def test_a_project_is_transferred(site: Site) -> None:
    client = signed_in(site, "owner")
    assert sent(client, action="remove", who="owner") == 409
    assert sent(client, action="transfer", who="curator") == 303
    assert (roles(site)["curator"], roles(site)["owner"]) == ("owner", "curator")
    assert "Give a role" not in client.get(PAGE, headers=HERE).text


@pytest.mark.parametrize("who", ["submitter", "curator"])
def test_others_see_members_and_no_forms(site: Site, who: str) -> None:
    client = signed_in(site, who)
    page = client.get(PAGE, headers=HERE).text
    assert "submitter" in page
    assert "/manage" not in page
    assert sent(client, action="role", who="zoe", role="owner") == 403
    assert "zoe" not in roles(site)


def test_readers_and_strangers_do_not_see_it(site: Site) -> None:
    assert signed_in(site, "reader").get(PAGE, headers=HERE).status_code == 403
    assert site.client.get(PAGE, headers=HERE).status_code == 404
    assert PAGE not in signed_in(site, "reader").get("/projects/secret", headers=HERE).text


def test_a_project_is_archived_and_opened_again(site: Site) -> None:
    client = signed_in(site, "owner")
    assert sent(client, action="archive") == 303
    assert site.owner.project("secret").archived
    assert "Give a role" not in client.get(PAGE, headers=HERE).text
    assert sent(client, action="role", who="zoe", role="reader") == 403
    assert sent(signed_in(site, "curator"), action="open") == 403
    assert sent(client, action="open") == 303
    assert not site.owner.project("secret").archived


def test_a_project_is_published_after_a_look_at_what_becomes_visible(site: Site) -> None:
    client = signed_in(site, "owner")
    page = client.get("/projects/secret/exposure", headers=HERE).text
    assert "Make secret public" in page
    assert sent_from(client, action="embargo", until="2126-03-01", reason="the paper") == 303
    assert site.owner.project("secret").embargo
    assert "Lift the embargo" in client.get("/projects/secret/exposure", headers=HERE).text
    assert sent_from(client, action="public") == 409
    assert sent_from(client, action="lift") == 303
    assert sent_from(client, action="public") == 303
    assert site.client.get("/projects/secret").status_code == 200
    assert client.get("/projects/secret/exposure", headers=HERE).status_code == 200
    assert signed_in(site, "curator").get("/projects/secret/exposure", headers=HERE).status_code == 403


def sent_from(client: FlaskClient, **fields: str) -> int:
    """Send a form of another page of the project, which leads to the project."""
    found = re.search('name="form_token" value="([^"]+)"', client.get(PAGE, headers=HERE).text)
    assert found
    return client.post(FORM, data={"form_token": found[1], **fields}, headers=HERE).status_code


@pytest.mark.parametrize(
    "fields",
    [{}, {"action": "nonsense"}, {"action": "role", "who": ""}, {"action": "invite", "role": "reader", "days": "x"}],
)
def test_a_malformed_form_is_refused(site: Site, fields: dict[str, str]) -> None:
    assert sent(signed_in(site, "owner"), **fields) == 400


def test_a_form_of_another_site_is_refused(site: Site) -> None:
    client = signed_in(site, "owner")
    evil = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example", "Accept": BROWSER}
    assert client.post(FORM, data={"action": "role", "who": "zoe", "role": "owner"}, headers=evil).status_code in (
        403,
        404,
    )
    assert "zoe" not in roles(site)

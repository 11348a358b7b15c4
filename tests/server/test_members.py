"""The members of a project over HTTP and at a distance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from provrepo.repository.people.roles import ROLES, Right
from tests.support.serving import Site, opened

PATH = "/projects/secret/members"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site") / "data") as site:
        for role in ROLES:
            site.owner.add_user(role)
            site.owner.set_member("secret", role, role)
            site.tokens[role] = site.owner.create_token(role, scopes=list(Right))[0]
        site.owner.add_user("Zoë/Ann", email="zoe@lab.example")
        yield site


def put(site: Site, who: str, given: Any) -> Any:
    return site.client.post(PATH, json=given, headers=site.auth(who))


def test_an_owner_gives_and_takes_roles(site: Site) -> None:
    answer = put(site, "owner", {"who": "zoe@lab.example", "role": "curator"})
    assert (answer.status_code, answer.json["role"], answer.json["by"]) == (200, "curator", "owner")
    listed = site.client.get(PATH, headers=site.auth("submitter")).json["members"]
    assert {member["name"]: member["role"] for member in listed} == {role: role for role in ROLES} | {
        "Zoë/Ann": "curator"
    }
    assert all("zoe@lab.example" not in str(member) for member in listed)
    assert site.client.delete(f"{PATH}/{answer.json['actor']}", headers=site.auth("owner")).status_code == 204
    assert site.client.delete(f"{PATH}/{answer.json['actor']}", headers=site.auth("owner")).status_code == 404


@pytest.mark.parametrize("who", ["Zo%C3%AB/Ann", "Zo%C3%AB%2FAnn", "zoe@lab.example"])
def test_a_name_may_have_any_character(site: Site, who: str) -> None:
    assert put(site, "owner", {"who": "Zoë/Ann", "role": "reader"}).status_code == 200
    assert site.client.delete(f"{PATH}/{who}", headers=site.auth("owner")).status_code == 204


@pytest.mark.parametrize(
    "given", [{}, {"who": "reader"}, {"who": "reader", "role": 7}, {"who": "reader", "role": "reader", "more": 1}, []]
)
def test_a_malformed_body_is_refused(site: Site, given: Any) -> None:
    assert put(site, "owner", given).status_code == 400


@pytest.mark.parametrize("given", [{"who": "nobody", "role": "reader"}, {"who": "reader", "role": "king"}])
def test_an_unknown_name_or_role_is_refused(site: Site, given: Any) -> None:
    answer = put(site, "owner", given)
    assert answer.status_code == 400
    assert "nobody" in answer.json["detail"] or "there are: reader" in answer.json["detail"]


@pytest.mark.parametrize(("who", "status"), [("", 404), ("reader", 403), ("submitter", 403), ("curator", 403)])
def test_others_change_no_roles(site: Site, who: str, status: int) -> None:
    assert put(site, who, {"who": "reader", "role": "owner"}).status_code == status
    assert site.client.delete(f"{PATH}/owner", headers=site.auth(who)).status_code == status


def test_pages_of_a_project_are_for_its_members(site: Site) -> None:
    for role in ROLES:
        assert site.client.get("/projects/secret", headers=site.auth(role)).status_code == 200
        named = [each["name"] for each in site.client.get("/projects", headers=site.auth(role)).json["projects"]]
        assert named == ["open", "secret"]
        assert site.client.get("/projects/secret/pending", headers=site.auth(role)).status_code == (
            200 if Right.SUBMIT in ROLES[role] else 403
        )

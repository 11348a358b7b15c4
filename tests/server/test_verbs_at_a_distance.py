"""Routes that clients of whole verbs need: settings of a project, exposure, profiles, gate, one document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.serving import LATER, PROVN, PROVN_TYPE, Site, opened

TABLE = "https://example.org/table"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.owner.create_project("changing")
        yield site


def test_settings_of_a_project_are_changed(site: Site) -> None:
    answer = site.client.patch("/projects/changing", json={"title": "New"}, headers=site.auth("all"))
    assert (answer.status_code, answer.get_json()["title"], answer.get_json()["public"]) == (200, "New", False)
    answer = site.client.patch("/projects/changing", json={"profiles": ["core"]}, headers=site.auth("all"))
    assert answer.get_json() == site.owner.project("changing").to_dict()
    assert (answer.get_json()["title"], answer.get_json()["profiles"]) == ("New", ["core"])
    assert site.client.patch("/projects/changing", json={}, headers=site.auth("all")).get_json() == answer.get_json()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "other"}, "no member 'name'"),
        ({"public": "yes"}, "'public' of a project is true or false"),
        ({"profiles": "core"}, "a list of names of profiles"),
        ({"profiles": ["none"]}, "no profile"),
        ([], "not an object"),
    ],
)
def test_wrong_settings_change_nothing(site: Site, body: Any, text: str) -> None:
    before = site.owner.project("changing")
    answer = site.client.patch("/projects/changing", json=body, headers=site.auth("all"))
    assert (answer.status_code, text in answer.get_json()["detail"]) == (400, True), answer.get_json()
    assert site.owner.project("changing") == before


@pytest.mark.parametrize(("who", "status"), [("", 401), ("reader", 403), ("open", 403)])
def test_settings_and_exposure_need_a_token_for_all_projects(site: Site, who: str, status: int) -> None:
    assert site.client.patch("/projects/open", json={"title": "x"}, headers=site.auth(who)).status_code == status
    assert site.client.get("/projects/open/exposure", headers=site.auth(who)).status_code == status
    assert site.owner.project("open").title == "Open crops"


def test_the_exposure_is_that_of_the_owner(site: Site) -> None:
    answer = site.client.get("/projects/secret/exposure", headers=site.auth("all"))
    found = site.owner.exposure("secret").to_dict()
    assert answer.status_code == 200
    assert {**answer.get_json(), "agents": []} == {
        name: [] if name == "agents" else list(value) if isinstance(value, tuple) else value
        for name, value in _lists(found).items()
    }


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lists(member) for name, member in value.items()}
    return [_lists(each) for each in value] if isinstance(value, list | tuple) else value


def test_profiles_are_listed(site: Site) -> None:
    answer = site.client.get("/profiles")
    assert answer.get_json() == {"profiles": [info.to_dict() for info in site.owner.profiles()]}
    assert site.client.get("/profiles?project=open").get_json() == answer.get_json()
    hidden, missing = (site.client.get(f"/profiles?project={name}") for name in ("secret", "missing"))
    assert (hidden.status_code, missing.status_code, hidden.data) == (404, 404, missing.data)


def test_the_gate_is_that_of_the_owner(site: Site) -> None:
    asked = {"iri": TABLE, "sources": ["https://example.org/raw"], "project": "open"}
    answer = site.client.post("/gate", json={**asked, "min_coverage": 50})
    found = site.owner.gate(TABLE, sources=["https://example.org/raw"], min_coverage=50, project="open")
    assert answer.get_json() == found.to_dict()
    assert answer.get_json()["passed"] is True
    answer = site.client.post("/gate", json={"iri": TABLE, "sources": [], "public": True})
    assert (answer.status_code, answer.get_json()["passed"]) == (200, False)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"iri": TABLE}, 400),
        ({"iri": TABLE, "sources": "x"}, 400),
        ({"iri": TABLE, "sources": [], "more": 1}, 400),
        ({"iri": TABLE, "sources": [], "min_coverage": True}, 400),
        ({"iri": TABLE, "sources": [], "min_coverage": 101, "public": True}, 400),
        ({"iri": TABLE, "sources": [], "min_coverage": float("nan"), "public": True}, 400),
        ({"iri": TABLE, "sources": ["*"], "public": True}, 400),
        ({"iri": "table", "sources": [], "public": True}, 400),
        ({"iri": TABLE, "sources": [], "project": "open", "public": True}, 400),
        ({"iri": TABLE, "sources": [], "project": "secret"}, 404),
        ({"iri": TABLE, "sources": [], "project": "missing"}, 404),
        ({"iri": "x:unknown", "sources": [], "project": "open"}, 404),
    ],
)
def test_a_wrong_gate_is_refused(site: Site, body: dict[str, Any], status: int) -> None:
    assert site.client.post("/gate", json=body).status_code == status


def test_one_document_of_a_list(site: Site) -> None:
    answer = site.client.get("/projects/open/documents?name=gone")
    assert [found["name"] for found in answer.get_json()["documents"]] == ["gone"]
    assert (
        answer.get_json()["documents"][0]
        == site.owner.as_actor(site.store.anonymous()).document("open", "gone").to_dict()
    )
    answer = site.client.get("/projects/open/documents?name=missing")
    assert (answer.status_code, answer.get_json()["detail"]) == (
        404,
        "there is no document 'missing' in project 'open'",
    )


def test_a_submission_may_update(site: Site) -> None:
    at, headers = "/projects/changing/documents?name=d", {**site.auth("all"), "Content-Type": PROVN_TYPE}
    assert site.client.post(at, data=PROVN, headers=headers).status_code == 201
    assert site.client.post(at, data=LATER, headers=headers).status_code == 409
    answer = site.client.post(f"{at}&update=true", data=LATER, headers=headers)
    assert (answer.status_code, answer.get_json()["version"]) == (201, 2)
    assert site.client.post(f"{at}&update=true", data=LATER, headers=headers).status_code == 200


def test_a_document_is_validated_with_profiles_of_a_project(site: Site) -> None:
    at, headers = "/validate?profile=core&project=", {"Content-Type": PROVN_TYPE}
    assert site.client.post(f"{at}open", data=PROVN, headers=headers).status_code == 200
    hidden, missing = (site.client.post(at + name, data=PROVN, headers=headers) for name in ("secret", "missing"))
    assert (hidden.status_code, missing.status_code, hidden.data) == (404, 404, missing.data)

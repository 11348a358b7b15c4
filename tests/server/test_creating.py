"""The page on which administrators create a project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.serving import BROWSER, Site, opened

PAGE = {"Accept": BROWSER, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("creating") / "data") as found:
        yield found


def signed_in(site: Site, who: str) -> FlaskClient:
    client = site.app.test_client()
    answer = client.post("/session", data={"token": site.tokens[who]}, headers=PAGE)
    assert answer.status_code == 303
    return client


def form_token(client: FlaskClient) -> str:
    page = client.get("/new-project", headers=PAGE).get_data(as_text=True)
    return page.partition('name="form_token" value="')[2].partition('"')[0]


def test_an_administrator_creates_a_project(site: Site) -> None:
    client = signed_in(site, "all")
    assert "/new-project" in client.get("/projects", headers=PAGE).get_data(as_text=True)
    given = {"form_token": form_token(client), "name": "wheat", "title": "Wheat", "profile": "core"}
    answer = client.post("/new-project", data=given, headers=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/projects/wheat")
    made = site.owner.project("wheat")
    assert (made.title, made.profiles, made.public) == ("Wheat", ("core",), False)


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({"name": "open", "title": "kept <title>"}, 409, "there is a project"),
        ({"name": "no name", "title": "kept <title>"}, 400, "cannot name a project"),
        ({"name": "x", "license": "no address", "title": "kept <title>"}, 400, "no address"),
        ({"name": "x", "profile": "nothing", "title": "kept <title>"}, 400, "nothing"),
    ],
)
def test_a_mistake_is_named_and_what_was_typed_is_kept(
    site: Site, given: dict[str, str], status: int, words: str
) -> None:
    client = signed_in(site, "all")
    answer = client.post("/new-project", data=given | {"form_token": form_token(client)}, headers=PAGE)
    page = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert words in page
    assert "kept &lt;title&gt;" in page
    assert "x" not in {info.name for info in site.owner.projects()}


@pytest.mark.parametrize("who", ["", "open", "reader"])
def test_nobody_else_sees_or_sends_the_form(site: Site, who: str, tmp_path: Path) -> None:
    client = signed_in(site, who) if who else site.app.test_client()
    assert "/new-project" not in client.get("/projects", headers=PAGE).get_data(as_text=True)
    assert client.get("/new-project", headers=PAGE).status_code == (403 if who else 401)
    assert client.post("/new-project", data={"name": "mine"}, headers=PAGE).status_code in (401, 403)
    assert "mine" not in {info.name for info in site.owner.projects()}


def test_a_form_of_another_site_creates_nothing(site: Site) -> None:
    client = signed_in(site, "all")
    given = {"form_token": form_token(client), "name": "stolen"}
    answer = client.post("/new-project", data=given, headers=PAGE | {"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code in (401, 403)
    assert "stolen" not in {info.name for info in site.owner.projects()}

"""Sessions of browsers: who may begin one, where its cookie counts, and when it ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from provrepo.server.app import create_app
from provrepo.server.protocol.sessions import FORM_FIELD, FORM_HEADER, MOST, Sessions
from provrepo.server.routing.routes import OPERATIONS
from provrepo.settings import SettingsError, load
from tests.support.contract import Checked
from tests.support.serving import BROWSER, PROVN, PROVN_TYPE, Site, opened

HERE = {"Accept": BROWSER, "Sec-Fetch-Site": "same-origin"}
ELSEWHERE = (
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:81"},
    {"Origin": "https://localhost"},
    {"Origin": "null"},
    {},
)
"""What a browser says of a form that no page of this server has sent; the last says nothing."""
OWN = frozenset({"own_sessions", "people", "tokens"})
"""Of those who have signed in, and of administrators: ``test_own_tokens.py``."""
FORMS = OWN | {
    "creating", "joining", "managing", "publishing", "sessions", "signing_in", "submitting", "recording",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


def signed_in(site: Site, who: str = "all") -> FlaskClient:
    client = site.app.test_client()
    answer = client.post("/session", data={"token": site.tokens[who]}, headers=HERE)
    assert answer.status_code == 303
    return client


def form_token(client: FlaskClient) -> str:
    found = re.search(f'name="{FORM_FIELD}" value="([^"]+)"', client.get("/session", headers=HERE).text)
    assert found
    return found[1]


def who(client: FlaskClient, **headers: str) -> str:
    answer = client.get("/session?format=json", headers={"Sec-Fetch-Site": "same-origin", **headers})
    return str(answer.json["name"])


def test_a_token_is_posted_once(site: Site) -> None:
    client = site.app.test_client()
    assert client.get("/projects/secret", headers=HERE).status_code == 404
    answer = client.post("/session", data={"token": site.tokens["all"], "next": "/projects/secret"}, headers=HERE)
    assert (answer.status_code, answer.headers["Location"], answer.data) == (303, "/projects/secret", b"")
    cookie = answer.headers["Set-Cookie"]
    for attribute in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert attribute in cookie.split("; ")
    assert "Secure" not in cookie
    assert "pvr_" not in cookie
    page = client.get("/projects/secret", headers=HERE)
    assert page.status_code == 200
    assert 'href="/session">ada</a>' in page.text
    assert page.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in page.headers["Vary"]
    assert who(client) == "ada"
    assert site.tokens["all"] not in page.text


def test_a_wrong_token_begins_nothing(site: Site) -> None:
    client = site.app.test_client()
    for token in ("", "nonsense", "pvr_0000000000000000_" + "a" * 43, site.tokens["all"][:-1]):
        answer = client.post("/session", data={"token": token}, headers=HERE)
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers
        assert 'name="token"' in answer.text
        assert client.post("/session", data={"token": token}, headers={**HERE, "Accept": "*/*"}).status_code == 403
    assert who(client) == "anonymous"
    assert client.post("/session", json={"token": site.tokens["all"]}, headers=HERE).status_code == 415


@pytest.mark.parametrize("next_", ["//evil.example/", "/\\evil.example", "https://evil.example/", "x", "", "/a\nb"])
def test_signing_in_leads_to_this_server_only(site: Site, next_: str) -> None:
    answer = site.app.test_client().post("/session", data={"token": site.tokens["all"], "next": next_}, headers=HERE)
    assert answer.headers["Location"] == "/"
    page = site.client.get("/session", query_string={"next": next_}, headers=HERE)
    assert 'name="next" value="/"' in page.text


@pytest.mark.parametrize("sent", ELSEWHERE)
def test_no_other_site_begins_or_ends_a_session(site: Site, sent: dict[str, str]) -> None:
    client = site.app.test_client()
    answer = client.post("/session", data={"token": site.tokens["all"]}, headers={"Accept": BROWSER, **sent})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    client = signed_in(site)
    given = form_token(client)
    assert client.post("/session/end", data={FORM_FIELD: given}, headers=sent).status_code == 403
    assert client.delete("/session", headers={FORM_HEADER: given, **sent}).status_code == 403
    assert who(client) == "ada"


def test_forms_need_the_form_token_of_their_session(site: Site) -> None:
    client, other = signed_in(site), signed_in(site, "open")
    for given in ("", "x", "\u00e9", form_token(other)):
        assert client.post("/session/end", data={FORM_FIELD: given}, headers=HERE).status_code == 403
        assert client.delete("/session", headers={**HERE, FORM_HEADER: given}).status_code == 403
    assert who(client) == "ada"
    assert client.post("/session/end", data={FORM_FIELD: form_token(client)}, headers=HERE).status_code == 303
    assert who(client) == "anonymous"
    given = form_token(other)
    assert other.delete("/session", headers={**HERE, FORM_HEADER: given}).status_code == 204
    assert other.delete("/session", headers={**HERE, FORM_HEADER: given}).status_code == 403  # it has ended


def test_without_fetch_metadata_the_origin_decides(site: Site) -> None:
    client = site.app.test_client()
    sent = {"Accept": BROWSER, "Origin": "http://localhost"}
    assert client.post("/session", data={"token": site.tokens["all"]}, headers=sent).status_code == 303
    assert client.get("/projects/secret", headers={"Accept": BROWSER}).status_code == 200
    assert client.get("/projects/secret", headers={"Accept": "application/json"}).status_code == 404


@pytest.mark.parametrize("sent", ELSEWHERE)
def test_a_cookie_reads_nothing_for_other_sites(site: Site, sent: dict[str, str]) -> None:
    if sent.get("Sec-Fetch-Site") == "none":
        pytest.skip("the user has typed the address")
    client = signed_in(site)
    for accept in ("application/json", "*/*"):
        for path in ("/projects/secret", "/projects/secret/documents/run/original", "/projects/secret/metrics"):
            answer = client.get(path, headers={**sent, "Accept": accept})
            assert answer.status_code == 404, answer.text
    assert "secret" not in client.get("/projects", headers={**sent, "Accept": "application/json"}).text


def test_no_answer_to_a_cookie_is_shared(site: Site) -> None:
    client = signed_in(site)
    for path in ("/", "/projects", "/projects/open", "/projects/secret/documents/run", "/search?q=a", "/nothing"):
        for accept in (BROWSER, "application/json"):
            answer = client.get(path, headers={**HERE, "Accept": accept})
            found = sorted(name for name in dict(answer.headers) if name.startswith("Access-Control"))
            assert found == [], path
            assert "private" in answer.headers["Cache-Control"] or answer.headers["Cache-Control"] == "no-store"


def _changing() -> list[tuple[str, str]]:
    return sorted(
        (endpoint, method)
        for endpoint, method in OPERATIONS
        if method != "GET" and endpoint.partition(".")[0] not in FORMS
    )


@pytest.mark.parametrize(("endpoint", "method"), _changing())
def test_the_api_takes_no_cookie_for_changes(site: Site, endpoint: str, method: str) -> None:
    client = signed_in(site)
    values = {"project": "secret", "document": "run", "version": "1"}
    rule = next(r for r in site.app.url_map.iter_rules() if r.endpoint == endpoint and method in (r.methods or ()))
    path = rule.build({name: values.get(name, "run") for name in rule.arguments}, append_unknown=False)
    assert path is not None
    sent = {**HERE, "Accept": "application/json", FORM_HEADER: form_token(client)}
    answer = client.open(path[1], method=method, headers=sent)
    # Anonymous callers get no more: the private project is unknown to them.
    anonymous = site.client.open(path[1], method=method, headers={"Accept": "application/json"})
    assert answer.status_code == anonymous.status_code
    assert answer.get_json(silent=True) == anonymous.get_json(silent=True) or "request_id" in answer.text


def test_a_submission_needs_the_token_itself(site: Site) -> None:
    client = signed_in(site)
    sent = {**HERE, "Content-Type": PROVN_TYPE, FORM_HEADER: form_token(client)}
    answer = client.post("/projects/open/documents?name=by-cookie", data=PROVN, headers=sent)
    assert answer.status_code == 401
    answer = client.post("/projects/open/documents?name=by-token", data=PROVN, headers={**sent, **site.auth("all")})
    assert answer.status_code == 201


def test_a_token_in_the_header_takes_precedence(site: Site) -> None:
    client = signed_in(site)
    assert who(client, **site.auth("reader")) == "eve"
    assert client.get("/session", headers={**HERE, "Authorization": "Bearer nonsense"}).status_code == 401
    assert client.post("/session", data={"token": site.tokens["all"]}, headers=site.auth("all")).status_code == 403


def test_a_revoked_token_ends_its_sessions_at_once(site: Site) -> None:
    text, token = site.owner.create_token("short")
    client = site.app.test_client()
    client.post("/session", data={"token": text}, headers=HERE)
    assert who(client) == "short"
    site.owner.revoke_token(token.id)
    assert client.get("/projects/secret", headers=HERE).status_code == 404
    assert who(client) == "anonymous"


def test_a_restart_ends_sessions(site: Site) -> None:
    client = signed_in(site)
    again = create_app(site.store)
    again.test_client_class = Checked
    other = again.test_client()
    other.set_cookie("provrepo-80", client.get_cookie("provrepo-80").value)
    assert who(client) == "ada"
    assert who(other) == "anonymous"


def test_signing_in_again_ends_the_session_before(site: Site) -> None:
    client = signed_in(site)
    before = client.get_cookie("provrepo-80").value
    client.post("/session", data={"token": site.tokens["open"]}, headers=HERE)
    assert who(client) == "bob"
    client.set_cookie("provrepo-80", before)
    assert who(client) == "anonymous"


@pytest.mark.parametrize(
    ("base", "scheme", "host", "secure"),
    [
        ("", "http", "localhost:8000", False),
        ("", "https", "prov.example", True),
        ("https://prov.example/", "http", "prov.example", True),
        ("https://prov.example/", "http", "localhost:8000", False),
        ("http://prov.example/", "http", "prov.example", False),
    ],
)
def test_the_cookie_is_secure_over_tls(
    site: Site, base: str, scheme: str, host: str, secure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provrepo.repository.store.Store.base", lambda _: base)
    client = site.app.test_client()
    origin = f"{'https' if secure else scheme}://{host}"
    answer = client.post(
        "/session",
        base_url=f"{scheme}://{host}/",
        data={"token": site.tokens["all"]},
        headers={"Accept": BROWSER, "Origin": origin},
    )
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"].split("; ")
    assert ("Secure" in cookie) is secure
    assert cookie[0].startswith("__Host-provrepo=" if secure else "provrepo-8000=" if ":" in host else "provrepo-80=")


def test_sessions_end_by_idle_time_and_age() -> None:
    at = [0.0]
    sessions = Sessions(idle=10, age=25, clock=lambda: at[0])
    secret, session = sessions.begin("actor", "token")
    for at[0] in (9.0, 18.0, 24.0):
        assert sessions.find(secret) is session
    at[0] = 25.0
    assert sessions.find(secret) is None
    secret, _ = sessions.begin("actor", "token")
    at[0] = 35.0
    assert sessions.find(secret) is None
    at[0] = 30.0
    assert sessions.find(secret) is None  # an ended session does not come back
    assert sessions.find("") is None


def test_the_number_of_sessions_is_bounded() -> None:
    sessions = Sessions(idle=10, age=10, clock=lambda: 0.0)
    first, second = sessions.begin("a")[0], sessions.begin("b")[0]
    for _ in range(MOST - 2):
        sessions.begin("c")
    assert sessions.find(first) is not None  # used last: the second is dropped
    sessions.begin("d")
    assert sessions.find(first) is not None
    assert sessions.find(second) is None


def test_times_of_sessions_are_settings(tmp_path: Path) -> None:
    file = tmp_path / "provrepo.toml"
    assert load(environment={"PROVREPO_SESSION_IDLE": "5"}, file=file).session_idle == 5
    for name, value in (("SESSION_IDLE", "0"), ("SESSION_HOURS", "0"), ("SESSION_HOURS", "9999")):
        with pytest.raises(SettingsError, match=name):
            load(environment={f"PROVREPO_{name}": value}, file=file)


def test_forms_are_forms(site: Site) -> None:
    """Without a body, or with one that is no form, nothing is done."""
    names = {"project": "open", "document": "run", "pending": "1"}
    rules = [rule for rule in site.app.url_map.iter_rules() if rule.endpoint.split(".")[0] in FORMS - OWN]
    tried = [rule for rule in rules if "POST" in (rule.methods or ())]
    assert len(tried) >= 8
    client = site.app.test_client()
    for rule in tried:
        address = str(rule)
        for name, value in names.items():
            address = address.replace(f"<{name}>", value)
        for given in ({}, {"data": b"{}", "content_type": "application/json"}):
            assert client.post(address, headers=site.auth("all"), **given).status_code == 415, (address, given)
        assert 415 in OPERATIONS[rule.endpoint, "POST"].problems


def test_the_form_of_a_step_is_of_a_project(site: Site) -> None:
    assert site.client.get("/record?project=open").status_code == 200
    assert site.client.get("/record?project=%C2%84").status_code == 400

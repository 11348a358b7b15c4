"""Sign-in of people by a provider of OpenID Connect: who gets in, and what never counts."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from provrepo.errors import NotAvailable, SettingsError
from provrepo.ledger.people import People
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.server.sign_in import provider as of_provider
from provrepo.server.sign_in import signing_in
from provrepo.server.sign_in.attempts import LASTS, MOST, Attempts, Invalid
from provrepo.settings import Settings, load
from tests.support.contract import Checked
from tests.support.serving import BROWSER

pytest.importorskip("authlib")

from tests.support.provider import ADA, CLIENT, SECRET, FakeProvider, running

PAGE = {"Accept": BROWSER, "Sec-Fetch-Site": "same-origin", "User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"}
FROM_PROVIDER = {**PAGE, "Sec-Fetch-Site": "cross-site"}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with running() as provider:
        yield provider


class Place:
    """A repository with a provider."""

    def __init__(self, store: Store, fake: FakeProvider) -> None:
        self.store, self.fake = store, fake
        self.owner = Repository(store, store.owner())
        self.app = create_app(store)
        self.app.test_client_class = Checked
        self.client: FlaskClient = self.app.test_client()

    def sent_off(self, client: FlaskClient | None = None, path: str = "/") -> str:
        """Begin to sign in; returns the address at the provider."""
        answer = (client or self.client).get("/session/sign-in", query_string={"next": path}, headers=PAGE)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def approved(self, address: str) -> str:
        """Follow the address to the provider; returns path and query to which it leads back."""

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any, **__: Any) -> None:
                return None

        with pytest.raises(urllib.error.HTTPError) as found:
            urllib.request.build_opener(Stay).open(address)
        assert found.value.code == 302
        parts = urlsplit(found.value.headers["Location"])
        return f"{parts.path}?{parts.query}"

    def back(self, address: str, client: FlaskClient | None = None) -> TestResponse:
        return (client or self.client).get(address, headers=FROM_PROVIDER)

    def sign_in(self, path: str = "/") -> TestResponse:
        return self.back(self.approved(self.sent_off(path=path)))

    def who(self, client: FlaskClient | None = None) -> dict[str, Any]:
        answer = (client or self.client).get("/session?format=json", headers={"Sec-Fetch-Site": "same-origin"})
        found: dict[str, Any] = answer.json
        return found

    def logged(self) -> list[dict[str, Any]]:
        """The records of sign-ins, the last one at the end."""
        found = [line for _, line in self.store.access_log.lines() if line and line["action"] == "sign-in"]
        return sorted(found, key=lambda line: line["time"])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, fake: FakeProvider) -> Iterator[Place]:
    settings = Settings(
        data=tmp_path_factory.mktemp("place") / "data",
        workers=1,
        threads=4,
        rate_check=0,
        sign_in_issuer=fake.url,
        sign_in_client=CLIENT,
        sign_in_secret=SECRET,
    )
    with Store.open(settings) as store:
        made = Place(store, fake)
        made.owner.create_project("crops")
        yield made


@pytest.fixture
def place(whole: Place, fake: FakeProvider) -> Iterator[Place]:
    """The repository without people, the provider as it was, and another browser."""
    fake.__init__(fake.url)  # type: ignore[misc]
    settings = whole.store.settings
    signing_in.register(whole.app)
    whole.client = whole.app.test_client()
    yield whole
    whole.store.settings = settings
    for user in whole.owner.users():
        whole.owner.remove_user(user.actor)


def again(place: Place, **settings: Any) -> Place:
    """The same repository with other settings."""
    place.store.settings = replace(place.store.settings, **settings)
    return Place(place.store, place.fake)


def refused(place: Place, answer: TestResponse, status: int, reason: str, text: str) -> None:
    assert (answer.status_code, place.who()["name"]) == (status, "anonymous")
    assert text in answer.text
    assert "secret" not in answer.text
    last = place.logged()[-1]
    assert (last["status"], last["reason"], last["actor"]) == (status, reason, "")
    assert 'href="/session"' in answer.text  # the way to sign in with a token


def test_a_person_signs_in(place: Place) -> None:
    ada = place.owner.add_user("Ada", email="Ada@lab.example")
    place.owner.set_member("crops", "Ada", "submitter")
    button = place.client.get("/session?next=/projects/crops", headers=PAGE)
    assert 'href="/session/sign-in?next=/projects/crops"' in button.text
    answer = place.sign_in("/projects/crops")
    assert answer.status_code == 200
    assert 'content="0; url=/projects/crops"' in answer.text
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = answer.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie)
    assert place.who() == {
        "name": "Ada", "token": None, "write": False, "projects": None, "session": True, "signed_in": True
    }  # fmt: skip
    assert place.client.get("/projects/crops", headers=PAGE).status_code == 200
    assert "crops</a> (submitter)" in place.client.get("/session", headers=PAGE).text
    assert (place.logged()[-1]["actor"], place.logged()[-1]["token"]) == (ada.actor, "")


def test_rights_follow_the_roles_at_each_request(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place.sign_in()
    assert place.client.get("/projects/crops", headers=PAGE).status_code == 404
    place.owner.set_member("crops", "Ada", "reader")
    assert place.client.get("/projects/crops", headers=PAGE).status_code == 200
    place.owner.remove_member("crops", "Ada")
    assert place.client.get("/projects/crops", headers=PAGE).status_code == 404


def test_the_cookie_is_worth_nothing_for_the_api_and_for_other_sites(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place.owner.set_administrator("Ada", True)
    place.sign_in()
    for sent in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        assert place.client.get("/projects/crops", headers=sent).status_code == 404
    assert place.client.post("/projects", json={"name": "mine"}, headers=PAGE).status_code == 401


def test_unknown_people_stay_out_unless_the_settings_say_otherwise(place: Place) -> None:
    refused(place, place.sign_in(), 403, "person", "ask an administrator to add you")
    assert place.owner.users() == []
    place = again(place, sign_in_people="anyone")
    place.sign_in()
    assert place.who()["name"] == "Ada Lovelace"
    (ada,) = place.owner.users()
    assert (ada.name, ada.email) == ("Ada Lovelace", ADA["email"])
    assert place.who()["projects"] is None
    assert place.client.get("/projects/crops", headers=PAGE).status_code == 404
    place.sign_in()
    assert len(place.owner.users()) == 1


def test_a_name_gives_no_rights_of_another(place: Place) -> None:
    """Whoever calls herself as a service does becomes another actor."""
    place.owner.create_token("pipe line")
    place = again(place, sign_in_people="anyone")
    place.fake.person = {"sub": "x", "name": "pipe line"}
    place.sign_in()
    assert place.who()["name"] == "pipe line (2)"
    place.fake.person = {"sub": "z", "name": "\u202epipe\n line\x00"}
    place.sign_in()
    assert place.who()["name"] == "pipe line (3)"
    place.fake.person = {"sub": "y", "name": 7}
    place.sign_in()
    assert place.who()["name"] == "person y"


def test_a_changed_name_renames_nobody(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place.sign_in()
    place.fake.person = {"sub": ADA["sub"], "name": "Mallory", "email": "other@lab.example", "email_verified": True}
    place.sign_in()
    assert place.who()["name"] == "Ada"
    assert place.owner.users()[0].email == ADA["email"]


@pytest.mark.parametrize("verified", [False, None, "yes", 1])
def test_an_address_counts_only_if_it_is_verified(place: Place, verified: object) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place.fake.person["email_verified"] = verified
    refused(place, place.sign_in(), 403, "person", "ask an administrator")


def test_an_orcid_counts_only_if_the_provider_authenticates_it(place: Place) -> None:
    ada = place.owner.add_user("Ada", orcid="0000-0002-1825-0097")
    place.fake.person = {"sub": "0000-0002-1825-0097", "orcid": "0000-0002-1825-0097"}
    refused(place, place.sign_in(), 403, "person", "ask an administrator")
    place = again(place, sign_in_orcid="sub")
    place.sign_in()
    assert place.who()["name"] == "Ada"
    assert People(place.store.ledger.database).identities(ada.actor)[0].subject == "0000-0002-1825-0097"


def test_claims_of_two_people_are_refused(place: Place) -> None:
    place = again(place, sign_in_orcid="orcid")
    place.owner.add_user("Ada", orcid="0000-0002-1825-0097")
    place.owner.add_user("Bob", email=ADA["email"])
    place.fake.person = {**ADA, "orcid": "https://orcid.org/0000-0002-1825-0097"}
    refused(place, place.sign_in(), 409, "conflict", "fits several people")


def test_an_address_that_another_account_has_now_is_refused(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place.sign_in()
    place.client = place.app.test_client()
    place.fake.person = {**ADA, "sub": "somebody-else"}
    refused(place, place.sign_in(), 409, "conflict", "another account")


def test_missing_claims_are_asked_for_once(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place.fake.only_userinfo = True
    place.sign_in()
    assert place.who()["name"] == "Ada"
    place.sign_in()
    assert place.fake.asked.count("/userinfo") == 1
    assert place.fake.asked.count("/.well-known/openid-configuration") == 1
    assert place.fake.asked.count("/keys") == 1


def test_a_removed_person_is_out_at_once(place: Place) -> None:
    ada = place.owner.add_user("Ada", email=ADA["email"])
    place.sign_in()
    assert place.who()["name"] == "Ada"
    place.owner.remove_user("Ada")
    assert place.who()["name"] == "anonymous"
    assert People(place.store.ledger.database).identities(ada.actor) == []
    refused(place, place.sign_in(), 403, "person", "ask an administrator")


@pytest.mark.parametrize("kind", ["RSA", "EC", "OKP"])
def test_keys_of_three_kinds_sign_and_may_change(place: Place, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place.sign_in()
    place.fake.rotate(kind)
    place.client = place.app.test_client()
    refused(place, place.sign_in(), 502, "token", "no valid proof")  # keys are asked for once a minute at most
    monkeypatch.setattr(of_provider, "AGAIN", 0.0)
    place.sign_in()
    assert place.who()["name"] == "Ada"


WRONG = {
    "issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "audience": {"aud": "another"},
    "no audience": {"aud": None},
    "party": {"aud": [CLIENT, "another"]},
    "other party": {"aud": [CLIENT, "another"], "azp": "another"},
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "expired": {"exp": 1_000_000},
    "no end": {"exp": None},
    "from the future": {"iat": 9_999_999_999},
    "not yet": {"nbf": 9_999_999_999},
    "no time": {"iat": None},
    "other access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "subject": {"sub": None},
    "empty subject": {"sub": ""},
    "subject of another type": {"sub": 7},
    "long subject": {"sub": "x" * 256},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_token_has_to_be_for_this_sign_in(place: Place, wrong: dict[str, Any]) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place.fake.wrong = wrong
    refused(place, place.sign_in(), 502, "token", "no valid proof")


@pytest.mark.parametrize("skew", [50, -50])
def test_clocks_may_differ_by_a_minute(place: Place, skew: int) -> None:
    import time

    place.owner.add_user("Ada", email=ADA["email"])
    now = int(time.time())
    place.fake.wrong = {"iat": now + skew, "exp": now - 40} if skew > 0 else {"iat": now + skew, "exp": now + skew + 10}
    place.sign_in()
    assert place.who()["name"] == "Ada"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512"])
def test_other_signatures_are_refused(place: Place, algorithm: str) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place.fake.algorithm = algorithm
    refused(place, place.sign_in(), 502, "token", "no valid proof")


def test_a_signature_by_another_key_is_refused(place: Place) -> None:
    from joserfc import jwk

    place.owner.add_user("Ada", email=ADA["email"])
    place.fake.signs = jwk.RSAKey.generate_key(2048)
    refused(place, place.sign_in(), 502, "token", "no valid proof")


def test_a_state_counts_once_and_in_its_browser(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    address = place.approved(place.sent_off())
    other = place.app.test_client()
    refused(place, place.back(address, other), 403, "browser", "another browser")
    place.sent_off(other)  # with an attempt of its own
    refused(place, place.back(address, other), 403, "browser", "another browser")
    assert place.back(address).status_code == 200
    answer = place.back(address)
    assert (answer.status_code, place.logged()[-1]["reason"]) == (403, "replayed")
    assert "counts once" in answer.text


def test_two_tabs_may_sign_in(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    first, second = place.approved(place.sent_off()), place.approved(place.sent_off())
    assert place.back(first).status_code == 200
    assert place.back(second).status_code == 200


def test_a_code_counts_once(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    used = parse_qs(urlsplit(place.approved(place.sent_off())).query)["code"][0]
    place.fake.codes.clear()
    state = parse_qs(urlsplit(place.sent_off()).query)["state"][0]
    answer = place.back(f"/session/callback?{urlencode({'code': used, 'state': state, 'iss': place.fake.url})}")
    refused(place, answer, 403, "code", "used or is too old")


@pytest.mark.parametrize("issuer", ["https://evil.example", ""])
def test_an_answer_of_another_provider_is_refused(place: Place, issuer: str) -> None:
    address = place.approved(place.sent_off())
    query = {name: found[0] for name, found in parse_qs(urlsplit(address).query).items()}
    answer = place.back(f"/session/callback?{urlencode({**query, 'iss': issuer})}")
    refused(place, answer, 403, "issuer", "another provider")
    assert "/token" not in place.fake.asked


def test_answers_that_belong_to_nothing_are_refused(place: Place) -> None:
    refused(place, place.back("/session/callback"), 403, "incomplete", "no code or no state")
    refused(place, place.back("/session/callback?code=x&state=y"), 403, "unknown", "not known to the server")
    refused(place, place.back(f"/session/callback?code=x&state={'y' * 5000}"), 403, "incomplete", "no code")
    state = parse_qs(urlsplit(place.sent_off()).query)["state"][0]
    given = {"state": state, "iss": place.fake.url, "error": "access_denied", "error_description": "<b>secret</b>"}
    refused(place, place.back(f"/session/callback?{urlencode(given)}"), 403, "refused", "has refused")


def test_attempts_end() -> None:
    at = [0.0]
    attempts = Attempts(lambda: at[0])
    state, attempt, browser = attempts.begin("/a")
    at[0] = LASTS
    with pytest.raises(Invalid, match="expired"):
        attempts.take(state, browser)
    state, attempt, browser = attempts.begin("/a")
    assert attempts.take(state, browser) == attempt
    state, _, browser = attempts.begin("/a")
    for _ in range(MOST):
        attempts.begin("/b")
    with pytest.raises(Invalid, match="unknown"):
        attempts.take(state, browser)


def test_a_provider_that_is_away_locks_nobody_out(place: Place) -> None:
    place.fake.away = True
    answer = place.client.get("/session/sign-in", headers=PAGE)
    refused(place, answer, 503, "unreachable", "cannot be reached")
    assert answer.headers["Retry-After"]
    asked = len(place.fake.asked)
    assert place.client.get("/session/sign-in", headers=PAGE).status_code == 503
    assert len(place.fake.asked) == asked  # not asked again for some seconds
    token = place.owner.create_token("ada")[0]
    assert place.client.post("/session", data={"token": token}, headers=PAGE).status_code == 303
    assert place.who()["name"] == "ada"


def test_a_provider_that_is_away_at_the_end(place: Place) -> None:
    address = place.approved(place.sent_off())
    place.fake.away = True
    refused(place, place.back(address), 503, "unreachable", "cannot be reached")


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "https://evil.example/token"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ],
)
def test_a_provider_leads_to_no_other_place(place: Place, wrong: dict[str, Any]) -> None:
    place.fake.description = wrong
    refused(place, place.client.get("/session/sign-in", headers=PAGE), 502, "provider", "cannot be used")


def test_nonsense_of_a_provider_is_a_clear_error(place: Place) -> None:
    place.fake.nonsense = True
    refused(place, place.client.get("/session/sign-in", headers=PAGE), 502, "provider", "cannot be used")


def test_a_wrong_client_secret_is_the_operators_matter(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place = again(place, sign_in_secret="wrong-canary")
    refused(place, place.sign_in(), 502, "provider", "cannot be used")
    assert "invalid_client" in caplog.text
    assert "canary" not in caplog.text
    assert "canary" not in repr(place.store.settings)


def test_no_page_leads_elsewhere(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    for path in ("//evil.example", "/\\evil.example", "https://evil.example/", "x"):
        assert 'content="0; url=/"' in place.sign_in(path).text


def test_without_a_provider_there_is_no_way_to_it(tmp_path: Path) -> None:
    with Store.open(Settings(data=tmp_path / "data", workers=1, threads=4)) as store:
        client = create_app(store).test_client()
        assert client.get("/session/sign-in", headers=PAGE).status_code == 404
        assert client.get("/session/callback?code=x&state=y", headers=PAGE).status_code == 404
        assert "sign-in?" not in client.get("/session", headers=PAGE).text


def test_settings_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "provrepo.toml"
    good = {"PROVREPO_SIGN_IN_ISSUER": "https://id.example/realms/x", "PROVREPO_SIGN_IN_CLIENT": "provrepo"}
    assert load(environment=good, file=file).sign_in_issuer == "https://id.example/realms/x"
    for name, value in (
        ("ISSUER", "http://id.example"),
        ("ISSUER", "id.example"),
        ("ISSUER", "https://user@id.example"),
        ("ISSUER", "https://id.example?x"),
        ("SCOPES", "profile"),
        ("PEOPLE", "all"),
        ("HEADER", "X User"),
        ("PROXIES", "proxy.example"),
        ("CLIENT", ""),
        ("HEADER", "X-User"),
    ):
        with pytest.raises(SettingsError, match=f"(?i)sign_in_{name}"):
            load(environment={**good, f"PROVREPO_SIGN_IN_{name}": value}, file=file)
    secret = {**good, "PROVREPO_SIGN_IN_SECRET": "a canary"}
    with pytest.raises(SettingsError) as found:
        load(environment=secret, file=file)
    assert "canary" not in str(found.value)


def test_the_secret_may_be_in_a_file(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    place.owner.add_user("Ada", email=ADA["email"])
    with pytest.raises(SettingsError, match="sign_in_secret_file"):
        again(place, sign_in_secret="", sign_in_secret_file=str(file))
    file.write_text(f"{SECRET}\n")
    place = again(place, sign_in_secret="", sign_in_secret_file=str(file))
    place.sign_in()
    assert place.who()["name"] == "Ada"


def test_a_missing_package_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "authlib.oidc.core", None)
    with pytest.raises(NotAvailable, match=re.escape("pip install 'provrepo[oidc]'")):
        create_app(place.store)


PROXY = {"sign_in_issuer": "", "sign_in_client": "", "sign_in_header": "X-Remote-User"}


def test_a_proxy_names_the_person(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place = again(place, **PROXY, sign_in_proxies="10.0.0.0/8, 127.0.0.1")
    named = {**PAGE, "X-Remote-User": ADA["email"]}
    assert (
        place.client.get("/session?format=json", headers=named).json["name"] == "anonymous"
    )  # only where one signs in
    answer = place.client.get("/session/sign-in?next=/projects", headers=named)
    assert answer.status_code == 200
    assert place.who()["name"] == "Ada"
    assert place.client.get("/session?format=json", headers=named).json["name"] == "Ada"
    # Another person signs in at the proxy with this browser.
    other = {**PAGE, "X-Remote-User": "bob@lab.example"}
    assert place.client.get("/session?format=json", headers=other).json["name"] == "anonymous"
    assert place.client.get("/session/sign-in", headers=other).status_code == 403


def test_the_header_counts_from_the_proxy_alone(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place = again(place, **PROXY, sign_in_proxies="10.1.2.3")
    named = {**PAGE, "X-Remote-User": ADA["email"]}
    refused(place, place.client.get("/session/sign-in", headers=named), 403, "proxy", "does not come from the proxy")
    there = {"REMOTE_ADDR": "10.1.2.3"}
    # The address at the other end of the connection counts, not the one that a proxy states.
    answer = place.client.get(
        "/session/sign-in", headers=named, environ_overrides={**there, "provrepo.peer": "10.9.9.9"}
    )
    refused(place, answer, 403, "proxy", "does not come from the proxy")
    assert place.client.get("/session/sign-in", headers=named, environ_overrides=there).status_code == 200
    assert place.client.get("/session/sign-in", headers=PAGE, environ_overrides=there).status_code == 403


def test_an_entry_has_the_actor_and_no_claims(place: Place) -> None:
    place.owner.add_user("Ada", email=ADA["email"])
    place.sign_in()
    with place.store.ledger.database.reading() as connection:
        rows = connection.execute("SELECT data FROM entries").fetchall()
    assert not any(ADA["sub"].encode() in bytes(data) or b"lab.example" in bytes(data) for (data,) in rows)


def test_an_invitation_lets_somebody_in(place: Place) -> None:
    secret, invitation = place.owner.invite("crops", "curator")
    place.fake.person = {"sub": "grace-1", "name": "Grace"}
    for path in ("/", f"/invitations/{'0' * 32}", f"/projects?x=/invitations/{invitation.id}"):
        assert place.sign_in(path).status_code == 403
    path = f"/invitations/{invitation.id}"
    assert f'content="0; url={path}"' in place.sign_in(path).text
    page = place.client.get(path, headers=PAGE)
    found = re.search('name="form_token" value="([^"]+)"', page.text)
    assert found
    answer = place.client.post(path, data={"form_token": found[1], "secret": secret}, headers=PAGE)
    assert answer.status_code == 303
    assert "crops</a> (curator)" in place.client.get("/session", headers=PAGE).text
    place.fake.person = {"sub": "hal-1", "name": "Hal"}
    place.client = place.app.test_client()
    assert place.sign_in(path).status_code == 403  # it is used up

"""Rate limits: token buckets, senders, the class of each request, and bounded tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from provrepo.server.app import create_app
from provrepo.server.routing import admission, rates
from provrepo.server.routing.rates import LOOPBACK, Limit, Rate, RateLimiter, limits, sender_of
from provrepo.server.routing.routes import OPERATIONS
from provrepo.settings import Settings
from tests.support.serving import Site, opened


def test_a_bucket_refills() -> None:
    at = [0.0]
    found = RateLimiter({Rate.READ: Limit(60, 60)}, clock=lambda: at[0])
    assert [found.take(Rate.READ, "a") for _ in range(60)] == [0] * 60
    assert found.take(Rate.READ, "a") == 1
    at[0] += 0.5
    assert found.take(Rate.READ, "a") == 1, "what is refused is not counted, and Retry-After is never 0"
    at[0] += 0.5
    assert found.take(Rate.READ, "a") == 0
    at[0] += 1e6
    assert [found.take(Rate.READ, "a") for _ in range(61)] == [*[0] * 60, 1], "no more than the limit is saved up"


def test_classes_and_senders_have_separate_buckets() -> None:
    found = RateLimiter({Rate.READ: Limit(1, 60), Rate.PINGBACK: Limit(1, 3600)}, clock=lambda: 0.0)
    assert [found.take(Rate.READ, "a"), found.take(Rate.READ, "b"), found.take(Rate.READ, "a")] == [0, 0, 60]
    assert [found.take(Rate.PINGBACK, "a", "p"), found.take(Rate.PINGBACK, "a", "q")] == [0, 0]
    assert found.take(Rate.PINGBACK, "a", "p") == 3600
    assert [found.take(Rate.FREE, "a") for _ in range(100)] == [0] * 100, "a class without a limit"


def test_a_limit_of_zero_allows_no_request() -> None:
    assert RateLimiter({Rate.PINGBACK: Limit(0, 3600)}).take(Rate.PINGBACK, "a", "p") == 3600


def test_the_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MAX_SENDERS", 50)
    found = RateLimiter({Rate.READ: Limit(1, 60), Rate.WRITE: Limit(1, 60)}, clock=lambda: 0.0)
    found.take(Rate.WRITE, "token")
    for number in range(500):
        found.take(Rate.READ, str(number))
    assert {rate: len(table) for rate, table in found._buckets.items()} == {Rate.READ: 50, Rate.WRITE: 1}
    assert found.take(Rate.READ, "499"), "the one that was quiet for longest is forgotten, not the last"
    assert found.take(Rate.WRITE, "token"), "many senders of one class do not reset another"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:ffff:ffff:ffff", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", LOOPBACK),
        ("127.8.8.8", LOOPBACK),
        ("::1", LOOPBACK),
        ("::ffff:127.0.0.1", LOOPBACK),
        ("", ""),
        ("unix:", ""),
        ("loopback", ""),
    ],
)
def test_senders(address: str, expected: str) -> None:
    assert sender_of(address) == expected


def test_loopback_is_limited_only_if_the_settings_say_so() -> None:
    one = {Rate.READ: Limit(1, 60), Rate.PINGBACK: Limit(1, 3600)}
    free, limited = RateLimiter(one, clock=lambda: 0.0), RateLimiter(one, loopback=True, clock=lambda: 0.0)
    assert [free.take(Rate.READ, LOOPBACK) for _ in range(3)] == [0, 0, 0]
    assert [limited.take(Rate.READ, LOOPBACK) for _ in range(2)] == [0, 60]
    assert [free.take(Rate.PINGBACK, LOOPBACK, "p") for _ in range(2)] == [0, 3600]


def test_every_class_that_is_limited_has_a_setting() -> None:
    assert set(limits(Settings())) == set(Rate) - {Rate.FREE}
    assert set(limits(Settings(rate_read=0, rate_query=0, rate_check=0, rate_write=0))) == {Rate.PINGBACK, Rate.NOTICE}
    assert {found.access.rate for found in OPERATIONS.values()} == set(Rate)


# Through the server


class Clock:
    """A clock that the test controls."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


def limited(site: Site, clock: Clock, **settings: object) -> FlaskClient:
    site.store.settings = replace(site.store.settings, rate_loopback="on", **settings)
    app = create_app(site.store)
    chosen = site.store.settings
    app.extensions[admission._EXTENSION] = RateLimiter(limits(chosen), loopback=True, clock=clock)
    return app.test_client()


REQUESTS = {
    Rate.READ: ("GET", "/projects/open/documents/run", {}),
    Rate.QUERY: ("GET", "/projects/open/sparql?query=ASK%7B%7D", {}),
    Rate.CHECK: ("POST", "/validate", {"data": b"document\nendDocument", "content_type": "text/provenance-notation"}),
    Rate.WRITE: ("DELETE", "/projects/open/documents/none", {}),
}


@pytest.mark.parametrize("rate", REQUESTS)
def test_each_class_is_limited(site: Site, rate: Rate) -> None:
    clock = Clock()
    client = limited(site, clock, **{f"rate_{other}": 2 if other is rate else 1000 for other in REQUESTS})
    method, path, body = REQUESTS[rate]
    headers = site.auth("all")
    for _ in range(2):
        assert client.open(path, method=method, headers=headers, **body).status_code in (200, 404)
    answer = client.open(path, method=method, headers=headers, **body)
    assert answer.status_code == 429
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["type"].endswith("#rate")
    assert answer.headers["Retry-After"] == "30"
    clock.at += int(answer.headers["Retry-After"])
    assert client.open(path, method=method, headers=headers, **body).status_code in (200, 404)


def test_tokens_are_counted_separately_and_strangers_by_address(site: Site) -> None:
    client = limited(site, Clock(), rate_read=1)

    def get(who: str, address: str = "192.0.2.1") -> int:
        return client.get("/projects", headers=site.auth(who), environ_base={"REMOTE_ADDR": address}).status_code

    assert [get(""), get("")] == [200, 429]
    assert [get("reader"), get("reader")] == [200, 429]
    assert [get("all"), get("all", "192.0.2.9")] == [200, 429], "a token is one sender, wherever it is sent from"
    assert get("", "192.0.2.2") == 200


@pytest.mark.parametrize("who", ["", "all"])
def test_requests_from_loopback_are_not_limited(site: Site, who: str) -> None:
    site.store.settings = replace(site.store.settings, rate_loopback="off", rate_read=1)
    client = create_app(site.store).test_client()

    def get(address: str) -> list[int]:
        sent = {"headers": site.auth(who), "environ_base": {"REMOTE_ADDR": address}}
        return [client.get("/projects", **sent).status_code for _ in range(3)]

    assert get("127.0.0.1") == get("::1") == [200, 200, 200]
    assert get("192.0.2.1") == [200, 429, 429]


def test_wrong_tokens_count_against_the_address(site: Site) -> None:
    client = limited(site, Clock(), rate_read=2)
    found = [
        client.get("/projects", headers={"Authorization": f"Bearer pvr_{number:016x}_{'a' * 43}"}).status_code
        for number in range(4)
    ]
    assert found == [401, 401, 429, 429]


def test_unknown_addresses_are_counted(site: Site) -> None:
    client = limited(site, Clock(), rate_read=3)
    paths = ["/nothing/here", "/projects/secret", "/projects/missing", "/projects/secret"]
    assert [client.get(path).status_code for path in paths] == [404, 404, 404, 429]


def test_options_and_head_are_counted_as_reads(site: Site) -> None:
    client = limited(site, Clock(), rate_read=2)
    found = [client.options("/sparql"), client.head("/projects"), client.options("/sparql"), client.head("/projects")]
    assert [answer.status_code for answer in found] == [200, 200, 429, 429]


def test_health_is_never_limited(site: Site) -> None:
    client = limited(site, Clock(), rate_read=1, rate_query=1, rate_check=1, rate_write=1)
    assert {client.get("/health").status_code for _ in range(20)} == {200}
    assert {client.get("/ready").status_code for _ in range(20)} <= {200, 503}


def test_the_body_of_a_limited_request_is_not_read(site: Site) -> None:
    client = limited(site, Clock(), rate_check=1)

    class Body:
        def read(self, *_: object) -> bytes:
            raise AssertionError("read")

        readline = readlines = __iter__ = read

    client.post("/validate", data=b"document\nendDocument", content_type="text/provenance-notation")
    answer = client.post(
        "/validate",
        environ_overrides={"wsgi.input": Body(), "CONTENT_LENGTH": "5000", "CONTENT_TYPE": "text/provenance-notation"},
    )
    assert answer.status_code == 429


def test_invented_project_names_do_not_evade_the_limit_of_pingbacks(site: Site, tmp_path: Path) -> None:
    client = limited(site, Clock(), rate_read=1000, pingback_rate=1)
    rates_ = client.application.extensions[admission._EXTENSION]
    for number in range(30):
        path = f"/projects/made-up-{number}/documents/run/pingback"
        assert client.post(path, data=b"http://a.example/", content_type="text/uri-list").status_code == 404
    assert not rates_._buckets[Rate.PINGBACK]

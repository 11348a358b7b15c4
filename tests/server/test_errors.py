"""Errors over HTTP: status, problem, nothing stored, nothing private revealed."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from flask.testing import FlaskClient

from provrepo import errors, problems
from provrepo.server.connections.head import METHODS
from provrepo.server.protocol.headers import CONTENT_SECURITY_POLICY
from tests.support.serving import BROWSER, MAX_BODY, PROVN, PROVN_TYPE, Site, opened


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


DOCUMENTS = "/projects/open/documents"
RUN = f"{DOCUMENTS}/run"

# method, path, status; from a stranger and without headers unless stated
STRANGER = [
    ("GET", "/", 200),
    ("GET", "/health", 200),
    ("GET", "/ready", 200),
    ("GET", "/projects", 200),
    ("GET", "/projects/", 200),
    ("GET", "/projects/open", 200),
    ("GET", "/projects/nowhere", 404),
    ("GET", "/projects/secret", 404),
    ("GET", "/projects/..", 404),
    ("GET", "/projects/%2e%2e%2fetc/documents", 404),
    ("GET", "/projects/op%00en", 404),
    ("GET", "/projects/%ff%fe", 404),
    ("GET", "/nowhere", 404),
    ("GET", DOCUMENTS, 200),
    ("GET", f"{DOCUMENTS}?limit=0", 400),
    ("GET", f"{DOCUMENTS}?limit=1001", 400),
    ("GET", f"{DOCUMENTS}?limit=ten", 400),
    ("GET", f"{DOCUMENTS}?limit=-1", 400),
    ("GET", f"{DOCUMENTS}?withdrawn=maybe", 400),
    ("GET", "/projects/nowhere/documents", 404),
    ("GET", RUN, 200),
    ("GET", f"{RUN}.ttl", 200),
    ("GET", f"{RUN}.nonsense", 404),
    ("GET", f"{RUN}.", 404),
    ("GET", f"{RUN}?format=nonsense", 406),
    ("GET", f"{DOCUMENTS}/nothing", 404),
    ("GET", f"{DOCUMENTS}/{'x' * 5000}", 404),
    ("GET", f"{DOCUMENTS}/gone", 410),
    ("GET", f"{DOCUMENTS}/gone.ttl", 410),
    ("GET", f"{DOCUMENTS}/gone/versions", 200),
    ("GET", f"{RUN}/versions/2", 404),
    ("GET", f"{RUN}/nothing", 404),
    ("PATCH", RUN, 405),
    ("POST", RUN, 405),
    ("DELETE", "/projects/open", 405),
    ("POST", "/health", 405),
    ("POST", DOCUMENTS, 401),
    ("PUT", RUN, 401),
    ("DELETE", RUN, 401),
    ("POST", "/projects/secret/documents", 404),
    ("POST", "/projects/nowhere/documents", 404),
    ("PUT", "/projects/secret/documents/run", 404),
    ("DELETE", "/projects/secret/documents/run", 404),
    ("GET", "/static/style.css", 200),
    ("GET", "/static/../templates/base.html", 404),
    ("OPTIONS", RUN, 200),
    ("HEAD", RUN, 200),
    ("TRACE", RUN, 405),
    ("QUERY", RUN, 405),
]


@pytest.mark.parametrize(("method", "path", "status"), STRANGER)
def test_strangers(site: Site, method: str, path: str, status: int) -> None:
    answer = site.client.open(path, method=method)
    assert answer.status_code == status, answer.data
    if status >= 400:
        assert_problem(answer, status)


def assert_problem(answer, status: int) -> dict:
    assert answer.mimetype == "application/problem+json"
    problem = json.loads(answer.data)
    assert problem["status"] == answer.status_code == status
    assert problem["type"].startswith(problems.TYPES)
    assert problem["title"]
    assert problem["detail"]
    assert "Traceback" not in problem["detail"]
    assert answer.headers["Cache-Control"] == "no-store"
    return problem


def send(site: Site, data: bytes, type_: str | None = PROVN_TYPE, query: str = "", who: str = "all", **headers: str):
    return site.client.post(DOCUMENTS + query, data=data, content_type=type_, headers={**site.auth(who), **headers})


# data, media type, words that the detail has
UNREADABLE = [
    (b'{"entity": {"ex:a"', "application/json", ""),
    (b"[1, 2", "application/json", ""),
    (b"[]", "application/json", ""),
    (b'{"prefix": {"ex": "https://e/"}, "entity": {"ex:\xff": {}}}', "application/json", "UTF-8"),
    (b"{" * 5000, "application/json", ""),
    (b'{"entity": {"nope:a": {}}}', "application/json", "nope"),
    (b"document\n  entity(ex:a)\nendDocument", PROVN_TYPE, "ex"),
    (b"document\n  entity(", PROVN_TYPE, ""),
    (b"\x00\x01\x02\x03" * 100, PROVN_TYPE, ""),
    (bytes(range(256)), None, ""),
    (b"", None, ""),
    (b"\x89PNG\r\n\x1a\n\x00\x00", "application/octet-stream", ""),
    (b"Dear all, please find attached", "text/plain", "format"),
    (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b'<prov:document xmlns:prov="http://www.w3.org/ns/prov#"><prov:entity>&x;</prov:entity></prov:document>',
        "application/provenance+xml",
        "DOCTYPE",
    ),
    (
        b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&b;</rdf:RDF>',
        "application/rdf+xml",
        "DOCTYPE",
    ),
    (b"<prov:document><unclosed", "application/provenance+xml", ""),
    (b"@prefix ex: <https://e/> . ex:a ex:b", "text/turtle", ""),
    (b"<a> <b> <c> .", "text/turtle", ""),
    (b'{"@context": "https://elsewhere.example/context.json", "@graph": []}', "application/ld+json", ""),
]


@pytest.mark.parametrize(("data", "type_", "words"), UNREADABLE)
def test_unreadable_documents(site: Site, data: bytes, type_: str | None, words: str) -> None:
    before = site.store.health()["entries"]
    for answer in (send(site, data, type_), site.client.post("/validate", data=data, content_type=type_)):
        problem = assert_problem(answer, 400)
        assert problem["type"].endswith("#unreadable")
        assert words in problem["detail"]
    assert site.store.health()["entries"] == before


def test_an_error_has_line_and_column(site: Site) -> None:
    problem = assert_problem(send(site, b"document\n  prefix ex <https://e/>\n  entity(ex:a,,)\nendDocument"), 400)
    assert problem["line"] == 3
    assert problem["column"] > 1
    assert problem["format"] == "provn"
    assert "line 3" in problem["detail"]


@pytest.mark.parametrize(
    ("type_", "headers"),
    [
        ("image/png", {}),
        ("text/html", {}),
        ("image/svg+xml", {}),
        ("multipart/form-data; boundary=x", {}),
        ("nonsense", {}),
        (PROVN_TYPE, {"Content-Encoding": "zstd"}),
        (PROVN_TYPE, {"Content-Encoding": "br, identity"}),
    ],
)
def test_unsupported_media_types_are_415(site: Site, type_: str, headers: dict[str, str]) -> None:
    data = gzip.compress(PROVN) if headers else PROVN
    answer = send(site, data, type_, **headers)
    assert_problem(answer, 415)
    assert answer.headers.get("Accept-Encoding") == ("gzip, deflate, identity" if headers else None)


def test_the_default_media_type_of_curl_is_unspecific(site: Site) -> None:
    form = "application/x-www-form-urlencoded"
    assert send(site, PROVN, form, query="?name=curl").get_json()["format"] == "provn"
    assert site.client.post("/validate", data=PROVN, content_type=form).status_code == 200
    problem = assert_problem(send(site, b"name=a&note=b", form), 400)
    assert problem["type"].endswith("#unreadable")


def test_a_body_beyond_the_limit_is_413(site: Site) -> None:
    assert_problem(send(site, b" " * (MAX_BODY + 1)), 413)
    assert_problem(site.client.post("/validate", data=b" " * (MAX_BODY + 1), content_type=PROVN_TYPE), 413)
    # One hundred megabytes are refused by their announced length, before they are read.
    answer = site.client.post(
        DOCUMENTS,
        headers=site.auth("all"),
        content_type=PROVN_TYPE,
        data=b"",
        environ_overrides={"CONTENT_LENGTH": str(100 << 20)},
    )
    assert_problem(answer, 413)
    assert send(site, PROVN + b" " * (MAX_BODY - len(PROVN)), query="?name=largest").status_code == 201


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "-a", "_a", "a/b", "a.ttl", "ä", "x" * 101, "a\x00b", "a\nb"])
def test_bad_names(site: Site, name: str) -> None:
    answer = site.client.post(
        DOCUMENTS, query_string={"name": name}, data=PROVN, content_type=PROVN_TYPE, headers=site.auth("all")
    )
    if not name:
        assert answer.status_code in (200, 201)  # as if none had been given
        return
    problem = assert_problem(answer, 400)
    assert problem["type"].endswith("#name")
    created = site.client.post("/projects", json={"name": name}, headers=site.auth("all"))
    assert_problem(created, 400)


@pytest.mark.parametrize(
    ("body", "type_", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"name": 7}', "application/json", 400),
        (b'{"name": "p", "public": "yes"}', "application/json", 400),
        (b'{"name": "p", "profiles": [1]}', "application/json", 400),
        (b'{"name": "p", "profiles": ["nonsense"]}', "application/json", 400),
        (b'{"name": "p", "colour": "blue"}', "application/json", 400),
        (rb'{"name": "p", "title": "\ud800"}', "application/json", 400),
        (b'{"name": "p", "title": "%s"}' % (b"x" * 10_001), "application/json", 400),
        (b'{"name": "p"}', "text/plain", 415),
    ],
)
def test_invalid_settings_of_a_new_project(site: Site, body: bytes, type_: str, status: int) -> None:
    answer = site.client.post("/projects", data=body, content_type=type_, headers=site.auth("all"))
    assert_problem(answer, status)
    assert site.client.get("/projects/p", headers=site.auth("all")).status_code == 404


def test_unknown_profiles_are_400(site: Site) -> None:
    for path in (f"{DOCUMENTS}?name=p&profile=nonsense", "/validate?profile=nonsense"):
        answer = site.client.post(path, data=PROVN, content_type=PROVN_TYPE, headers=site.auth("all"))
        assert "nonsense" in assert_problem(answer, 400)["detail"]


@pytest.mark.parametrize(
    "header",
    ["Bearer pvr_nonsense", "Bearer ", "Bearer", "Basic YTpi", "pvr_x", "Bearer pvr_aaaa_bbbb", "Bearer \xff\xfe"],
)
@pytest.mark.parametrize("path", [RUN, "/projects/secret", "/", "/sparql"])
def test_a_bad_token_is_401_everywhere(site: Site, path: str, header: str) -> None:
    answer = site.client.get(path, headers={"Authorization": header})
    problem = assert_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="provrepo", error="invalid_token"'
    assert "nonsense" not in problem["detail"]


def test_a_revoked_token_is_invalid_at_once(site: Site) -> None:
    token, info = site.owner.create_token("brief")
    headers = {"Authorization": f"Bearer {token}"}
    assert site.client.get("/projects/secret", headers=headers).status_code == 200
    site.owner.revoke_token(info.id)
    assert site.client.get("/projects/secret", headers=headers).status_code == 401


@pytest.mark.parametrize("who", ["", "open"])
@pytest.mark.parametrize("accept", ["*/*", BROWSER, "text/turtle", "application/problem+json"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        "/documents",
        "/documents/run",
        "/documents/run.ttl",
        "/documents/nothing",
        "/documents/run/versions",
        "/documents/run/versions/1",
        "/documents/run/original",
        "/documents/run/report",
        "/documents/run/metadata",
        "/sparql",
        "/sparql?query=ASK%7B%7D",
    ],
)
def test_private_and_unknown_projects_answer_with_the_same_bytes(site: Site, who: str, accept: str, path: str) -> None:
    headers = {**site.auth(who), "Accept": accept}
    private = site.client.get(f"/projects/secret{path}", headers=headers)
    unknown = site.client.get(f"/projects/nowhere{path}", headers=headers)
    assert private.status_code == unknown.status_code == 404
    assert private.data == unknown.data
    ignored = {"X-Request-Id"}
    assert {k: v for k, v in private.headers if k not in ignored} == {
        k: v for k, v in unknown.headers if k not in ignored
    }


@pytest.mark.parametrize("who", ["", "open"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/documents?name=run", PROVN),
        ("POST", "/documents?name=..", b"nonsense"),
        ("PUT", "/documents/run", PROVN),
        ("DELETE", "/documents/run?reason=x", b""),
    ],
)
def test_writing_to_private_and_unknown_projects_is_the_same_too(
    site: Site, who: str, method: str, path: str, body: bytes
) -> None:
    answers = [
        site.client.open(
            f"/projects/{project}{path}", method=method, data=body, headers=site.auth(who), content_type=PROVN_TYPE
        )
        for project in ("secret", "nowhere")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].data == answers[1].data


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_who_may_write(site: Site, method: str) -> None:
    path = DOCUMENTS if method == "POST" else RUN

    def status(who: str) -> int:
        answer = site.client.open(path, method=method, data=b"nonsense", headers=site.auth(who), content_type="x/y")
        assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
        return answer.status_code

    assert status("") == 401
    assert status("reader") == 403


HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
@pytest.mark.parametrize(("method", "path", "status"), STRANGER)
def test_every_answer_has_the_security_headers(site: Site, method: str, path: str, status: int, accept: str) -> None:
    answer = site.client.open(path, method=method, headers={"Accept": accept})
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert len(answer.headers["X-Request-Id"]) == 36
    assert "Set-Cookie" not in answer.headers
    reading = method in {"GET", "HEAD", "OPTIONS"}
    assert answer.headers.get("Access-Control-Allow-Origin") == ("*" if reading else None)
    assert "Access-Control-Allow-Credentials" not in answer.headers
    if not path.startswith("/static"):
        assert "Accept" in answer.headers["Vary"]


def test_browsers_get_problems_as_pages(site: Site) -> None:
    page = site.client.get(f"{DOCUMENTS}/nothing", headers={"Accept": BROWSER})
    problem = site.client.get(f"{DOCUMENTS}/nothing").get_json()
    assert page.status_code == 404
    assert page.mimetype == "text/html"
    assert problem["title"] in page.text
    refused = site.client.post(
        f"{DOCUMENTS}?profile=core&name=poor",
        data=b"@prefix prov: <http://www.w3.org/ns/prov#> . <https://example.org/a> a prov:Activity .",
        content_type="text/turtle",
        headers={**site.auth("all"), "Accept": BROWSER},
    )
    assert refused.status_code == 422
    assert '<span class="badge bad">Violation</span>' in refused.text
    assert re.search(r"[1-9]\d* violations?, \d+ warnings?, \d+ remarks?\.", refused.text)
    assert "https://example.org/a" in refused.text


def test_an_unexpected_exception_reveals_only_the_request_id(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(self: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("provrepo.repository.repository.Repository.projects", explode)
    answer = site.client.get("/projects")
    problem = assert_problem(answer, 500)
    assert b"swordfish" not in answer.data
    assert problem["instance"] == f"urn:uuid:{answer.headers['X-Request-Id']}"
    assert answer.headers["X-Request-Id"] in caplog.text
    assert "swordfish" in caplog.text


@pytest.mark.parametrize("name", sorted(set(errors.__all__)))
def test_each_class_of_error_has_its_status(name: str) -> None:
    kind = getattr(errors, name)
    row = problems.ERRORS[kind]
    assert HTTPStatus(row.status)
    parent = problems.ERRORS.get(kind.__mro__[1])
    assert parent is None or row.name != parent.name, "the row repeats that of its parent"


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (errors.Busy("later"), 503, "1"),
        (errors.WorkerFailed("too long"), 503, "10"),
        (errors.TimedOut("stopped"), 503, "60"),
        (errors.NoSpace("full"), 507, None),
        (errors.NotAvailable("not yet"), 501, None),
        (errors.TooLarge("much"), 413, None),
        (errors.WriteError("cannot"), 406, None),
        (errors.Stale("old"), 412, None),
    ],
)
def test_errors_that_are_hard_to_provoke(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: errors.Error, status: int, retry: str | None
) -> None:
    def fail(self: object) -> None:
        raise error

    monkeypatch.setattr("provrepo.repository.repository.Repository.projects", fail)
    # Not the client that checks the answers: the address has no such errors.
    answer = FlaskClient(site.app, site.app.response_class).get("/projects")
    assert assert_problem(answer, status)["detail"] == str(error)
    assert answer.headers.get("Retry-After") == retry


def test_other_sites_may_read_with_a_token_and_never_write(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provrepo.repository.store.Store.base", lambda _: "https://prov.example/")
    preflight = client.options(RUN, headers={"Origin": "https://elsewhere.example"})
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in preflight.headers
    preflight = client.options("/sparql", headers={"Origin": "https://elsewhere.example"})
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS, POST"
    answer = client.post("/sparql", data={"query": "ASK {}"}, headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.fixture
def client(site: Site) -> FlaskClient:
    return site.client


@pytest.mark.parametrize("path", ["/projects//open", "/projects/open//documents", "//projects//", "/projects/open/"])
def test_no_response_contains_the_host_of_the_request(site: Site, path: str) -> None:
    """Proxies and caches would hand the response to others."""
    answer = site.client.get(path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert answer.status_code in (200, 404)
    assert b"evil.example" not in answer.data
    assert "evil.example" not in str(answer.headers)


def test_every_method_of_the_application_passes_the_request_parser(site: Site) -> None:
    assert {method for rule in site.app.url_map.iter_rules() for method in rule.methods or ()} <= METHODS

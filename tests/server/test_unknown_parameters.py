"""Unknown parameters are refused by name, so that misspelled ones are not ignored silently."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from werkzeug.routing import Rule

from provrepo.server.routing.routes import OPERATIONS
from tests.support.serving import BROWSER, PROVN, PROVN_TYPE, Site, opened

IN_PATH = {
    "project": "open",
    "document": "run",
    "version": "1",
    "number": "1",
    "name": "failures",
    "key": "0",
    "sha256": "00" * 32,
    "tile": "0/000.p/1",
    "filename": "style.css",
    "profile": "core",
    "pending": "0" * 32,
    "webhook": "0" * 32,
    "who": "ada",
    "token": "0" * 16,
    "session": "0" * 16,
    "invitation": "0" * 32,
    "namespace": "lab",
    "job": "plot",
    "dataset": "plots",
    "run": "0",
}
OTHERS = {
    "signing_in.callback",
    "sparql.public",
    "sparql.endpoint",
    "sparql.one_version",
    "graphs.one",
    "queries.one",
} | {endpoint for endpoint, _ in OPERATIONS if endpoint.startswith("marquez.")}
"""Endpoints that ignore unknown parameters, and named queries, which check their own."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


def routes(site: Site) -> Iterator[tuple[Rule, str, str]]:
    """Each rule with each of its methods, and an example of its address."""
    for rule in site.app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:>]*:)?([^>]*)>", lambda found: IN_PATH[found[1]], rule.rule)
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            yield rule, method, path


def test_every_address_refuses_unknown_parameters(site: Site) -> None:
    checked = 0
    for rule, method, path in routes(site):
        assert (rule.endpoint, "GET" if method == "HEAD" else method) in OPERATIONS
        if rule.endpoint in OTHERS:
            continue
        answer = site.client.open(f"{path}?profil=core", method=method, headers=site.auth("all"))
        assert answer.status_code == 400, (method, path)
        if method != "HEAD":
            problem = answer.get_json()
            assert problem["type"].endswith("#usage")
            assert "no parameter 'profil'" in problem["detail"], (method, path)
            assert problem["parameter"] == "profil"
        checked += 1
    assert checked > 50


def test_protocol_addresses_ignore_unknown_parameters(site: Site) -> None:
    assert {endpoint for (endpoint, _), found in OPERATIONS.items() if found.ignores_unknown} == OTHERS
    for path, query in (
        ("/sparql", "query=ASK%20%7B%7D"),
        ("/projects/open/sparql", "query=ASK%20%7B%7D"),
        ("/projects/open/documents/run/versions/1/sparql", "query=ASK%20%7B%7D"),
        ("/projects/open/graphs", "default"),
        ("/api/v1/lineage", "nodeId=dataset:https%3A//example.org/:table"),
    ):
        answer = site.client.get(f"{path}?{query}&profil=core&debug=on&debug=off")
        assert answer.status_code == 200, path
    for method, query in (("GET", "query=ASK%20%7B%7D&infer=true"), ("POST", "infer=true&distinct=false")):
        data = {"data": "ASK {}", "content_type": "application/sparql-query"} if method == "POST" else {}
        assert site.client.open(f"/sparql?{query}", method=method, **data).status_code == 200


def test_a_named_query_checks_its_parameters(site: Site) -> None:
    answer = site.client.get("/queries/failures?profil=core")
    assert answer.status_code == 400
    assert "'profil'" in answer.get_json()["detail"]
    assert site.client.get("/queries/failures?project=open&project=open").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "written", "meant"),
    [
        ("POST", "/projects/open/documents", "profil", "profile"),
        ("POST", "/projects/open/documents", "Name", "name"),
        ("POST", "/validate", "constraint", "constraints"),
        ("GET", "/projects/open/documents", "limits", "limit"),
        ("GET", "/projects/open/documents", "widthdrawn", "withdrawn"),
        ("GET", "/lineage", "as-of", "as_of"),
        ("GET", "/thing", "irl", "iri"),
        ("GET", "/projects/open/documents/run", "fromat", "format"),
        ("DELETE", "/projects/open/documents/run", "reasons", "reason"),
    ],
)
def test_the_message_suggests_the_closest_parameter(
    site: Site, method: str, path: str, written: str, meant: str
) -> None:
    answer = site.client.open(path, method=method, query_string={written: "1"}, headers=site.auth("all"))
    assert answer.status_code == 400
    problem = answer.get_json()
    assert f"did you mean {meant}=?" in problem["detail"]
    assert meant in problem["known"]


def test_nothing_is_stored_or_withdrawn_by_a_misspelled_request(site: Site) -> None:
    sent = {"data": PROVN, "content_type": PROVN_TYPE, "headers": site.auth("open")}
    assert site.client.post("/projects/open/documents?name=kept&profil=core", **sent).status_code == 400
    assert site.client.get("/projects/open/documents/kept").status_code == 404
    assert site.client.delete("/projects/open/documents/run?reson=x", headers=site.auth("open")).status_code == 400
    assert site.client.get("/projects/open/documents/run").status_code == 200


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/projects/open/documents?limit=1&limit=2", "limit"),
        ("/projects/open/documents?withdrawn=true&withdrawn=false", "withdrawn"),
        ("/projects/open/documents/run?format=json&format=turtle", "format"),
        ("/lineage?iri=urn:a&iri=urn:b", "iri"),
        ("/search?q=a&q=b", "q"),
    ],
)
def test_repeated_parameters_with_one_value_are_refused(site: Site, path: str, name: str) -> None:
    answer = site.client.get(path)
    assert answer.status_code == 400
    assert f"{name}= is given 2 times" in answer.get_json()["detail"]


def test_parameters_with_several_values_may_be_repeated(site: Site) -> None:
    data = {"data": PROVN, "content_type": PROVN_TYPE}
    assert site.client.post("/validate?profile=core&profile=core", **data).status_code == 200
    iri = "https://example.org/table"
    query = [("iri", iri), ("relation", "used"), ("relation", "wasGeneratedBy"), ("stop", ""), ("stop", "prov:Plan")]
    assert site.client.get(f"/lineage?{urlencode(query)}").status_code == 200
    assert (
        site.client.get(f"/lineage/common?{urlencode([('iri', iri), ('iri', 'https://example.org/raw')])}").status_code
        == 200
    )


def test_an_unencoded_ampersand_in_an_iri_is_reported(site: Site) -> None:
    """The PROV-AQ template ``{+uri}`` does not encode an ampersand in an IRI."""
    answer = site.client.get("/lineage?iri=https://example.org/data?a=1&b=2")
    assert answer.status_code == 400
    assert "%26" in answer.get_json()["detail"]


def test_unknown_parameters_do_not_reveal_private_projects(site: Site) -> None:
    """A stranger gets the same response for a private project as for a missing one, whatever the parameters."""
    answers = [site.client.get(f"/projects/{name}/documents?profil=x") for name in ("secret", "nowhere")]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].get_json()["detail"] == answers[1].get_json()["detail"]


def test_preflights_and_unknown_addresses_are_not_checked(site: Site) -> None:
    assert site.client.options("/projects?profil=x").status_code == 200
    assert site.client.get("/nowhere?profil=x").status_code == 404
    assert site.client.put("/projects?profil=x").status_code == 405


def test_a_very_long_name_is_shortened(site: Site) -> None:
    answer = site.client.get("/projects?" + "x" * 5000)
    assert answer.status_code == 400
    assert len(answer.get_json()["detail"]) < 300


def test_a_browser_gets_the_problem_as_a_page(site: Site) -> None:
    page = site.client.get("/projects?<script>=1", headers={"Accept": BROWSER})
    assert page.status_code == 400
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text


class _Links(HTMLParser):
    """The addresses to which a page leads: its links, and its forms that read, with their initial values."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._form: str | None = None
        self._fields: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag in ("a", "link") and "href" in given:
            self.found.append(unescape(given["href"]))
        elif tag == "form" and given.get("method", "get").lower() == "get":
            self._form, self._fields = given.get("action", ""), []
        elif self._form is not None and tag in ("input", "select", "textarea") and given.get("name"):
            unchecked = given.get("type") == "checkbox" and "checked" not in given
            if not unchecked:
                self._fields.append((given["name"], given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None:
            self.found.append(f"{self._form}?{urlencode(self._fields)}")
            self._form = None


def test_no_page_links_to_an_unknown_parameter(site: Site) -> None:
    """Follows every link and form from the home page."""
    start = "https://example.org/table"
    waiting = deque(
        [
            "/",
            "/projects?limit=1",
            "/projects/open?limit=1&withdrawn=true",
            f"/lineage?{urlencode({'iri': start, 'depth': 1, 'relation': 'used', 'strict': 'true'})}",
            f"/lineage?{urlencode({'iri': start, 'direction': 'downstream', 'limit': 1})}",
            f"/lineage/common?{urlencode([('iri', start), ('iri', 'https://example.org/run')])}",
            f"/thing?{urlencode({'iri': start})}",
            "/search?q=table",
            "/queries?project=open",
            "/sparql?query=SELECT%20*%20%7B%7D",
        ]
    )
    seen = set(waiting)
    while waiting and len(seen) < 2000:
        address = waiting.popleft()
        answer = site.client.get(address, headers={"Accept": BROWSER})
        assert b"no parameter" not in answer.data, address
        assert b" times; send it once" not in answer.data, address
        if answer.mimetype != "text/html":
            continue
        links = _Links()
        links.feed(answer.text)
        for link in links.found:
            there = urlsplit(urljoin(f"http://here{address}", link))
            path = there.path + (f"?{there.query}" if there.query else "")
            if there.netloc == "here" and path not in seen:
                seen.add(path)
                waiting.append(path)
    assert len(seen) > 60
    assert any(path.startswith("/queries/") for path in seen)
    assert any(path.startswith("/static/style.css?v=") for path in seen)

"""The OpenAPI description agrees with the server: addresses, parameters, bodies and responses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from provrepo.server.protocol.headers import SECURITY
from provrepo.server.routing.openapi import describe
from tests.support.contract import breaches
from tests.support.serving import PROVN_TYPE, Site, opened

IRI = "https://example.org/table"
IN_PATH = {
    "project": "open",
    "document": "doc",
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
    "namespace": "lab",
    "job": "plot",
    "dataset": "plots",
    "run": "0",
    "who": "ada",
    "token": "0" * 16,
    "session": "0" * 16,
    "invitation": "0" * 32,
}
NEEDED = {"id": "urn:x:none", "iri": IRI, "q": "table", "nodeId": "dataset:https%3A//example.org/:table"}
OURS = ("application/json", "application/problem+json", "application/prov+json", "application/sparql-results+json")
JSON_LD = ("/original", "sparql", "/queries/{name}", "/prov-aq", "/graphs")
"""Addresses on which ``application/json`` is an alias of JSON-LD or of SPARQL results."""
NONSENSE = {"integer": "many", "number": "soon", "boolean": "perhaps"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.submit("doc")
        yield site


@pytest.fixture(scope="module")
def described(site: Site) -> dict[str, Any]:
    found = site.client.get("/openapi.json")
    assert found.status_code == 200
    assert found.mimetype == "application/json"
    return dict(found.get_json())


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def address(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: IN_PATH[found[1]], path)


def needed(operation: dict[str, Any]) -> dict[str, str]:
    return {
        found["name"]: NEEDED[found["name"]]
        for found in operation["parameters"]
        if found.get("required") and found["in"] == "query"
    }


def test_every_address_and_method_is_described(site: Site, described: dict[str, Any]) -> None:
    routes = {
        (re.sub(r"<(?:[^:>]*:)?([^>]*)>", r"{\1}", rule.rule), method.lower())
        for rule in site.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, method, _ in operations(described)} == routes
    assert described == describe(site.app)


def test_operations_are_complete(described: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(set(ids)) == len(ids)
    for path, _, operation in operations(described):
        assert operation["summary"], path
        assert any(200 <= int(status) < 300 or status == "303" for status in operation["responses"]), path
        in_path = [found["name"] for found in operation["parameters"] if found["in"] == "path"]
        assert in_path == re.findall(r"\{(\w+)\}", path)
        names = [(found["in"], found["name"]) for found in operation["parameters"]]
        assert len(set(names)) == len(names), path


def test_numbers_and_flags_are_validated(site: Site, described: dict[str, Any]) -> None:
    tried = 0
    for path, method, operation in operations(described):
        for parameter in operation["parameters"]:
            kind = parameter["schema"].get("type")
            if parameter["in"] != "query" or kind not in NONSENSE:
                continue
            given = {**needed(operation), parameter["name"]: NONSENSE[kind]}
            if path.endswith("sparql"):
                given["query"] = "ASK {}"
            body = (
                {"data": given.pop("query", ""), "content_type": "application/sparql-query"} if method == "post" else {}
            )
            # Permission and preconditions come first.
            headers = {**site.auth("all"), **({"If-Match": "*"} if method == "put" else {})}
            answer = site.client.open(address(path), method=method.upper(), query_string=given, headers=headers, **body)
            assert answer.status_code == 400, (method, path, parameter["name"], answer.status_code)
            tried += 1
    assert tried > 30


def test_required_parameters_are_required(site: Site, described: dict[str, Any]) -> None:
    tried = 0
    for path, method, operation in operations(described):
        for name in needed(operation):
            answer = site.client.open(address(path), method=method.upper())
            assert answer.status_code in (400, 404), (path, name)
            tried += 1
    assert tried > 4


def test_empty_parameters_count_as_missing(site: Site, described: dict[str, Any]) -> None:
    """Forms send all of their fields."""
    tried = 0
    for path, method, operation in operations(described):
        if method != "get" or "sparql" in path or path.endswith("graphs"):
            continue
        given = needed(operation)
        plain = site.client.get(address(path), query_string=given, headers=site.auth("all"))
        for parameter in operation["parameters"]:
            if parameter["in"] != "query" or parameter.get("required") or parameter["name"] in ("values", "source"):
                continue
            assert parameter["allowEmptyValue"] is True
            query = {**given, parameter["name"]: ""}
            answer = site.client.get(address(path), query_string=query, headers=site.auth("all"))
            assert (answer.status_code, answer.mimetype) == (plain.status_code, plain.mimetype), (path, query)
            tried += 1
    assert tried > 60


def test_described_media_types_are_the_offered_ones(site: Site, described: dict[str, Any]) -> None:
    """The representations listed by a 406 are the media types in the description."""
    tried = 0
    for path, method, operation in operations(described):
        query = needed(operation) | ({"default": ""} if path.endswith("graphs") else {})
        if method != "get":
            continue
        answer = site.client.get(
            address(path), query_string=query, headers={**site.auth("all"), "Accept": "nothing/acceptable"}
        )
        if answer.status_code != 406:
            continue
        available = {offer["media_type"] for offer in answer.get_json()["available"]}
        described_content = set(operation["responses"]["200"]["content"])
        assert available <= described_content, path
        # What else is described is sent to clients that know a format by another name; or to another form of query.
        for media_type in described_content - available if path != "/queries/{name}" else ():
            other = site.client.get(
                address(path), query_string=query, headers={**site.auth("all"), "Accept": media_type}
            )
            assert (other.status_code, other.mimetype) == (200, media_type.partition(";")[0]), (path, media_type)
        tried += 1
    assert tried > 12


def test_described_bodies_are_accepted(site: Site, described: dict[str, Any]) -> None:
    taken = described["paths"]["/projects/{project}/documents"]["post"]["requestBody"]["content"]
    assert PROVN_TYPE in taken
    for media_type in taken:
        answer = site.client.post("/validate", data=b"", content_type=media_type)
        assert answer.status_code != 415, media_type


def test_every_json_response_has_a_schema(described: dict[str, Any]) -> None:
    """Undescribed bodies are not checked: each schema exists, is used, and lists the members of an object."""
    text = json.dumps(described)
    names = described["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) == set(names)
    tried = 0
    for path, _, operation in operations(described):
        for status, answer in operation["responses"].items():
            for media_type, described_content in answer.get("content", {}).items():
                if media_type not in OURS or (media_type == "application/json" and path.endswith(JSON_LD)):
                    continue
                assert "$ref" in described_content["schema"], (path, status, media_type)
                tried += 1
    assert tried > 200


SAFE = {"Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires", "Last-Modified"}
"""Headers that scripts of other sites may read in any case (Fetch Standard, "CORS-safelisted response-header name")."""
HOPS = {"Content-Encoding", "Date", "Vary", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", *SECURITY}
"""Headers for caches and browsers, about which a script has nothing to know."""


def test_scripts_of_other_sites_may_read_every_described_header(site: Site, described: dict[str, Any]) -> None:
    exposed = site.client.get("/projects/open").headers["Access-Control-Expose-Headers"].split(", ")
    named = {
        name
        for _, _, operation in operations(described)
        for answer in operation["responses"].values()
        for name in answer.get("headers", ())
    }
    assert {"Provrepo-Complete", "Provrepo-Sequence", "Provrepo-Setup-Id", "Provrepo-Omitted", "Retry-After"} <= named
    assert named <= set(exposed)
    assert set(exposed) == set(described["components"]["headers"])
    assert len(exposed) == len(set(exposed))


def test_sent_headers_are_described(site: Site, described: dict[str, Any]) -> None:
    """Each header that a GET sends is one of those of its operation and status, for each representation."""
    tried = 0
    for path, method, operation in operations(described):
        if method != "get":
            continue
        query = needed(operation) | ({"default": ""} if path.endswith("graphs") else {})
        for media_type in ["*/*", *operation["responses"]["200"].get("content", {})]:
            headers = {**site.auth("all"), "Accept": media_type}
            answer = site.client.get(address(path), query_string=query, headers=headers)
            about = operation["responses"].get(str(answer.status_code), {"headers": {}})
            more = {name for name, _ in answer.headers} - SAFE - HOPS - set(about["headers"])
            assert not more, (path, media_type, answer.status_code, more)
            tried += answer.status_code == 200
            answer.close()
    assert tried > 150


def test_links_lead_to_operations(described: dict[str, Any]) -> None:
    found = {operation["operationId"]: operation for _, _, operation in operations(described)}
    links = [
        link
        for operation in found.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) > 20
    for link in links:
        target = {parameter["name"] for parameter in found[link["operationId"]]["parameters"]}
        assert {name.rpartition(".")[2] for name in link["parameters"]} <= target


def test_writing_needs_a_token(site: Site, described: dict[str, Any]) -> None:
    tried = 0
    for path, method, operation in operations(described):
        answer = site.client.open(address(path), method=method.upper(), query_string=needed(operation))
        if operation.get("security") == [{"token": []}]:
            assert answer.status_code == 401, (path, method)
            tried += 1
        else:
            assert answer.status_code != 401, (path, method)
        refused = site.client.open(
            address(path), method=method.upper(), headers={"Authorization": "Bearer pvr_nonsense"}
        )
        assert refused.status_code in (401, 200, 304, 400), (path, method)
    assert tried > 6


def test_the_schema_check_finds_deviations(site: Site) -> None:
    """The check finds another status, another media type, and additional, missing and mistyped members."""
    answer = site.client.get("/projects/open")
    assert breaches(site.app, answer) == []
    good = answer.get_json()
    for data in ({**good, "public": "yes"}, {**good, "more": 1}, {k: v for k, v in good.items() if k != "title"}, []):
        answer.data = json.dumps(data).encode()
        assert len(breaches(site.app, answer)) >= 1, data
    answer.mimetype = "text/csv"
    assert "text/csv" in breaches(site.app, answer)[0]
    answer.status_code = 418
    assert "418 is not described" in breaches(site.app, answer)[0]

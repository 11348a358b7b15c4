"""The OpenAPI description says what the server does: every address, and what it takes and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from provrepo.server.openapi import describe
from tests.serving import PROVN_TYPE, Site, opened

IRI = "https://example.org/table"
IN_PATH = {
    "project": "open",
    "document": "doc",
    "version": "1",
    "number": "1",
    "name": "failures",
    "filename": "style.css",
}
NEEDED = {"iri": IRI, "q": "table", "nodeId": "dataset:https%3A//example.org/:table"}
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


def test_every_address_is_there_with_each_of_its_methods(site: Site, described: dict[str, Any]) -> None:
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
        assert any(200 <= int(status) < 300 for status in operation["responses"]), path
        in_path = [found["name"] for found in operation["parameters"] if found["in"] == "path"]
        assert in_path == re.findall(r"\{(\w+)\}", path)
        names = [(found["in"], found["name"]) for found in operation["parameters"]]
        assert len(set(names)) == len(names), path


def test_what_is_said_to_be_a_number_or_a_flag_is_read_as_one(site: Site, described: dict[str, Any]) -> None:
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


def test_what_has_to_be_given_has_to_be_given(site: Site, described: dict[str, Any]) -> None:
    tried = 0
    for path, method, operation in operations(described):
        for name in needed(operation):
            answer = site.client.open(address(path), method=method.upper())
            assert answer.status_code in (400, 404), (path, name)
            tried += 1
    assert tried > 4


def test_representations_are_those_on_offer(site: Site, described: dict[str, Any]) -> None:
    """What an address lists where it has nothing acceptable is what the description says of it."""
    tried = 0
    for path, method, operation in operations(described):
        asking = needed(operation) | ({"default": ""} if path.endswith("graphs") else {})
        if method != "get":
            continue
        answer = site.client.get(
            address(path), query_string=asking, headers={**site.auth("all"), "Accept": "nothing/acceptable"}
        )
        if answer.status_code != 406:
            continue
        available = {offer["media_type"] for offer in answer.get_json()["available"]}
        said = set(operation["responses"]["200"]["content"])
        # What a query can be answered with depends on its form.
        assert available < said if path == "/queries/{name}" else available == said, path
        tried += 1
    assert tried > 12


def test_bodies_that_are_described_are_taken(site: Site, described: dict[str, Any]) -> None:
    taken = described["paths"]["/projects/{project}/documents"]["post"]["requestBody"]["content"]
    assert PROVN_TYPE in taken
    for media_type in taken:
        answer = site.client.post("/validate", data=b"", content_type=media_type)
        assert answer.status_code != 415, media_type

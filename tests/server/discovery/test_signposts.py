"""Signposting, level 2: the links in headers and pages, and the linksets that have all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from provrepo.codecs.formats import WRITABLE
from provrepo.server.discovery.signposts import LINKSET
from provrepo.server.protocol.links import parse
from tests.support.serving import BROWSER, PROVN, Site, opened

BASE = "https://prov.example/"
LICENSE = "https://spdx.org/licenses/CC-BY-4.0"
TWICE = "/projects/open/documents/twice"
OF_THE_VERSION = {
    "alternate",
    "latest-version",
    "version-history",
    "predecessor-version",
    "original",
    "http://www.w3.org/ns/ldp#inbox",
}
BUFFER = 4096
"""The buffer of nginx for the header of an answer, which documents with short names must not exceed."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("signposts")) as found:
        found.owner.init(BASE)
        found.owner.set_project("open", license=LICENSE)
        yield found


def header(site: Site, path: str, **headers: str) -> dict[str, list[str]]:
    """The targets of the links of an answer without a context of their own, by relation."""
    answer = site.client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, list[str]] = {}
    for link in parse(answer.headers["Link"]):
        if "anchor" not in link.parameters and "#has_anchor" not in link.relations[0]:
            for relation in link.relations:
                found.setdefault(relation, []).append(link.target)
    return found


def linkset(site: Site, path: str) -> dict[str, dict[str, list[dict[str, str]]]]:
    """The link contexts of a linkset by their anchors."""
    answer = site.client.get(path)
    assert (answer.status_code, answer.content_type) == (200, LINKSET)
    contexts = json.loads(answer.data)["linkset"]
    anchors = [context.pop("anchor") for context in contexts]
    assert len(anchors) == len(set(anchors))
    return dict(zip(anchors, contexts, strict=True))


def test_a_document_its_bytes_and_its_metadata_lead_to_each_other(site: Site) -> None:
    version = f"{TWICE}/versions/2"
    for path in (TWICE, version):
        found = header(site, path)
        assert found["cite-as"] == [BASE.rstrip("/") + version]
        assert found["type"] == ["https://schema.org/AboutPage", "https://schema.org/Dataset"]
        assert found["license"] == [LICENSE]
        assert found["item"] == [f"{version}/original"]
        assert found["describedby"] == [f"{version}/metadata", f"{version}/metadata?format=turtle"]
        assert found["linkset"] == [f"{path}/linkset"]
        assert found["author"][0].startswith(f"{BASE}actors/")
    assert header(site, f"{version}/original")["collection"] == [version]
    assert header(site, f"{version}/original")["cite-as"] == [BASE.rstrip("/") + version]
    assert header(site, f"{version}/metadata")["describes"] == [version]
    assert header(site, f"{version}/metadata?format=turtle")["describes"] == [version]


@pytest.mark.parametrize("path", [TWICE, f"{TWICE}/versions/1", f"{TWICE}/versions/2"])
@pytest.mark.parametrize("below", ["", "/original", "/metadata"])
def test_the_linkset_has_every_link_of_the_header(site: Site, path: str, below: str) -> None:
    named = header(site, path + below)
    found = linkset(site, named["linkset"][0])[BASE.rstrip("/") + path + below]
    for relation, targets in named.items():
        if relation in OF_THE_VERSION and below:
            continue  # links of the version, which are those of the document in the linkset
        absolute = [BASE.rstrip("/") + target if target.startswith("/") else target for target in targets]
        listed = [target["href"] for target in found[relation]]
        # Of the other formats the header has those for which there is room.
        assert (listed[: len(absolute)] if relation == "alternate" else listed) == absolute, relation


def test_a_linkset_is_complete_and_absolute(site: Site) -> None:
    found = linkset(site, f"{TWICE}/linkset")
    places = [TWICE, f"{TWICE}/versions/2"]
    assert list(found) == [BASE.rstrip("/") + at + below for at in places for below in ("", "/original", "/metadata")]
    version = found[f"{BASE[:-1]}{TWICE}/versions/2"]
    assert len(version["alternate"]) == len(WRITABLE)
    assert {"http://www.w3.org/ns/prov#has_provenance", "http://www.w3.org/ns/prov#pingback"} <= set(version)
    assert {
        "href": f"{BASE[:-1]}{TWICE}/versions/2.rdf.jsonld",
        "type": "application/ld+json",
        "profile": "http://www.w3.org/ns/prov#",
    } in version["alternate"]
    for context in found.values():
        for targets in context.values():
            assert all(target["href"].startswith("https://") for target in targets if "prov#" not in target["href"])


def test_long_names_leave_the_header_small_and_the_linkset_complete(site: Site) -> None:
    project, name = "p" * 100, "d" * 100
    site.owner.create_project(project, public=True, license=LICENSE)
    site.owner.submit(PROVN, project=project, name=name)
    site.owner.submit(PROVN + b"\n", project=project, name=name, update=True)
    path = f"/projects/{project}/documents/{name}"
    for asked in ("", "/original", "/metadata", "/linkset", "/versions/2", "/versions/2.ttl"):
        for accept in ("*/*", BROWSER):
            answer = site.client.get(path + asked, headers={"Accept": accept})
            if answer.status_code == 406:
                continue
            assert answer.status_code == 200
            assert len(str(answer.headers)) < 8000
    found = header(site, path)
    assert len(found.get("alternate", [])) < len(WRITABLE) // 2
    assert {"linkset", "cite-as", "type", "author", "license", "item", "describedby"} <= set(found)
    whole = linkset(site, found["linkset"][0])[BASE[:-1] + path]
    assert len(whole["alternate"]) == len(WRITABLE)


def test_short_names_fit_the_buffers_of_proxies(site: Site) -> None:
    for below in ("", "/original", "/metadata", "/versions/2.ttl"):
        assert len(str(site.client.get(TWICE + below).headers)) < BUFFER


def test_head_and_304_have_the_same_links(site: Site) -> None:
    for below in ("", "/original", "/metadata"):
        answer = site.client.get(TWICE + below)
        assert site.client.head(TWICE + below).headers["Link"] == answer.headers["Link"]
        again = site.client.get(TWICE + below, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.headers["Link"]) == (304, answer.headers["Link"])


def test_pages_have_the_links_as_elements(site: Site) -> None:
    page = site.client.get(TWICE, headers={"Accept": BROWSER}).text.partition("</head>")[0]
    for relation, targets in header(site, TWICE).items():
        if relation in {"linkset", "cite-as", "type", "author", "license", "item", "describedby"}:
            assert all(f'<link rel="{relation}" href="{target}"' in page for target in targets), relation


def test_without_a_base_iri_a_version_is_cited_by_its_urn(tmp_path_factory: pytest.TempPathFactory) -> None:
    with opened(tmp_path_factory.mktemp("urn")) as plain:
        found = header(plain, "/projects/open/documents/run")
        assert found["cite-as"] == [plain.owner.version("open", "run").iri]
        assert found["cite-as"][0].startswith("urn:uuid:")
        assert "license" not in found
        answer = plain.client.get("/projects/open/documents/run/linkset", headers={"Host": "evil.example"})
        assert "evil.example" not in answer.text
        assert "http://127.0.0.1:8000/projects/open/documents/run" in answer.text


def test_nothing_about_private_projects_is_answered(site: Site) -> None:
    for below in ("/linkset", "/versions/1/linkset", "/metadata?format=turtle"):
        hidden = site.client.get(f"/projects/secret/documents/run{below}")
        missing = site.client.get(f"/projects/absent/documents/run{below}")
        assert (hidden.status_code, hidden.data) == (404, missing.data)
        assert "Link" not in hidden.headers
        assert site.client.get(f"/projects/secret/documents/run{below}", headers=site.auth("reader")).status_code == 200

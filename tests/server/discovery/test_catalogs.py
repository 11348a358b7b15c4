"""Descriptions in DCAT 3, the catalog of interfaces, and the terms and shapes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import rdflib
from rdflib import DCTERMS, FOAF, RDF, Literal, URIRef
from rdflib.compare import isomorphic

from provrepo.codecs.formats import WRITABLE
from tests.support.paths import ROOT
from tests.support.serving import Site, opened

BASE = "https://w3id.org/provrepo/"
OPEN = URIRef(f"{BASE}projects/open")
DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")  # that of rdflib lacks the terms of DCAT 3
SPDX = rdflib.Namespace("http://spdx.org/rdf/terms#")
STATUS = URIRef("http://www.w3.org/ns/adms#status")
FORMATS = {
    "turtle": "text/turtle",
    "json-ld": "application/ld+json",
    "xml": "application/rdf+xml",
    "nt": "application/n-triples",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("catalogs")) as found:
        found.owner.init(BASE)
        found.owner.set_project("open", license="https://spdx.org/licenses/CC-BY-4.0")
        yield found


def graph(site: Site, path: str, format_name: str = "turtle", who: str = "") -> rdflib.Graph:
    answer = site.client.get(path, headers={"Accept": FORMATS[format_name], **site.auth(who)})
    assert (answer.status_code, answer.mimetype) == (200, FORMATS[format_name])
    return rdflib.Graph().parse(data=answer.data, format=format_name)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")
@pytest.mark.parametrize(
    "path",
    ["/catalog", "/projects/open/catalog", "/projects/open/documents/twice/metadata", "/ns", "/shapes/core"],
)
def test_every_format_says_the_same(site: Site, path: str) -> None:
    expected = graph(site, path)
    assert len(expected) > 10
    for format_name in FORMATS:
        assert isomorphic(graph(site, path, format_name), expected), format_name


def test_the_repository_is_a_catalog_of_projects(site: Site) -> None:
    found = graph(site, "/catalog")
    own = URIRef(BASE)
    assert (own, RDF.type, DCAT.Catalog) in found
    assert list(found.objects(own, DCAT.catalog)) == [OPEN]
    assert (OPEN, DCTERMS.title, Literal("Open crops")) in found
    assert len(list(found.objects(own, DCAT.service))) == 2
    with_token = graph(site, "/catalog", who="reader")
    assert set(with_token.objects(own, DCAT.catalog)) == {OPEN, URIRef(f"{BASE}projects/secret")}


def test_documents_are_datasets_with_versions_and_checksums(site: Site) -> None:
    found = graph(site, "/projects/open/catalog")
    documents = {name: URIRef(f"{OPEN}/documents/{name}") for name in ("gone", "run", "twice")}
    assert set(found.objects(OPEN, DCAT.dataset)) == set(documents.values())
    for record in found.objects(OPEN, DCAT.record):
        assert (record, RDF.type, DCAT.CatalogRecord) in found
        assert found.value(record, DCTERMS.modified) is not None
    assert {found.value(record, FOAF.primaryTopic) for record in found.objects(OPEN, DCAT.record)} == set(
        documents.values()
    )
    version = URIRef(f"{documents['twice']}/versions/2")
    assert found.value(documents["twice"], DCAT.hasCurrentVersion) == version
    assert found.value(version, DCAT.version) == Literal("2")
    assert found.value(version, DCAT.previousVersion) == URIRef(f"{documents['twice']}/versions/1")
    assert found.value(version, DCAT.isVersionOf) == documents["twice"]
    file = found.value(version, DCAT.distribution)
    assert file is not None
    address = urlsplit(str(found.value(file, DCAT.downloadURL)))
    data = site.client.get(address.path.removeprefix("/provrepo")).data
    checksum = found.value(file, SPDX.checksum)
    assert checksum is not None
    assert found.value(checksum, SPDX.algorithm) == SPDX.checksumAlgorithm_sha256
    assert str(found.value(checksum, SPDX.checksumValue)) == hashlib.sha256(data).hexdigest()
    assert int(str(found.value(file, DCAT.byteSize))) == len(data)


def test_a_withdrawn_document_keeps_its_record(site: Site) -> None:
    found = graph(site, "/projects/open/catalog")
    gone = URIRef(f"{OPEN}/documents/gone")
    withdrawn = URIRef("http://purl.org/adms/status/Withdrawn")
    record = found.value(predicate=FOAF.primaryTopic, object=gone)
    assert (record, STATUS, withdrawn) in found
    assert (gone, STATUS, withdrawn) in found
    version = URIRef(f"{gone}/versions/1")
    assert "wrong <i>unit</i>" in {str(value) for value in found.objects(version)}
    for subject in (gone, version):
        assert not list(found.objects(subject, DCAT.distribution))
        assert not list(found.objects(subject, DCAT.hasCurrentVersion))


def test_the_description_of_a_version_has_every_format(site: Site) -> None:
    found = graph(site, "/projects/open/documents/twice/versions/1/metadata")
    version = URIRef(f"{OPEN}/documents/twice/versions/1")
    assert (version, STATUS, URIRef("http://purl.org/adms/status/Deprecated")) in found
    files = list(found.objects(version, DCAT.distribution))
    assert len(files) == len(WRITABLE)
    for file in files:
        path = urlsplit(str(found.value(file, DCAT.downloadURL))).path.removeprefix("/provrepo")
        media_type = str(found.value(file, DCAT.mediaType)).partition("media-types/")[2]
        assert site.client.get(path).mimetype == media_type


def test_a_catalog_has_pages(site: Site) -> None:
    path, found, pages = "/projects/open/catalog?limit=1", rdflib.Graph(), 0
    while path:
        page = graph(site, path)
        found += page
        following = list(page.objects(predicate=URIRef("http://www.w3.org/ns/hydra/core#next")))
        link = site.client.get(path, headers={"Accept": "text/turtle"}).headers.get("Link", "")
        assert ('rel="next"' in link) == bool(following)
        path = str(following[0]).removeprefix(BASE[:-1]) if following else ""
        pages += 1
    assert pages == 3
    whole = graph(site, "/projects/open/catalog")
    assert set(found.objects(OPEN, DCAT.dataset)) == set(whole.objects(OPEN, DCAT.dataset))


def test_a_private_project_is_nowhere(site: Site) -> None:
    for path in ("/catalog", "/projects/open/catalog", "/.well-known/api-catalog"):
        text = site.client.get(path).text
        assert "secret" not in text
        assert "Hidden" not in text
    hidden, missing = (site.client.get(f"/projects/{name}/catalog") for name in ("secret", "absent"))
    assert (hidden.status_code, hidden.data) == (missing.status_code, missing.data) == (404, missing.data)


def test_no_host_header_gets_into_an_answer(site: Site) -> None:
    for path in (
        "/catalog",
        "/projects/open/catalog?limit=1",
        "/.well-known/api-catalog",
        "/sitemap.xml",
        "/robots.txt",
    ):
        answer = site.client.get(path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        assert answer.status_code == 200
        assert "evil.example" not in answer.text + answer.headers.get("Link", "")
        assert BASE in answer.text


# The catalog of interfaces


def test_the_catalog_of_interfaces(site: Site) -> None:
    answer = site.client.get("/.well-known/api-catalog")
    assert answer.content_type == 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
    head = site.client.head("/.well-known/api-catalog")
    assert head.headers["Link"] == answer.headers["Link"]
    assert 'rel="api-catalog"' in head.headers["Link"]
    contexts = json.loads(answer.data)["linkset"]
    assert contexts[0]["anchor"] == f"{BASE}.well-known/api-catalog"
    items = [item["href"] for item in contexts[0]["item"]]
    assert {f"{BASE}sparql", f"{BASE}catalog", f"{BASE}ns", f"{BASE}shapes/core"} <= set(items)
    assert {context["anchor"] for context in contexts[1:]} <= set(items)
    targets = [target for context in contexts for links in list(context.values())[1:] for target in links]
    assert len(targets) > 15
    for target in targets:
        path = target["href"].removeprefix(BASE[:-1])
        found = site.client.get(path, headers={"Accept": target.get("type", "*/*")})
        assert found.status_code == 200, path
        assert found.mimetype == target.get("type", found.mimetype), path


def test_the_home_page_leads_there(site: Site) -> None:
    link = site.client.get("/").headers["Link"]
    assert '</.well-known/api-catalog>; rel="api-catalog"' in link
    assert '</catalog>; rel="describedby"; type="text/turtle"' in link


# Terms and shapes


def test_terms_and_shapes_are_served_under_their_iris(site: Site) -> None:
    """With the base IRI of this site the addresses are the IRIs themselves."""
    assert site.client.get("/ns").data == (ROOT / "ontology" / "provrepo.ttl").read_bytes()
    ontology = graph(site, "/ns")
    assert (URIRef(f"{BASE}ns"), RDF.type, rdflib.OWL.Ontology) in ontology
    profiles = sorted(path.parent.name for path in (ROOT / "shapes").glob("*/shapes.ttl"))
    for name in profiles:
        file = ROOT / "shapes" / name / "shapes.ttl"
        assert site.client.get(f"/shapes/{name}").data == file.read_bytes()
        assert any(
            str(subject).startswith(f"{BASE}shapes/{name}#") for subject in graph(site, f"/shapes/{name}").subjects()
        )
    for name in ("nothing", "..", "core.ttl", "%2e%2e%2fontology"):
        assert site.client.get(f"/shapes/{name}").status_code == 404

"""Every identifier that a page shows resolves: links of pages, and IRIs that the repository made or has been told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlencode

import pytest

from provrepo.checks.constraints.rules import RULES, rule_id
from tests.pages.test_pages import DATASETS, PAGES
from tests.support.serving import BROWSER, PROVN, Site, opened

BUNDLED = b"""document
  prefix ex <https://example.org/>
  entity(ex:report)
  bundle ex:inner
    entity(ex:deep, [ex:unit="mm"])
    activity(ex:act)
    wasGeneratedBy(ex:deep, ex:act, 2026-01-01T00:00:00Z)
  endBundle
endDocument"""
GRAPHS = "SELECT DISTINCT ?g ?s { GRAPH ?g { ?s ?p ?o } }"
AT = "/projects/open/documents"
PLACES = [
    *PAGES,
    f"{AT}/bundled",
    f"{AT}/twice/versions/1",
    f"{AT}/checked/report",
    f"/projects/open/sparql?{urlencode({'query': GRAPHS})}",
    f"/sparql?{urlencode({'query': GRAPHS + ' LIMIT 100'})}",
]
MINTED = re.compile(r"urn:uuid:[0-9a-f-]{36}(?:#[\w-]+)?")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.submit("bundled", BUNDLED)
        site.submit("datasets", DATASETS)
        site.owner.submit(PROVN + b"\n", project="open", name="checked", format="provn", profiles=["core"])
        yield site


def page(site: Site, path: str) -> str:
    answer = site.client.get(path, headers={"Accept": BROWSER, **site.auth("all")})
    return answer.text if answer.mimetype == "text/html" else ""


def shown(html: str) -> str:
    """The text that people see."""
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(script|style|textarea)\b.*?</\1>", " ", html)))


def leads(site: Site, iri: str, who: str = "all") -> str:
    """Where the page of an identifier leads; empty where there is none."""
    answer = site.client.get("/thing", query_string={"iri": iri}, headers={"Accept": BROWSER, **site.auth(who)})
    if answer.status_code == 200:
        return "/thing"
    assert answer.status_code in (303, 404), answer.text
    return answer.headers.get("Location", "")


def test_each_iri_of_the_repository_that_a_page_shows_resolves(site: Site) -> None:
    iris = {iri for path in PLACES for iri in MINTED.findall(shown(page(site, path)))}
    assert len(iris) > 20
    assert any(iri.endswith("#bundle-1") for iri in iris)
    lost = []
    for iri in sorted(iris):
        there = leads(site, iri)
        if not there or (there != "/thing" and not resolved(site, there)):
            lost.append(iri)
    assert lost == []


def resolved(site: Site, address: str) -> bool:
    """Whether an address is that of a page, or of a specification, or tells what happened to a document."""
    if address.startswith("https://www.w3.org/TR/"):
        return True
    answer = site.client.get(address, headers={"Accept": BROWSER, **site.auth("all")})
    return answer.status_code in (200, 410) and "Nothing was found." not in answer.text


def test_each_thing_that_a_page_links_resolves(site: Site) -> None:
    links = {
        unescape(link)
        for path in PLACES
        for link in re.findall(r'href="(/(?:thing|lineage|projects/[^"]*/dataset)\?[^"]+)"', page(site, path))
    }
    assert len(links) > 20
    lost = []
    for link in sorted(links):
        answer = site.client.get(link, headers={"Accept": BROWSER, **site.auth("all")})
        if answer.status_code not in (200, 303):
            lost.append(link)
    assert [link for link in lost if "nothing" not in link] == []


def test_identifiers_of_bundles_and_of_properties_lead_to_what_is_said_with_them(site: Site) -> None:
    for iri in ("https://example.org/inner", "https://example.org/unit", f"{site_version(site)}#bundle-1"):
        there = leads(site, iri)
        assert there, iri
        assert resolved(site, there), there
    assert leads(site, "https://example.org/of-nothing") == ""
    assert leads(site, "urn:uuid:00000000-0000-4000-8000-000000000000") == ""


def site_version(site: Site) -> str:
    return str(site.client.get(f"{AT}/bundled/metadata").get_json()["iri"])


def test_former_versions_and_documents_resolve(site: Site) -> None:
    former = site.client.get(f"{AT}/twice/versions/1/metadata").get_json()["iri"]
    assert leads(site, former).endswith(f"{AT}/twice/versions/1")
    minter = site.store.minter()
    assert leads(site, str(minter.document("open", "twice"))).endswith(f"{AT}/twice")
    assert leads(site, str(minter.project("open"))).endswith("/projects/open")


def test_nothing_leads_to_what_a_caller_may_not_read(site: Site) -> None:
    minter = site.store.minter()
    for iri in (
        str(minter.version("secret", "run", 1)),
        str(minter.document("secret", "run")),
        str(minter.project("secret")),
        f"{minter.version('secret', 'run', 1)}#submission",
    ):
        assert leads(site, iri, "all") or leads(site, iri, "reader"), iri
        assert leads(site, iri, "") == ""
        assert leads(site, iri, "open") == ""


def test_each_rule_has_an_address(site: Site) -> None:
    for number, rule in RULES.items():
        assert leads(site, rule_id(number)) == f"https://www.w3.org/TR/prov-constraints/#{rule.title}"
    for name in ("prov-dm:mandatory", "prov-links:unique-mention"):
        assert leads(site, name).startswith("https://www.w3.org/TR/prov-")
    report = site.client.get(f"{AT}/checked/report").get_json()
    rules = {finding["rule"] for finding in report["findings"]}
    html = page(site, f"{AT}/checked/report")
    assert rules
    for rule in rules:
        there = leads(site, rule)
        assert there
        assert f'href="{there.removeprefix("http://localhost")}"' in html

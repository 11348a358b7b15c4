"""Descriptions in schema.org: JSON-LD in pages, from which no text can break out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.support.serving import BROWSER, PROVN, Site, opened

BREAKOUTS = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "</ScRiPt ><img src=x onerror=alert(2)>",
    "]]></script>",
    '&lt;/script&gt; &amp; \u2028 \u2029 \\u003c/script> "quoted" \\',
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("schema")) as found:
        yield found


class _Scripts(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.open = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.open = True
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self.open &= tag != "script"

    def handle_data(self, data: str) -> None:
        if self.open:
            attributes, text = self.scripts.pop()
            self.scripts.append((attributes, text + data))


def description(site: Site, path: str, who: str = "") -> dict[str, Any]:
    page = site.client.get(path, headers={"Accept": BROWSER, **site.auth(who)})
    assert page.status_code == 200
    ((attributes, text),) = [one for one in _Scripts(page.text).scripts if "src" not in one[0]]
    assert attributes == {"type": "application/ld+json"}
    found: dict[str, Any] = json.loads(text)
    assert found["@context"] == "https://schema.org/"
    return found


def test_a_document_is_a_dataset(site: Site) -> None:
    site.owner.set_project("open", license="https://spdx.org/licenses/CC0-1.0")
    found = description(site, "/projects/open/documents/twice")
    info = site.owner.version("open", "twice")
    assert (found["@type"], found["@id"], found["version"]) == ("Dataset", info.iri, "2")
    assert found["license"] == "https://spdx.org/licenses/CC0-1.0"
    assert found["creator"]["name"] == info.submitter
    assert found["isAccessibleForFree"] is True
    file = found["distribution"][0]
    assert (file["sha256"], file["contentSize"]) == (info.sha256, f"{info.size} B")
    assert 50 <= len(found["description"]) <= 5000
    assert found["includedInDataCatalog"]["name"] == "Open crops"


def test_projects_and_the_repository_are_catalogs(site: Site) -> None:
    assert description(site, "/projects/open")["@type"] == "DataCatalog"
    home = description(site, "/")
    assert [part["name"] for part in home["hasPart"]] == ["Open crops"]
    assert [part["name"] for part in description(site, "/", "reader")["hasPart"]] == ["Open crops", "Hidden"]


@pytest.mark.parametrize("text", BREAKOUTS)
def test_no_text_breaks_out(site: Site, text: str) -> None:
    site.owner.set_project("open", title=text)
    site.owner.submit(PROVN, project="open", name="hostile", note=text, update=True, again=True)
    try:
        assert description(site, "/projects/open")["name"] == text
        assert text in description(site, "/projects/open/documents/hostile")["description"]
        assert description(site, "/")["hasPart"][0]["name"] == text
    finally:
        site.owner.withdraw("open", "hostile", reason="done")
        site.owner.set_project("open", title="Open crops")


def test_a_withdrawn_version_says_so(site: Site) -> None:
    found = description(site, "/projects/open/documents/gone/versions/1", "all")
    assert found["creativeWorkStatus"] == "withdrawn"
    assert "creativeWorkStatus" not in description(site, "/projects/open/documents/run")

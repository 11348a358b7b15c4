"""Pages: content, escaping, accessibility, and no scripts or inline styles."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from provrepo.codecs.formats import FORMATS
from provrepo.model.statements import KINDS
from provrepo.server.pages.display import words
from provrepo.server.routing.routes import OPERATIONS
from tests.support.paths import ROOT
from tests.support.serving import BROWSER, HOSTILE, PROVN, Site, opened, sha256

QUERIED = "/projects/open/sparql?query=SELECT+*+%7B+%3Fs+%3Fp+%3Fo+%7D"
SIGNPOSTS = {"linkset", "cite-as", "type", "author", "license", "item", "describedby"}
TRACED = "/lineage?iri=https://example.org/raw&direction=downstream&depth=1"
DATASETS = rb"""document
  prefix ex <https://example.org/>
  prefix dcat <http://www.w3.org/ns/dcat#>
  prefix dqv <http://www.w3.org/ns/dqv#>
  prefix rdfs <http://www.w3.org/2000/01/rdf-schema#>
  prefix schema <http://schema.org/>
  entity(ex:dataset, [prov:type='dcat:Dataset', rdfs:label="<i>plots</i>"])
  entity(ex:v1, [prov:type='prov:Collection'])
  specializationOf(ex:v1, ex:dataset)
  hadMember(ex:v1, ex:c1)
  entity(ex:c1, [rdfs:label="<b>x</b>", schema:additionalType="int"])
  activity(ex:load, 2026-01-01T10:00:00Z, 2026-01-01T11:00:00Z)
  wasGeneratedBy(ex:v1, ex:load, -)
  wasAssociatedWith(ex:load, ex:ada, ex:job)
  entity(ex:v2, [prov:type='prov:Collection'])
  specializationOf(ex:v2, ex:dataset)
  hadMember(ex:v2, ex:c2)
  entity(ex:c2, [rdfs:label="y"])
  activity(ex:again, 2026-01-02T10:00:00Z, 2026-01-02T11:00:00Z)
  wasGeneratedBy(ex:v2, ex:again, -)
  used(ex:check, ex:v2, -)
  wasAttributedTo(ex:dataset, ex:ada)
  entity(ex:m, [dqv:computedOn='ex:v2', dqv:isMeasurementOf='ex:metric', dqv:value="false" %% xsd:boolean])
  wasGeneratedBy(ex:m, ex:check, -)
endDocument
"""

PAGES = [
    "/",
    "/session",
    "/session/sign-in",
    "/session/callback",
    "/sessions",
    "/tokens",
    "/users",
    "/new-project",
    "/submit",
    "/profiles",
    "/profiles?project=open",
    "/openapi.json",
    "/health",
    "/projects/open/metrics",
    "/projects/open/ledger",
    "/projects/open/audit",
    "/projects/open/members",
    "/projects/open/exposure",
    "/invitations/00000000000000000000000000000000",
    "/projects/open/documents/run/publication",
    "/peers",
    "/holders",
    "/projects/open/holders",
    "/notices",
    "/pushes",
    "/projects/open/pushes",
    "/mirrors",
    "/projects/open/notices",
    "/projects/open?q=tw&sort=name",
    "/projects/open?sort=statements&limit=2&offset=1",
    "/projects/open?q=nothing",
    "/record",
    "/projects",
    "/projects/open",
    "/projects/open/documents",
    "/projects/open/documents/run",
    "/projects/open/documents/hostile",
    "/projects/open/documents/twice/versions/1",
    "/projects/open/documents/twice/versions",
    "/projects/open/documents/run/report",
    "/projects/open/documents/run/statements",
    "/projects/open/documents/run/statements?q=table&kind=wasGeneratedBy&thing=https://example.org/run",
    "/projects/open/documents/run/statements?q=nothing",
    "/projects/open/documents/hostile/versions/1/statements?limit=1",
    "/projects/open/documents/twice/diff",
    "/projects/open/documents/twice/diff?from=2&to=1",
    "/projects/open/documents/run/diff",
    "/projects/open/documents/gone",
    "/projects/open/documents/nothing",
    "/projects/open/datasets",
    "/projects/open/dataset?iri=https://example.org/dataset",
    "/projects/open/dataset?iri=https://example.org/nothing",
    "/projects/open/pending",
    "/projects/open/webhooks",
    "/projects/open/pending/nothing",
    "/projects/open/pending/nothing/report",
    "/sparql",
    QUERIED,
    "/projects/open/sparql?query=ASK+%7B%7D",
    "/projects/open/sparql?query=nonsense",
    "/projects/open/documents/run/versions/1/sparql?query=ASK+%7B%7D",
    "/queries",
    "/queries/failures?project=open",
    "/lineage",
    "/lineage?iri=https://example.org/table",
    TRACED,
    "/lineage?iri=https://example.org/table&to=https://example.org/raw&direction=both",
    "/lineage?iri=https://example.org/x",
    "/lineage/common?iri=https://example.org/table&iri=https://example.org/run",
    "/thing",
    "/thing?iri=https://example.org/table",
    "/search",
    "/search?q=example",
    "/search?q=nothing",
    "/search?q=e&part=documents&sort=newest&limit=2",
    "/search?q=example&kind=entity&sort=iri&limit=1&page=2",
    "/search?q=example&page=99",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.submit("hostile", HOSTILE)
        site.submit("datasets", DATASETS)
        yield site


def get(site: Site, path: str):
    return site.client.get(path, headers={"Accept": BROWSER})


class Page(HTMLParser):
    """Collects elements and text, and checks that elements are nested properly."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def foreign_scripts(page: Page) -> list[dict[str, str | None]]:
    """Scripts of a page that are neither modules of its own server nor blocks of data, which are not run."""
    scripts = [script for script in page.all("script") if script != {"type": "application/ld+json"}]
    return [
        script
        for script in scripts
        if script.get("type") != "module" or not re.match(r"/static/[a-z/-]+\.mjs\?", script.get("src") or "")
    ]


def test_every_address_with_a_page_is_in_the_list(site: Site) -> None:
    addresses = site.app.url_map.bind("localhost")
    listed = {addresses.match(path.partition("?")[0])[0] for path in PAGES}
    offering = {
        name for (name, method), row in OPERATIONS.items() if method == "GET" and "text/html" in row.response_types
    }
    assert offering - listed == set()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_valid_and_accessible(site: Site, path: str) -> None:
    answer = get(site, path)
    assert answer.mimetype == "text/html"
    page = Page(answer.text)
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("header")) == len(page.all("footer")) == 1
    assert re.search(r"<title>[^<]+ · provrepo</title>", answer.text)
    assert page.all("a")[0] == {"class": "skip", "href": "#main"}
    assert all("aria-label" in nav for nav in page.all("nav"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in cell for cell in page.all("th"))
    labels = {label["for"] for label in page.all("label")}
    fields = page.all("textarea") + page.all("input") + page.all("select")
    assert {field["id"] for field in fields if field.get("type") != "hidden"} <= labels
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    headings = [int(name[1]) for name, _ in page.elements if re.fullmatch(r"h[1-6]", name)]
    assert headings[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(headings))


@pytest.mark.parametrize("path", PAGES)
def test_no_page_violates_the_security_policy(site: Site, path: str) -> None:
    specifications = {format_.specification for format_ in FORMATS}
    page = Page(get(site, path).text)
    assert foreign_scripts(page) == []
    assert not page.all("style")
    assert not page.all("iframe")
    for name, attributes in page.elements:
        assert "style" not in attributes
        assert not [key for key in attributes if key.startswith("on")], name
        relation = attributes.get("rel") or ""
        if relation.startswith("http://www.w3.org/ns/prov#") or relation in SIGNPOSTS:
            continue  # a statement about the page, which no browser follows
        for key in ("href", "src", "action"):
            target = attributes.get(key) or ""
            assert re.match(r"(/|#|https://www\.w3\.org/|$)", target) or target in specifications, target


@pytest.mark.parametrize("path", PAGES)
def test_internal_links_are_not_broken(site: Site, path: str) -> None:
    for link in Page(get(site, path).text).all("a"):
        target = link["href"] or ""
        if target.startswith("/"):
            assert site.client.get(target, headers={"Accept": BROWSER}).status_code in (200, 410), target


def test_labels_are_text_and_never_markup(site: Site) -> None:
    page = get(site, "/projects/open/documents/hostile").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert (page.count("<script"), page.count('<script type="application/ld+json">')) == (2, 1)
    assert "<img src=x" not in page
    assert "<script>" not in get(site, "/projects/open").text
    tombstone = get(site, "/projects/open/documents/gone").text
    assert "wrong &lt;i&gt;unit&lt;/i&gt;" in tombstone
    assert "<i>" not in tombstone


def test_the_page_of_a_document_has_submitter_verdict_and_time(site: Site) -> None:
    text = get(site, "/projects/open/documents/run").text
    page = Page(text)
    info = site.owner.version("open", "run")
    assert {"datetime": info.time} in page.all("time")
    for expected in ("Conforms", sha256(PROVN), "ex:table", "was generated by", "7 statements", info.submitter):
        assert expected in page.text
    for kind in ("entity", "activity", "agent"):
        assert f'<span class="shape {kind}">{kind}</span>' in text
    for target in ("/original", ".ttl", ".json", ".provn", ".rdf.jsonld"):
        assert any((link["href"] or "").endswith(f"/versions/1{target}") for link in page.all("a"))


def test_each_section_of_a_document_is_few_tab_stops_away(site: Site) -> None:
    text = get(site, "/projects/open/documents/twice").text
    stops = [
        attributes
        for name, attributes in Page(text).elements
        if name in ("button", "select", "textarea", "summary")
        or (name == "a" and "href" in attributes)
        or (name == "input" and attributes.get("type") != "hidden")
        or attributes.get("tabindex") == "0"
    ]
    links = [number for number, attributes in enumerate(stops, 1) if (attributes.get("href") or "").startswith("#")]
    sections = [number for number in links if stops[number - 1]["href"] != "#main"]
    assert [stops[number - 1]["href"] for number in sections] == [
        "#report",
        "#statements",
        "#versions",
        "#picture",
        "#use",
    ]
    assert max(sections) <= 15


def test_an_old_version_links_to_the_newest(site: Site) -> None:
    assert "not the newest" in get(site, "/projects/open/documents/twice/versions/1").text
    assert "not the newest" not in get(site, "/projects/open/documents/twice/versions/2").text
    assert "not the newest" not in get(site, "/projects/open/documents/twice").text


def test_a_long_document_is_shown_in_part(site: Site) -> None:
    entities = "".join(f"  entity(ex:e{number})\n" for number in range(700))
    site.submit("long", f"document\n  prefix ex <https://example.org/>\n{entities}endDocument".encode())
    text = get(site, "/projects/open/documents/long").text
    assert "1–25 of 700" in text
    assert "ex:e24<" in text
    assert "ex:e25<" not in text


def test_kinds_are_shown_in_words() -> None:
    assert words("wasGeneratedBy") == "was generated by"
    assert words("actedOnBehalfOf") == "acted on behalf of"
    assert words("specializationOf") == "specialization of"
    assert all(words(name).islower() for name in KINDS)


def test_the_style_sheet_is_small_and_fetches_nothing() -> None:
    css = (ROOT / "web" / "static" / "style.css").read_text("utf-8")
    assert len(css) < 12_000
    assert "url(" not in css
    assert "@import" not in css


@pytest.fixture
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/", "/projects/open/documents/hostile", QUERIED, TRACED])
def test_a_browser_renders_the_pages_without_errors(site: Site, chromium: str, path: str, tmp_path: Path) -> None:
    server = make_server("127.0.0.1", 0, site.app, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    picture = tmp_path / "page.png"
    try:
        done = subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--enable-logging=stderr",
                f"--user-data-dir={tmp_path / 'profile'}",
                f"--screenshot={picture}",
                "--window-size=1280,1600",
                f"http://127.0.0.1:{server.server_port}{path}",
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert picture.stat().st_size > 5000, done.stderr
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    assert console == []

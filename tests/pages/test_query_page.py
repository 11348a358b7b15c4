"""The query page: its answers sorted, in parts, drawn and linked; what its editor completes; canceling a query."""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from provrepo.model.identifiers import Literal
from provrepo.server.queries.charts import chart
from provrepo.server.queries.results import ROWS
from provrepo.vocab import XSD
from tests.pages.test_pages import Page
from tests.support.lineages import HYDRO, outlook
from tests.support.paths import ROOT
from tests.support.serving import BROWSER, PROVN, Site, opened

SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
STEPS = """SELECT ?step ?type (COUNT(?input) AS ?n) { ?step a ?type ; prov:used ?input FILTER(?type != prov:Activity) }
GROUP BY ?step ?type"""


HIDDEN = b"document\nprefix ex <urn:x:>\nentity(ex:s, [prov:type='ex:Hidden'])\nendDocument"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.submit("outlook", outlook())
        site.submit("later", PROVN.replace(b"ex:run", b"ex:again"))
        site.submit(
            "hidden",
            b"document\nprefix ex <urn:x:>\nentity(ex:s, [prov:type='ex:Hidden'])\nendDocument",
            project="secret",
        )
        yield site


def get(site: Site, query: str, status: int = 200, **more: str) -> str:
    address = f"/projects/open/sparql?{urlencode({'query': query, **more})}"
    answer = site.client.get(address, headers={"Accept": BROWSER})
    assert answer.status_code == status, answer.text
    return answer.text


def cells(text: str) -> list[list[str]]:
    body = text[text.index("<tbody>") : text.index("</tbody>")]
    found = [re.findall(r"(?s)<td>(.*?)</td>", row) for row in re.findall(r"(?s)<tr>.*?</tr>", body)]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in found]


def test_rows_are_sorted_by_a_column_either_way(site: Site) -> None:
    numbers = [int(row[2].split()[0]) for row in cells(get(site, STEPS, sort="n"))]
    assert numbers == sorted(numbers)
    assert [int(row[2].split()[0]) for row in cells(get(site, STEPS, sort="-n"))] == sorted(numbers, reverse=True)
    assert 'aria-sort="descending"' in get(site, STEPS, sort="-n")
    assert "there is no column &#39;x&#39; to sort by" in get(site, STEPS, 400, sort="x")


def test_all_rows_can_be_reached_part_by_part(site: Site) -> None:
    query = "SELECT ?s { ?s a prov:Entity } ORDER BY ?s"
    whole = site.owner.query(query, project="open").rows
    assert len(whole) > ROWS
    text, found = get(site, query), []
    while True:
        found += [row[0] for row in cells(text)]
        following = [link["href"] or "" for link in Page(text).all("a") if link.get("rel") == "next"]
        if not following:
            break
        text = site.client.get(following[0], headers={"Accept": BROWSER}).text
    assert len(found) == len(whole)
    assert f"of {len(whole)} rows" in text


def test_things_have_their_labels_and_links_and_nothing_else_has(site: Site) -> None:
    text = get(site, f"SELECT ?s ?t {{ BIND(<{HYDRO}basin1> AS ?s) ?s a ?t }}")
    assert f'href="/thing?iri={HYDRO}basin1"' in text
    assert "basin 1 discharge.nc" in text
    assert "/thing?iri=http://www.w3.org/ns/prov" not in text


def test_triples_are_drawn_and_what_cannot_be_is_said(site: Site) -> None:
    drawn = get(site, f"CONSTRUCT {{ ?a prov:used ?b }} {{ ?a a <{HYDRO}Merge> ; prov:used ?b }}")
    assert "A provenance graph of 25 entities and 6 activities, with 25 relations." in drawn
    assert 'class="prov-picture"' in drawn
    other = get(site, "CONSTRUCT { ?a <urn:x> 1 } { ?a a prov:Agent }")
    assert "No PROV statement is among the triples" in other


def test_numbers_are_bars_and_times_a_timeline(site: Site) -> None:
    text = get(site, STEPS)
    assert "n, a bar for each row" in text
    assert text.count('<rect x="') == 40
    times = get(site, "SELECT ?a ?from ?to { ?a prov:startedAtTime ?from ; prov:endedAtTime ?to }")
    assert "Timeline: from from to to" in times
    assert 'class="chart"' not in get(site, "SELECT ?s { ?s a prov:Agent }")


def test_a_chart_has_the_numbers_of_the_rows() -> None:
    rows = [[Literal("a", XSD + "string"), Literal(value, XSD + "integer")] for value in ("3", "-2", "0")]
    found = chart(("who", "n"), rows, [["<b>", "3"], ["b", "-2"], ["c", "0"]])
    assert found is not None
    assert re.findall(r'class="much"[^>]*>([^<]*)<', found.svg) == ["3", "-2", "0"]
    assert "&lt;b&gt;" in found.svg
    moments = [[Literal("a", XSD + "string"), Literal(f"2026-01-0{day}T00:00:00Z", XSD + "dateTime")] for day in (1, 5)]
    timeline = chart(("who", "at"), moments, [["a", ""], ["b", ""]])
    assert timeline is not None
    assert timeline.words == "Timeline: at"
    assert chart(("n",), [[Literal("1", XSD + "integer")]] * 2, [["1"]] * 2) is None


def test_terms_are_those_that_the_caller_may_read(site: Site) -> None:
    public = site.client.get("/sparql/terms").json
    assert {"iri": f"{HYDRO}Calibration", "count": 25} in public["classes"]
    assert any(each["iri"].endswith("prov#used") for each in public["properties"])
    assert not any("Hidden" in each["iri"] for each in public["classes"])
    assert site.client.get("/sparql/terms?project=secret").status_code == 404
    secret = site.client.get("/sparql/terms?project=secret", headers=site.auth("reader")).json
    assert any("Hidden" in each["iri"] for each in secret["classes"])
    things = site.client.get("/sparql/terms?q=climat").json["things"]
    assert [thing["label"] for thing in things] == ["climatology 1991–2020"]


def test_a_query_is_canceled_by_its_caller_alone(site: Site) -> None:
    run, answers = "0123456789abcdef", []
    address = f"/sparql?{urlencode({'query': SLOW, 'cancel_id': run})}"
    client = site.app.test_client()
    thread = threading.Thread(target=lambda: answers.append(client.get(address, headers=site.auth("open"))))
    thread.start()
    deadline = time.monotonic() + 120
    while site.client.delete(f"/sparql/running/{run}", headers=site.auth("open")).status_code != 204:
        assert site.client.delete(f"/sparql/running/{run}", headers=site.auth("reader")).status_code == 404
        assert time.monotonic() < deadline
        assert thread.is_alive()
        time.sleep(0.02)
    thread.join(20)
    assert not thread.is_alive()
    assert answers[0].status_code >= 400
    assert site.client.delete(f"/sparql/running/{run}", headers=site.auth("open")).status_code == 404
    assert site.client.get("/sparql?query=ASK{}&cancel_id=short").status_code == 400


def test_named_queries_offer_projects_and_things(site: Site) -> None:
    text = site.client.get("/queries?project=open", headers={"Accept": BROWSER}).text
    page = Page(text)
    assert f'<option value="{HYDRO}basin1">basin 1 discharge.nc</option>' in text
    assert [option["value"] for option in page.all("option") if "selected" in option][:1] == ["open"]
    assert 'value="secret"' not in text


def test_the_scripts_of_pages_are_small_and_the_editor_is_vendored_with_licenses() -> None:
    own = b"".join(path.read_bytes() for path in sorted((ROOT / "web" / "static").rglob("*.mjs")))
    assert len(gzip.compress(own, 9)) <= 20_000
    vendored = ROOT / "web" / "vendor"
    assert len(gzip.compress((vendored / "codemirror.mjs").read_bytes(), 9)) <= 150_000
    licenses = (vendored / "LICENSES.txt").read_text("utf-8")
    for name in ("@codemirror/view", "@lezer/lr", "codemirror-lang-sparql", "style-mod"):
        assert f"== {name} " in licenses

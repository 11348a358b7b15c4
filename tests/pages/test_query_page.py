"""The query page: its answers sorted, in parts, drawn and linked; what its editor completes; canceling a query."""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from provrepo.model.identifiers import Literal
from provrepo.server.queries.charts import chart
from provrepo.server.queries.results import ROWS
from provrepo.vocab import XSD
from tests.pages.test_pages import DATASETS, Page
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
    assert "n, a bar for each of rows 1 to 40 of 79" in text
    assert text.count('<rect x="') == 40
    times = get(site, "SELECT ?a ?from ?to { ?a prov:startedAtTime ?from ; prov:endedAtTime ?to }")
    assert "Timeline: from from to to, a bar for each row" in times
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
    assert timeline.words == "Timeline: at, a bar for each row"
    assert chart(("n",), [[Literal("1", XSD + "integer")]] * 2, [["1"]] * 2) is None


@pytest.mark.parametrize(("offset", "sort"), [(0, ""), (60, ""), (0, "-n"), (40, "n")])
def test_a_chart_on_a_page_has_the_numbers_of_the_json(site: Site, offset: int, sort: str) -> None:
    query = f"{STEPS} ORDER BY ?step"
    page = get(site, query, offset=str(offset), **({"sort": sort} if sort else {}))
    answer = site.client.get(f"/projects/open/sparql?{urlencode({'query': query})}").get_json(force=True)
    rows = [int(row["n"]["value"]) for row in answer["results"]["bindings"]]
    wanted = sorted(rows, reverse=sort.startswith("-")) if sort else rows
    assert [int(number) for number in re.findall(r'class="much"[^>]*>([^<]*)<', page)] == wanted[offset : offset + 40]
    last = min(offset + 40, len(rows))
    assert f"a bar for each of rows {offset + 1} to {last} of {len(rows)}" in page


def test_a_number_that_is_too_long_is_rounded_and_not_cut() -> None:
    rows = [[Literal("a", XSD + "string"), Literal(value, XSD + "integer")] for value in ("12345678901234567", "7")]
    found = chart(("who", "n"), rows, [["a", ""], ["b", ""]])
    assert found is not None
    assert re.findall(r'class="much"[^>]*>([^<]*)<', found.svg) == ["≈ 1.23457e+16", "7"]
    assert "a: 12345678901234567" in found.svg


def test_named_queries_suggest_things_of_the_kind_of_each_parameter(site: Site) -> None:
    page = site.client.get("/queries?project=open", headers={"Accept": BROWSER}).text
    lists = dict(re.findall(r'(?s)<datalist id="([^"]*)">(.*?)</datalist>', page))
    kinds = {"query": "SELECT ?thing { ?thing a prov:Activity FILTER(isIRI(?thing)) }"}
    rows = site.client.get(f"/projects/open/sparql?{urlencode(kinds)}").get_json(force=True)["results"]["bindings"]
    found = re.findall(r'<option value="([^"]*)">', lists["iri-activity"])
    assert sorted(found) == sorted({row["thing"]["value"] for row in rows})
    assert f'<option value="{HYDRO}publish">publish the bulletin</option>' in lists["iri-activity"]
    assert "bulletin.html" not in lists["iri-activity"]
    assert '<option value="publish the bulletin">' in lists["text-activity"]
    assert "urn:x:" not in page
    for query in site.client.get("/queries").get_json()["queries"]:
        for parameter in query["parameters"]:
            field = re.search(rf'<input id="{query["name"]}-{parameter["name"]}"[^>]*>', page)
            assert field is not None
            listed = f'list="{parameter["kind"]}-{parameter["of"]}"'
            assert (listed in field[0]) == bool(parameter["of"])
            assert parameter["kind"] != "iri" or parameter["of"]


def test_logical_datasets_are_suggested(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as site:
        site.submit("datasets", DATASETS)
        page = site.client.get("/queries?project=open", headers={"Accept": BROWSER}).text
        known = site.client.get("/projects/open/datasets").get_json()["datasets"]
        (found,) = re.findall(r'(?s)<datalist id="iri-dataset">(.*?)</datalist>', page)
        assert known
        assert re.findall(r'<option value="([^"]*)">', found) == [each["iri"] for each in known]


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
    assert f'<option value="{HYDRO}merge1">merge basin 1</option>' in text
    assert [option["value"] for option in page.all("option") if "selected" in option][:2] == ["open", "open"]
    assert 'value="secret"' not in text


def test_the_scripts_of_pages_are_small_and_the_editor_is_vendored_with_licenses() -> None:
    own = b"".join(path.read_bytes() for path in sorted((ROOT / "web" / "static").rglob("*.mjs")))
    assert len(gzip.compress(own, 9)) <= 20_000
    vendored = ROOT / "web" / "vendor"
    assert len(gzip.compress((vendored / "codemirror.mjs").read_bytes(), 9)) <= 150_000
    licenses = (vendored / "LICENSES.txt").read_text("utf-8")
    for name in ("@codemirror/view", "@lezer/lr", "codemirror-lang-sparql", "style-mod"):
        assert f"== {name} " in licenses

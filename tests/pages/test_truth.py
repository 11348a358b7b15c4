"""Every number, caption and count on a page equals that of the same address as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from provrepo.words import counted
from tests.pages.test_pages import DATASETS, PAGES, TRACED
from tests.support.serving import BROWSER, Site, opened

EX = "https://example.org/"
WARNED = b"""document
  prefix ex <https://example.org/>
  entity(ex:a)
  entity(ex:b)
  activity(ex:one)
  activity(ex:two)
  activity(ex:three)
  agent(ex:ada)
  wasAssociatedWith(ex:one, ex:ada, -)
  wasAssociatedWith(ex:two, ex:ada, -)
  wasAssociatedWith(ex:three, ex:ada, -)
  used(ex:one, ex:a, -)
  wasGeneratedBy(ex:b, ex:one, -)
  wasDerivedFrom(ex:b, ex:a)
  wasDerivedFrom(ex:b, ex:a)
endDocument
"""
AT = "/projects/open/documents"


class Tables(HTMLParser):
    """The tables of a page, each with its caption and the number of its rows, and the text of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[list[Any]] = []
        self.text = ""
        self._within: list[str] = []
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append(["", 0])
        if tag in ("caption", "tbody", "script"):
            self._within.append(tag)
        if tag == "tr" and self._within[-1:] == ["tbody"]:
            self.tables[-1][1] += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in ("caption", "tbody", "script"):
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if self._within[-1:] == ["caption"]:
            self.tables[-1][0] += data
        if "script" not in self._within:
            self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.submit("datasets", DATASETS)
        site.submit("warned", WARNED)
        site.owner.submit(WARNED + b"\n", project="open", name="checked", format="provn", profiles=["core"])
        for number in range(3):
            site.submit("erased", WARNED + b"\n" * (number + 2))
        site.owner.erase("open", "erased", 2, reason="names a person")
        yield site


def shown(site: Site, path: str) -> Tables:
    answer = site.client.get(path, headers={"Accept": BROWSER})
    assert answer.mimetype == "text/html", path
    return Tables(answer.text)


def data(site: Site, path: str) -> dict[str, Any]:
    answer = site.client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 200, path
    found: dict[str, Any] = answer.get_json(force=True)
    return found


@pytest.mark.parametrize("path", [*PAGES, f"{AT}/warned", f"{AT}/erased/versions", "/search?q=e&limit=2"])
def test_a_caption_states_the_number_of_its_rows(site: Site, path: str) -> None:
    for caption, rows in shown(site, path).tables:
        found = re.match(r"(?:The first )?(\d[\d,]*)(?:–(\d[\d,]*))?", caption.strip())
        if found:
            first, last = (int(number.replace(",", "")) if number else None for number in found.groups())
            assert rows == (first if last is None else last - (first or 0) + 1), caption


@pytest.mark.parametrize("name", ["run", "twice", "datasets", "warned", "checked", "erased"])
def test_the_page_of_a_document(site: Site, name: str) -> None:
    page = shown(site, f"{AT}/{name}").text
    about, report = data(site, f"{AT}/{name}/metadata"), data(site, f"{AT}/{name}/report")
    statements, history = data(site, f"{AT}/{name}/statements"), data(site, f"{AT}/{name}/versions")["versions"]
    occurrences = sum(finding.get("occurrences", 1) for finding in report["findings"])
    counts = report["counts"]
    assert about["statements"] == report["statements"] == statements["total"] == sum(statements["counts"].values())
    for text in (
        (
            f"Version {about['version']} of {len(history)}, submitted",
            f"Findings {occurrences:,} Statements {about['statements']:,} Versions {len(history)}",
            f"{about['statements']:,} statement",
            f"{counted(counts['violation'], 'violation')}, {counted(counts['warning'], 'warning')}, ",
            "✓ Conforms" if about["verdict"] == "conforms" else "✕ Fails",
            {True: "✓ Possible", False: "✕ Impossible", None: "Not asked"}[about["possible"]],
            f"1–{min(25, statements['total'])} of {statements['total']}",
            about["sha256"],
            about["iri"],
        )
        if occurrences
        else (f"Statements {about['statements']:,}", about["sha256"], about["iri"], "No findings.")
    ):
        assert text in page, (text, page)
    if about["warnings"]:
        assert f"with {counted(about['warnings'], 'warning')}" in page


def test_the_groups_of_findings_add_up(site: Site) -> None:
    for path in (f"{AT}/checked", f"{AT}/checked/report"):
        html = site.client.get(path, headers={"Accept": BROWSER}).text
        numbers = [int(number.replace(",", "")) for number in re.findall(r'class="times">([\d,]+)×', html)]
        report = data(site, f"{AT}/checked/report")
        assert sum(numbers) == sum(finding.get("occurrences", 1) for finding in report["findings"]) > 0
        lines = WARNED.decode().splitlines()
        assert {finding["line"] for finding in report["findings"] if "line" in finding}
        for finding in report["findings"]:
            if "line" in finding:
                assert lines[finding["line"] - 1].strip().split("(")[1].split(")")[0].split(",")[0] in html


@pytest.mark.parametrize("query", ["", "?q=ex", "?kind=used", "?q=a&limit=2&offset=1", "?q=nothing-at-all"])
def test_the_page_of_statements(site: Site, query: str) -> None:
    page, found = shown(site, f"{AT}/warned/statements{query}"), data(site, f"{AT}/warned/statements{query}")
    assert sum(rows for _, rows in page.tables) == len(found["statements"])
    if found["statements"]:
        last = found["offset"] + len(found["statements"])
        assert f"{found['offset'] + 1}–{last} of {found['total']}" in page.text
    for kind, number in found["counts"].items():
        assert re.search(rf"{re.sub('(?=[A-Z])', ' ', kind).lower()} \({number}\)", page.text)


@pytest.mark.parametrize("query", ["", "?from=2&to=1", "?from=1&to=1"])
def test_the_page_of_changes(site: Site, query: str) -> None:
    page, found = shown(site, f"{AT}/twice/diff{query}"), data(site, f"{AT}/twice/diff{query}")
    counts = found["counts"]
    assert f"{counts['added']} added, {counts['removed']} removed, {counts['changed']} changed" in page.text
    assert f"from version {found['from']['version']} to {found['to']['version']}" in page.text


def test_an_erased_version_is_called_erased_with_reason_and_date(site: Site) -> None:
    (erased,) = [each for each in data(site, f"{AT}/erased/versions")["versions"] if each["state"] == "erased"]
    day = erased["ended"][:10]
    assert erased["reason"] == "names a person"
    for path in (f"{AT}/erased/versions", f"{AT}/erased", f"{AT}/erased/versions/2"):
        text = shown(site, path).text
        assert "Erased" in text
        assert "names a person" in text
        assert day in text
    gone = site.client.get(f"{AT}/erased/versions/2")
    assert (gone.status_code, gone.get_json()["state"]) == (410, "erased")
    assert (gone.get_json()["reason"], gone.get_json()["withdrawn_at"]) == (erased["reason"], erased["ended"])


def test_parts_of_a_history_make_the_whole(site: Site) -> None:
    whole = data(site, f"{AT}/erased/versions")["versions"]
    path, seen = f"{AT}/erased/versions?limit=2", []
    while path:
        answer = site.client.get(path)
        part = answer.get_json()["versions"]
        assert [rows for _, rows in shown(site, path).tables] == [len(part)]
        seen = part + seen
        path = (
            answer.headers["Link"].split(">")[0].lstrip("<") if 'rel="next"' in answer.headers.get("Link", "") else ""
        )
    assert seen == whole
    assert "2 of 3 versions" in shown(site, f"{AT}/erased/versions?limit=2").text


def test_a_withdrawn_document_is_called_withdrawn_with_reason_and_date(site: Site) -> None:
    gone = site.client.get(f"{AT}/gone").get_json()
    text = shown(site, f"{AT}/gone").text
    assert gone["state"] == "withdrawn"
    assert "Withdrawn" in text
    assert "wrong <i>unit</i>" in text
    assert gone["withdrawn_at"][:10] in text


def test_projects_and_their_documents(site: Site) -> None:
    projects = data(site, "/projects")["projects"]
    assert [rows for _, rows in shown(site, "/projects").tables] == [len(projects)]
    documents = data(site, "/projects/open/documents")["documents"]
    page = shown(site, "/projects/open")
    assert len(documents) in [rows for _, rows in page.tables]
    assert counted(data(site, "/projects/open")["documents"], "document") in page.text


@pytest.mark.parametrize("iri", [f"{EX}table", f"{EX}raw", f"{EX}dataset"])
def test_the_page_of_a_thing(site: Site, iri: str) -> None:
    page, found = shown(site, f"/thing?iri={iri}"), data(site, f"/thing?iri={iri}")
    assert counted(found["total_versions"], "document") in page.text
    assert sum(rows for _, rows in page.tables) == sum(len(each["statements"]) for each in found["sources"])


@pytest.mark.parametrize("q", ["e", "example", "table", "run", "nothing-at-all"])
def test_the_page_of_a_search(site: Site, q: str) -> None:
    page, found = shown(site, f"/search?q={q}"), data(site, f"/search?q={q}")
    numbers = (
        counted(found["total"], "thing"),
        counted(found["total_documents"], "document"),
        counted(len(found["projects"]), "project"),
    )
    assert " · ".join(numbers) in page.text
    rows = [rows for _, rows in page.tables]
    assert rows == [len(found[name]) for name in ("documents", "things") if found[name]]


def test_a_lineage_states_the_numbers_of_its_json(site: Site) -> None:
    page, found = shown(site, TRACED), data(site, TRACED)
    assert found["total_nodes"] > 1
    assert counted(found["total_nodes"] - 1, "thing") in page.text or str(found["total_nodes"]) in page.text

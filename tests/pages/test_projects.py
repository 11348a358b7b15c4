"""The pages of projects and of the server's data: their numbers are those of the JSON, and lists are sorted by URL."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from provrepo.checks.profiles import available
from provrepo.server.pages.charts import chart
from tests.server.test_sessions import HERE, signed_in
from tests.support.serving import BROWSER, LATER, PROVN, Site, opened

REFUSED = PROVN.replace(b"  wasAssociatedWith(ex:run, ex:ada, -)\n", b"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.owner.set_project("open", profiles=["core"])
        for number in range(3):
            site.submit(f"more{number}", LATER + b"\n" * number)
        site.owner.submit_for_review(REFUSED, project="open", name="snow", refused=True)
        yield site


def page(site: Site, path: str) -> str:
    answer = site.client.get(path, headers={"Accept": BROWSER})
    assert answer.status_code == 200
    return str(answer.text)


def names(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/projects/open/documents/([^"/]+)">', text)


def test_numbers_of_the_metrics_are_those_of_the_json(site: Site) -> None:
    found = site.client.get("/projects/open/metrics").json
    text = page(site, "/projects/open/metrics")
    month = found["over_time"][-1]
    assert f"{found['documents']:,}, of which {found['without_findings']:,} without findings" in text
    for value in (f"{month['documents']:,}", f"{month['without_findings']:,}", f"{month['coverage']} %"):
        assert re.search(rf'<td class="number"[^>]*>{value}</td>', text)
    title = f"{month['month']}: {month['documents']} versions accepted, {month['without_findings']} without findings"
    assert f"<title>{title}</title>" in text
    assert f"{found['coverage']} %" in text
    project = page(site, "/projects/open")
    assert re.search(rf'class="big">{found["without_findings"]} <span>of {found["documents"]}</span>', project)
    assert f"<title>{title}</title>" in project


@pytest.mark.parametrize("who", ["", "reader"])
def test_the_charts_of_the_home_page_are_those_of_what_its_reader_may_read(site: Site, who: str) -> None:
    """The table beside a chart has its numbers; both are those of the JSON of the same address."""
    client = signed_in(site, who) if who else site.client
    for path in ("/", "/projects/open"):
        text = client.get(path, headers=HERE | {"Accept": BROWSER}).text
        answer = client.get(f"{path}?format=json", headers=HERE)
        found = answer.json["metrics"]
        rows = re.findall(
            r'<tr><th scope="row">([\d-]+)</th>' + r'<td class="number"[^>]*>([^<]+)</td>' * 3 + "</tr>",
            text,
        )
        shown = {month: rest for month, *rest in rows if rest[0] != "0"}
        coverages = {None: "not measured"}
        assert shown == {
            each["month"]: [
                f"{each['documents']:,}",
                f"{each['without_findings']:,}",
                coverages.get(each["coverage"], f"{each['coverage']} %"),
            ]
            for each in found["over_time"]
        }
        assert len(rows) == 12
        assert f"{found['without_findings']:,} <span>of {found['documents']:,}</span>" in text
        readable = [info["name"] for info in client.get("/projects?format=json", headers=HERE).json["projects"]]
        if path == "/":
            numbers = [site.owner.metrics(name)["documents"] for name in readable]
            assert found["documents"] == sum(numbers)
            assert ("secret" in readable) == bool(who)
            names_ = re.findall(r'<th scope="row"><a href="/projects/([^/]+)/documents/([^"]+)">', text)
            assert names_ == [(each["project"], each["name"]) for each in answer.json["newest"]]
            assert answer.json["total"] == len(readable)


def test_charts_that_are_not_counted_yet_are_announced(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provrepo.server.monitoring.metrics._MOST_BEHIND", -1)
    for path in ("/", "/projects/open"):
        assert "being counted" in page(site, path)
        assert site.client.get(path, headers={"Accept": "application/json"}).json["metrics"] is None


def test_a_chart_has_each_of_twelve_months() -> None:
    known = [
        {"month": "2025-11", "documents": 4, "without_findings": 1, "coverage": 50.0},
        {"month": "2026-02", "documents": 8, "without_findings": 8, "coverage": None},
        {"month": "2024-01", "documents": 900, "without_findings": 8, "coverage": 1.0},
    ]
    found = chart(known)
    assert [each.month for each in found.columns][:2] == ["2025-03", "2025-04"]
    assert len(found.columns) == 12
    assert [(c.documents, c.clean, c.height, c.inner) for c in found.columns[-4:]] == [
        (4, 1, 24, 6),
        (0, 0, 0, 0),
        (0, 0, 0, 0),
        (8, 8, 48, 48),
    ]
    assert found.line == ""
    assert chart([]).columns == []
    two = chart([{**known[0], "month": "2026-01"}, {**known[0], "coverage": 100}])
    assert two.line == "285,0 345,24"


@pytest.mark.parametrize("sort", ["newest", "name", "statements", "warnings"])
def test_lists_are_sorted_and_paged_by_url_as_in_the_json(site: Site, sort: str) -> None:
    every = [d["name"] for d in site.client.get(f"/projects/open/documents?sort={sort}").json["documents"]]
    assert sorted(every) == ["more0", "more1", "more2", "run", "twice"]
    assert names(page(site, f"/projects/open?sort={sort}")) == every
    shown: list[str] = []
    path: str | None = f"/projects/open?sort={sort}&limit=2"
    while path:
        text = page(site, path)
        shown += names(text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        path = following[1].replace("&amp;", "&") if following else None
    assert shown == every
    if sort == "newest":
        assert names(page(site, "/projects/open")) == every
        assert every[0] == "more2"
    found = site.client.get(f"/projects/open/documents?sort={sort}&q=MORE&limit=2&offset=1").json["documents"]
    assert [d["name"] for d in found] == [name for name in every if "more" in name][1:3]


@pytest.mark.parametrize("query", ["sort=size", "offset=-1", "offset=x", "withdrawn=1", "limit=0"])
def test_wrong_parameters_of_lists_are_said(site: Site, query: str) -> None:
    for path in ("/projects/open", "/projects/open/documents", "/projects/open/documents?name=run"):
        joined = f"{path}{'&' if '?' in path else '?'}{query}"
        assert site.client.get(joined).status_code == 400
        assert site.client.get(joined, headers={"Accept": BROWSER}).status_code in (
            400,
            200 if "name=" in path else 400,
        )


def test_what_needs_somebody_is_shown_to_reviewers_only(site: Site) -> None:
    assert "snow" not in page(site, "/projects/open")
    assert "/audit" not in page(site, "/projects/open")
    text = signed_in(site).get("/projects/open", headers=HERE).text
    assert re.search(r'refused</span> <a href="/projects/open/pending/[0-9a-f-]{36}">snow</a>', text)
    for path in ("/projects/open/audit", "/projects/open/notices"):
        assert f'href="{path}"' in text
        assert signed_in(site).get(path, headers=HERE).status_code == 200
        assert signed_in(site, "reader").get(path, headers=HERE).status_code == 403


def test_profiles_are_explained_with_their_examples(site: Site) -> None:
    text = page(site, "/profiles")
    for profile in available():
        assert f'<h2 id="{profile.name}">' in text
        for example in [*profile.good(), *profile.bad()]:
            assert example.path.name in text
            assert [rule for rule in example.violates if rule not in text] == []
    assert text.count("✕ refused") == sum(len(profile.bad()) for profile in available())


def test_the_pages_about_the_server_have_all_of_its_data(site: Site) -> None:
    described = site.client.get("/openapi.json").json
    text = page(site, "/openapi.json")
    assert [path for path in described["paths"] if f"<code>{path}</code>" not in text] == []
    count = sum(
        len(set(methods) & {"get", "post", "put", "patch", "delete"}) for methods in described["paths"].values()
    )
    assert text.count('class="verb"') == count
    health = site.client.get("/health").json
    assert health["version"] in page(site, "/health")
    entries = site.client.get("/projects/open/ledger").json["entries"]
    ledger = page(site, "/projects/open/ledger")
    assert [entry["sha256"] for entry in entries if entry["sha256"] not in ledger] == []


def test_the_home_page_has_the_newest_documents_that_its_reader_may_see(site: Site) -> None:
    found = re.findall(r'<th scope="row"><a href="/projects/([^/]+)/documents/([^"]+)">', page(site, "/"))
    assert found[:3] == [("open", "more2"), ("open", "more1"), ("open", "more0")]
    assert {project for project, _ in found} == {"open"}
    assert ("open", "gone") not in found
    mine = signed_in(site).get("/", headers=HERE).text
    assert 'href="/projects/secret/documents/run"' in mine


def test_an_empty_project_says_what_to_do(site: Site) -> None:
    site.owner.create_project("empty", public=True)
    text = page(site, "/projects/empty")
    assert "provrepo submit run.provn --project empty" in text
    assert "/submit?project=empty" in text

"""One search over projects, documents, things and values: JSON, page, filters, and what a caller must not see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.serving import BROWSER, PROVN, Site, opened, sha256

EX = "https://example.org/"
DOCUMENT = b"""document
  prefix ex <https://example.org/>
  entity(ex:barley, [prov:label="barley 2024.csv", prov:type='ex:Table', ex:note="dried at forty degrees"])
  entity(ex:wheat, [prov:label="wheat.csv", prov:type='ex:Table'])
  entity(ex:plot, [prov:label="plot of barley", prov:type='ex:Figure', ex:count="4711" %% xsd:int])
  activity(ex:dry, [prov:label="dry the barley"])
  used(ex:dry, ex:barley, -)
endDocument
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.owner.submit(DOCUMENT, project="open", name="harvest-2024", format="provn", note="the dry summer")
        site.owner.submit(
            DOCUMENT + b"\n", project="secret", name="confidential-barley", format="provn", note="the dry winter"
        )
        yield site


def found(site: Site, q: str, who: str = "", **parameters: object) -> dict[str, Any]:
    answer = site.client.get("/search", query_string={"q": q, **parameters}, headers=site.auth(who))
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.get_json()
    return result


def names(result: dict[str, Any]) -> list[str]:
    return [thing["iri"].removeprefix(EX) for thing in result["things"]]


@pytest.mark.parametrize("q", ["harvest-2024", "harvest 2024", "dry SUMMER", "summer harvest", "harv"])
def test_a_document_is_found_by_name_and_note(site: Site, q: str) -> None:
    assert "harvest-2024" in [document["name"] for document in found(site, q)["documents"]]


def test_a_document_is_found_by_title_iri_digest_day_and_submitter(site: Site) -> None:
    info = site.owner.version("open", "harvest-2024")
    for q in (info.iri, info.sha256, f"{info.time[:10]} summer", f"{info.submitter} summer"):
        (document,) = found(site, q)["documents"]
        assert (document["name"], document["iri"], document["sha256"]) == ("harvest-2024", info.iri, info.sha256)
        assert (document["submitter"], document["time"], document["note"]) == (info.submitter, info.time, info.note)


def test_former_bytes_are_found_by_their_digest(site: Site) -> None:
    versions = [(d["name"], d["version"], d["state"]) for d in found(site, sha256(PROVN))["documents"]]
    assert ("twice", 1, "superseded") in versions
    assert ("run", 1, "current") in versions
    assert not [name for name, _, _ in versions if name == "gone"]


def test_projects_are_found_by_name_and_title(site: Site) -> None:
    (project,) = found(site, "CROPS")["projects"]
    assert project == {"name": "open", "title": "Open crops", "documents": site.owner.project("open").documents}


def test_values_are_found_after_names(site: Site) -> None:
    result = found(site, "barley")
    assert names(result) == ["plot", "dry", "barley"] or set(names(result)) == {"plot", "dry", "barley"}
    assert names(found(site, "forty degrees")) == ["barley"]
    assert names(found(site, "4711")) == ["plot"]
    assert found(site, "forty")["facets"]["matched"] == {"value": 1}
    assert found(site, "forty", matched="name")["total"] == 0


def test_each_choice_leaves_as_many_as_its_count_says(site: Site) -> None:
    whole = found(site, "csv barley")
    for q in ("barley", "ex", "csv", "e"):
        whole = found(site, q)
        for name, choices in whole["facets"].items():
            for choice, count in choices.items():
                if name == "project":
                    assert found(site, q, project=choice)["total"] == count
                else:
                    narrowed = found(site, q, **{name: choice})
                    assert (name, choice, narrowed["total"]) == (name, choice, count)
                    assert narrowed["facets"][name] == choices


def test_pages_and_orders(site: Site) -> None:
    whole = names(found(site, "example", limit=100, sort="iri"))
    assert whole == sorted(whole)
    parts = [names(found(site, "example", limit=2, page=page, sort="iri")) for page in range(1, 20)]
    assert [name for part in parts for name in part] == whole
    listed = found(site, "2", part="documents", limit=1, sort="newest")
    assert listed["total_documents"] > 1
    assert len(listed["documents"]) == 1
    after = found(site, "2", part="documents", limit=1, sort="newest", page=2)["documents"]
    assert after[0]["time"] <= listed["documents"][0]["time"]
    assert after != listed["documents"]


def test_nobody_finds_what_they_may_not_read(site: Site) -> None:
    for q in ("confidential-barley", "dry winter", "barley", "hidden", sha256(DOCUMENT + b"\n")):
        result = found(site, q)
        assert "secret" not in str(result)
        assert "confidential" not in str(result)
    assert found(site, "winter", "reader")["total_documents"] == 1
    assert found(site, "hidden", "reader")["projects"][0]["name"] == "secret"


def test_withdrawn_documents_are_not_found(site: Site) -> None:
    assert not [d for d in found(site, "gone")["documents"] if d["name"] == "gone"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kind": "thing"}, "is not a kind"),
        ({"sort": "newest"}, "newest is an order of documents"),
        ({"sort": "label", "part": "documents"}, "label is an order of things"),
        ({"part": "all"}, "is not a part"),
        ({"page": "0"}, "page"),
    ],
)
def test_wrong_choices_are_refused(site: Site, parameters: dict[str, str], message: str) -> None:
    answer = site.client.get("/search", query_string={"q": "x", **parameters})
    assert answer.status_code == 400
    assert message in answer.get_json()["detail"]


def test_the_page_has_the_numbers_of_the_json(site: Site) -> None:
    result = found(site, "barley")
    page = site.client.get("/search?q=barley", headers={"Accept": BROWSER}).text
    assert f"{result['total']} things · {result['total_documents']} documents · 0 projects" in page
    assert "<mark>barley</mark>" in page
    for choice, count in result["facets"]["type"].items():
        assert f'title="{choice}">{choice.rsplit("/")[-1]}</a> <span class="number">{count}</span>' in page


def test_what_a_page_shows_resolves(site: Site) -> None:
    info = site.owner.version("open", "harvest-2024")
    for iri, there in (
        (info.iri, "/projects/open/documents/harvest-2024/versions/1"),
        (f"{EX}Table", f"/search?q={EX}Table"),
    ):
        answer = site.client.get("/thing", query_string={"iri": iri}, headers={"Accept": BROWSER})
        assert (answer.status_code, answer.headers.get("Location")) == (303, there)
        assert site.client.get(there, headers={"Accept": BROWSER}).status_code == 200
        assert site.client.get("/thing", query_string={"iri": iri}).status_code == 404
    unknown = site.client.get(f"/thing?iri={EX}nothing-of-this-kind", headers={"Accept": BROWSER})
    assert unknown.status_code == 404


def test_an_erased_version_and_a_renamed_submitter_are_not_found(site: Site) -> None:
    data = DOCUMENT.replace(b"barley", b"millet")
    site.owner.submit(data, project="open", name="personal", format="provn", note="of Zebedee")
    assert found(site, "zebedee")["total_documents"] == 1
    site.owner.erase("open", "personal", 1, reason="personal data")
    for q in ("zebedee", "millet", sha256(data)):
        result = found(site, q)
        assert (q, result["total"], result["total_documents"]) == (q, 0, 0)

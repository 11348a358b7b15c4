"""Statements of a version in parts, what changed between versions, and citations: JSON and pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provrepo.model.statements import KINDS
from provrepo.repository.statements import files, verbs
from provrepo.repository.submission import submit
from tests.support.serving import BROWSER, Site, opened

EX = "https://example.org/"
FIRST = b"""document
  prefix ex <https://example.org/>
  entity(ex:skill, [prov:label="skill.csv", ex:note="{a} & b_c"])
  entity(ex:old, [prov:label="old.csv"])
  activity(ex:r1)
  used(ex:r1, ex:old, -)
  bundle ex:b
    entity(ex:inside)
  endBundle
endDocument
"""
SECOND = b"""document
  prefix ex <https://example.org/>
  entity(ex:skill, [prov:label="skill of all.csv", ex:note="{a} & b_c"])
  entity(ex:grid, [prov:label="climatology", prov:type='ex:Grid'])
  activity(ex:r1)
  activity(ex:r2)
  activity(ex:r3)
  activity(ex:r4)
  used(ex:r1, ex:grid, -)
  used(ex:r2, ex:grid, -)
  used(ex:r3, ex:grid, -)
  used(ex:r4, ex:grid, -)
  bundle ex:b
    entity(ex:inside)
  endBundle
endDocument
"""
AT = "/projects/open/documents"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        for data in (FIRST, SECOND):
            site.submit("changing", data)
        lines = "".join(f'  entity(ex:e{n}, [prov:label="row {n}"])\n  used(ex:a, ex:e{n}, -)\n' for n in range(40))
        site.submit("long", f"document\n  prefix ex <{EX}>\n{lines}endDocument".encode())
        site.submit("private", FIRST, project="secret")
        yield site


def got(site: Site, path: str, **parameters: object) -> dict[str, object]:
    answer = site.client.get(f"{AT}/{path}", query_string=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.get_json()
    return found


def test_parts_follow_each_other_and_make_the_whole(site: Site) -> None:
    numbers: list[int] = []
    path = f"{AT}/long/statements?limit=7"
    while path:
        answer = site.client.get(path)
        found = answer.get_json()
        assert (found["total"], found["statements_of_version"], found["offset"]) == (80, 80, len(numbers))
        numbers += [each["number"] for each in found["statements"]]
        link = answer.headers.get("Link", "")
        path = next((part.split(">")[0].lstrip(" <") for part in link.split(",") if 'rel="next"' in part), "")
    assert numbers == list(range(1, 81))


@pytest.mark.parametrize(
    ("parameters", "numbers", "counts"),
    [
        ({"q": "ROW 39"}, [79, 80], {"entity": 1, "used": 1}),
        ({"q": "row 39", "kind": "used"}, [80], {"entity": 1, "used": 1}),
        ({"thing": f"{EX}e7"}, [15, 16], {"entity": 1, "used": 1}),
        ({"thing": f"{EX}e"}, [], {}),
        ({"kind": "agent"}, [], {"entity": 40, "used": 40}),
        ({"kind": "used", "offset": 39}, [80], {"entity": 40, "used": 40}),
        ({"offset": 80}, [], {"entity": 40, "used": 40}),
    ],
)
def test_statements_are_filtered(
    site: Site, parameters: dict[str, object], numbers: list[int], counts: dict[str, int]
) -> None:
    found = got(site, "long/statements", **parameters)
    assert [each["number"] for each in found["statements"]] == numbers  # type: ignore[attr-defined]
    assert found["counts"] == counts
    kinds = counts.values() if "kind" not in parameters else [counts.get(str(parameters["kind"]), 0)]
    assert found["total"] == sum(kinds)


def test_a_statement_is_as_it_was_submitted(site: Site) -> None:
    found = got(site, "changing/versions/1/statements", q="inside")
    assert found["statements"] == [
        {"number": 5, "kind": "entity", "id": f"{EX}inside", "arguments": {}, "attributes": [], "line": 8,
         "bundle": f"{EX}b"}
    ]  # fmt: skip
    (used,) = got(site, "changing/versions/1/statements", kind="used")["statements"]  # type: ignore[attr-defined]
    assert used["arguments"] == {"activity": f"{EX}r1", "entity": f"{EX}old"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kind": "was"}, "not a kind of statement"),
        ({"q": " ".join("abcdefghijklmnopq")}, "at most 16 words"),
        ({"limit": 0}, "limit=0"),
        ({"offset": "-1"}, "offset=-1"),
        ({"words": "x"}, "no parameter 'words'"),
        ({"thing": "false"}, "thing=false is not an absolute IRI"),
    ],
)
def test_wrong_filters_are_refused(site: Site, parameters: dict[str, object], message: str) -> None:
    answer = site.client.get(f"{AT}/long/statements", query_string=parameters)
    assert answer.status_code == 400
    assert message in answer.get_json()["detail"]


def test_a_table_on_disk_says_the_same_as_one_in_memory(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [{}, {"q": "row 3"}, {"kind": "used", "offset": 3, "limit": 5}, {"thing": f"{EX}a"}]
    expected = [got(site, "long/statements", **each) for each in asked]
    monkeypatch.setattr(verbs, "LARGE", 100)
    assert [got(site, "long/statements", **each) for each in asked] == expected
    info = site.owner.version("open", "long")
    file = files.table(site.store, info.sha256, info.format, info.base)
    assert file.exists()
    file.write_bytes(b"not a table")
    assert [got(site, "long/statements", **each) for each in asked] == expected


def test_a_large_submission_makes_its_table_and_an_erasure_deletes_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "LARGE", 100)
    monkeypatch.setattr(verbs, "LARGE", 100)
    site.submit("large", FIRST.replace(b"old.csv", b"other.csv"))
    info = site.owner.version("open", "large")
    file = files.table(site.store, info.sha256, info.format, info.base)
    made = file.stat().st_ino
    assert got(site, "large/statements")["total"] == 5
    assert file.stat().st_ino == made
    site.submit("large", SECOND.replace(b"climatology", b"rain"))
    site.owner.erase("open", "large", 1, reason="personal data")
    assert not file.exists()
    assert site.client.get(f"{AT}/large/versions/1/statements").status_code == 410
    assert site.client.get(f"{AT}/large/diff?from=1&to=2").status_code == 410
    page = site.client.get(f"{AT}/large/versions", headers={"Accept": BROWSER}).text
    assert "Erased" in page
    assert "personal data" in page


def test_changes_are_sentences_and_equal_ones_are_merged(site: Site) -> None:
    found = got(site, "changing/diff")
    sentences = [(each["change"], each["number"], each["text"]) for each in found["sentences"]]  # type: ignore[attr-defined]
    assert sentences == [
        ("added", 1, "new entity climatology, of type ex:Grid"),
        ("added", 3, "3 new activities: ex:r2, ex:r3 and ex:r4"),
        ("added", 4, "ex:r1, ex:r2, ex:r3 and 1 more used climatology"),
        ("removed", 1, "entity old.csv"),
        ("removed", 1, "ex:r1 used old.csv"),
        ("changed", 1, "skill of all.csv"),
    ]
    assert found["counts"] == {"added": 8, "removed": 2, "changed": 1}
    changed = found["sentences"][-1]  # type: ignore[index]
    assert (changed["before"], changed["after"]) == (['prov:label "skill.csv"'], ['prov:label "skill of all.csv"'])
    page = site.client.get(f"{AT}/changing/diff", headers={"Accept": BROWSER}).text
    assert "8 added, 2 removed, 1 changed" in page
    assert "4 statements of one kind" in page


def test_a_difference_in_the_other_direction_and_none(site: Site) -> None:
    there, back = got(site, "changing/diff"), got(site, "changing/diff", **{"from": 2, "to": 1})
    assert back["counts"] == {"added": 2, "removed": 8, "changed": 1}
    assert (there["from"], there["to"]) == (back["to"], back["from"])
    assert got(site, "changing/diff", **{"from": 2, "to": 2})["same"] is True


def test_large_versions_are_compared_in_a_worker(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = got(site, "changing/diff")
    monkeypatch.setattr(verbs, "LARGE", 100)
    assert got(site, "changing/diff") == expected


def test_versions_that_do_not_exist_are_not_compared(site: Site) -> None:
    assert site.client.get(f"{AT}/changing/diff?from=7").status_code == 404
    assert site.client.get(f"{AT}/long/diff").status_code == 404
    assert "only one version" in site.client.get(f"{AT}/long/diff", headers={"Accept": BROWSER}).text
    assert site.client.get(f"{AT}/gone/diff").status_code == 410


@pytest.mark.parametrize("below", ["statements", "diff", "citation", "versions/1/statements"])
def test_a_private_document_is_not_there_for_others(site: Site, below: str) -> None:
    path = f"/projects/secret/documents/private/{below}"
    nothing = site.client.get(f"/projects/nothing/documents/private/{below}")
    assert (site.client.get(path).status_code, nothing.status_code) == (404, 404)
    if below != "diff":
        assert site.client.get(path, headers=site.auth("reader")).status_code == 200


def test_a_citation_is_bibtex_or_schema_org(site: Site) -> None:
    found = site.client.get(f"{AT}/changing/citation")
    info = site.owner.version("open", "changing")
    assert (found.mimetype, found.get_json(force=True)["@id"]) == ("application/ld+json", info.iri)
    bibtex = site.client.get(f"{AT}/changing/versions/2/citation?format=bibtex")
    assert bibtex.mimetype == "application/x-bibtex"
    assert bibtex.text.startswith("@misc{open-changing-v2,\n")
    assert info.sha256 in bibtex.text
    assert bibtex.text.count("{") == bibtex.text.count("}")
    page = site.client.get(f"{AT}/changing", headers={"Accept": BROWSER}).text
    assert info.iri in page
    assert "@misc{open-changing-v2," in page


def test_every_kind_is_a_filter(site: Site) -> None:
    for kind in KINDS:
        assert site.client.get(f"{AT}/changing/statements?kind={kind}").status_code == 200

"""Results that are kept beside the lineage index: for one audience and one state of the content, within a size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provrepo.views.lineage.index import Lineage
from provrepo.views.lineage.kept import Kept, State
from tests.support.lineages import BULLETIN, outlook
from tests.support.serving import BROWSER, Site, opened

NOW = State(0, 5, ("a", "b"), None, None)
PART = f"/lineage?iri={BULLETIN}&part=explorer"
SECRET = b"""document
  prefix hyd <https://hydro.example/>
  activity(hyd:audit, -, -, [prov:label="secret audit"])
  wasGeneratedBy(hyd:bulletin.html, hyd:audit, -)
endDocument
"""


@pytest.mark.parametrize(
    "other",
    [
        NOW._replace(datasets=("a",)),
        NOW._replace(datasets=("a", "b", "c")),
        NOW._replace(entries=(("a", 3),)),
        NOW._replace(entries=(("a", 3),), curated=("a",)),
        NOW._replace(generation=6),
        NOW._replace(epoch=1),
    ],
)
def test_a_result_is_for_one_state(other: State) -> None:
    kept = Kept()
    kept.put(NOW, "question", "answer", 1)
    assert kept.get(NOW, "question") == "answer"
    assert kept.get(NOW, "another question") is None
    assert kept.get(other, "question") is None


def test_results_of_a_former_generation_are_discarded() -> None:
    kept = Kept()
    kept.put(NOW, "question", "answer", 1)
    kept.get(NOW._replace(generation=6), "question")
    assert kept.get(NOW, "question") is None
    kept.put(NOW, "question", "late", 1)
    assert kept.get(NOW, "question") is None


def test_a_result_that_was_begun_before_all_was_discarded_is_not_kept() -> None:
    kept = Kept()
    kept.clear()
    kept.put(NOW, "question", "answer", 1)
    assert kept.get(NOW, "question") is None
    assert kept.get(NOW._replace(epoch=1), "question") is None


def test_the_results_used_last_are_kept_within_a_size() -> None:
    kept = Kept(most=10)
    for name in ("first", "second"):
        kept.put(NOW, name, name, 4)
    assert kept.get(NOW, "first") == "first"
    kept.put(NOW, "third", "third", 4)
    assert [kept.get(NOW, name) for name in ("first", "second", "third")] == ["first", None, "third"]
    kept.put(NOW, "too large", "too large", 11)
    assert kept.get(NOW, "too large") is None
    assert kept.get(NOW, "first") == "first"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with opened(tmp_path / "site") as site:
        site.submit("outlook", outlook(6, 2, 3))
        site.submit("audit", SECRET, project="secret")
        yield site


def page(site: Site, path: str = PART, who: str = "", status: int = 200) -> str:
    answer = site.client.get(path, headers={"Accept": BROWSER, **site.auth(who)})
    assert answer.status_code == status, answer.text
    return answer.text


def test_nobody_sees_what_another_may_read(site: Site) -> None:
    for path in (PART, f"{PART}&depth=2", f"/lineage?iri={BULLETIN}", f"/lineage?iri={BULLETIN}&depth=2"):
        for _ in range(2):
            assert "secret audit" in page(site, path, "all")
            assert "secret audit" not in page(site, path)
            assert "secret audit" not in page(site, path, "open")
            assert "secret audit" not in page(site, f"{path}&project=open", "all")
    # Rights are those of the moment.
    site.owner.set_project("open", public=False)
    page(site, status=404)
    assert "secret audit" in page(site, who="all")
    site.owner.set_project("open", public=True)
    assert "secret audit" not in page(site)


def test_json_is_kept_for_those_who_may_read_the_same(site: Site) -> None:
    def told(who: str = "", **headers: str) -> tuple[int, str, str]:
        accept = {"Accept": "application/json", **site.auth(who), **headers}
        answer = site.client.get(f"/lineage?iri={BULLETIN}", headers=accept)
        return answer.status_code, answer.text, answer.headers["ETag"]

    for _ in range(2):
        assert "secret audit" in told("all")[1]
        assert "secret audit" not in told()[1]
        assert "secret audit" not in told("open")[1]
    status, text, tag = told()
    assert (status, told()[1:]) == (200, (text, tag))
    assert told(**{"If-None-Match": tag})[:2] == (304, "")
    # The tag of one audience says nothing to another.
    assert told("all", **{"If-None-Match": tag})[0] == 200
    site.submit("press", SECRET.replace(b"secret audit", b"press release"))
    status, text, _ = told(**{"If-None-Match": tag})
    assert status == 200
    assert "press release" in text


def test_a_change_is_seen_at_once(site: Site) -> None:
    for path in (PART, f"{PART}&depth=3"):
        assert "press release" not in page(site, path)
    before = site.client.get("/projects/open/ledger").get_json()["entries"][-1]["sequence"]
    site.submit("press", SECRET.replace(b"secret audit", b"press release"))
    for path in (PART, f"{PART}&depth=3"):
        assert "press release" in page(site, path)
        assert "press release" not in page(site, f"{path}&as_of=open/{before}")
        assert "press release" in page(site, path)
    site.owner.erase("open", "press", 1, reason="wrong")
    for path in (PART, f"{PART}&depth=3"):
        assert "press release" not in page(site, path)


def test_pictures_do_not_depend_on_what_is_kept(site: Site) -> None:
    """A longer lineage that is kept gives the picture of a shorter one, with its numbers."""
    paths = [f"{PART}&depth={depth}" for depth in range(1, 8)]
    chips = [part.split('"')[0] for part in page(site, paths[3]).split('class="chip" href="')[1:]]
    assert chips
    paths += [chip.replace("&amp;", "&") for chip in chips]
    alone = []
    for path in paths:
        site.store.view(Lineage).kept.clear()
        alone.append(page(site, path))
    page(site)
    assert [page(site, path) for path in paths] == alone

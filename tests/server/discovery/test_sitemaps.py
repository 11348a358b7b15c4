"""The sitemap: every page that everybody may read once, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from provrepo.server.discovery import sitemaps
from tests.support.serving import PROVN, Site, opened

PREFIX = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
HERE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("sitemap")) as found:
        for number in range(5):
            found.submit(f"more-{number}", PROVN + b"\n" * number)
        found.submit("erased", PROVN.replace(b"harvest", b"erased"))
        found.owner.erase("open", "erased", 1, reason="a mistake")
        found.owner.create_project("none", public=True)
        yield found


def locations(site: Site, path: str, who: str = "") -> list[str]:
    answer = site.client.get(path, headers=site.auth(who))
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    return [str(element.text) for element in ElementTree.fromstring(answer.data).iter(f"{PREFIX}loc")]


@pytest.mark.parametrize("size", [1, 2, 4, 8, 5000])
@pytest.mark.parametrize("who", ["", "reader", "all"])
def test_it_has_every_public_page_once_whoever_asks(
    site: Site, size: int, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemaps, "SIZE", size)
    lists = locations(site, "/sitemap.xml", who)
    found = [place for address in lists for place in locations(site, address.removeprefix(HERE), who)]
    documents = [f"more-{number}" for number in range(5)] + ["run", "twice"]
    expected = ["/", "/projects/none", "/projects/open", *(f"/projects/open/documents/{name}" for name in documents)]
    assert sorted(found) == sorted(HERE + path for path in expected)
    assert all(site.client.get(place.removeprefix(HERE)).status_code == 200 for place in found)


def test_lists_that_there_are_not(site: Site) -> None:
    last = len(locations(site, "/sitemap.xml"))
    assert site.client.get(f"/sitemap.xml?list={last + 1}").status_code == 404
    for wrong in ("0", "-1", "x", "50001", "1.5"):
        assert site.client.get(f"/sitemap.xml?list={wrong}").status_code == 400


def test_robots_are_told_where_the_sitemap_is(site: Site) -> None:
    answer = site.client.get("/robots.txt")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert f"Sitemap: {HERE}/sitemap.xml" in answer.text.splitlines()
    assert "Disallow: /sparql" in answer.text.splitlines()


def test_a_project_that_is_private_again_leaves_the_sitemap(site: Site) -> None:
    site.owner.set_project("none", public=False)
    try:
        assert f"{HERE}/projects/none" not in locations(site, "/sitemap.xml?list=1", "all")
    finally:
        site.owner.set_project("none", public=True)

"""Pages on the screen of a telephone: statements and lists of things are readable without horizontal scrolling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.browsing import Screen, browsing, serving
from tests.support.paths import ROOT
from tests.support.serving import Site, opened

NARROW = 360
EX = "https://example.org/"
LONG = "a-name-that-is-longer-than-a-screen-is-wide-and-has-no-place-to-break-it_" * 2
DOCUMENT = f"""document
  prefix ex <{EX}>
  entity(ex:table, [prov:label="{LONG}", ex:note="{LONG}"])
  wasDerivedFrom(ex:table, ex:{LONG}, ex:run, -, -)
  wasAttributedTo(ex:{LONG}, ex:ada)
  bundle ex:{LONG}1
    entity(ex:table)
  endBundle
endDocument"""
PATHS = (
    f"/lineage?iri={EX}table",
    f"/lineage?iri={EX}{LONG}&direction=downstream",
    f"/lineage/common?iri={EX}table&iri={EX}run",
    f"/thing?iri={EX}table",
    "/search?q=table",
    "/projects/open/documents/long",
)

MEASURED = """(() => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
  const boxes = [...document.querySelectorAll("*")].filter(
    each => ["auto", "scroll"].includes(getComputedStyle(each).overflowX) && each.scrollWidth > each.clientWidth);
  return {
    page: document.scrollingElement.scrollWidth,
    tables: [...document.querySelectorAll("table.rows")].map(each => each.parentElement.scrollWidth),
    room: document.querySelector("main").clientWidth,
    unreachable: boxes.filter(each => each.tabIndex < 0).map(each => each.outerHTML.slice(0, 80)),
    unnamed: boxes.filter(each => each.tagName === "DIV" && !each.ariaLabel).map(each => each.outerHTML.slice(0, 80)),
  };
})()"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as found:
        found.submit("long", DOCUMENT.encode())
        yield found


@pytest.fixture(scope="module")
def shown(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Screen, str]]:
    with browsing(tmp_path_factory.mktemp("profile")) as screen, serving(site.app) as address:
        yield screen, address


@pytest.mark.browser
@pytest.mark.parametrize("path", PATHS)
def test_no_page_scrolls_horizontally(shown: tuple[Screen, str], path: str) -> None:
    screen, address = shown
    screen.show(address + path, width=NARROW)
    found = screen.evaluate(MEASURED)
    assert found["page"] == NARROW
    assert found["tables"]
    assert max(found["tables"]) <= found["room"]
    assert found["unreachable"] == found["unnamed"] == []


@pytest.mark.browser
def test_stacked_rows_are_tables_in_the_accessibility_tree(shown: tuple[Screen, str]) -> None:
    screen, address = shown
    path = f"/lineage?iri={EX}table"
    roles: list[list[Any]] = []
    for width in (NARROW, 1280):
        screen.show(address + path, width=width)
        nodes = screen.call("Accessibility.getFullAXTree")["nodes"]
        exposed = [node["role"]["value"] for node in nodes if not node["ignored"]]
        roles.append([exposed.count(role) for role in ("table", "row", "columnheader", "rowheader", "cell")])
    assert roles[0] == roles[1]
    assert all(roles[0])


def test_every_wide_table_is_a_focusable_region(site: Site) -> None:
    templates = (ROOT / "web" / "templates").glob("*.html")
    found = [line for path in templates for line in path.read_text("utf-8").splitlines() if 'class="wide"' in line]
    assert len(found) >= 7
    assert [
        line for line in found if not ('role="region"' in line and "aria-label=" in line and 'tabindex="0"' in line)
    ] == []


def test_every_wide_text_is_focusable(site: Site) -> None:
    templates = (ROOT / "web" / "templates").glob("*.html")
    found = [line for path in templates for line in path.read_text("utf-8").splitlines() if "<pre" in line]
    assert len(found) >= 5
    assert [line for line in found if 'tabindex="0"' not in line] == []

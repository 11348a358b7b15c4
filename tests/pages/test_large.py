"""Pages of a large repository on screens of several widths: none is long, wide, or far to walk through by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.browsing import Screen, browsing, serving
from tests.support.large import LARGE, SIGNED, enlarged
from tests.support.sampling import sample
from tests.support.serving import Site

pytestmark = pytest.mark.browser

HEIGHT = 900
SCREENS = 10
NARROW_SCREENS = 16
"""Screens of a page at most: on a desktop, and on a telephone, where rows become lines of text."""

STOPS = 15
WALKED = """(() => {
  const main = document.getElementById("main");
  const seen = each => each.checkVisibility({ visibilityProperty: true }) && !each.disabled
    && (each.tagName === "SUMMARY" || !each.closest("details:not([open])"));
  const all = [...document.querySelectorAll("a[href], button, select, textarea, summary, input:not([type=hidden]), "
    + "[tabindex='0']")].filter(each => each.tabIndex >= 0 && seen(each));
  const outside = all.filter(each => !main.contains(each) && main.compareDocumentPosition(each) & 2).length;
  const far = {};
  for (const heading of main.querySelectorAll("h2")) {
    if (!seen(heading) || heading.closest(".gallery")) continue; // cards are items of a list
    const before = all.filter(each => each.compareDocumentPosition(heading) & 4).length;
    const link = heading.id ? all.findIndex(each => each.getAttribute("href") === "#" + heading.id) : -1;
    far[heading.textContent.trim()] = link < 0 ? before : Math.min(before, link + 1);
  }
  return { far, outside };
})()"""
SIZES = "[document.scrollingElement.scrollWidth, document.scrollingElement.scrollHeight]"
STYLED = """(() => {
  const wrong = [];
  const number = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(each => each / 255)
    .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
  for (const each of document.querySelectorAll("body *")) {
    const own = [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !each.checkVisibility({ visibilityProperty: true })) continue;
    if (each.closest("svg, .unseen, .skip, :disabled")) continue;
    let behind = each, color = number(getComputedStyle(each).backgroundColor);
    while (color[3] === 0 && behind.parentElement) {
      behind = behind.parentElement;
      color = number(getComputedStyle(behind).backgroundColor);
    }
    const pair = [light(color[3] === 0 ? [255, 255, 255] : color), light(number(getComputedStyle(each).color))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) wrong.push(`${ratio.toFixed(1)}: ${each.outerHTML.slice(0, 90)}`);
  }
  return wrong;
})()"""
FOCUSED = """(() => {
  const unseen = [];
  const all = [...document.querySelectorAll("a[href], button, select, textarea, summary, input:not([type=hidden]), "
    + "[tabindex='0']")].filter(each => each.tabIndex >= 0 && each.checkVisibility() && !each.disabled
    && !each.closest("details:not([open])"));
  for (const each of all.slice(0, 60)) {
    each.focus({ focusVisible: true });
    const boxes = [each, each.closest(".editor")].filter(Boolean).map(box => getComputedStyle(box));
    const shown = boxes.some(style => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
    if (document.activeElement === each && !shown) unseen.push(each.outerHTML.slice(0, 90));
  }
  return unseen;
})()"""
MOVING = """[...document.querySelectorAll("*")].filter(each => {
  const style = getComputedStyle(each);
  return style.animationName !== "none" || style.transitionDuration.split(", ").some(time => parseFloat(time) > 0);
}).map(each => each.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with enlarged(tmp_path_factory.mktemp("site") / "data") as found:
        yield found


@pytest.fixture(scope="module")
def shown(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Screen, str]]:
    with browsing(tmp_path_factory.mktemp("profile")) as screen, serving(site.app) as address:
        yield screen, address


@pytest.fixture(scope="module")
def signed(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Screen, str]]:
    """A browser with a session."""
    with browsing(tmp_path_factory.mktemp("profile")) as screen, serving(site.app) as address:
        screen.sign_in(address, site.tokens["all"])
        yield screen, address


def walked(screen: Screen, address: str) -> None:
    """Check one page at each width."""
    sizes: dict[int, Any] = {}
    for width in (1440, 390, 2560):
        screen.show(address, width=width, height=HEIGHT)
        sizes[width] = screen.evaluate(SIZES)
        assert sizes[width][0] <= width, "it scrolls horizontally"
        if width == 1440:
            found = screen.evaluate(WALKED)
            # The first stop skips what is before the content.
            near = {words: min(stops, stops - found["outside"] + 1) for words, stops in found["far"].items()}
            assert {words: stops for words, stops in near.items() if stops > STOPS} == {}
            if "/documents/" in address:
                assert {words: stops for words, stops in found["far"].items() if stops > STOPS} == {}
    assert sizes[1440][1] <= SCREENS * HEIGHT
    assert sizes[390][1] <= NARROW_SCREENS * HEIGHT


@pytest.mark.parametrize("path", sample(LARGE, 12))
def test_a_page_for_everybody(shown: tuple[Screen, str], path: str) -> None:
    walked(shown[0], shown[1] + path)


@pytest.mark.parametrize("path", sample(SIGNED, 3))
def test_a_page_for_those_who_may_write(signed: tuple[Screen, str], path: str) -> None:
    walked(signed[0], signed[1] + path)


@pytest.mark.parametrize("path", sample(SIGNED + LARGE[:30], 4))
@pytest.mark.parametrize(
    "features", [{"forced-colors": "active"}, {"prefers-color-scheme": "dark"}, {"media": "print"}]
)
def test_text_and_focus_are_seen_in_each_mode(signed: tuple[Screen, str], path: str, features: dict[str, str]) -> None:
    screen, address = signed
    screen.emulate(**features)
    try:
        screen.show(address + path, width=1440, height=HEIGHT)
        assert screen.evaluate(STYLED) == []
        if "media" not in features:
            assert screen.evaluate(FOCUSED) == []
    finally:
        screen.emulate()


@pytest.mark.parametrize("path", sample(LARGE, 3))
def test_nothing_moves_where_motion_is_reduced(shown: tuple[Screen, str], path: str) -> None:
    screen, address = shown
    screen.emulate(**{"prefers-reduced-motion": "reduce"})
    try:
        screen.show(address + path, width=1440, height=HEIGHT)
        assert screen.evaluate(MOVING) == []
    finally:
        screen.emulate()

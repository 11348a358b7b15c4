"""The explorer of a lineage and the query page in a browser, by keys alone, without violations of the policy."""

from __future__ import annotations

import csv
import html
import io
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

import provrepo
from tests.support.browsing import Screen, browsing, serving
from tests.support.lineages import BULLETIN, HYDRO, outlook
from tests.support.serving import Site, opened

CLICK = "new MouseEvent('click', {bubbles: true, cancelable: true})"
LINEAGE = f"/lineage?iri={BULLETIN}"
VIOLATIONS = """window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
addEventListener("error", (event) => violations.push(event.message));"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.submit("outlook", outlook(20, 6, 10))
        site.submit("outlook", outlook())
        yield site


@pytest.fixture(scope="module")
def browser(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Screen, str]]:
    with browsing(tmp_path_factory.mktemp("profile")) as screen, serving(site.app) as address:
        screen.call("Page.addScriptToEvaluateOnNewDocument", source=VIOLATIONS)
        yield screen, address


def until(screen: Screen, script: str) -> Any:
    """The value of a script once it is true."""
    deadline = time.monotonic() + 120
    while not (found := screen.evaluate(script)):
        assert time.monotonic() < deadline, script
        time.sleep(0.05)
    return found


def shown(browser: tuple[Screen, str], path: str, width: int = 1440) -> Screen:
    screen, address = browser
    screen.show(address + path, width=width)
    return screen


def act(screen: Screen, script: str) -> None:
    screen.evaluate(f"({script}, 0)")


def press(screen: Screen, key: str) -> None:
    for kind in ("keyDown", "keyUp"):
        screen.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)


@pytest.mark.browser
def test_the_picture_is_walked_by_keys_alone(browser: tuple[Screen, str]) -> None:
    screen = shown(browser, LINEAGE)
    until(screen, "document.documentElement.classList.contains('scripted')")
    assert screen.evaluate("document.querySelectorAll('svg.overview a[tabindex=\"0\"]').length") == 1
    act(screen, "document.querySelector('.node.focus').focus()")
    press(screen, "ArrowLeft")
    assert until(screen, "document.activeElement.dataset.label") == "publish the bulletin"
    press(screen, "ArrowLeft")
    assert screen.evaluate("document.activeElement.dataset.label") == "Flood outlook, spring 2026.pdf"
    assert screen.evaluate("document.querySelector('aside.side').hidden") is False
    assert "Flood outlook, spring 2026.pdf" in screen.evaluate("document.querySelector('aside.side').innerText")
    assert screen.evaluate("decodeURIComponent(location.hash)") == f"#{HYDRO}report"
    # Everything before and after it is lit, through all steps.
    assert screen.evaluate("document.querySelectorAll('.node.on').length") == 199
    before = screen.evaluate("document.querySelector('svg.overview').getAttribute('viewBox')")
    press(screen, "+")
    assert screen.evaluate("document.querySelector('svg.overview').getAttribute('viewBox')") != before
    press(screen, "Enter")
    assert screen.evaluate("document.querySelector('svg.overview').classList.contains('near')")
    press(screen, "0")
    press(screen, "Escape")
    assert screen.evaluate("document.querySelector('aside.side').hidden") is True
    assert screen.evaluate("location.hash") == ""
    assert screen.evaluate("violations") == []


@pytest.mark.browser
def test_a_shared_address_opens_the_same_view(browser: tuple[Screen, str]) -> None:
    screen = shown(browser, f"{LINEAGE}&depth=6#{HYDRO}skill")
    assert "skill of all scenarios" in until(screen, "document.querySelector('aside.side:not([hidden])')?.innerText")
    chips = screen.evaluate("document.querySelectorAll('.chip').length")
    assert chips > 0
    act(screen, "document.querySelector('.node.focus').focus()")
    number = int(screen.evaluate("document.querySelectorAll('.node').length"))
    act(screen, f"document.querySelector('.chip').dispatchEvent({CLICK})")
    until(screen, "location.search.includes('expand=')")
    assert screen.evaluate("document.querySelectorAll('.node').length") > number
    assert screen.evaluate("violations") == []


@pytest.mark.browser
def test_a_former_entry_is_chosen_and_everything_follows(browser: tuple[Screen, str]) -> None:
    screen = shown(browser, LINEAGE)
    slider = "document.querySelector('.as-of input[type=range]')"
    until(screen, slider + " !== null")
    act(screen, f"{slider}.value = '0', {slider}.dispatchEvent(new Event('input', {{bubbles: true}}))")
    until(screen, "location.search.includes('as_of=')")
    until(screen, "document.querySelector('[data-swap=said]').innerText.includes('As it was at')")
    count = screen.evaluate(
        "document.querySelector('#explorer-count').innerText.match(/^All ([0-9]+) things shown/)[1]"
    )
    assert int(count) < 203
    until(screen, f"document.querySelector('[data-swap=lists] .pages').innerText.includes('of {count}')")


@pytest.mark.browser
def test_a_change_of_the_steps_shows_the_picture_and_then_the_list(browser: tuple[Screen, str]) -> None:
    screen = shown(browser, f"{LINEAGE}&group=distance")
    until(screen, "document.documentElement.classList.contains('scripted')")
    field = "document.querySelector('input[name=depth]')"
    act(screen, f"{field}.value = '4', {field}.dispatchEvent(new Event('input', {{bubbles: true}}))")
    until(screen, "location.search.includes('depth=4')")
    count = "document.querySelector('#explorer-count').innerText.match(/^([0-9]+) of [0-9]+ things shown/)?.[1] ?? ''"
    shown_now = int(until(screen, count))
    rows = "document.querySelectorAll('table.things tbody tr').length"
    until(screen, f"{rows} === {shown_now}")
    assert screen.evaluate("location.search.includes('part=')") is False
    assert screen.evaluate("location.search.includes('group=distance')")
    assert screen.evaluate("violations") == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1440, 2560])
def test_no_width_scrolls_sideways(browser: tuple[Screen, str], width: int) -> None:
    for path in (LINEAGE, "/sparql?query=SELECT%20*%20%7B%3Fs%20a%20%3Ft%7D", "/queries"):
        screen = shown(browser, path, width)
        assert screen.evaluate("document.scrollingElement.scrollWidth") <= width, path


@pytest.mark.browser
def test_the_query_page_has_an_editor_that_tab_leaves(browser: tuple[Screen, str]) -> None:
    screen = shown(browser, "/projects/open/sparql?query=SELECT%20%3Fs%20%7B%20%3Fs%20a%20prov%3AAgent%20%7D")
    until(screen, "document.querySelector('.editor')?.shadowRoot.querySelector('.cm-content') != null")
    assert screen.evaluate("document.querySelector('#query').hidden") is True
    act(screen, "document.querySelector('.editor').shadowRoot.querySelector('.cm-content').focus()")
    press(screen, "Tab")
    assert screen.evaluate("document.activeElement.className") != "editor"
    act(screen, "document.querySelector('#query-form').requestSubmit()")
    until(screen, "/^[0-9.]+ s$/.test(document.querySelector('#query-state').textContent)")
    assert "Lin Wei" in screen.evaluate("document.querySelector('#answer').innerText")
    assert screen.evaluate("violations") == []


@pytest.mark.browser
def test_a_class_without_a_prefix_is_completed_by_its_last_part(browser: tuple[Screen, str]) -> None:
    screen = shown(browser, "/projects/open/sparql?query=SELECT%20%3Fs%20%7B%20%3Fs%20a%20")
    inside = "document.querySelector('.editor')?.shadowRoot"
    until(screen, f"{inside}?.querySelector('.cm-content') != null")
    act(screen, f"{inside}.querySelector('.cm-content').focus()")
    screen.call("Input.dispatchKeyEvent", type="keyDown", key="End", code="End", windowsVirtualKeyCode=35, modifiers=2)
    screen.call("Input.insertText", text="Calib")
    first = f"{inside}?.querySelector('.cm-tooltip-autocomplete li')?.innerText ?? ''"
    assert until(screen, first).startswith("Calibration")
    pressed = "new MouseEvent('mousedown', {bubbles: true, composed: true})"
    act(screen, f"{inside}.querySelector('.cm-tooltip-autocomplete li').dispatchEvent({pressed})")
    until(screen, f"{inside}.querySelector('.cm-content').innerText.includes('a <{HYDRO}')")
    assert f"<{HYDRO}Calibration>" in screen.evaluate(f"{inside}.querySelector('.cm-content').innerText")
    assert screen.evaluate("violations") == []


@pytest.mark.browser
def test_relations_are_hidden_one_kind_at_a_time(browser: tuple[Screen, str]) -> None:
    screen = shown(browser, LINEAGE)
    until(screen, "document.documentElement.classList.contains('scripted')")
    edges = (
        "[...document.querySelectorAll('.overview .edge{0}')]"
        ".filter(each => getComputedStyle(each).display !== 'none').length"
    )
    every, used = screen.evaluate(edges.format("")), screen.evaluate(edges.format(".r-used"))
    assert 0 < used <= every
    act(screen, "document.querySelector('[data-relation=r-used]').click()")
    assert screen.evaluate(edges.format("")) == every - used
    act(screen, "document.querySelector('[data-relation=r-used]').click()")
    assert screen.evaluate(edges.format("")) == every
    assert screen.evaluate("violations") == []


@pytest.mark.browser
def test_two_things_are_compared_by_what_both_came_from(browser: tuple[Screen, str], site: Site) -> None:
    screen = shown(browser, LINEAGE)
    screen.act(
        f"(document.querySelector('#other').value = '{HYDRO}report',"
        "document.querySelector('#other').form.requestSubmit())"
    )
    found = site.client.get("/lineage/common", query_string={"iri": [BULLETIN, f"{HYDRO}report"]}).json
    assert found["total"] > 0
    text = screen.evaluate("document.querySelector('main').innerText")
    assert f"{found['total']} things" in text
    for node in found["nodes"][:5]:
        assert node["label"] in text


@pytest.mark.parametrize("as_of", [False, True])
def test_a_lineage_is_exported_as_prov_with_the_relations_that_are_shown(site: Site, as_of: bool) -> None:
    """The links to exports on the page lead to the same lineage, of the same moment."""
    first = site.owner.history("open", "outlook")[0]
    asked = {"iri": BULLETIN, **({"as_of": first.time} if as_of else {})}
    page = site.client.get("/lineage", query_string=asked, headers={"Accept": "text/html"}).text
    links = re.findall(r'<li><a href="(/lineage\?[^"]*format=[^"]*)" download', page)
    assert {re.findall("format=([^&]+)", link)[0] for link in links} >= {"provjson", "provn", "svg"}
    nodes = {node["iri"] for node in site.client.get("/lineage", query_string=asked).json["nodes"]}
    (address,) = [html.unescape(link) for link in links if re.search("format=provjson(&|$)", link)]
    exported = provrepo.read(site.client.get(address).data, format="provjson")
    assert {statement.id for statement in exported.statements if statement.kind.element} >= {
        iri for iri in nodes if not iri.startswith("_:")
    }


def test_a_lineage_is_exported_as_csv(site: Site) -> None:
    answer = site.client.get(f"{LINEAGE}&format=csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 203
    assert (rows[0]["iri"], rows[0]["label"], rows[0]["steps"]) == (BULLETIN, "Flood bulletin 2026-03.html", "0")
    assert rows[0]["came_from"] == f"wasGeneratedBy={HYDRO}publish"
    assert sum(len(row["came_from"].split()) for row in rows) == 390

"""A sample of the journeys in a browser: a bad file is mended and submitted, found, replaced, traced and queried.

`make integration GROUPS=journeys` has all of them, in light and dark, with axe.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.support.browsing import Screen, browsing, serving
from tests.support.serving import PROVN, Site, opened, sha256

pytestmark = pytest.mark.browser

BAD = PROVN.replace(b"  wasAssociatedWith(ex:run, ex:ada, -)\n", b"").replace(b"harvest", "har\u202evest".encode())
TURNED = """[...document.querySelectorAll("main *")].some(
  each => !each.childElementCount && !/TEXTAREA|OPTION/.test(each.tagName) && /\\u202e/.test(each.textContent))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as found:
        found.owner.set_project("open", profiles=["core"])
        yield found


@pytest.fixture
def screen(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Screen, str]]:
    with browsing(tmp_path_factory.mktemp("profile")) as screen, serving(site.app) as address:
        screen.call("Log.enable")
        screen.sign_in(address, site.tokens["all"])
        yield screen, address


def typed(screen: Screen, field: str, text: str) -> None:
    """Put text into a field, as a person does by pasting."""
    screen.evaluate(
        f"(() => {{ const field = document.querySelector({json.dumps(field)}); field.value = {json.dumps(text)};"
        "field.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )


def said(screen: Screen) -> str:
    return str(screen.evaluate("document.querySelector('main').innerText"))


def test_a_bad_file_is_mended_submitted_found_replaced_and_traced(site: Site, screen: tuple[Screen, str]) -> None:
    page, address = screen
    page.show(f"{address}/submit?project=open", width=1440)
    typed(page, "#name", "mended")
    typed(page, "#text", BAD.decode())
    page.wait("document.querySelector('#checked').innerText.includes('Does not conform')")
    line = page.evaluate("document.querySelector('.gutter .violation').textContent.trim()")
    assert BAD.decode().splitlines()[int(line) - 1].strip().startswith("activity(ex:run")
    while page.evaluate("document.querySelectorAll('button[name=repair]').length"):
        before = page.evaluate("document.querySelector('#text').value")
        page.evaluate("document.querySelector('button[name=repair]').click()")
        page.wait(f"document.querySelector('#text').value !== {json.dumps(before)}")
        page.wait("!document.querySelector('#submission').classList.contains('waiting')")
    assert "✓ Conforms" in said(page)
    text = page.evaluate("document.querySelector('#text').value")
    page.act("document.querySelector('button[value=store]').click()")
    stored = site.owner.version("open", "mended")
    assert stored.sha256 == sha256(text.encode())
    assert "har" in said(page)
    assert not page.evaluate(TURNED)

    for words in (stored.sha256, "vest"):
        page.show(f"{address}/", width=1440)
        typed(page, "#search", words)
        page.act("document.querySelector('form[role=search]').requestSubmit()")
        assert "mended" in str(page.evaluate("document.documentElement.outerHTML")), words
        assert not page.evaluate(TURNED)

    page.show(f"{address}/projects/open/documents/mended", width=1440)
    page.act("document.querySelector('a.step[href^=\"/submit\"]').click()")
    typed(page, "#text", text.replace("endDocument", "  wasDerivedFrom(ex:table, ex:raw)\nendDocument"))
    page.wait("document.querySelector('#checked').innerText.includes('Ready to become version 2')")
    page.act("document.querySelector('button[value=store]').click()")
    assert site.owner.version("open", "mended").version == 2
    page.show(f"{address}/projects/open/documents/mended/diff?from=1&to=2", width=1440)
    assert "1 added, 0 removed, 0 changed" in said(page)

    for direction, other in (("upstream", "raw"), ("downstream", "table")):
        start = {"upstream": "table", "downstream": "raw"}[direction]
        page.show(f"{address}/lineage?iri=https://example.org/{start}&direction={direction}", width=1440)
        assert f"https://example.org/{other}" in str(page.evaluate("document.querySelector('main').textContent"))
        assert not page.evaluate(TURNED)


def test_a_query_is_charted_and_shared(screen: tuple[Screen, str]) -> None:
    page, address = screen
    page.show(f"{address}/projects/open/sparql", width=1440)
    query = "SELECT ?type (COUNT(?s) AS ?n) { ?s a ?type } GROUP BY ?type"
    page.act(
        f"document.querySelector('#query').value = {json.dumps(query)};"
        "HTMLFormElement.prototype.submit.call(document.querySelector('#query-form'))"
    )
    numbers = page.evaluate("[...document.querySelectorAll('svg.chart text')].map(each => each.textContent)")
    rows = page.evaluate("[...document.querySelectorAll('#answer tbody tr')].map(each => each.innerText)")
    assert rows
    for row in rows:
        assert re.findall(r"\d+", row)[0] in numbers
    page.show(str(page.evaluate("document.querySelector('#share').href")), width=1440)
    assert page.evaluate("[...document.querySelectorAll('#answer tbody tr')].map(each => each.innerText)") == rows


def test_a_step_is_recorded_by_hand(site: Site, screen: tuple[Screen, str]) -> None:
    page, address = screen
    page.show(f"{address}/record?project=open", width=1440)
    for field, text in (
        ("what", "Weighed the sample"),
        ("who", "Ana Lima"),
        ("output", "https://example.org/weight"),
    ):
        typed(page, f"#field-{field}", text)
    page.wait("document.querySelector('#checked [role=alert]')")
    typed(page, "#field-when", "2026-01-31T09:30:00Z")
    page.wait("document.querySelector('#checked').innerText.includes('✓ Conforms')")
    page.act("document.querySelector('#checked button[formaction]').click()")
    assert site.owner.version("open", "Weighed-the-sample").verdict == "conforms"
    assert "Ana Lima" in said(page)

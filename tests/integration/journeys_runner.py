"""A script that goes through journeys on the pages with Playwright and axe, in its environment, without provrepo.

``python journeys_runner.py URL TOKEN CHROMIUM FOLDER`` prints an object of JSON: for the light and the dark scheme what
each journey has shown, the findings of axe, messages of the console, and requests to other hosts. FOLDER gets the
pictures.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import axe_core_python
from playwright.sync_api import Page, expect, sync_playwright

BAD = """document
prefix ex <https://example.org/>
entity(ex:out{0}, [prov:label="calibrated \u202etable {0}"])
activity(ex:run{0}, 2026-01-01T10:00:00Z, 2026-01-01T11:00:00Z)
wasGeneratedBy(ex:out{0}, ex:run{0}, 2026-01-01T11:00:00Z)
used(ex:run{0}, ex:in{0}, -)
agent(ex:ada, [prov:label="Ada"])
endDocument
"""
AXE = Path(axe_core_python.__file__).with_name("axe.min.js")
RUN_AXE = """async () => (await axe.run()).violations.map(
  v => v.id + ": " + v.nodes.map(n => n.html).slice(0, 3).join(" | "))"""
BIDI = """() => [...document.querySelectorAll("td, th, a, dd, p, li")].filter(
  e => e.childElementCount === 0 && /\\u202e/.test(e.textContent)).length"""


PAGES = {
    "document": "/projects/crops/documents/mended-{0}",
    "project": "/projects/crops",
    "submit": "/submit?project=crops&name=mended-{0}",
    "lineage": "/lineage?iri=https://example.org/out{0}",
}


class Journeys:
    """The journeys of one color scheme, and what was seen on the way."""

    def __init__(self, page: Page, url: str, scheme: str, folder: Path) -> None:
        self.page, self.url, self.scheme, self.folder = page, url, scheme, folder
        self.seen: dict[str, Any] = {"axe": {}, "wide": [], "bidi": 0, "shown": {}}

    def look(self, name: str) -> None:
        """Check the page for accessibility, width and order of characters, and take a picture."""
        for width in (1440, 390):
            self.page.set_viewport_size({"width": width, "height": 900})
            if self.page.evaluate("document.scrollingElement.scrollWidth") > width:
                self.seen["wide"].append([name, width])
            self.page.screenshot(path=self.folder / f"{name}-{self.scheme}-{width}.png")
        self.page.set_viewport_size({"width": 1440, "height": 900})
        if found := self.page.evaluate(RUN_AXE):
            self.seen["axe"][name] = found
        self.seen["bidi"] += self.page.evaluate(BIDI)

    def sign_in(self, token: str) -> None:
        self.page.goto(f"{self.url}/session")
        self.look("session")
        self.page.get_by_label("Token").fill(token)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()

    def mend_and_submit(self) -> None:
        page = self.page
        page.goto(f"{self.url}/submit?project=crops")
        page.get_by_label("Name", exact=True).fill(f"mended-{self.scheme}")
        page.get_by_label("The document", exact=True).fill(BAD.format(self.scheme))
        expect(page.get_by_text("✕ Does not conform")).to_be_visible()
        self.look("submit-bad")
        page.get_by_role("link", name="line 4").first.click()
        line = page.evaluate("(e => e.value.slice(e.selectionStart, e.selectionEnd))(document.querySelector('#text'))")
        self.seen["shown"]["line"] = line
        clicks = 0
        while page.locator("button[name=repair]").count() and clicks < 9:
            before = page.get_by_label("The document", exact=True).input_value()
            page.locator("button[name=repair]").first.click()
            expect(page.get_by_label("The document", exact=True)).not_to_have_value(before)
            page.wait_for_function("!document.querySelector('#submission').classList.contains('waiting')")
            clicks += 1
        self.seen["shown"]["clicks"] = clicks
        expect(page.get_by_text("✓ Conforms")).to_be_visible()
        self.look("submit-good")
        page.get_by_role("button", name="Submit", exact=True).click()
        page.wait_for_url(f"**/documents/mended-{self.scheme}")
        self.look("document")
        self.seen["shown"]["digest"] = page.request.get(page.url + "/metadata?format=json").json().get("sha256")

    def find(self, digest: str) -> None:
        page = self.page
        for name, words in (("label", f"table {self.scheme}"), ("digest", digest)):
            page.goto(f"{self.url}/")
            page.locator("#search").fill(words)
            with page.expect_navigation():
                page.keyboard.press("Enter")
            self.seen["shown"][name] = f"mended-{self.scheme}" in page.content()
            self.look(f"found-by-{name}")

    def compare(self) -> None:
        page = self.page
        page.goto(f"{self.url}/submit?project=crops&name=mended-{self.scheme}")
        text = page.get_by_label("The document", exact=True)
        more = f"wasDerivedFrom(ex:out{self.scheme}, ex:in{self.scheme})"
        text.fill(text.input_value().replace("endDocument", f"{more}\nendDocument"))
        expect(page.get_by_text("Ready to become version 2")).to_be_visible()
        self.look("replace")
        page.get_by_role("button", name="Submit", exact=True).click()
        page.wait_for_url(f"**/documents/mended-{self.scheme}")
        page.goto(f"{page.url}/diff?from=1&to=2")
        self.look("diff")
        self.seen["shown"]["diff"] = page.locator("main").inner_text()

    def trace(self) -> None:
        """What the thing came from, what it affects, and the same from the list, by keyboard alone."""
        page = self.page
        for direction, start, other in (("upstream", "out", "in"), ("downstream", "in", "out")):
            page.goto(f"{self.url}/lineage?iri=https://example.org/{start}{self.scheme}&direction={direction}")
            found = page.request.get(page.url + "&format=json").json()
            iris = {node["iri"] for node in found["nodes"]}
            listed = page.locator("main").inner_text()
            self.seen["shown"][direction] = f"https://example.org/{other}{self.scheme}" in iris and all(
                iri in listed for iri in iris
            )
            self.look(f"lineage-{direction}")
        page.locator("#things").scroll_into_view_if_needed()
        page.get_by_role("link", name="Export").focus()
        page.keyboard.press("Enter")
        self.seen["shown"]["export"] = page.url.endswith("#elsewhere")

    def ask(self) -> None:
        """A query is charted; the link to its answer gives the same answer; CSV has as many rows."""
        page = self.page
        query = "SELECT ?type (COUNT(?s) AS ?n) { ?s a ?type } GROUP BY ?type ORDER BY ?type"
        page.goto(f"{self.url}/projects/crops/sparql?{urlencode({'query': query})}")
        rows = page.locator("#answer tbody tr")
        texts = rows.all_inner_texts()
        bars = page.locator("svg.chart text").all_text_contents()
        self.seen["shown"]["charted"] = bool(texts) and all(re.findall(r"\d+", text)[0] in bars for text in texts)
        self.look("query")
        page.goto(self.url + (page.locator("#share").get_attribute("href") or ""))
        self.seen["shown"]["shared"] = page.locator("#answer tbody tr").all_inner_texts() == texts
        csv = page.request.get(
            f"{self.url}/projects/crops/sparql?{urlencode({'query': query, 'format': 'csv'})}"
        ).text()
        self.seen["shown"]["csv"] = len(csv.strip().splitlines()) == len(texts) + 1

    def modes(self) -> None:
        """The kinds of pages in forced colors, and on a wide screen."""
        page = self.page
        page.emulate_media(forced_colors="active")
        for name, path in PAGES.items():
            page.goto(self.url + path.format(self.scheme))
            self.look(f"forced-{name}")
        page.emulate_media(forced_colors="none")
        page.set_viewport_size({"width": 2560, "height": 1440})
        for name, path in PAGES.items():
            page.goto(self.url + path.format(self.scheme))
            if page.evaluate("document.scrollingElement.scrollWidth") > 2560:
                self.seen["wide"].append([name, 2560])
            page.screenshot(path=self.folder / f"{name}-{self.scheme}-2560.png")

    def record(self) -> None:
        page = self.page
        page.goto(f"{self.url}/record?project=crops")
        for label, value in (
            ("What was done", f"Weighed the sample {self.scheme}"),
            ("Who did it", "Ana Lima"),
            ("What was made", f"https://example.org/weight-{self.scheme}"),
        ):
            page.get_by_label(label).fill(value)
        expect(page.locator("#checked [role=alert]")).to_contain_text("When")
        page.get_by_label("When", exact=True).fill("2026-01-31T09:30:00Z")
        expect(page.get_by_text("✓ Conforms")).to_be_visible()
        self.look("record")
        page.get_by_role("button", name="Record", exact=True).click()
        page.wait_for_url(f"**/documents/Weighed-the-sample-{self.scheme}")
        for path, name in (("/projects/crops", "project"), ("/", "home"), ("/profiles", "profiles")):
            page.goto(self.url + path)
            self.look(name)


def main(url: str, token: str, chromium: str, folder: str) -> None:
    answer: dict[str, Any] = {}
    expect.set_options(timeout=60_000)  # whatever else the machine does
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme)
            # axe is injected by DevTools, which the policy of the pages does not concern.
            context.add_init_script(path=AXE)
            page = context.new_page()
            journeys = Journeys(page, url, scheme, Path(folder))
            console: list[str] = []
            outside: list[str] = []
            page.on(
                "console",
                lambda message, to=console: to.append(message.text) if message.type in ("error", "warning") else None,
            )
            page.on("pageerror", lambda error, to=console: to.append(str(error)))
            page.on(
                "request",
                lambda request, to=outside: (
                    to.append(request.url)
                    if urlsplit(request.url).netloc != urlsplit(url).netloc and not request.url.startswith("data:")
                    else None
                ),
            )
            journeys.sign_in(token)
            journeys.mend_and_submit()
            journeys.find(journeys.seen["shown"]["digest"])
            journeys.compare()
            journeys.trace()
            journeys.ask()
            journeys.record()
            journeys.modes()
            answer[scheme] = {**journeys.seen, "console": console, "outside": outside}
            context.close()
        browser.close()
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])

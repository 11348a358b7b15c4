"""No text of a user changes how the text beside it is read: not in pages, pictures, or on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlencode

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provrepo.server.pages.isolation import Isolation
from provrepo.text import UNSEEN, marked, on_one_line, unstacked
from tests.support.serving import BROWSER, Site, opened

EX = "https://example.org/"
OVERRIDE, HEBREW, ARABIC = "plan\u202e safe", "\u05e0\u05e1\u05d7\u05d4 3", "\u0646\u0633\u062e\u0629 3"
FOREIGN = re.compile("[\u0590-\u05ff\u0600-\u06ff]")
DOCUMENT = f"""document
  prefix ex <{EX}>
  entity(ex:raw, [prov:label="{OVERRIDE}", prov:type="{HEBREW}", ex:note="{HEBREW}", ex:note="a\u2066b"])
  entity(ex:table, [prov:label="{ARABIC}"@ar, ex:said="{ARABIC}"@ar, prov:value="{OVERRIDE}"])
  activity(ex:run, 2026-01-01T00:00:00, 2026-01-01T01:00:00, [prov:label="{HEBREW}"])
  agent(ex:ada, [prov:label="{HEBREW}"])
  wasAssociatedWith(ex:run, ex:ada, -)
  used(ex:run, ex:raw, -)
  wasGeneratedBy(ex:table, ex:run, -)
  bundle ex:{HEBREW.split(maxsplit=1)[0]}
    entity(ex:inner, [prov:label="{ARABIC}"])
  endBundle
endDocument""".encode()

PAGES = {
    "home": ("/", {}),
    "projects": ("/projects", {}),
    "project": ("/projects/open", {}),
    "document": ("/projects/open/documents/mixed", {}),
    "former version": ("/projects/open/documents/mixed/versions/1", {}),
    "versions": ("/projects/open/documents/mixed/versions", {}),
    "report": ("/projects/open/documents/mixed/versions/2/report", {}),
    "thing": ("/thing", {"iri": f"{EX}table"}),
    "thing of another direction": ("/thing", {"iri": f"{EX}raw"}),
    "lineage": ("/lineage", {"iri": f"{EX}table"}),
    "downstream": ("/lineage", {"iri": f"{EX}raw", "direction": "downstream"}),
    "search": ("/search", {"q": HEBREW}),
    "search without results": ("/search", {"q": f"{OVERRIDE} {HEBREW} xyz"}),
    "query": ("/projects/open/sparql", {"query": "SELECT ?s ?v { ?s ?p ?v FILTER(isLiteral(?v)) }"}),
    "refused query": ("/projects/open/sparql", {"query": f"SELECT {HEBREW} \u202e"}),
}


class Texts(HTMLParser):
    """The texts of a page, each with the elements around it, and its attributes."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "hr", "path", "rect", "ellipse"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.texts.append((data, tuple(self.open)))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        more = DOCUMENT.replace(b"endDocument", b"entity(ex:more)\nendDocument")
        for data in (DOCUMENT, more):
            site.owner.submit(
                data, project="open", name="mixed", format="provn", note=f"{OVERRIDE} {HEBREW}", update=True
            )
        yield site


@pytest.mark.parametrize("name", PAGES)
def test_texts_of_users_are_isolated_and_marked(site: Site, name: str) -> None:
    path, parameters = PAGES[name]
    answer = site.client.get(f"{path}?{urlencode(parameters)}", headers={"Accept": BROWSER})
    assert answer.mimetype == "text/html", answer.text
    page = Texts(answer.text)
    seen = 0
    for text, around in page.texts:
        if around[-1:] == ("textarea",) or "script" in around:
            continue
        assert not UNSEEN.search(text), (text, around)
        if FOREIGN.search(text):
            seen += 1
            # Each text of a picture is placed on its own, and a title is shown on its own.
            assert "bdi" in around or "svg" in around or around[-1] == "title", (text, around)
    for attribute, value in page.attributes:
        if attribute in ("title", "aria-label", "data-head"):
            assert not UNSEEN.search(value), (attribute, value)
    if name not in ("home", "projects", "project", "report", "refused query"):
        assert seen or 'class="mark"' in answer.text


def test_a_mark_says_which_character_it_stands_for(site: Site) -> None:
    text = site.client.get(f"/thing?{urlencode({'iri': f'{EX}raw'})}", headers={"Accept": BROWSER}).text
    assert '<bdi dir="auto">plan<span class="mark" title="RIGHT-TO-LEFT OVERRIDE">U+202E</span> safe</bdi>' in text
    assert "<title>plan&lt;U+202E&gt; safe" in text


def test_a_literal_says_its_language(site: Site) -> None:
    text = site.client.get("/projects/open/documents/mixed", headers={"Accept": BROWSER}).text
    assert 'class="literal" lang="ar"' in text


def test_a_form_keeps_the_exact_text(site: Site) -> None:
    query = "SELECT ?s { ?s ?p 'a\u202eb' }"
    page = site.client.get(f"/projects/open/sparql?{urlencode({'query': query})}", headers={"Accept": BROWSER})
    assert "&#39;a\u202eb&#39;" in page.text
    found = site.client.get(f"/search?{urlencode({'q': OVERRIDE})}", headers={"Accept": BROWSER}).text
    assert f'value="{OVERRIDE}"' in found


def test_text_of_one_direction_gets_no_element(site: Site) -> None:
    text = site.client.get(f"/thing?{urlencode({'iri': f'{EX}run'})}", headers={"Accept": BROWSER}).text
    assert f"<bdi>{EX}" not in text
    assert f'<span class="iri">{EX}run</span>' in text


def rendered(template: str, value: object) -> str:
    environment = jinja2.Environment(autoescape=True, extensions=[Isolation])
    return environment.from_string(template).render(value=value)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("<p>{{ value }}</p>", '<p><bdi dir="auto">\u05d0&lt;</bdi></p>'),
        ("<p>{{ value if true else 'x' }}</p>", '<p><bdi dir="auto">\u05d0&lt;</bdi></p>'),
        ("<p>{{- value ~ '' -}} </p>", '<p><bdi dir="auto">\u05d0&lt;</bdi></p>'),
        ('<p title="{{ value }}">', '<p title="\u05d0&lt;">'),
        ('<p{% if true %} class="a"{% endif %} title="{{ value }}">', '<p class="a" title="\u05d0&lt;">'),
        ("<title>{{ value }}</title>", "<title>\u05d0&lt;</title>"),
        ("{% block title %}{{ value }}{% endblock %}", "\u05d0&lt;"),
        ("<textarea>{{ value }}</textarea>{{ 1 }}", "<textarea>\u05d0&lt;</textarea>1"),
        ("{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}{{ m(value) }}", '<b><bdi dir="auto">\u05d0&lt;</bdi></b>'),
    ],
)
def test_the_place_in_the_html_decides(template: str, expected: str) -> None:
    assert rendered(template, "\u05d0<") == expected


@given(st.text())
def test_an_expression_is_escaped_and_has_no_unseen_character(value: str) -> None:
    page = Texts(rendered("<p>{{ value }}</p>", value))
    assert not any(UNSEEN.search(text) for text, _ in page.texts)
    plain = "".join(text for text, around in page.texts if "span" not in around)
    assert plain == UNSEEN.sub("", unstacked(value))


@given(st.text(min_size=1))
def test_a_long_text_is_cut_with_the_whole_in_its_title(value: str) -> None:
    whole = value * (1 + 90 // len(value))
    page = Texts(rendered("<p>{{ value|short }}</p>", whole))
    assert marked(whole) in [text for name, text in page.attributes if name == "title"]
    plain = "".join(text for text, around in page.texts if around.count("span") < 2)
    assert "…" in plain
    assert len(plain) <= 81
    assert not any(UNSEEN.search(text) for text, _ in page.texts)


def test_an_iri_is_cut_in_the_middle() -> None:
    iri = f"{EX}{'a' * 200}/end-that-differs"
    text = rendered("<p>{{ value|short }}</p>", iri)
    assert text.startswith(f'<p><span title="{iri}">{EX}aaa')
    assert "…" in text
    assert text.endswith("/end-that-differs</span></p>")
    assert rendered("<p>{{ value|short }}</p>", "short") == "<p>short</p>"


@given(st.text())
def test_marked_text_has_no_unseen_character(value: str) -> None:
    assert not UNSEEN.search(marked(value))
    assert "\n" not in on_one_line(value)
    assert len(on_one_line(value, 20)) <= 20 or UNSEEN.search(value)


def test_joiners_of_scripts_and_emoji_stay() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert marked(family) == family

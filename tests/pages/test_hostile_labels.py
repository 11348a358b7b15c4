"""Labels of any characters: each page, picture and command shows what is beside them as it does beside plain labels."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from provrepo.cli.main import cli
from provrepo.repository.upkeep.beside import serve
from provrepo.text import UNSEEN, marked
from tests.pages.test_isolation import FOREIGN, Texts
from tests.support.sampling import FULL
from tests.support.serving import BROWSER, Site, opened

EX = "https://example.org/"
PIECES = (
    *("\u202e", "\u2066", "\u2069", "\u061c", "\u200b", "\ufeff", "\u0301" * 40, "\u20dd", "\u0335" * 3),
    *("\u05e0\u05e1\u05d7\u05d4 3", "\u0646\u0633\u062e\u0629 3", "\U0001f468\u200d\U0001f469", "\ufdfd"),
    *(
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</title></bdi></svg>",
        "&amp;&#0;",
        "{{ 7 * 7 }}",
    ),
    *("\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\x7f", "\b\b", "\r", "\n", "\t", "\u2028", "a" * 3000, "word " * 200),
)
LABEL = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), min_size=1, max_size=4).map(
    lambda pieces: "".join(pieces) + "x"
)
UNQUIET = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]|[\u202a-\u202e\u2066-\u2069]")
"""What acts on a terminal; a result has tabs and ends of lines of its own."""

CAPTURED = (
    ("list",),
    ("history", "open/labels"),
    ("thing", f"{EX}thing0"),
    ("lineage", f"{EX}thing1"),
    ("search", "neighbor"),
    ("query", "--project", "open", "SELECT ?s ?label { ?s rdfs:label ?label }"),
    ("query", "--project", "open", "--output", "json", "SELECT ?s ?label { ?s rdfs:label ?label }"),
    ("thing", f"{EX}thing0", "--output", "json"),
    ("compare",),
)


def document(labels: list[str]) -> bytes:
    """In PROV-JSON, which has a place for each character: hostile labels, each between two neighbors."""
    entities: dict[str, object] = {}
    for number, label in enumerate(labels):
        entities[f"ex:thing{number}"] = {
            "prov:label": label,
            "ex:note": [label, f"neighbor-note-{number}"],
            "prov:type": label,
        }
        entities[f"ex:beside{number}"] = {"prov:label": f"neighbor-{number}"}
    made = {
        "prefix": {"ex": EX},
        "entity": entities,
        "activity": {"ex:run": {"prov:label": labels[0]}},
        "agent": {"ex:ada": {"prov:label": labels[1]}},
        "wasAssociatedWith": {"_:a": {"prov:activity": "ex:run", "prov:agent": "ex:ada"}},
        "used": {f"_:u{n}": {"prov:activity": "ex:run", "prov:entity": f"ex:{kind}{n}"}
                 for n in range(len(labels)) for kind in ("thing", "beside") if (n, kind) != (1, "thing")},
        "wasGeneratedBy": {"_:g": {"prov:entity": "ex:thing1", "prov:activity": "ex:run"}},
    }  # fmt: skip
    return json.dumps(made).encode()


PAGES = {
    "/": {},
    "/projects": {},
    "/projects/open": {},
    "/projects/open/documents/labels": {},
    "/projects/open/documents/labels/versions": {},
    "/projects/open/documents/labels/statements": {},
    "/projects/open/documents/labels/diff": {},
    "/thing": {"iri": f"{EX}thing0"},
    "/lineage": {"iri": f"{EX}thing1"},
    "/search": {"q": "neighbor"},
    "/projects/open/sparql": {"query": "SELECT ?s ?label { ?s rdfs:label ?label } ORDER BY ?s"},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        # Commands ask it instead of waiting for the views, which it holds.
        assert serve(site.owner, "http://127.0.0.1:9/")
        yield site


def stored(site: Site, labels: list[str]) -> None:
    site.owner.set_project("open", title=" ".join(marked(labels[0]).split())[:80] or "x")
    for data in (document(["first"] * 3), document(labels)):
        site.owner.submit(
            data, project="open", name="labels", format="provjson", update=True, again=True, note=labels[2][:900]
        )


def pages(site: Site) -> dict[str, str]:
    found = {}
    for path, parameters in PAGES.items():
        answer = site.client.get(f"{path}?{urlencode(parameters)}", headers={"Accept": BROWSER})
        assert (answer.status_code, answer.mimetype) == (200, "text/html"), path
        found[path] = answer.text
    return found


def beside(text: str) -> Counter[str]:
    """The texts of neighbors in a page, and the elements that no label may add."""
    return Counter(re.findall(r"neighbor-(?:note-)?\d|<(?:script|img|style|iframe)\b", text))


@pytest.fixture(scope="module")
def plain(site: Site) -> dict[str, Counter[str]]:
    stored(site, ["plain one", "plain two", "plain three"])
    return {path: beside(text) for path, text in pages(site).items()}


@settings(max_examples=12 if FULL else 2, deadline=None, suppress_health_check=list(HealthCheck))
@example(["\u0301" * 40 + "x", "\u202eevil\u2066", "\x1b[31m\n\nfake line: conforms\x9b2J"])
@example(["a" * 3_000, "b", "c"])
@given(st.lists(LABEL, min_size=3, max_size=3))
def test_what_is_beside_a_label_is_shown_as_it_is(
    site: Site, plain: dict[str, Counter[str]], tmp_path: Path, labels: list[str]
) -> None:
    stored(site, labels)
    for path, text in pages(site).items():
        assert beside(text) == plain[path], path
        page = Texts(text)
        for part, around in page.texts:
            if around[-1:] == ("textarea",) or "script" in around:
                continue
            assert not UNSEEN.search(part), (path, part, around)
            assert not re.search("[\u0300-\u036f]{5}", part), (path, part)
            if FOREIGN.search(part):
                assert "bdi" in around or "svg" in around or around[-1] in ("title", "option"), (path, part, around)
    for iri, name in ((f"{EX}thing1", "/lineage"), (f"{EX}thing0", "/lineage")):
        drawn = site.client.get(f"{name}?{urlencode({'iri': iri, 'format': 'svg'})}").text
        texts = "".join(ElementTree.fromstring(drawn).itertext())
        assert not UNSEEN.search(texts)
    drawn = site.client.get("/projects/open/documents/labels.svg").text
    assert "neighbor-0" in "".join(ElementTree.fromstring(drawn).itertext())
    assert not UNSEEN.search(drawn)
    spoken(site, tmp_path, labels)


def spoken(site: Site, folder: Path, labels: list[str]) -> None:
    """No result of a command has a character that acts on the terminal, or a line that a label began."""
    for name, data in (("a.json", document(labels)), ("b.json", document(["other"] * 3))):
        (folder / name).write_bytes(data)
    for arguments in CAPTURED:
        given_ = (
            [*arguments, str(folder / "a.json"), str(folder / "b.json")] if arguments == ("compare",) else arguments
        )
        result = CliRunner().invoke(cli, ["--data", str(site.store.settings.data), *given_])
        assert result.exit_code == (1 if arguments == ("compare",) else 0), result.output
        assert not UNQUIET.search(result.stdout), (arguments, result.stdout)
        assert not UNQUIET.search(result.stderr), (arguments, result.stderr)
        assert not re.search("^fake line", result.output, re.MULTILINE), (arguments, result.output)
        if arguments[0] == "query" and "json" in arguments:
            found = {row["label"]["value"] for row in json.loads(result.stdout)["results"]["bindings"]}
            assert found >= set(labels), "escapes change no value"

"""What a document or another site can make a browser or a spreadsheet do: links, cross-origin reads, formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from provrepo.cli.main import cli
from provrepo.codecs.results import QueryResult
from provrepo.drawing.graph import Graph, Node, NodeGroup
from provrepo.drawing.svg import render
from provrepo.errors import UsageError
from provrepo.model.identifiers import Identifier, text
from provrepo.server.routing.openapi import OPERATIONS
from tests.support.serving import BROWSER, Site, opened

SCHEMES = (
    *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "JAVASCRIPT:%61lert(1)", "data:text/html,alert", "vbscript:x"),
    *("file:///etc/passwd", "blob:https://evil.example/x", "view-source:https://evil.example/", "urn:x", "doi:10.1/x"),
)
IN_SVG = (
    *SCHEMES,
    *("\x01javascript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)"),
    *("&#106;avascript:alert(1)", "\u00a0javascript:x", "//evil.example/", "/\\evil.example", "https:evil", "http:/x"),
    *("https://a.example/\njavascript:x", 'https://a.example/" onclick="x'),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        names = [f"h{n}:x" for n in range(len(SCHEMES))]
        prefixes = "\n".join(f"prefix h{n} <{scheme}>" for n, scheme in enumerate(SCHEMES))
        said = "\n".join(
            f"entity({name}, [prov:label=\"{SCHEMES[n]}\", prov:type='{name}', {name}='{name}', prov:value='{name}'])\n"
            f"wasDerivedFrom({name}, {names[n - 1]})\nwasGeneratedBy({name}, {name}a, -)\n"
            f"wasAssociatedWith({name}a, {name}g, {name}p)\nwasAttributedTo({name}, {name}g)"
            for n, name in enumerate(names)
        )
        site.submit("hostile", f"document\n{prefixes}\n{said}\nendDocument".encode())
        site.submit("formulas", _FORMULAS.encode())
        yield site


# --- links -------------------------------------------------------------------------------------------------------

_ADDRESSES = re.compile(
    r"""(?is)\b(?:xlink:href|href|src|action|formaction|data|poster|srcset)\s*=\s*("[^"]*"|'[^']*')"""
)
_HARMLESS = re.compile(r"(?:https?://|/(?![/\\])|#|\?)")


def _links(page: str) -> list[str]:
    import html

    return [html.unescape(found[1:-1]) for found in _ADDRESSES.findall(page)]


def _pages() -> list[str]:
    first = quote(SCHEMES[0] + "x", safe="")
    things = [f"/{page}?iri={quote(scheme + 'x', safe='')}" for scheme in SCHEMES for page in ("thing", "lineage")]
    return [
        *("/", "/projects", "/projects/open", "/projects/open/documents/hostile", "/queries", "/sparql"),
        *("/projects/open/documents/hostile/versions", "/projects/open/documents/hostile/report?format=html"),
        *("/projects/open/documents/hostile.svg", f"/search?q={quote('alert')}", "/search?q=evil"),
        f"/lineage?iri={first}&format=svg",
        "/sparql?query=" + quote("SELECT * { ?s ?p ?o }"),
        *things,
    ]


@pytest.mark.parametrize("path", _pages())
def test_no_page_or_picture_links_to_executable_addresses(site: Site, path: str) -> None:
    answer = site.client.get(path, headers={"Accept": BROWSER})
    assert answer.status_code == 200, answer.text
    # An entity with a name that is no address is one all the same to who reads `rel="…has_anchor"` (PROV-AQ, 3.2).
    found = [link for link in _links(answer.text) if not link.startswith(("urn:", "doi:"))]
    assert found or "svg" in path
    assert [link for link in found if not _HARMLESS.match(link)] == []
    for link in answer.headers.getlist("Link"):
        targets = re.findall(r"<([^>]*)>\s*;", link)
        assert [
            target for target in targets if not _HARMLESS.match(target.removeprefix("urn:").removeprefix("doi:"))
        ] == [target for target in targets if target.startswith(("urn:", "doi:"))]


@pytest.mark.parametrize("address", IN_SVG)
def test_no_picture_links_to_executable_addresses(address: str) -> None:
    picture = render(Graph((NodeGroup("", (Node("e", "entity", "e", href=address),), ()),)))
    root = ElementTree.fromstring(picture)
    assert not [element for element in root.iter() if element.tag.endswith("}a")]
    assert "href" not in picture


# --- other sites -------------------------------------------------------------------------------------------------

ELSEWHERE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
BASES = {
    "": False,
    "http://localhost:8000/": False,
    "http://prov.localhost/": False,
    "http://127.0.0.1:8000/": False,
    "http://[::1]/": False,
    "http://192.168.1.5/": False,
    "http://10.0.0.1/": False,
    "http://169.254.1.1/": False,
    **{f"http://{host}/": False for host in ("127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:7f00:1]")},
    **{f"http://{host}/": False for host in ("127%2e0.0.1", "LOCALHOST.", "prov", "prov.local", "a.home.arpa")},
    **{f"http://{host}/": False for host in ("localhost.localdomain", "prov.internal", "[fe80::1]", "0.0.0.0")},
    "https://localhost.example/": True,
    "https://local.prov.example/": True,
    "urn:example:": False,
    "https://prov.example/": True,
    "https://8.8.8.8/": True,
}


def _reading() -> list[str]:
    """The address of each operation that reads, over the private project where it is about one."""
    return sorted({endpoint for endpoint, method in OPERATIONS if method == "GET"})


def _address(site: Site, endpoint: str) -> str:
    values = {"project": "secret", "document": "run", "version": "1", "name": "core", "suffix": "provn"}
    rule = next(r for r in site.app.url_map.iter_rules() if r.endpoint == endpoint)
    given = {name: values.get(name, "run") for name in rule.arguments}
    built = rule.build({**given}, append_unknown=False)
    assert built is not None
    return str(built[1])


@pytest.mark.parametrize("endpoint", _reading())
def test_without_a_public_base_no_other_site_reads_with_a_token(site: Site, endpoint: str) -> None:
    path = _address(site, endpoint)
    answer = site.client.get(path, headers={**ELSEWHERE, **site.auth("all")})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert site.client.get(path, headers={**ELSEWHERE, "Authorization": "Basic x"}).headers.get(
        "Access-Control-Allow-Origin"
    ) is None  # fmt: skip
    stranger = site.client.get(path, headers=ELSEWHERE)
    assert stranger.headers["Access-Control-Allow-Origin"] == "*"
    assert stranger.status_code >= 400 or '"Hidden"' not in stranger.get_data(as_text=True)
    preflight = site.client.options(
        path,
        headers={
            **ELSEWHERE,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
            "Access-Control-Request-Private-Network": "true",
        },
    )
    assert "Authorization" not in preflight.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Private-Network" not in preflight.headers
    assert "Access-Control-Allow-Credentials" not in preflight.headers


@pytest.mark.parametrize("base", BASES)
def test_with_a_public_base_other_sites_read_with_a_token(
    site: Site, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provrepo.repository.store.Store.base", lambda _: base)
    answer = site.client.get("/projects/secret/metrics", headers={**ELSEWHERE, **site.auth("all")})
    assert answer.headers.get("Access-Control-Allow-Origin") == ("*" if BASES[base] else None)
    preflight = site.client.options("/projects/secret/metrics", headers=ELSEWHERE)
    assert ("Authorization" in preflight.headers["Access-Control-Allow-Headers"]) is BASES[base]


# --- formulas ----------------------------------------------------------------------------------------------------

FORMULAS = (
    *("=1+1", "+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "=1,=2", '="a"', "\uff1d1"),
    *("|x", "%x", "\u00a0=1", "\t1", "-\u0661"),
)
PLAIN = ("a=1", "a\n=1", 'a","=1', "", "-5", "+5", "-.5e-3", "1E3", "'=1", "http://a/=1", "a@b", "a\t=1")
_FORMULAS = "document\nprefix ex <http://e.example/>\n" + (
    'entity(ex:f, [prov:label="=HYPERLINK(1)", ex:n="-5" %% xsd:int])\nendDocument'
)


def _cells(data: bytes) -> list[str]:
    return [row[0] for row in csv.reader(io.StringIO(data.decode(), newline="")) if row][1:]


@pytest.mark.parametrize("value", FORMULAS)
def test_a_formula_gets_an_apostrophe(value: str) -> None:
    result = QueryResult("bindings", variables=("v",), rows=[{"v": text(value)}])
    assert _cells(result.write("csv", quote_formulas=True)) == [f"'{value}"]
    assert _cells(result.write("csv")) == [value]


@pytest.mark.parametrize("value", PLAIN)
def test_text_that_is_not_a_formula_is_unchanged(value: str) -> None:
    result = QueryResult("bindings", variables=("v", "w"), rows=[{"v": text(value), "w": Identifier("urn:=")}])
    assert result.write("csv", quote_formulas=True) == result.write("csv")


def test_formulas_are_quoted_in_csv_only() -> None:
    for format_ in ("json", "xml", "tsv"):
        with pytest.raises(UsageError, match="CSV"):
            QueryResult("bindings", variables=("v",), rows=[]).write(format_, quote_formulas=True)


LABELS = "SELECT ?l { ?e <http://www.w3.org/2000/01/rdf-schema#label> ?l FILTER(STRSTARTS(?l, '=')) }"


@pytest.mark.parametrize(
    "path", ["/sparql", "/projects/open/sparql", "/projects/open/documents/formulas/versions/1/sparql"]
)
def test_quoting_of_formulas_is_a_parameter_over_http(site: Site, path: str) -> None:
    asked = {"query": LABELS, "format": "csv"}
    for quoted, cell in (("true", "'=HYPERLINK(1)"), ("false", "=HYPERLINK(1)"), ("", "=HYPERLINK(1)")):
        fields = {**asked, "quote_formulas": quoted}
        for answer in (
            site.client.get(path, query_string=fields),
            site.client.post(path, data=fields),
            site.client.post(path, query_string={"quote_formulas": quoted}, data=asked),
        ):
            assert (answer.status_code, _cells(answer.data)) == (200, [cell]), answer.text
    for wrong in ({**asked, "quote_formulas": "1"}, {**asked, "format": "json", "quote_formulas": "true"}):
        assert site.client.get(path, query_string=wrong).status_code == 400
    operations = [key for key in OPERATIONS if key[0].startswith("sparql.") or key == ("queries.one", "GET")]
    for key in operations:
        assert "quote_formulas" in {parameter.name for parameter in OPERATIONS[key].parameters}, key


def test_quoting_of_formulas_is_an_option_on_the_command_line(site: Site) -> None:
    runner = CliRunner()
    wrong = runner.invoke(cli, ["query", "--quote-formulas", "--output", "json", LABELS])
    assert wrong.exit_code == 2
    assert "--output csv" in wrong.output

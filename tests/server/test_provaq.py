"""PROV-AQ: the links on answers, the service description, and how a thing's IRI is read."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from provrepo.codecs import formats
from provrepo.codecs.results import QueryResult
from provrepo.server.lineage.provaq import ROOM
from provrepo.server.lineage.targets import readings
from provrepo.server.protocol.links import HeaderLink, parse
from tests.support.command import Command, environment
from tests.support.paths import ROOT
from tests.support.serving import BROWSER, Site, opened

PROV = "http://www.w3.org/ns/prov#"
SD = "http://www.w3.org/ns/sparql-service-description#"
EX = "https://example.org/"
RUN = "/projects/open/documents/run"
STRANGE = ("é/été", "a+b", "x%20y", "x%2Fy", "doc#part", "find?q=1&r=2")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("provaq")) as found:
        found.owner.init("https://prov.example/")
        things = "".join(f"<{EX}{name}> a <{PROV}Entity> .\n" for name in STRANGE)
        found.owner.submit(things.encode(), project="open", name="strange", format="turtle")
        yield found


def _links(site: Site, path: str, **headers: str) -> dict[str, list[HeaderLink]]:
    answer = site.client.get(path, headers=headers)
    assert answer.status_code == 200, answer.data
    assert len(answer.headers.getlist("Link")) == 1
    found: dict[str, list[HeaderLink]] = {}
    for link in parse(answer.headers["Link"]):
        for relation in link.relations:
            found.setdefault(relation.removeprefix(PROV), []).append(link)
    return found


@pytest.mark.parametrize(
    "path", [RUN, f"{RUN}/versions/1", f"{RUN}/versions/1.ttl", f"{RUN}/original", f"{RUN}/metadata"]
)
def test_documents_say_where_their_provenance_is(site: Site, path: str) -> None:
    found = _links(site, path)
    iri = f"https://prov.example{RUN}/versions/1"
    assert found["has_provenance"].pop().target.startswith("/projects/open/sparql?query=DESCRIBE")
    expected = {
        "has_provenance": f"{RUN}/versions/1",
        "has_query_service": "/prov-aq",
        "pingback": f"{RUN}/versions/1/pingback",
    }
    assert {name: [(link.target, link.parameters["anchor"]) for link in found[name]] for name in expected} == {
        name: [(target, iri)] for name, target in expected.items()
    }
    assert [link.target for link in found["has_anchor"]] == [iri]


def test_where_the_links_lead(site: Site) -> None:
    found = _links(site, RUN)
    record = site.client.get(found["has_provenance"][0].target, headers={"Accept": "text/turtle"})
    assert EX.encode() in record.data
    sent = site.client.get(found["has_provenance"][1].target, headers={"Accept": "text/turtle"})
    assert sent.status_code == 200
    iri = f"<https://prov.example{RUN}/versions/1>"
    assert sent.get_data(as_text=True).partition(iri)[2].count("prov:wasAttributedTo") == 1
    assert site.client.get(found["has_query_service"][0].target).status_code == 200
    sent = site.client.post(found["pingback"][0].target, data=b"http://a.example/", content_type="text/uri-list")
    assert sent.status_code == 204
    assert "latest-version" in found, "the other links are still there"


def test_lists_keep_their_next_link(site: Site) -> None:
    found = _links(site, "/projects/open/documents?limit=1")
    assert found["next"][0].target.startswith("/projects/open/documents?")
    assert found["has_query_service"][0].target == "/prov-aq"


def test_head_and_304_have_the_links_and_errors_have_none(site: Site) -> None:
    answer = site.client.get(RUN)
    assert site.client.head(RUN).headers["Link"] == answer.headers["Link"]
    again = site.client.get(RUN, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers["Link"]) == (304, answer.headers["Link"])
    for path in ("/projects/open/documents/none", "/projects/secret/documents/run", f"/thing?iri={EX}none"):
        answer = site.client.get(path)
        assert answer.status_code == 404
        assert "Link" not in answer.headers


def test_things_and_lineage(site: Site) -> None:
    iri = f"{EX}table"
    found = _links(site, f"/thing?iri={iri}")
    here = f"/lineage?iri={quote(iri, safe=':/')}"
    documents = ["/projects/open/documents/run/versions/1", "/projects/open/documents/twice/versions/2"]
    assert [link.target.replace("%3A", ":").replace("%2F", "/") for link in found["has_provenance"]] == [
        here,
        *documents,
    ]
    assert {link.parameters["anchor"] for link in found["has_provenance"]} == {iri}
    assert [link.target for link in found["has_anchor"]] == [iri]
    assert found["has_query_service"][0].parameters["anchor"] == iri
    found = _links(site, f"/lineage?iri={iri}")
    assert [link.parameters["anchor"] for link in found["has_provenance"]] == [iri]


def test_pages_have_link_elements(site: Site) -> None:
    html = site.client.get(RUN, headers={"Accept": BROWSER}).get_data(as_text=True)
    head = html.partition("</head>")[0]
    found = dict(reversed(re.findall(rf'<link rel="{PROV}([a-z_]*)" href="([^"]*)">', head)))
    assert found == {
        "has_provenance": f"{RUN}/versions/1",
        "has_anchor": f"https://prov.example{RUN}/versions/1",
        "has_query_service": "/prov-aq",
        "pingback": f"{RUN}/versions/1/pingback",
    }
    html = site.client.get("/", headers={"Accept": BROWSER}).get_data(as_text=True)
    assert re.findall(rf'<link rel="{PROV}([a-z_]*)"', html) == ["has_query_service"]


def test_links_have_a_bound_and_cannot_be_broken_out_of(site: Site) -> None:
    long = EX + "a" * 1800
    site.submit("long", _entity(long))
    answer = site.client.get(f"/thing?iri={long}")
    assert answer.status_code == 200
    assert 0 < len(answer.headers["Link"]) <= ROOM
    for hostile in (f'{EX}"; rel="next', f"{EX}>, <https://evil.example/>", f"{EX}\r\nSet-Cookie: a=b"):
        for path in ("/thing", "/lineage"):
            answer = site.client.get(path, query_string={"iri": hostile})
            assert answer.status_code in {400, 404}
            assert "Set-Cookie" not in answer.headers
            assert "Link" not in answer.headers


def _entity(iri: str) -> bytes:
    head, name = iri[: len(EX)], iri[len(EX) :]
    return f"document\nprefix ex <{head}>\nentity(ex:{name})\nendDocument".encode()


# The service description


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "text/turtle; charset=utf-8"),
        ("application/ld+json", "application/ld+json"),
        ("application/rdf+xml", "application/rdf+xml"),
        ("application/n-triples", "application/n-triples"),
    ],
)
def test_the_service_description(site: Site, accept: str, media_type: str) -> None:
    import rdflib

    answer = site.client.get("/prov-aq", headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (200, media_type)
    graph = rdflib.Graph().parse(data=answer.data, format=media_type.partition(";")[0])
    found = graph.query(
        f"""PREFIX prov: <{PROV}> PREFIX sd: <{SD}>
        SELECT ?template ?endpoint {{
          ?here a prov:ServiceDescription .
          {{ ?here prov:describesService ?s . ?s a prov:DirectQueryService ; prov:provenanceUriTemplate ?template }}
          UNION {{ ?here prov:describesService ?s . ?s a sd:Service ; sd:endpoint ?endpoint ;
            sd:supportedLanguage sd:SPARQL11Query }}
        }}"""
    )
    values = {str(value) for row in found for value in row if value is not None}
    assert values == {
        "https://prov.example/lineage?iri={uri}",
        "https://prov.example/lineage?iri={+uri}",
        "https://prov.example/sparql",
    }
    again = site.client.get("/prov-aq", headers={"Accept": accept, "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_the_description_is_open_to_other_sites_and_takes_no_other_format(site: Site) -> None:
    answer = site.client.get("/prov-aq", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Link" in answer.headers["Access-Control-Expose-Headers"]
    assert site.client.get("/prov-aq?format=svg").status_code == 406
    assert site.client.post("/prov-aq").status_code == 405
    assert QueryResult("graph").formats()[0] == "turtle"


# What clients make of the templates


@pytest.mark.parametrize("name", STRANGE[:4])
def test_every_expansion_of_a_template_finds_the_thing(site: Site, name: str) -> None:
    iri = EX + name
    ascii_ = quote(iri, safe="%:/?#[]@!$&'()*+,;=~")
    for written in (quote(iri, safe=""), quote(ascii_, safe=""), ascii_):
        answer = site.client.get(f"/lineage?iri={written}", headers={"Accept": "text/turtle"})
        assert answer.status_code == 200, written
        body = formats.read(answer.data, format="turtle")
        assert [statement.id for statement in body.statements] == [iri]


@pytest.mark.parametrize("name", STRANGE[4:])
def test_the_template_that_encodes_takes_any_iri(site: Site, name: str) -> None:
    assert site.client.get(f"/thing?iri={quote(EX + name, safe='')}").get_json()["iri"] == EX + name


def test_readings() -> None:
    assert readings("iri", b"project=p&iri=https://a.example/x&iri=b") == ["https://a.example/x"]
    assert readings("iri", b"iri=https%3A%2F%2Fa.example%2Fx") == ["https://a.example/x"]
    assert readings("iri", b"iri=https://a.example/x+y") == ["https://a.example/x+y"]
    assert readings("iri", b"iri=https://a.example/%ff") == ["https://a.example/%ff"]
    assert readings("iri", b"iri=nonsense") == []
    assert readings("iri", b"") == []


def test_an_unknown_thing_is_not_found(site: Site) -> None:
    assert site.client.get(f"/lineage?iri={EX}a+c").status_code == 404
    assert site.client.get("/lineage?iri=no+iri").status_code == 400
    assert site.client.get("/lineage").status_code == 400
    assert site.client.get(f"/lineage?iri={EX}table&project=nowhere").status_code == 404


# The page of the documentation


PAGE = (ROOT / "docs" / "how-to" / "prov-aq.md").read_text("utf-8")


@pytest.mark.slow(one_in=2)
def test_what_the_page_shows_works(tmp_path: Path) -> None:
    from tests.conftest import TURTLE

    command = Command(tmp_path / "data")
    command("project", "create", "crops", "--public")
    (tmp_path / "run.ttl").write_bytes(TURTLE)
    command("submit", tmp_path / "run.ttl", "--project", "crops", "--name", "run-42")
    process = subprocess.Popen(
        [sys.executable, "-m", "provrepo", "--data", str(command.data), "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(PROVREPO_TRUSTED_PROXY="127.0.0.1", PROVREPO_PINGBACK_RATE="2", PROVREPO_QUERY_WORKERS="1"),
    )
    assert process.stderr is not None
    url = next(found.group() for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1\S+", line)))
    drain = threading.Thread(target=process.stderr.read, daemon=True)
    drain.start()
    try:
        variables = {**environment(), "SERVER": url.rstrip("/"), "NO_PROXY": "*"}

        def run(script: str) -> str:
            ran = subprocess.run(
                ["sh", "-e", "-c", script], capture_output=True, text=True, env=variables, cwd=tmp_path, check=False
            )
            assert ran.returncode == 0, script + ran.stdout + ran.stderr
            return ran.stdout

        printed = [run(block) for block in re.findall(r"(?s)<!-- live -->\n```sh\n(.*?)```", PAGE)]
        assert [name for name in ("has_provenance", "has_query_service", "pingback") if name not in printed[0]] == []
        assert "lineage?iri={uri}" in printed[1]
        assert "http://example.org/raw" in printed[2]
        assert printed[3:] == ["204\n", "204\n"]
        # Two an hour have come from here; the proxy speaks for somebody else, and only its own word counts.
        send = "curl -s -o out -w '%{http_code}' --data-binary http://a.example/ -H 'Content-Type: text/uri-list' "
        here = '"$SERVER/projects/crops/documents/run-42/pingback"'
        assert run(f"{send} {here}") == "429"
        assert run(f"{send} -H 'X-Forwarded-For: 192.0.2.1' {here}") == "204"
        assert [run(f"{send} -H 'X-Forwarded-For: 192.0.2.{n}, 192.0.2.1' {here}") for n in (5, 6)] == ["204", "429"]
    finally:
        process.terminate()
        process.wait(timeout=60)
        drain.join()
        process.stderr.close()
    assert "coyote.example" in command("pingbacks", "list", "crops/run-42").stdout

"""A repository with long lists and long texts: documents, versions, findings, prefixes, what waits for a review."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.support.lineages import BULLETIN, outlook
from tests.support.serving import PROVN, Site, opened

__all__ = ["LARGE", "SIGNED", "enlarged"]

EX = "https://example.org/"
LONG = "a label that goes on and on, as those of tools do that put every parameter into one name; " * 12
UNBROKEN = "a-name-that-is-longer-than-a-screen-is-wide-and-has-no-place-to-break-it_" * 4
HEAD = f"document\n  prefix ex <{EX}>\n"

_DOCUMENTS, _VERSIONS, _PROJECTS, _WAITING, _STATEMENTS = 60, 55, 16, 12, 3000


def _document(lines: Iterator[str], head: str = HEAD) -> bytes:
    return "\n".join([head, *lines, "endDocument"]).encode()


def _contradictions(number: int) -> Iterator[str]:
    """Activities that end before they begin: each is a finding with a message of its own; and none has an agent."""
    for n in range(number):
        yield f"  activity(ex:late{n}, 2026-01-02T00:00:00Z, 2026-01-01T{n // 60:02}:{n % 60:02}:00Z)"
        yield f"  used(ex:late{n}, ex:unknown{n}, -)"


def _prefixes(number: int) -> bytes:
    head = "document\n" + "".join(f"  prefix p{n} <https://p{n}.example/>\n" for n in range(number))
    return _document((f"  entity(p{n}:x, [p{n}:size={n}])" for n in range(number)), head)


def _unmapped(number: int) -> bytes:
    triples = "".join(f"ex:thing{n} ex:size{n % 40} {n} .\n" for n in range(number))
    head = f"@prefix ex: <{EX}> .\n@prefix prov: <http://www.w3.org/ns/prov#> .\nex:a a prov:Entity .\n"
    return f"{head}{triples}".encode()


def _attributes(number: int) -> Iterator[str]:
    said = ", ".join(f'ex:property{n}="value {n} of a thing with many properties"' for n in range(number))
    yield f"  entity(ex:described, [{said}])"


@contextmanager
def enlarged(data: Path) -> Iterator[Site]:
    """The small repository of ``opened`` with long lists and long texts, in a folder that does not exist yet."""
    with opened(data) as site:
        owner = site.owner
        for n in range(_PROJECTS):
            owner.create_project(f"project-{n}", public=True, title=LONG[:200] if n % 9 == 0 else f"Project number {n}")
        for n in range(_DOCUMENTS):
            site.submit(f"run-{n:03}-of-a-pipeline-with-a-long-name", PROVN + b"\n" * n)
        for n in range(_VERSIONS):
            owner.submit(
                PROVN.replace(b"harvest", f"harvest {n}".encode()), project="open", name="versions", format="provn",
                note=LONG[:300] if n % 9 == 0 else f"correction {n}", update=True,
            )  # fmt: skip
        site.submit("outlook", outlook())
        site.submit("statements", _document(f'  entity(ex:s{n}, [prov:label="row {n}"])' for n in range(_STATEMENTS)))
        site.submit("statements", _document(f'  entity(ex:s{n}, [prov:label="row {n + 1}"])' for n in range(900)))
        site.submit("contradictions", _document(_contradictions(150)))
        site.submit("prefixes", _prefixes(150))
        site.submit("attributes", _document(_attributes(300)))
        site.submit(
            "labels",
            _document(f'  entity(ex:{UNBROKEN}{n}, [prov:label="{n} {LONG}{UNBROKEN}"])' for n in range(30)),
        )
        owner.submit(_unmapped(400), project="open", name="unmapped", format="turtle")
        for n in range(_WAITING):
            refused = PROVN.replace(b"  wasAssociatedWith(ex:run, ex:ada, -)\n", b"\n" * n)
            owner.submit_for_review(refused, project="open", name=f"waiting-{n}", profiles=["core"], refused=True)
        yield site


AT = "/projects/open/documents"
QUERY = quote("SELECT ?entity ?label WHERE { ?entity a prov:Entity . OPTIONAL { ?entity rdfs:label ?label } }")
LARGE = (
    "/",
    "/projects",
    "/projects/open",
    "/projects/open?sort=name",
    "/projects/open/metrics",
    "/projects/open/ledger",
    "/projects/open/datasets",
    "/profiles",
    "/queries",
    "/openapi.json",
    "/health",
    "/session",
    "/submit",
    "/record",
    "/sparql",
    f"{AT}/run",
    f"{AT}/versions",
    f"{AT}/versions/versions",
    f"{AT}/versions/diff",
    f"{AT}/outlook",
    f"{AT}/statements",
    f"{AT}/statements/statements",
    f"{AT}/statements/diff",
    f"{AT}/contradictions",
    f"{AT}/contradictions/report",
    f"{AT}/prefixes",
    f"{AT}/attributes",
    f"{AT}/attributes/statements",
    f"{AT}/labels",
    f"{AT}/unmapped",
    f"{AT}/gone",
    f"{AT}/nothing",
    f"/thing?iri={EX}table",
    f"/thing?iri={EX}described",
    f"/thing?iri={EX}{UNBROKEN}1",
    "/search?q=table",
    "/search?q=row",
    "/search?q=run&part=documents",
    f"/lineage?iri={EX}table",
    f"/lineage?iri={EX}raw&direction=downstream",
    f"/lineage?iri={BULLETIN}",
    f"/lineage?iri={BULLETIN}&group=distance&page=2",
    f"/sparql?query={QUERY}",
)
"""Pages for everybody."""

SIGNED = (
    "/",
    "/projects/open",
    "/projects/open/pending",
    "/projects/open/audit",
    "/submit?project=open&name=run",
    "/submit?project=open&name=statements",
    "/record?project=open",
    f"{AT}/run",
)
"""Pages for those who may write."""

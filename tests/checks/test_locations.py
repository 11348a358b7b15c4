"""Lines of findings in a source whose parser does not report them."""

from __future__ import annotations

import pytest

import provrepo
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.locations import locate
from provrepo.model.document import Document
from provrepo.vocab import RDF

PREFIXES = "@prefix prov: <http://www.w3.org/ns/prov#> .\n@prefix ex: <http://e.example/> .\n"


def test_locations_in_long_lines_are_found_once() -> None:
    """A line may contain a thing very often; only a short text before each occurrence is searched."""
    source = (PREFIXES + "ex:run a prov:Activity ; ex:q " + ", ".join(["ex:b"] * 200_000) + " .\n").encode()
    document = provrepo.read(source, format="turtle")
    asked = Finding("shapes", "x", Severity.WARNING, "m", focus="http://e.example/b")
    (found,) = locate([asked], document, source)
    assert (found.line, found.approximate) == (3, True)


@pytest.mark.parametrize(
    ("format", "text", "line"),
    [
        ("turtle", PREFIXES + "ex:a ex:p ex:b .\n  ex:b ex:p ex:c .", 4),
        (
            "ntriples",
            "<http://e.example/a> <http://e/p> <http://e.example/b> .\n<http://e.example/b> <http://e/p> 'x' .",
            2,
        ),
        ("rdfjsonld", '[{"@id": "http://e.example/a", "http://e/p": {\n"@id": "http://e.example/b"}}]', 2),
        (
            "rdfxml",
            f'<r:RDF xmlns:r="{RDF}" xmlns:e="http://e/"><r:Description r:about="http://e/a">\n<e:p r:resource="http://e.example/b"/>'
            '</r:Description>\n<r:Description r:about="http://e.example/b"/></r:RDF>',
            3,
        ),
    ],
)
def test_the_location_of_a_thing_is_where_it_is_a_subject(format: str, text: str, line: int) -> None:  # noqa: A002
    document = Document(format=format)
    document.prefixes["ex"] = "http://e.example/"
    asked = Finding("shapes", "x", Severity.WARNING, "m", focus="http://e.example/b")
    (found,) = locate([asked], document, text.encode())
    assert found.line == line

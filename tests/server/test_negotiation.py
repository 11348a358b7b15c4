"""Content negotiation by the Accept header."""

from __future__ import annotations

import pytest

from provrepo.server.documents.documents import OFFERS
from provrepo.server.protocol.negotiate import HTML, JSON, accepted
from tests.support.serving import BROWSER


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("", "provjson"),
        ("*/*", "provjson"),
        ("application/*", "provjson"),
        ("text/*", "provn"),
        ("application/json", "provjson"),
        ("application/prov+json", "provjson"),
        (BROWSER, "html"),
        ("text/html", "html"),
        ("text/html, application/json", "provjson"),
        ("text/html;q=0.9, application/json;q=0.8", "html"),
        ("text/provenance-notation", "provn"),
        ("application/provenance+xml", "provxml"),
        ("application/xml", "provxml"),
        ("text/turtle", "turtle"),
        ("TEXT/Turtle ; charset=utf-8", "turtle"),
        ("text/turtle, */*", "turtle"),
        ("text/turtle;q=0.1, */*;q=0.5", "provjson"),
        ("application/trig", "trig"),
        ("application/n-triples", "ntriples"),
        ("application/n-quads", "nquads"),
        ("application/rdf+xml", "rdfxml"),
        ("application/ld+json", "provjsonld"),
        ('application/ld+json; profile="http://www.w3.org/ns/prov#"', "rdfjsonld"),
        ('application/ld+json; profile="https://openprovenance.org/prov-jsonld"', "provjsonld"),
        (
            'application/ld+json; profile="http://www.w3.org/ns/json-ld#compacted http://www.w3.org/ns/prov#"',
            "rdfjsonld",
        ),
        ('application/ld+json; profile="http://example.org/other"', None),
        ("application/json;q=0, application/prov+json;q=0, */*;q=0.1, text/html", "html"),
        ("image/png", None),
        ("*/*;q=0", None),
        ("text/turtle;q=nonsense", "turtle"),
        ("text/turtle;q=7, application/json", "provjson"),
        ("nonsense, ;;;, text/turtle", "turtle"),
    ],
)
def test_documents(header: str, name: str | None) -> None:
    choice = accepted(OFFERS, header)
    assert (choice and choice.name) == name


def test_a_client_gets_the_media_type_it_names() -> None:
    choice = accepted(OFFERS, "application/xml")
    assert choice is not None
    assert choice.media_type == "application/xml"
    choice = accepted(OFFERS, "application/*;q=0.3, text/*;q=0.2")
    assert choice is not None
    assert choice.media_type == "application/json"


def test_the_more_exact_range_decides() -> None:
    # RFC 9110, section 12.5.1: a vaguer range does not revive what a more exact one refuses.
    choice = accepted((JSON, HTML), "application/json;q=0, application/*;q=1, text/html;q=0.1")
    assert choice is not None
    assert choice.name == "html"


def test_only_the_first_ranges_of_a_long_header_are_read() -> None:
    assert accepted(OFFERS, ",".join(["image/png"] * 500 + ["text/turtle"])) is None

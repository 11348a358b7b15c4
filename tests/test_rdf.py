"""The RDF syntaxes: what is read, what is refused and where, and that writing loses only what it says it loses."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs import formats, rdf
from provrepo.errors import ReadError, WriteError
from provrepo.model.digest import compare
from provrepo.model.document import Bundle, Document, Quad
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import DERIVATION, ENTITY, KINDS, MEMBERSHIP, USAGE, Statement
from provrepo.vocab import PROV, PROV_TYPE, RDFS_LABEL, XSD
from tests.strategies import documents

RDF_FORMATS = [row.name for row in formats.FORMATS if row.rdf]
DATASETS = [row.name for row in formats.FORMATS if row.rdf and row.bundles]
EX = "http://example.org/"
PREFIXES = "@prefix ex: <http://example.org/> . @prefix prov: <http://www.w3.org/ns/prov#> .\n"


def ex(local: str) -> Identifier:
    return Identifier(EX + local)


PROV_CLASSES = [
    Identifier(PROV + name)
    for name in (
        "Entity Activity Agent Plan Person Bundle Collection Revision Quotation PrimarySource Usage Generation "
        "Derivation Influence EntityInfluence Association Location"
    ).split()
]


@st.composite
def prov_typed(draw: st.DrawFn) -> Document:
    """Documents whose few identifiers, PROV types and properties get in each other's way."""
    names = st.sampled_from([ex("a"), ex("b"), ex("c"), Identifier("_:n"), Identifier("_:x y")])
    attribute = st.one_of(
        st.tuples(st.just(Identifier(PROV_TYPE)), st.sampled_from(PROV_CLASSES)),
        st.tuples(st.just(ex("tag")), st.sampled_from([Literal("1"), ex("a"), Identifier("_:n")])),
        st.tuples(st.sampled_from([Identifier(PROV + n) for n in ("role", "used", "entity", "atTime")]), names),
        st.tuples(st.just(Identifier(RDFS_LABEL)), st.just(Literal("label"))),
    )
    found = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from([*KINDS.values(), DERIVATION, DERIVATION, USAGE]))
        args = tuple(
            draw(st.sampled_from(["2020-01-01T00:00:00Z", "never"]) if a.time else names)
            if draw(st.integers(0, 9)) > 1
            else None
            for a in kind.arguments
        )
        own = draw(names) if kind.element or (kind.identified and draw(st.booleans())) else None
        attributes = tuple(draw(st.lists(attribute, max_size=2))) if kind.attributed else ()
        found.append(Statement(kind, own, args, attributes))
    return Document(statements=found)


def assert_kept(document: Document, format: str) -> None:
    if formats.losses(document, format):
        return
    back = rdf.read(rdf.write(document, format=format), format=format, base=None)
    assert str(compare(document, back).difference) == ""
    assert not len(back.unmapped)


@pytest.mark.parametrize("format", RDF_FORMATS)
@given(document=documents(controls=True, missing_mandatory=True, repeated_bundles=True, repeated_relations=True))
@settings(max_examples=60, deadline=None)
def test_what_is_not_reported_lost_is_read_back(document: Document, format: str) -> None:
    assert_kept(document, format)


@given(document=prov_typed(), format=st.sampled_from(RDF_FORMATS))
@settings(max_examples=400, deadline=None)
def test_what_is_not_reported_lost_is_read_back_among_prov_terms(document: Document, format: str) -> None:
    assert_kept(document, format)

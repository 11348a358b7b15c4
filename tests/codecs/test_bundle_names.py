"""Names of bundles are read and written with the bundle's own declarations, in every format that has them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs.formats import read
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import ENTITY, USAGE, Statement
from tests.support.round_trip import BOTH_WAYS
from tests.support.sampling import examples

NAMESPACES = ("http://a.example/", "http://b.example/", "http://a.example/b/", "urn:c:")
FORMATS = [format_.name for format_ in BOTH_WAYS if format_.bundles]

_names = st.builds(lambda start, local: Identifier(start + local), st.sampled_from(NAMESPACES), st.sampled_from("xyz"))
_prefixes = st.dictionaries(st.sampled_from(["", "p", "q"]), st.sampled_from(NAMESPACES), max_size=3)
_statements = st.lists(
    st.builds(lambda name: Statement(ENTITY, name), _names)
    | st.builds(lambda left, right: Statement(USAGE, None, (left, right, None)), _names, _names),
    max_size=3,
)


@st.composite
def shadowed(draw: st.DrawFn) -> Document:
    """A document whose bundles declare prefixes and a default namespace that the document declares otherwise."""
    document = Document(draw(_statements), prefixes=draw(_prefixes))
    for name in draw(st.lists(_names, min_size=1, max_size=3, unique=True)):
        # An empty bundle is none in RDF.
        document.bundles.append(Bundle(name, [Statement(ENTITY, draw(_names)), *draw(_statements)], draw(_prefixes)))
    return document


@pytest.mark.parametrize("format_", FORMATS)
@given(document=shadowed())
@settings(max_examples=examples(60), deadline=None)
def test_what_is_shadowed_is_read_again(format_: str, document: Document) -> None:
    again = read(document.write(format_), format=format_)
    # Bundles with equally spelled names share one key of PROV-JSON, so only their order may change.
    assert sorted(bundle.id or "" for bundle in again.bundles) == sorted(bundle.id or "" for bundle in document.bundles)
    assert again.compare(document).same


@pytest.mark.parametrize("source", [name for name in FORMATS if name not in ("trig", "nquads", "rdfjsonld")])
@given(document=shadowed(), target=st.sampled_from(FORMATS))
@settings(max_examples=examples(60), deadline=None)
def test_what_is_shadowed_survives_a_second_format(source: str, target: str, document: Document) -> None:
    first = read(document.write(source), format=source)
    assert read(first.write(target), format=target).compare(document).same


SOURCES = {
    "provn": """document
        default <http://a.example/> prefix k <http://outer.example/>
        bundle thing default <http://b.example/> entity(thing) endBundle
        bundle k:b prefix k <http://inner.example/> entity(k:e) endBundle
        endDocument""",
    "provxml": """<prov:document xmlns:prov="http://www.w3.org/ns/prov#" xmlns="http://a.example/"
        xmlns:k="http://outer.example/">
        <prov:bundleContent prov:id="thing" xmlns="http://b.example/"><prov:entity prov:id="thing"/>
        </prov:bundleContent>
        <prov:bundleContent prov:id="k:b" xmlns:k="http://inner.example/"><prov:entity prov:id="k:e"/>
        </prov:bundleContent>
        </prov:document>""",
}


@pytest.mark.parametrize("format_", SOURCES)
def test_a_bundle_is_named_by_its_own_declarations(format_: str) -> None:
    document = read(SOURCES[format_].encode(), format=format_)
    assert [(bundle.id, bundle.statements[0].id) for bundle in document.bundles] == [
        ("http://b.example/thing", "http://b.example/thing"),
        ("http://inner.example/b", "http://inner.example/e"),
    ]

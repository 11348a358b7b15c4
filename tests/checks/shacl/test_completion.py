"""Completion on integers adds what ``provrepo.codecs.provo.completion`` adds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.checks.shacl.completion import complete
from provrepo.checks.shacl.graph import Graph
from provrepo.codecs.provo.bioschemas import moved
from provrepo.codecs.provo.completion import complete as complete_quads
from provrepo.codecs.provo.completion import minted
from provrepo.codecs.provo.declared import DECLARATIONS, Declared
from provrepo.codecs.provo.dictionary import PAIR_ENTITY
from provrepo.codecs.provo.terms import (
    CLASS,
    PLACES,
    PREDICATES,
    SUBCLASS_OF,
    SUBCLASSES,
    SUBPROPERTY_OF,
    SUBTYPES,
    TYPE,
)
from provrepo.codecs.provo.writer import Labels, instance_quads
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal
from provrepo.vocab import PROV, XSD_DATETIME
from tests.support.corpus import present
from tests.support.sampling import examples
from tests.support.strategies import documents

EX = "http://example.org/"


def require_same(quads: list[Quad]) -> None:
    declared = Declared([quad for quad in quads if quad.predicate in DECLARATIONS])
    graph = Graph(quads)
    complete(graph, declared)
    expected = {quad._replace(graph=None) for quad in [*quads, *complete_quads(quads, declared=declared)]}
    assert set(graph.quads()) == expected
    complete(graph, declared)
    assert set(graph.quads()) == expected, "completing what is completed adds nothing"


_NAMES = [Identifier(EX + name) for name in "abcd"] + [Identifier("_:n")]
_DECLARED = [Identifier(EX + name) for name in ("Class", "property")]
_PREDICATES = [Identifier(name) for name in sorted({*PREDICATES, *(n for places in PLACES.values() for n in places)})]
_CLASSES = [Identifier(name) for name in sorted({*CLASS, *SUBCLASSES, *SUBTYPES, *list(moved())[:3]})]
_TIME = Literal("2020-01-01T00:00:00Z", XSD_DATETIME)

_QUADS = st.one_of(
    st.builds(
        Quad,
        st.sampled_from(_NAMES),
        st.sampled_from([*_PREDICATES, _DECLARED[1], PAIR_ENTITY, *(Identifier(n) for n in list(moved())[:3])]),
        st.sampled_from([*_NAMES, *_NAMES, _TIME]),
    ),
    st.builds(Quad, st.sampled_from(_NAMES), st.just(TYPE), st.sampled_from([*_CLASSES, _DECLARED[0]])),
    st.builds(Quad, st.just(_DECLARED[0]), st.just(SUBCLASS_OF), st.sampled_from(_CLASSES)),
    st.builds(Quad, st.just(_DECLARED[1]), st.just(SUBPROPERTY_OF), st.sampled_from(_PREDICATES)),
)


@given(st.lists(_QUADS, max_size=16))
@settings(max_examples=examples(400), deadline=None)
def test_random_triples(quads: list[Quad]) -> None:
    require_same(quads)


@given(documents())
@settings(max_examples=examples(60), deadline=None)
def test_documents(document: provrepo.Document) -> None:
    labels = Labels(document)
    for instance in document.instances():
        require_same(instance_quads(instance.statements, labels))


def _corpus() -> list[Path]:
    root = present("documents")
    files = sorted(root.rglob("*.ttl")) if root else []
    return [file for file in files if file.stat().st_size < 200_000][:40]


@pytest.mark.parametrize("file", _corpus(), ids=lambda file: file.name)
def test_corpus(file: Path) -> None:
    try:
        document = provrepo.read(file)
    except provrepo.ReadError:
        pytest.skip("not readable")
    labels = Labels(document)
    for instance in document.instances():
        require_same(instance_quads(instance.statements, labels))


def test_a_document_may_have_the_iri_of_a_node_that_is_added() -> None:
    subject, used, value = Identifier(EX + "a"), Identifier(PROV + "used"), Identifier(EX + "e")
    node = minted(subject, used, value)
    require_same([Quad(subject, used, value), Quad(node, Identifier(EX + "p"), value)])
    require_same([Quad(node, Identifier(EX + "p"), value), Quad(subject, used, value)])


def test_a_node_that_was_added_is_found_by_its_iri() -> None:
    subject, used, value = Identifier(EX + "a"), Identifier(PROV + "used"), Identifier(EX + "e")
    graph = Graph([Quad(subject, used, value)])
    complete(graph, Declared([]))
    number = graph.find(minted(subject, used, value))
    assert number in graph.pairs(PROV + "qualifiedUsage").range()
    assert graph.find(Identifier("urn:uuid:unknown")) is None
    twin = graph.copy()
    twin.add([Quad(minted(subject, used, value), Identifier(EX + "p"), value)])
    assert set(twin.quads()) - set(graph.quads()) == {Quad(minted(subject, used, value), Identifier(EX + "p"), value)}

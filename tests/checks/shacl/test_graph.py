"""Graphs as columns of integers, and on their way to another process."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.checks.shacl import ntriples
from provrepo.checks.shacl.graph import Graph
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, text
from provrepo.vocab import RDF_TYPE, XSD
from tests.support.sampling import examples

EX = "http://example.org/"


def triple(subject: str, predicate: str, value: Identifier | Literal) -> Quad:
    return Quad(Identifier(EX + subject), Identifier(EX + predicate), value)


def test_a_triple_that_comes_twice_is_one_in_the_index() -> None:
    value = text("a")
    graph = Graph([triple("s", "p", value), triple("s", "p", value), triple("t", "p", value)])
    pairs = graph.pairs(EX + "p")
    subject = graph.find(Identifier(EX + "s"))
    assert subject is not None
    assert list(pairs.by_subject()[subject]) == [graph.find(value)]
    assert (pairs.domain(), len(pairs.range())) == ({subject, graph.find(Identifier(EX + "t"))}, 1)


def test_many_values_of_one_node_are_each_there_once() -> None:
    quads = [triple("s", "p", Literal(str(n % 30), XSD + "integer")) for n in range(90)]
    graph = Graph(quads)
    (values,) = graph.pairs(EX + "p").by_subject().values()
    assert [graph.term(value) for value in values] == [quad.object for quad in quads[:30]]


def test_language_tags_have_no_case_and_keep_their_spelling() -> None:
    graph = Graph([triple("s", "p", text("a", "en-GB")), triple("s", "p", text("a", "EN-gb"))])
    assert graph.find(text("a", "En-Gb")) == graph.find(text("a", "en-GB")) != graph.find(text("a"))
    assert [quad.object for quad in graph.quads()] == [text("a", "en-GB")] * 2


def test_a_copy_has_the_same_numbers_and_changes_by_itself() -> None:
    graph = Graph([triple("s", "p", text("a"))])
    twin = graph.copy()
    twin.add([triple("s", "p", text("b"))])
    assert len(list(graph.quads())) == 1
    assert twin.find(text("a")) == graph.find(text("a"))
    assert graph.find(text("b")) is None


def test_what_is_known_of_a_graph_is_forgotten_when_it_changes() -> None:
    cls = Identifier(EX + "C")
    graph = Graph([Quad(Identifier(EX + "s"), Identifier(RDF_TYPE), cls)])
    assert len(graph.instances(cls)) == 1
    assert graph.literals() == set()
    graph.add([Quad(Identifier(EX + "t"), Identifier(RDF_TYPE), cls), triple("t", "p", text("a"))])
    assert len(graph.instances(cls)) == 2
    assert len(graph.literals()) == 1


_CHARACTERS = st.characters(exclude_categories=["Cs"])
_TEXTS = st.text(_CHARACTERS, max_size=8)
_IRIS = st.builds(lambda name: Identifier(EX + name), _TEXTS)
_BLANKS = st.sampled_from([Identifier("_:b1"), Identifier("_:a.b-c")])
_LITERALS = st.one_of(
    st.builds(text, _TEXTS),
    st.builds(text, _TEXTS, st.sampled_from(["en", "de-AT"])),
    st.builds(lambda lexical, datatype: Literal(lexical, EX + datatype), _TEXTS, _TEXTS),
)


@given(
    st.lists(
        st.builds(Quad, st.one_of(_IRIS, _BLANKS), _IRIS, st.one_of(_IRIS, _BLANKS, _LITERALS), st.none()), max_size=8
    )
)
@settings(max_examples=examples(300), deadline=None)
def test_what_is_written_for_a_worker_is_read_there(quads: list[Quad]) -> None:
    graph = Graph(quads)
    written = ntriples.write(graph)
    assert set(ntriples.read(written).quads()) == set(quads)
    assert sorted(written.splitlines()) == sorted(b"".join(ntriples.lines(graph.quads())).splitlines())

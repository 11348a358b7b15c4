"""The N-Quads of a version: which graph holds what, that nothing is left out, and how blank nodes are named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

from provrepo.codecs import formats
from provrepo.codecs.provo.completion import complete
from provrepo.codecs.rdf import codec as rdf
from provrepo.codecs.rdf.dataset import DatasetCounts, read_for_dataset, write_nquads
from provrepo.errors import ReadError, WriteError
from provrepo.model.document import Bundle, Document, Quad
from provrepo.model.identifiers import Identifier
from provrepo.model.minting import Minter
from provrepo.model.statements import ENTITY, Statement
from tests.support.corpus import corpus
from tests.support.paths import ROOT
from tests.support.sampling import examples
from tests.support.strategies import documents

VERSION = Identifier("https://repo.example/v/1")
MINTER = Minter("https://repo.example/")
EX = "http://example.org/"
TRIG = b"""@prefix ex: <http://example.org/> . @prefix prov: <http://www.w3.org/ns/prov#> .
ex:a prov:used ex:e ; ex:note "a \\"quoted\\"\\n\\ttab", "\\u00e9\\r"@fr, "007"^^ex:int .
ex:place ex:lat 1.10 .
_:x prov:wasInformedBy ex:a .
ex:b { ex:e prov:wasGeneratedBy _:x . ex:e prov:wasAttributedTo [] }
_:g { ex:e a prov:Plan . }
"""


def genid(number: int) -> Identifier:
    return MINTER.genid("blob", number)


def written(data: bytes, name: str, path: Path) -> tuple[DatasetCounts, list[Quad]]:
    row = formats.by_name(name)
    document, quads = read_for_dataset(data, row, None)
    counts = write_nquads(data, document, row, None, version=VERSION, mint_blank=genid, output=path, quads=quads)
    return counts, rdf.parse(path.read_bytes(), "nquads").quads


def test_graphs_and_counts(tmp_path: Path) -> None:
    counts, quads = written(TRIG, "trig", tmp_path / "content.nq")
    graphs = [Identifier(VERSION + end) for end in ("", "#bundle-1", "#bundle-2")]
    completed = [Identifier(VERSION + end) for end in ("#completed", "#bundle-1-completed", "#bundle-2-completed")]
    assert {quad.graph for quad in quads} == {*graphs, *completed}
    assert counts.asserted == 9 == sum(quad.graph in graphs for quad in quads)
    assert counts.completed == sum(quad.graph in completed for quad in quads) > 0
    assert counts.bundles == ((graphs[1], EX + "b"), (graphs[2], genid(3)))


def test_every_quad_in_is_a_quad_out_in_its_spelling(tmp_path: Path) -> None:
    _, quads = written(TRIG, "trig", tmp_path / "content.nq")
    names = {"_:b1": genid(1), "_:b2": genid(2)}
    graph = {None: VERSION, EX + "b": VERSION + "#bundle-1", "_:b3": VERSION + "#bundle-2"}
    for subject, predicate, value, source_graph in rdf.parse(TRIG, "trig").quads:
        expected = Quad(
            names.get(subject, subject),
            predicate,
            names.get(value, value) if isinstance(value, str) else value,
            graph[source_graph],
        )
        assert expected in quads


def test_no_blank_node_is_left_and_they_are_numbered_by_first_occurrence(tmp_path: Path) -> None:
    _, quads = written(TRIG, "trig", tmp_path / "content.nq")
    assert not any(isinstance(term, str) and term.startswith("_:") for quad in quads for term in quad)
    informed = next(quad for quad in quads if quad.predicate.endswith("wasInformedBy"))
    assert informed.subject == genid(1)


def test_each_graph_is_completed_by_itself(tmp_path: Path) -> None:
    _, quads = written(TRIG, "trig", tmp_path / "content.nq")
    by_graph: dict[Identifier | None, list[Quad]] = {}
    for quad in quads:
        by_graph.setdefault(quad.graph, []).append(quad._replace(graph=None))
    for graph, below in (
        ("", "#completed"),
        ("#bundle-1", "#bundle-1-completed"),
        ("#bundle-2", "#bundle-2-completed"),
    ):
        asserted = by_graph[Identifier(VERSION + graph)]
        assert set(complete(asserted)) == set(by_graph[Identifier(VERSION + below)])


def test_parsing_once_or_twice_gives_the_same_file(tmp_path: Path) -> None:
    row = formats.by_name("trig")
    written(TRIG, "trig", tmp_path / "once.nq")
    document = rdf.read(TRIG, format="trig", base=None)
    write_nquads(TRIG, document, row, None, version=VERSION, mint_blank=genid, output=tmp_path / "twice.nq")
    assert (tmp_path / "once.nq").read_bytes() == (tmp_path / "twice.nq").read_bytes()


@pytest.mark.parametrize("name", ["provn", "provjson"])
@given(document=documents(repeated_bundles=True, awkward_identifiers=False))
@settings(max_examples=examples(30), deadline=None)
def test_other_formats_are_in_prov_o(tmp_path_factory: pytest.TempPathFactory, name: str, document: Document) -> None:
    path = tmp_path_factory.mktemp("content") / "content.nq"
    counts = write_nquads(b"", document, formats.by_name(name), None, version=VERSION, mint_blank=genid, output=path)
    assert [bundle for _, bundle in counts.bundles] == [bundle.id for bundle in document.bundles]
    quads = rdf.parse(path.read_bytes(), "nquads").quads
    assert len(quads) == counts.asserted + counts.completed
    top = [quad._replace(graph=None) for quad in quads if quad.graph == VERSION]
    alone = rdf.write(Document(document.statements), format="ntriples")
    assert len(rdf.parse(alone, "ntriples").quads) == len(top)


def test_bundles_of_one_identifier_stay_apart(tmp_path: Path) -> None:
    bundles = [Bundle(Identifier(EX + "b"), [Statement(ENTITY, Identifier(EX + name))]) for name in "ce"]
    counts = write_nquads(
        b"",
        Document(bundles=bundles),
        formats.by_name("provn"),
        None,
        version=VERSION,
        mint_blank=genid,
        output=tmp_path / "content.nq",
    )
    assert counts.bundles == ((VERSION + "#bundle-1", EX + "b"), (VERSION + "#bundle-2", EX + "b"))
    quads = rdf.parse((tmp_path / "content.nq").read_bytes(), "nquads").quads
    assert [(quad.subject, quad.graph) for quad in quads] == [
        (EX + "c", VERSION + "#bundle-1"),
        (EX + "e", VERSION + "#bundle-2"),
    ]


def test_identifiers_that_are_no_iris_are_refused_by_name(tmp_path: Path) -> None:
    document = Document([Statement(ENTITY, Identifier("no where"))])
    with pytest.raises(WriteError, match="no where"):
        write_nquads(
            b"",
            document,
            formats.by_name("provn"),
            None,
            version=VERSION,
            mint_blank=genid,
            output=tmp_path / "content.nq",
        )


def test_unreadable_bytes_are_refused() -> None:
    with pytest.raises(ReadError):
        read_for_dataset(b"ex:a", formats.by_name("turtle"), None)


def test_the_file_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    source = tmp_path / "source.trig"
    source.write_bytes(TRIG)
    code = f"""
from pathlib import Path
from tests.codecs.test_dataset import written
written(Path({str(source)!r}).read_bytes(), "trig", Path({str(tmp_path)!r}) / "out.nq")
"""
    files = set()
    for seed in ("1", "2", "3"):
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
        )
        files.add((tmp_path / "out.nq").read_bytes())
    assert len(files) == 1


def test_documents_of_the_corpus(tmp_path: Path) -> None:
    for path in sorted(corpus("documents").rglob("primary.cwlprov.*")):
        if path.suffix in (".ttl", ".nt", ".provn", ".json"):
            row = formats.detect(path.read_bytes(), path)
            counts, quads = written(path.read_bytes(), row.name, tmp_path / "content.nq")
            assert len(quads) == counts.asserted + counts.completed
            if row.rdf:
                assert counts.asserted == len(set(rdf.parse(path.read_bytes(), row.name).quads))

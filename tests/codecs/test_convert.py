"""Conversion: triples as a stream between syntaxes of RDF, documents otherwise; lines of N-Quads and language tags."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs import formats
from provrepo.codecs.convert import Conversion, convert
from provrepo.codecs.guards import MAX_LITERAL
from provrepo.codecs.rdf import codec as rdf
from provrepo.codecs.rdf.languages import marked
from provrepo.codecs.rdf.lines import Feed, LineReader, LineWriter
from provrepo.errors import ReadError, TooLarge, WriteError
from provrepo.model.compare import compare
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, text
from provrepo.vocab import PROV, XSD
from tests.support.round_trip import BOTH_WAYS
from tests.support.sampling import examples
from tests.support.strategies import documents, identifiers, literals

TRIG = """@prefix ex: <http://e/> . @prefix prov: <http://www.w3.org/ns/prov#> .
ex:a prov:generated ex:e ; ex:note "Gr\\u00fc\\u00dfe\\n\\t\\"x\\""@de-AT , "007"^^ex:int , 1.10 .
ex:e prov:qualifiedAttribution [ prov:agent ex:g ] ; ex:other _:known .
_:known ex:p "tag"@DE-ch , "@DE \\"@FR-x" .
ex:b { ex:c a prov:Entity , ex:Class . }
"""


def converted(source: bytes | Path, to: str, format_: str | None = None) -> tuple[bytes, Conversion]:
    output = io.BytesIO()
    done = convert(source, output, to=to, format=format_)
    return output.getvalue(), done


@pytest.mark.parametrize("to", ["turtle", "trig", "ntriples", "nquads", "rdfxml", "rdfjsonld"])
def test_triples_stay_what_they_are(to: str) -> None:
    before = rdf.parse(TRIG.encode(), "trig").quads
    data, done = converted(TRIG.encode(), to, "trig")
    after = rdf.parse(data, to).quads
    target = formats.by_name(to)
    kept = [quad for quad in before if target.bundles or quad.graph is None]
    assert len(after) == len(kept)
    assert {quad.object for quad in after if isinstance(quad.object, Literal)} == {
        quad.object for quad in kept if isinstance(quad.object, Literal)
    }
    assert [loss.subject for loss in done.losses] == ([] if target.bundles else ["http://e/b"])
    assert (done.source.name, done.target.name) == ("trig", to)


def test_one_blank_node_stays_one() -> None:
    data, _ = converted(TRIG.encode(), "nquads", "trig")
    lines = data.decode().splitlines()
    (label,) = {line.split()[2] for line in lines if "<http://e/other>" in line}
    assert sum(line.startswith(label + " ") for line in lines) == 2
    again, _ = converted(TRIG.encode(), "nquads", "trig")
    assert again == data


def test_lines_keep_their_labels_and_their_order(tmp_path: Path) -> None:
    source = b'_:zz <http://e/p> _:aa .\n# remark\n\n_:aa <http://e/p> "x"@en-GB <http://e/g> .\n'
    file = tmp_path / "x.nq"
    file.write_bytes(source)
    for given_ in (source, file):
        data, _ = converted(given_, "nquads", "nquads")
        assert data == b'_:zz <http://e/p> _:aa .\n_:aa <http://e/p> "x"@en-GB <http://e/g> .\n'


def test_lines_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provrepo.codecs.convert._BLOCK", 100)
    lines = [f'<http://e/{n}> <http://e/p> "v{n}"@{"de-AT" if n % 7 else "en"} .\n' for n in range(500)]
    file = tmp_path / "x.nt"
    file.write_text("".join(lines))
    assert converted(file, "nquads")[0].decode() == "".join(lines)
    lines[321] = "<http://e/x> <http://e/p> nonsense .\n"
    file.write_text("".join(lines))
    with pytest.raises(ReadError) as raised:
        converted(file, "nquads")
    assert raised.value.line == 322
    lines[321] = "<http://e/x> <http://e/p> \0 .\n"
    file.write_text("".join(lines))
    with pytest.raises(ReadError, match="NUL") as raised:
        converted(file, "nquads")
    assert raised.value.line == 322


@settings(max_examples=examples(30), deadline=None)
@given(documents())
def test_a_document_becomes_the_same_lines_as_when_it_is_written_whole(document: formats.Document) -> None:
    source = document.write("provjson")
    data, done = converted(source, "nquads", "provjson")
    parsed = formats.read(source, format="provjson")
    assert data == parsed.write("nquads")
    assert done.losses == parsed.losses("nquads")
    if not done.losses:
        assert compare(formats.read(data, format="nquads"), parsed).same


def test_what_the_reader_and_the_writer_say_is_passed_on() -> None:
    source = b'{"prefix": {"ex": "http://e/", "xsd": "http://www.w3.org/2001/XMLSchema"}, "entity": {"ex:a b": {}}}'
    _, done = converted(source, "ntriples")
    assert len(done.warnings) == 2
    with pytest.raises(ReadError, match="cannot read"):
        converted(Path("/nowhere/x.ttl"), "nquads")
    with pytest.raises(TooLarge, match="literal"):
        converted(f'<u:a> <u:p> "{"a" * (MAX_LITERAL + 1)}" .\n'.encode(), "nquads", "ntriples")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux counts it")
def test_memory_does_not_grow_with_the_number_of_lines(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from provrepo.codecs.convert import convert\n"
        "from tests.support.work import peak\n"
        "with open('/dev/null', 'wb') as output:\n"
        "    convert(Path(sys.argv[1]), output, to='nquads')\n"
        "print(peak())\n"
    )
    peaks = []
    for count in (1_000, 300_000):
        file = tmp_path / f"{count}.nt"
        with file.open("w") as lines:
            lines.writelines(f'<http://e/s{n}> <http://e/p> "value number {n}" .\n' for n in range(count))
        done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 60, f"{peaks} MiB, for a file of {file.stat().st_size >> 20} MiB"


class TestLines:
    @settings(max_examples=examples(200), deadline=None)
    @given(st.lists(st.tuples(identifiers(), identifiers(), literals(controls=True) | identifiers()), max_size=5))
    def test_they_are_those_of_pyoxigraph(self, triples: list[tuple[Identifier, Identifier, Literal]]) -> None:
        quads = [Quad(s, p, o, None) for s, p, o in triples]
        ours = "".join(LineWriter().lines(quads))
        theirs = pyoxigraph.serialize(
            pyoxigraph.parse(ours, pyoxigraph.RdfFormat.N_QUADS), format=pyoxigraph.RdfFormat.N_QUADS
        )
        lowered = [
            quad._replace(object=text(quad.object.lexical, quad.object.language.lower()))
            if isinstance(quad.object, Literal) and quad.object.language
            else quad
            for quad in quads
        ]
        assert "".join(LineWriter().lines(lowered)).encode() == theirs
        assert "".join(LineWriter(trusted=True).lines(quads)) == ours
        found: list[Quad] = []
        LineReader(found.extend).write(ours.encode())
        assert found == quads

    @given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30), st.integers(1, 7))
    @settings(max_examples=examples(100), deadline=None)
    def test_pieces_may_be_cut_anywhere(self, lexical: str, size: int) -> None:
        quad = Quad(Identifier("u:a"), Identifier("u:p"), text(lexical), Identifier("_:g"))
        data = "".join(LineWriter().lines([quad, quad])).encode()
        found: list[Quad] = []
        reader = LineReader(found.extend, labelled=True)
        feed = Feed(data[at : at + 3] for at in range(0, len(data), 3))
        while piece := feed.read(size):
            reader.write(piece)
        assert found == [quad, quad]

    @pytest.mark.parametrize("line", ['<u:a> <u:p> <<( <u:a> <u:p> "x y" )>> .\n', '<u:a> <u:p> "x"@en--ltr .\n'])
    def test_rdf_1_2_passes_through(self, line: str) -> None:
        assert formats.read(line.encode(), format="ntriples").write("ntriples") == line.encode()

    @pytest.mark.parametrize(
        "quad",
        [
            Quad(Identifier("relative"), Identifier("u:p"), text("x")),
            Quad(Identifier("u:a"), Identifier("_:p"), text("x")),
            Quad(Identifier("_:a b"), Identifier("u:p"), text("x")),
            Quad(Identifier("u:a"), Identifier("u:p"), text("\ud800")),
            Quad(Identifier("u:a"), Identifier("u:p"), text("x", "not a tag")),
            Quad(Identifier("u:a"), Identifier("u:p"), Literal("x", "no iri")),
        ],
    )
    def test_what_rdf_cannot_hold_is_refused(self, quad: Quad) -> None:
        with pytest.raises(WriteError, match="RDF cannot represent"):
            list(LineWriter().lines([quad]))


class TestLanguageTags:
    @pytest.mark.parametrize("name", [f.name for f in formats.READABLE if f.rdf])
    def test_they_come_back_as_they_were_written(self, name: str) -> None:
        tags = ["de-AT", "DE-at", "en", "zh-Hant", "x-Mine", "en-x-Mine", "pt-BR"]
        quads = [Quad(Identifier("http://e/a"), Identifier("http://e/p"), text(f"v{n}", t)) for n, t in enumerate(tags)]
        again = rdf.parse(rdf.serialize(quads, name), name).quads
        assert [quad.object.language for quad in again if isinstance(quad.object, Literal)] == tags

    def test_text_that_looks_like_a_tag_or_a_mark_stays(self) -> None:
        lexical = """he said "@de-AT and '@EN-x-pvr00000-0 xml:lang="DE-de" """
        quads = [Quad(Identifier("http://e/a"), Identifier("http://e/p"), text(lexical, "de-AT"))]
        for format_ in formats.READABLE:
            if format_.rdf:
                data = rdf.serialize(quads, format_.name)
                assert rdf.parse(data, format_.name).quads == quads, format_.name

    def test_places_of_errors_are_those_of_the_text(self) -> None:
        with pytest.raises(ReadError) as raised:
            formats.read(b'<u:a> <u:p> "x"@de-AT ; nonsense .', format="turtle")
        assert (raised.value.line, raised.value.column) == (1, 25)
        assert "pvr" not in str(raised.value)

    def test_without_capitals_nothing_is_marked(self) -> None:
        data = b'<u:a> <u:p> "x"@de-at .'
        assert marked(data, "turtle") == (data, None)

    def test_through_a_document(self) -> None:
        source = f'<u:e> a <{PROV}Entity> ; <u:p> "x"@de-AT , "1"^^<{XSD}int> .'.encode()
        document = formats.read(source, format="turtle")
        for format_ in BOTH_WAYS:
            again = formats.read(document.write(format_.name), format=format_.name)
            assert [v for s in again for _, v in s.attributes] == [text("x", "de-AT"), Literal("1", XSD + "int")]

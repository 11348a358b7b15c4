"""Work grows with the size of a document and not with its square; and limits that bound what still does."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from provrepo.codecs import formats
from provrepo.codecs.json_source import JsonSource
from provrepo.codecs.rdf.lines import LineReader
from provrepo.errors import Error, ReadError, TooLarge
from provrepo.model import compare
from provrepo.model.document import Bundle, Document, Quad
from provrepo.model.identifiers import Identifier, text
from provrepo.model.statements import KINDS, Statement
from provrepo.vocab import PROV
from tests.support import growth
from tests.support import growth_documents as made
from tests.support.growth import OPERATIONS, READ, Job, cases
from tests.support.growth_documents import DOCUMENTS, ex
from tests.support.growth_sources import FIRST, SOURCES
from tests.support.work import bounded, steps

SMALL, TIMES = 40, 4
MOST = 1.6 * TIMES
"""How much more work four times the size may be: n log n is some 5, the square of n 16."""

FAMILIES = [*DOCUMENTS, *SOURCES]
JOBS = {(family, operation): prepare for family, operation, prepare in cases()}
WRITTEN = [name for name in OPERATIONS if name.startswith("write ")]


def work(job: Job) -> int:
    def done() -> None:
        with suppress(Error):
            job()

    return steps(done)


@pytest.mark.parametrize("number", range(len(FAMILIES)), ids=FAMILIES)
def test_steps_grow_with_the_size(number: int) -> None:
    """Operations take turns: ``python -m tests.support.growth`` measures all of them with all families."""
    family = FAMILIES[number]
    operations = ["take in"]
    if family in DOCUMENTS:
        written, read = WRITTEN[number % len(WRITTEN)], READ[number % len(READ)]
        operations = [["check", written], ["compare", f"take in {read}"]][number % 2]
    for operation in operations:
        prepare = JOBS[family, operation]
        work(prepare(SMALL))  # what is only done once is done now
        small, large = (work(prepare(size)) for size in (SMALL, SMALL * TIMES))
        assert large <= MOST * small + 2_000, (family, operation, small, large)


@pytest.mark.parametrize(("power", "too_fast"), [(1, False), (2, True), (3, True)])
def test_the_script_finds_what_grows_too_fast(power: int, too_fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With jobs that say how many seconds they take."""
    monkeypatch.setattr(growth, "seconds", lambda job: job())
    size, spent, exponent = growth.growth(lambda n: lambda: (n / 8_000) ** power, 0.4)
    assert (size, spent >= 0.4) == (4_000 if power == 1 else 8_000, True)
    assert exponent == pytest.approx(power)
    assert (exponent > growth.TOO_FAST) is too_fast


def test_a_refused_input_is_measured_too() -> None:
    def refused() -> None:
        raise ReadError("no", format="provn")

    assert growth.seconds(refused) >= 0


# What loops in C is not counted: at these sizes its square takes minutes.

MANY = 100_000


def _read(family: str) -> Job:
    name, spelled = SOURCES[family]
    data = spelled(MANY).encode()
    return lambda: formats.read(data, format=name)


@pytest.mark.parametrize(
    "family",
    ["attributes of an entity in XML", "contexts in JSON-LD", "values in JSON", "attributes in JSON"],
)
def test_sources_that_say_one_thing_often(family: str) -> None:
    with bounded(), suppress(ReadError):  # terms of contexts are more prefixes than are read
        _read(family)()


def test_statements_of_one_name() -> None:
    document = made.one_id("used", "attributes")(MANY)
    with bounded():
        assert document.losses("nquads") == []


def test_a_blank_node_with_many_attributes_that_is_described_often() -> None:
    data = made.big_and_small(MANY // 4, Identifier("_:e")).write("provn")
    with bounded():
        assert len(formats.read(data, format="provn")) == MANY // 4 + 1


@pytest.mark.parametrize("name", ["provn", "provjson", "provjsonld", "provxml"])
@pytest.mark.parametrize("redeclared", [False, True])
def test_many_bundles_of_a_document_with_many_prefixes(name: str, redeclared: bool) -> None:
    own = {"p0": "http://other.example/"} if redeclared else {"own": "http://own.example/"}
    bundles = [Bundle(ex(f"b{i}"), [made.entity(f"e{i}")], dict(own)) for i in range(2_000)]
    document = made.document(bundles=bundles, **{f"p{i}": f"http://p{i}.example/" for i in range(1_900)})
    with bounded():
        data = document.write(name)
    again = formats.read(data, format=name)
    assert [b.id for b in again.bundles] == [b.id for b in bundles]
    assert again.compare(document).same


@pytest.mark.parametrize("name", [*READ, "ntriples"])
def test_a_name_with_very_many_parts(name: str) -> None:
    iri = Identifier("http://h.example/" + "a/" * (2 * MANY))
    document = Document([Statement(KINDS["entity"], iri, ())])
    with bounded():
        data = document.write(name)
        assert formats.read(data, format=name).statements[0].id == iri


def test_a_long_line_that_comes_in_small_pieces() -> None:
    taken: list[Quad] = []
    reader = LineReader(taken.extend)
    with bounded():
        reader.write(b'<urn:a> <urn:b> "')
        for _ in range(1_000_000):
            reader.write(b"x" * 8)
        reader.write(b'" .\n')
    assert len(taken) == 1
    assert taken[0].object == text("x" * 8_000_000)


def test_places_in_json_that_are_asked_for_in_any_order() -> None:
    source = JsonSource(b"[\n" + b"1,\n" * MANY + b"1]", "json")
    ends = [2 + 3 * line for line in range(MANY)]
    with bounded():
        for offset in reversed(ends):
            assert source.span(offset) == ((offset - 2) // 3 + 2, 1)
            assert source.span(0) == (1, 1)
    assert source.span(1) == (1, 2)


# --- limits ------------------------------------------------------------------------------------------------------

LONG = "http://e.example/" + "a" * 1_000_000 + "/"
NAMES = range(2_000)
LONG_NAMESPACES = {
    "provjson": json.dumps({"prefix": {"p": LONG}, "entity": {f"p:{i}": {} for i in NAMES}}),
    "provn": f"document prefix p <{LONG}> {' '.join(f'entity(p:{i})' for i in NAMES)} endDocument",
    "provxml": f'<prov:document xmlns:prov="{PROV}" xmlns:p="{LONG}">'
    + "".join(f'<prov:entity prov:id="p:e{i}"/>' for i in NAMES)
    + "</prov:document>",
    "turtle": f"{FIRST}@prefix p: <{LONG}> . " + " ".join(f"p:{i} a prov:Entity ." for i in NAMES),
}


@pytest.mark.parametrize("name", LONG_NAMESPACES)
def test_short_names_in_a_long_namespace_do_not_fill_the_memory(name: str) -> None:
    with pytest.raises(TooLarge, match="once they are expanded"):
        formats.read(LONG_NAMESPACES[name].encode(), format=name)


PREFIXES = range(2_001)
DISGUISED = {
    "provjson": json.dumps({"prefix": {f"p{i}": f"http://e/{i}" for i in PREFIXES}}).replace("prefix", "pref\\u0069x"),
    "provn": "document\n" + "\n".join(f"prefix p{i} // a\n <http://e/{i}>" for i in PREFIXES) + "\nendDocument",
    "turtle": "\n".join(f"@prefix # a\n p{i}: <http://e/{i}> ." for i in PREFIXES),
    "trig": "\n".join(f"PREFIX \u00e9{i}: <http://e/\\u0061{i}>" for i in PREFIXES),
    "provxml": f'<prov:document xmlns:prov="{PROV}">'
    + "".join(f'<prov:entity xmlns:p{i}="http://e/&#97;{i}" prov:id="p{i}:e"/>' for i in PREFIXES)
    + "</prov:document>",
    "rdfjsonld": json.dumps({"@context": {f"p{i}": f"http://e/{i}/" for i in PREFIXES}}).replace("xt", "\\u0078t"),
}


@pytest.mark.parametrize("name", DISGUISED)
def test_the_number_of_prefixes_has_its_limit_however_they_are_spelled(name: str) -> None:
    with pytest.raises(ReadError, match="are declared"):
        formats.read(DISGUISED[name].encode(), format=name)


def test_keywords_in_escapes_are_keywords() -> None:
    plain = '{"@context": "https://w3id.org/ro/crate/1.1/context", "@id": "urn:e", "@type": ["http://www.w3.org/ns/prov#Entity"], "name": "a"}'  # noqa: E501
    escaped = (
        plain.replace("@context", "\\u0040conte\\u0078t").replace("@id", "@\\u0069d").replace("name", "n\\u0061me")
    )
    assert escaped != plain
    read = [formats.read(source.encode(), format="rdfjsonld") for source in (plain, escaped)]
    assert read[0].statements == read[1].statements
    assert read[0].unmapped == read[1].unmapped
    assert len(read[0]) == 1


def test_errors_in_json_with_escapes_name_the_place_in_the_source() -> None:
    source = '{"prefix": {"ex": "http://e/"},\n "ent\\u0069ty": {"ex:\\u0065": {"ex:k": [[]]}, "ex:f": nothing}}'
    with pytest.raises(ReadError) as caught:
        formats.read(source.encode(), format="provjson")
    assert (caught.value.line, caught.value.column) == (2, source.split("\n")[1].index("nothing") + 1)


def test_contexts_of_types_are_counted_for_each_use() -> None:
    terms = {f"t{i}": f"http://e/{i}" for i in range(8_000)}
    context = {**terms, "T": {"@id": "http://e/T", "@context": {"u": "http://e/u"}}}
    nodes = [{"@id": f"urn:n{i}", "@type": "T", "u": 1} for i in range(8_000)]
    with pytest.raises(ReadError, match="terms are active"):
        formats.read(json.dumps({"@context": context, "@graph": nodes}).encode(), format="rdfjsonld")


def test_blank_nodes_that_are_alike_have_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = made.blank_pairs(4_000), made.blank_pairs(4_000)
    calls = 0
    branch = compare._Matching._branch  # type: ignore[attr-defined]

    def counted(self: object, cell: int) -> object:
        nonlocal calls
        calls += 1
        return branch(self, cell)

    monkeypatch.setattr(compare._Matching, "_branch", counted)  # type: ignore[attr-defined]
    with pytest.raises(TooLarge, match="similar"):
        compare.compare(left, right, max_steps=100_000)
    assert 0 < calls < 1_000

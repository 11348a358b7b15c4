"""Characters that IRIs forbid: one policy, so that one name is one identifier whatever format it was written in."""

from __future__ import annotations

import io
import json
import re
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode

from provrepo.checks.shapes.vetting import vet_shapes
from provrepo.checks.validation import validate
from provrepo.codecs.convert import convert
from provrepo.codecs.formats import read
from provrepo.codecs.names import repair
from provrepo.codecs.rdf.iri_repair import repaired_text
from provrepo.errors import ReadError
from provrepo.model.document import Document
from provrepo.vocab import PROV, RDF, RDF_TYPE, RDFS, SH
from tests.support.sampling import examples

EX = "http://example.org/"
JSONLD = "https://openprovenance.org/prov-jsonld/context.jsonld"
ENTITY = f"<{PROV}Entity>"


def _escaped(iri: str) -> str:
    """As Turtle can spell it: what would end the token as a code."""
    return "".join(f"\\u{ord(character):04X}" if character in "<>\\\r\n" else character for character in iri)


def _provn(local: str) -> str:
    return re.sub(r"[='(),:;\[\]]|^[-.]|\.$", r"\\\g<0>", local)


WRITERS = {
    "turtle": lambda local: f"\n<{_escaped(EX + local)}> a {ENTITY} .",
    "trig": lambda local: f"\n<{_escaped(EX + local)}> a {ENTITY} .",
    "ntriples": lambda local: f"\n<{_escaped(EX + local)}> <{RDF_TYPE}> {ENTITY} .\n",
    "nquads": lambda local: f"\n<{_escaped(EX + local)}> <{RDF_TYPE}> {ENTITY} .\n",
    "rdfxml": lambda local: (
        f'<rdf:RDF xmlns:rdf="{RDF}" xmlns:prov="{PROV}">\n<prov:Entity rdf:about={_quoted(EX + local)}/></rdf:RDF>'
    ),
    "rdfjsonld": lambda local: (
        "\n" + json.dumps({"@context": {"ex": EX}, "@id": f"ex:{local}", "@type": f"{PROV}Entity"}, ensure_ascii=False)
    ),
    "provxml": lambda local: (
        f'<prov:document xmlns:prov="{PROV}" xmlns:ex="{EX}">\n'
        f"<prov:entity prov:id={_quoted('ex:' + local)}/></prov:document>"
    ),
    "provjson": lambda local: "\n" + json.dumps({"prefix": {"ex": EX}, "entity": {f"ex:{local}": {}}}),
    "provjsonld": lambda local: (
        "\n" + json.dumps({"@context": [{"ex": EX}, JSONLD], "@graph": [{"@type": "Entity", "@id": f"ex:{local}"}]})
    ),
    "provn": lambda local: f"document\nprefix ex <{EX}>\nentity(ex:{_provn(local)})\nendDocument",
}
NOT_XML = {"a\x01b", "a\ufffe"}
PROVN = {"a[8]", "x#a#b", "a%zz", "a%", "a%4"}
"""The others are no tokens of PROV-N."""
KINDS = (
    *("a[8]", "a b", "a|b", "a^b", "a`b", "a\\b", "a{b}", 'a"b', "a<b", "a>b", "x#a#b", "#a#b", "a%zz", "a%", "a%4"),
    *("a\x01b", "a\x7fb", "a\x85b", "a\tb", "a\ue000b", "a\ufdd0", "a\ufffe", "a\U000f0000", "a\U000e0001", "[::1]"),
)


def _quoted(text: str) -> str:
    return quoteattr(text, {"\x85": "&#x85;"})


def _possible(format_: str, local: str) -> bool:
    if format_ == "provn":
        return local in PROVN
    return local not in NOT_XML or not format_.endswith("xml")


def _written(format_: str, local: str) -> Document:
    return read(WRITERS[format_](local).encode(), format=format_)


@pytest.mark.parametrize(
    ("format_", "local"), [(format_, local) for format_ in WRITERS for local in KINDS if _possible(format_, local)]
)
def test_one_name_is_one_identifier_in_every_format(format_: str, local: str) -> None:
    document = _written(format_, local)
    assert [statement.id for statement in document.statements] == [repair(EX + local)]
    (remark,) = [remark for remark in document.warnings if remark.rule == "reading:iri"]
    assert remark.focus == repair(EX + local)
    assert remark.line is not None
    assert [finding.rule for finding in validate(document).findings].count("reading:iri") == 1


@pytest.mark.parametrize("format_", sorted(WRITERS))
@pytest.mark.parametrize("local", ["é", "a%41", "a#b", "a'b(c)", "a&b;c=d", "日本", "~u@h!$+*"])
def test_what_an_iri_may_hold_stays_as_it_is(format_: str, local: str) -> None:
    document = _written(format_, local)
    assert [statement.id for statement in document.statements] == [EX + local]
    assert document.warnings == []


def test_private_use_is_lawful_in_a_query_only() -> None:
    assert repair(f"{EX}q?\ue000#\ue000") == f"{EX}q?\ue000#%EE%80%80"


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8))
@settings(max_examples=examples(300), deadline=None)
def test_what_is_repaired_is_an_iri_of_rdf(local: str) -> None:
    iri = repair(EX + local)
    assert NamedNode(iri).value == repair(iri) == iri


def test_strings_and_comments_are_no_identifiers() -> None:
    source = (
        f'# <http://e/[x]>\n<{EX}a> <{RDFS}comment> "<http://e/[x]>", \'<a b>\', """\n<a [b]> " """, \'\'\'<[>\'\'\', '
        '"\\"<[b]>" . # <a b>\n'
    ).encode()
    assert repaired_text(source, "turtle").data is source
    quoted = f'<{EX}a> <{RDFS}comment> "it\'s <[b]> \\\\" .\n<{EX}a b> <{RDFS}comment> "<c d>" .\n'.encode()
    assert repaired_text(quoted, "ntriples").data == quoted.replace(b"a b>", b"a%20b>")


def test_prefixed_names_and_their_namespaces() -> None:
    source = (
        "@prefix e: <http://e/x#> .\nPREFIX f: <http://e/[f]/>\n"
        "e:a\\#b a <http://www.w3.org/ns/prov#Entity> .\nf:a\\#b a <http://www.w3.org/ns/prov#Entity> .\n"
        "e:c%zz a <http://www.w3.org/ns/prov#Entity> .\ne:d\\%41.e a <http://www.w3.org/ns/prov#Entity>."
    )
    document = read(source.encode(), format="turtle")
    assert [str(statement.id) for statement in document.statements] == [
        *("http://e/x#a%23b", "http://e/%5Bf%5D/a#b", "http://e/x#c%25zz", "http://e/x#d%41.e"),
    ]
    assert [(remark.line, remark.column) for remark in document.warnings] == [(2, 11), (3, 1), (5, 1)]


@pytest.mark.parametrize(
    ("written", "local"),
    [(r"ns\#x\. .", "ns#x."), (r"ns\#x\..", "ns#x."), (r"a%\.\..", "a%25.."), ("a%.", "a%25"), (r"a%.\..", "a%25..")],
)
def test_an_escaped_dot_at_the_end_is_part_of_a_name(written: str, local: str) -> None:
    text = (
        f"@prefix prov: <http://www.w3.org/ns/prov#> .\n@prefix ex: <{EX}> .\nex:b prov:wasDerivedFrom ex:{written}\n"
    )
    (derivation,) = read(text.encode(), format="turtle").statements
    assert derivation.args[1] == f"{EX}{local}"


def test_an_identifier_that_is_not_closed_is_no_identifier() -> None:
    with pytest.raises(ReadError) as caught:
        read(f"<{EX}a\n  <{EX}b> <{EX}c> .".encode(), format="turtle")
    assert caught.value.line == 1
    with pytest.raises(ReadError):
        read(f"<{EX}a <{EX}b> <{EX}c> .".encode(), format="turtle")


def test_every_place_of_a_name_in_json_ld() -> None:
    """JSON-LD drops triples with names that are not IRIs; pyoxigraph does so without an error."""
    source = {
        "@context": {"e": EX, "odd": "http://e/[o]/", "id": "@id", "used": {"@id": f"{PROV}used", "@type": "@id"}},
        "@graph": [
            {
                "id": "e:a b",
                "@type": [f"{PROV}Activity", "e:T[1]"],
                "used": ["e:c|d", "e:f"],
                "e:p{}": "e:not [a] name",
            },
            {"id": "odd:x", "@type": f"{PROV}Entity"},
        ],
    }
    document = read(("\n" + json.dumps(source, indent=1)).encode(), format="rdfjsonld")
    assert {str(statement.id) for statement in document.statements if statement.id} == {
        *(f"{EX}a%20b", "http://e/%5Bo%5D/x"),
    }
    (activity,) = [statement for statement in document.statements if statement.kind.name == "activity"]
    assert {(str(name), str(value)) for name, value in activity.attributes} == {
        *((f"{PROV}type", f"{EX}T%5B1%5D"), (f"{EX}p%7B%7D", "e:not [a] name")),
    }
    used = {str(statement.args[1]) for statement in document.statements if statement.kind.name == "used"}
    assert used == {f"{EX}c%7Cd", f"{EX}f"}
    assert [remark.line for remark in document.warnings] == sorted(remark.line or 0 for remark in document.warnings)
    assert len(document.warnings) == 6


def test_streams_repair_as_well_and_say_where() -> None:
    lines = "".join(f"<{EX}a> <{EX}p> <{EX}{number}> .\n" for number in range(40_000))
    source = (lines + f"<{EX}a b> <{EX}p> <{EX}a b> .\n").encode()
    output = io.BytesIO()
    done = convert(source, output, to="nquads", format="ntriples")
    assert output.getvalue().endswith(f"<{EX}a%20b> <{EX}p> <{EX}a%20b> .\n".encode())
    assert [(remark.rule, remark.line, remark.column) for remark in done.warnings] == [("reading:iri", 40_001, 1)]


@pytest.mark.parametrize("format_", ["turtle", "ntriples", "rdfxml", "rdfjsonld"])
@pytest.mark.parametrize("piece", ["<", "< ", ":%", "<a ='[", '"[', "<?", "xmlns:", "[ ", '{"@id":', "\\", "<![CDATA["])
def test_no_text_makes_it_slow_or_fail(format_: str, piece: str) -> None:
    repaired_text((piece * 100_000).encode(), format_)


def test_a_text_that_is_fine_is_handed_on_as_it_is() -> None:
    for format_ in ("turtle", "ntriples", "rdfxml", "rdfjsonld"):
        data = WRITERS[format_]("a").encode()
        assert repaired_text(data, format_).data is data


def test_shapes_are_read_as_they_are_or_not_at_all() -> None:
    """The engine reads the file itself, so that nothing in it may be read as something else here."""
    source = f"@prefix sh: <{SH}> .\n<{EX}a b> a sh:NodeShape ; sh:targetClass <{PROV}Entity> ."
    with pytest.raises(ReadError) as caught:
        vet_shapes(source.encode())
    assert (caught.value.line, caught.value.column) == (2, 1)

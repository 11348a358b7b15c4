"""PROV-N: the grammar of the Recommendation, what is tolerated beyond it, errors with places, and the corpus."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from provrepo.checks.validation import validate
from provrepo.codecs import formats
from provrepo.codecs.guards import MAX_DEPTH
from provrepo.errors import ReadError
from provrepo.model.document import Bundle, Document
from provrepo.model.extensions import ArgumentGroup, Extension
from provrepo.model.identifiers import Identifier, Literal, Value, text
from provrepo.model.statements import KINDS, DictionaryEntry, Statement
from provrepo.vocab import PROV, PROV_LABEL, PROV_QUALIFIED_NAME, XSD
from tests.support.corpus import CORPUS, corpus
from tests.support.round_trip import BOTH_WAYS
from tests.support.sampling import examples
from tests.support.strategies import documents, statements

EX = "http://example.org/"


def ex(local: str) -> Identifier:
    return Identifier(EX + local)


def read(body: str, *, declare: str = f"prefix ex <{EX}>") -> Document:
    return formats.read(f"document\n{declare}\n{body}\nendDocument".encode(), format="provn")


def one(body: str) -> Statement:
    (statement,) = read(body).statements
    return statement


def value(written: str) -> Value:
    ((_, found),) = one(f"entity(ex:e, [ex:v = {written}])").attributes
    return found


def error(source: str) -> ReadError:
    with pytest.raises(ReadError) as caught:
        formats.read(source.encode(), format="provn")
    assert caught.value.format == "provn"
    return caught.value


T = "2011-11-16T16:05:00Z"


class TestStatements:
    @pytest.mark.parametrize(
        ("written", "kind", "own", "args"),
        [
            ("entity(ex:e)", "entity", "e", ()),
            ("agent(ex:g)", "agent", "g", ()),
            ("activity(ex:a)", "activity", "a", (None, None)),
            (f"activity(ex:a, {T}, -)", "activity", "a", (T, None)),
            (f"activity(ex:a, -, {T})", "activity", "a", (None, T)),
            ("wasGeneratedBy(ex:e)", "wasGeneratedBy", None, ("e", None, None)),
            (f"wasGeneratedBy(ex:g; ex:e, ex:a, {T})", "wasGeneratedBy", "g", ("e", "a", T)),
            ("wasGeneratedBy(-; ex:e, -, -)", "wasGeneratedBy", None, ("e", None, None)),
            (f"used(ex:u; ex:a, ex:e, {T})", "used", "u", ("a", "e", T)),
            ("used(ex:a)", "used", None, ("a", None, None)),
            ("wasInformedBy(ex:b, ex:a)", "wasInformedBy", None, ("b", "a")),
            (f"wasStartedBy(ex:s; ex:a, ex:e, ex:b, {T})", "wasStartedBy", "s", ("a", "e", "b", T)),
            (f"wasEndedBy(ex:a, -, ex:b, {T})", "wasEndedBy", None, ("a", None, "b", T)),
            ("wasInvalidatedBy(ex:i; ex:e, ex:a, -)", "wasInvalidatedBy", "i", ("e", "a", None)),
            ("wasDerivedFrom(ex:f, ex:e)", "wasDerivedFrom", None, ("f", "e", None, None, None)),
            ("wasDerivedFrom(ex:d; ex:f, ex:e, ex:a, ex:g, ex:u)", "wasDerivedFrom", "d", ("f", "e", "a", "g", "u")),
            ("wasAttributedTo(ex:e, ex:g)", "wasAttributedTo", None, ("e", "g")),
            ("wasAssociatedWith(ex:w; ex:a, ex:g, ex:p)", "wasAssociatedWith", "w", ("a", "g", "p")),
            ("wasAssociatedWith(ex:a, -, ex:p)", "wasAssociatedWith", None, ("a", None, "p")),
            ("actedOnBehalfOf(ex:g, ex:h, ex:a)", "actedOnBehalfOf", None, ("g", "h", "a")),
            ("wasInfluencedBy(ex:i; ex:e, ex:f)", "wasInfluencedBy", "i", ("e", "f")),
            ("specializationOf(ex:e, ex:f)", "specializationOf", None, ("e", "f")),
            ("alternateOf(ex:e, ex:f)", "alternateOf", None, ("e", "f")),
            ("hadMember(ex:c, ex:e)", "hadMember", None, ("c", "e")),
            ("mentionOf(ex:e, ex:f, ex:b)", "mentionOf", None, ("e", "f", "b")),
            ("prov:mentionOf(ex:e, ex:f, ex:b)", "mentionOf", None, ("e", "f", "b")),
            ("hadMember(-, ex:e)", "hadMember", None, (None, "e")),
        ],
    )
    def test_each_kind(self, written: str, kind: str, own: str | None, args: tuple[str | None, ...]) -> None:
        statement = one(written)
        assert statement.kind is KINDS[kind]
        assert statement.id == (own and EX + own)
        assert statement.args == tuple(a if a is None or a == T else EX + a for a in args)
        assert [type(a) for a in statement.args if a == T] == [str] * written.count(T)

    def test_attributes_in_source_order_with_any_spacing(self) -> None:
        statement = one('entity(ex:e,[ ex:b = "1" ,ex:a="2",prov:label="3"@en, ex:a = \'ex:x\'])')
        assert statement.attributes == (
            (ex("b"), text("1")),
            (ex("a"), text("2")),
            (Identifier(PROV_LABEL), text("3", "en")),
            (ex("a"), ex("x")),
        )
        assert one("entity(ex:e, [])").attributes == ()
        assert len(one('used(ex:a, [prov:role="x"])').attributes) == 1

    def test_spans_are_those_of_the_keyword(self) -> None:
        body = """entity(ex:a)  entity(ex:b)
  // a comment
  /* two
lines */ used(
 ex:a,
 ex:b, -)
bundle ex:x
 agent(ex:c) endBundle"""
        document = read(body)
        assert [s.span for s in document] == [(3, 1), (3, 15), (6, 10), (10, 2)]

    def test_columns_count_characters(self) -> None:
        assert read('entity(ex:été, [ex:a="日本"]) agent(ex:b)').statements[1].span == (3, 29)

    def test_comments_stand_wherever_a_token_may(self) -> None:
        assert one("/* a */ used /* b */ ( // c\n ex:a /**/ , ex:e /* ** */ , - )") == one("used(ex:a, ex:e, -)")


class TestValues:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ('"a"', text("a")),
            ('""', text("")),
            ('"a"@en-GB', text("a", "en-GB")),
            ('"1" %% xsd:int', Literal("1", XSD + "int")),
            ('"007"%%xsd:integer', Literal("007", XSD + "integer")),
            ('"a" %% xsd:string', text("a")),
            ("42", Literal("42", XSD + "int")),
            ("-007", Literal("-007", XSD + "int")),
            ("'ex:a'", ex("a")),
            ("'prov:Person'", Identifier(PROV + "Person")),
            ('"ex:a" %% xsd:QName', ex("a")),
            ('"ex:a" %% prov:QUALIFIED_NAME', ex("a")),
            ('"a"@fr %% prov:InternationalizedString', text("a", "fr")),
            ('"a" %% prov:InternationalizedString', Literal("a", PROV + "InternationalizedString")),
            ('"a" %% ex:own', Literal("a", EX + "own")),
            (
                r'"tab\t newline\n quote\" apostrophe\' backslash\\ \b\f\r"',
                text("tab\t newline\n quote\" apostrophe' backslash\\ \b\f\r"),
            ),
            ('"""two\nlines with "quotes" and ""more"" """', text('two\nlines with "quotes" and ""more"" ')),
            (r'"""escaped \""" quotes"""', text('escaped """ quotes')),
            ('""""""', text("")),
            ('"// no comment /* at all */"', text("// no comment /* at all */")),
            ("'ex:it\\'s'", ex("it's")),
        ],
    )
    def test_each_form(self, written: str, expected: Value) -> None:
        found = value(written)
        assert found == expected
        assert type(found) is type(expected)


class TestNames:
    @pytest.mark.parametrize(
        ("written", "local"),
        [
            (r"ex:a\=b", "a=b"),
            (r"ex:f\(x\,y\)", "f(x,y)"),
            (r"ex:it\'s", "it's"),
            (r"ex:a\:b\;c\-d\.", "a:b;c-d."),
            ("ex:a:b", "a:b"),
            ("ex:a%20b", "a%20b"),
            ("ex:a/b?c&d#e", "a/b?c&d#e"),
            ("ex://b", "//b"),
            ("ex:7", "7"),
            ("ex:a-b.c", "a-b.c"),
            ("ex:été日本", "été日本"),
            ("ex:", ""),
        ],
    )
    def test_escapes_and_odd_characters(self, written: str, local: str) -> None:
        assert one(f"entity({written})").id == EX + local

    def test_the_default_namespace(self) -> None:
        document = read(
            "entity(a)\nentity(entity)\nentity(\\-)\nbundle b\nentity(document)\nendBundle", declare=f"default <{EX}>"
        )
        assert [s.id for s in document] == [ex("a"), ex("entity"), ex("-"), ex("document")]
        assert document.bundles[0].id == ex("b")
        assert document.prefixes == {"": EX}

    def test_names_that_expand_to_no_iri_are_repaired_with_a_remark(self) -> None:
        document = read("entity(ex:a)\nentity(ex:x\\[0\\])")
        assert document.statements[1].id == ex("x%5B0%5D")
        assert [w.line for w in document.warnings] == [4]

    def test_blank_names_of_relations_are_forgotten_unless_referred_to(self) -> None:
        document = read(
            "used(_:u; ex:a, ex:e, -) wasGeneratedBy(_:g; ex:f, ex:a, -) wasDerivedFrom(ex:f, ex:e, ex:a, _:g, -)"
        )
        assert [s.id for s in document] == [None, "_:g", None]

    def test_bundles_see_the_documents_prefixes_and_their_own(self) -> None:
        document = read(
            "bundle ex:b prefix ex <http://other/> prefix o <http://o/> entity(ex:a) entity(o:a) endBundle entity(ex:c)"
        )
        assert document.bundles[0].id == "http://other/b"
        assert [s.id for s in document] == [ex("c"), "http://other/a", "http://o/a"]
        assert document.prefixes == {"ex": EX}
        assert document.bundles[0].prefixes == {"ex": "http://other/", "o": "http://o/"}

    def test_a_bundle_may_declare_the_prefix_of_its_own_name(self) -> None:
        assert read("bundle o:b prefix o <http://o/> endBundle").bundles[0].id == "http://o/b"

    def test_the_name_of_a_bundle_is_read_with_its_own_declarations(self) -> None:
        """Example 60 of the Recommendation."""
        document = read(
            "entity(thing) bundle thing default <http://two/> entity(thing) endBundle bundle other endBundle",
            declare="default <http://one/>",
        )
        assert [bundle.id for bundle in document.bundles] == ["http://two/thing", "http://one/other"]
        assert formats.read(document.write("provn"), format="provn").compare(document).same

    def test_what_a_name_was_repaired_to_is_reported_with_its_place(self) -> None:
        document = read("entity(ex:Out_\\[8\\])\nused(ex:a, ex:a\\[1\\])\nentity(ex:Out_\\[8\\])")
        assert [(w.rule, w.line, w.column, w.focus) for w in document.warnings] == [
            ("reading:iri", 3, 8, EX + "Out_%5B8%5D"),
            ("reading:iri", 4, 12, EX + "a%5B1%5D"),
        ]

    def test_repeated_bundles_stay_two(self) -> None:
        assert [b.id for b in read("bundle ex:b endBundle bundle ex:b endBundle").bundles] == [ex("b"), ex("b")]

    def test_relative_namespaces_need_a_base(self) -> None:
        source = b"document\n prefix ex <a/>\n entity(ex:b)\nendDocument"
        assert formats.read(source, format="provn", base="http://h/x").statements[0].id == "http://h/a/b"
        with pytest.raises(ReadError, match="relative") as caught:
            formats.read(source, format="provn")
        assert (caught.value.line, caught.value.column) == (2, 12)


class TestTolerance:
    def test_reserved_prefixes_keep_their_meaning(self) -> None:
        document = read(
            'entity(ex:e, [ex:v="1" %% xsd:int])',
            declare=f"prefix ex <{EX}>\nprefix xsd <{XSD[:-1]}>\nprefix prov <{PROV}>",
        )
        assert document.statements[0].attributes == ((ex("v"), Literal("1", XSD + "int")),)
        assert [w.line for w in document.warnings] == [3]
        assert "xsd" in document.warnings[0].message
        assert document.prefixes == {"ex": EX}

    def test_a_prefix_that_is_declared_twice(self) -> None:
        document = read("entity(ex:a)\nprefix ex <http://other/>\nentity(ex:a)\nprefix ex <http://other/>")
        assert [s.id for s in document.statements] == [ex("a"), "http://other/a"]
        (warned,) = document.warnings
        assert ("declared again" in warned.message, warned.line) == (True, 4)

    def test_fragments_without_document(self) -> None:
        document = formats.read(
            f"prefix ex <{EX}>\nentity(ex:a)\nbundle ex:b entity(ex:c) endBundle".encode(), format="provn"
        )
        assert len(document) == 2
        assert "document … endDocument" in document.warnings[0].message

    def test_strings_that_break_the_line_as_provtoolbox_writes_them(self) -> None:
        document = read(
            'entity(ex:e, [ex:a="two\nlines"@en, ex:b="x"])\nentity(ex:f, [ex:a="a\n\\"b\\"" %% xsd:token])'
        )
        assert [s.attributes[0][1].lexical for s in document.statements] == ["two\nlines", 'a\n"b"']
        (warned,) = document.warnings
        assert ("line break" in warned.message, warned.line, warned.column) == (True, 3, 20)

    def test_the_drafts_bundle_around_a_document(self) -> None:
        document = formats.read(
            f"bundle\nprefix ex <{EX}>\nbundle ex:b entity(ex:c) endBundle\nendBundle".encode(), format="provn"
        )
        assert [b.id for b in document.bundles] == [ex("b")]
        assert len(document.warnings) == 1


class TestErrors:
    @pytest.mark.parametrize(
        ("source", "line", "column", "says"),
        [
            ("", 1, 1, "begins with 'document'"),
            ("document\nentity(ex:a)\nendDocument", 2, 8, "prefix 'ex'"),
            ("document\nentity(a)\nendDocument", 2, 8, "no default namespace"),
            ("document\nprefix ex <http://e/>\nentity(ex:a)", 3, 13, "endDocument"),
            ("document\nprefix ex <http://e/>\nbundle ex:b\nentity(ex:a)\nendDocument", 5, 1, "line 3"),
            ("document endDocument\nentity(a)", 2, 1, "nothing may follow"),
            ("document\nprefix ex <http://e/>\nentity(ex:a]\nendDocument", 3, 12, "expected ',' or ')'"),
            ("document\nprefix ex <http://e/>\nentity(ex:a, ex:b)\nendDocument", 3, 14, "entity takes"),
            ("document\nprefix ex <http://e/>\n entity(-)\nendDocument", 3, 9, "identifier of the entity"),
            ("document\nprefix ex <http://e/>\nwasInformedBy(ex:a)\nendDocument", 3, 1, "informant"),
            ("document\nprefix ex <http://e/>\nused(ex:a, ex:b, ex:c)\nendDocument", 3, 18, "time"),
            ("document\nprefix ex <http://e/>\nused(ex:u; ex:v; ex:a)\nendDocument", 3, 16, "';'"),
            ("document\nprefix ex <http://e/>\nhadMember(ex:u; ex:c, ex:e)\nendDocument", 3, 15, "no identifier"),
            ('document\nprefix ex <http://e/>\nhadMember(ex:c, ex:e, [ex:a="b"])\nendDocument', 3, 23, "no attributes"),
            ('document\nprefix ex <http://e/>\nentity(ex:a, [ex:b="c\n, ex:d="e"])\nendDocument', 3, 20, "not closed"),
            ('document\nprefix ex <http://e/>\nentity(ex:a, [ex:b="C:\\data"])\nendDocument', 3, 20, "not an escape"),
            ("document\nprefix ex <http://e/>\nentity(ex:a, [ex:b=ex:c])\nendDocument", 3, 20, "single quotes"),
            ("document\nprefix ex <http://e/>\nentity(ex:a, [ex:b='c)\nendDocument", 3, 20, "not closed"),
            ("document\nprefix ex <http://e/>\nentity(ex:a, [ex:b='no:c'])\nendDocument", 3, 20, "prefix 'no'"),
            ('document\nprefix ex <http://e/>\nentity(ex:a, [ex:b="c"@en %% xsd:int])\nendDocument', 3, 30, "@en"),
            ("document\nprefix ex <http://e/>\nentity(ex:a,[ex:b])\nendDocument", 3, 18, "'='"),
            ("document\n/* never closed\nendDocument", 2, 1, "comment"),
            ("document\nprefix ex <http://e/\nendDocument", 2, 11, "not closed on its line"),
            ("document\nprefix 1x <http://e/>\nendDocument", 2, 8, "prefix"),
            ("document\nprefix ex <http://e/>\nentity(ex:a=b)\nendDocument", 3, 12, "expected"),
            ("document\nprefix ex <http://e/>\nentity(ex:-)\nendDocument", 3, 8, "qualified name"),
            ("document\nprefix ex <http://e/>\nhadMember(ex:c, {ex:a})\nendDocument", 3, 17, "'{'"),
            ("document\nprefix ex <http://e/>\nprov:hadDictionaryMember(ex:d, ex:e)\nendDocument", 3, 1, "entity, key"),
            (
                'document\nprefix ex <http://e/>\nprov:derivedByInsertionFrom(ex:d, ex:c, {"k"})\nendDocument',
                3,
                42,
                "expected '('",
            ),
            (
                'document\nprefix ex <http://e/>\nprov:derivedByRemovalFrom(ex:d, ex:c, {"k" "l"})\nendDocument',
                3,
                44,
                "expected ',' or '}'",
            ),
            ("document\nex:owns(ex:a, ex:b)\nendDocument", 2, 1, "the prefix 'ex' of 'ex:owns' is not declared"),
            ("document\nprefix e <http://e/>\ne:f(e:a, {e:b)\nendDocument", 3, 14, "expected ',' or '}'"),
            ("document\nprefix e <http://e/>\ne:f(e:a, [e:b=1], e:c)\nendDocument", 3, 17, "expected ',' or ')'"),
            ("document\nprefix e <http://e/>\ne:f(e:a; e:b; e:c)\nendDocument", 3, 13, "expected ',' or ')'"),
            ("document\nprefix e <http://e/>\ne:f(e:a, x:b)\nendDocument", 3, 10, "'x'"),
            ("document\nentitty(a)\nendDocument", 2, 1, "did you mean entity?"),
            ("document\nbundle x:b\nprefix y <http://y/>\nendBundle endDocument", 2, 8, "'x'"),
            ("document\nbundle x;b\nendBundle endDocument", 2, 9, "expected a statement"),
            (
                "document\nprefix ex <http://e/>\nwasMadeBy(ex:a, ex:b)\nendDocument",
                3,
                1,
                "'wasMadeBy' is not a statement",
            ),
            ("document\nbundle <http://e/b>\nendBundle endDocument", 2, 8, "identifier"),
            ("document\n42\nendDocument", 2, 1, "expected a statement"),
        ],
    )
    def test_what_and_where(self, source: str, line: int, column: int, says: str) -> None:
        found = error(source)
        assert says in found.message
        assert (found.line, found.column) == (line, column)

    @given(documents(max_statements=3))
    @settings(max_examples=examples(40), deadline=None)
    def test_every_truncation_is_an_error_with_a_place(self, document: Document) -> None:
        whole = document.write("provn")
        for cut in range(0, len(whole.rstrip()) - 1, max(1, len(whole) // 25)):
            with pytest.raises(ReadError) as caught:
                formats.read(whole[:cut], format="provn")
            assert caught.value.line is not None


class TestWriting:
    def test_it_is_laid_out_for_people(self) -> None:
        document = Document(
            statements=[
                Statement(
                    KINDS["entity"],
                    ex("e"),
                    (),
                    ((Identifier(PROV_LABEL), text('a "b"\n')), (ex("n"), Literal("1", XSD + "int"))),
                ),
                Statement(KINDS["activity"], ex("a"), (None, None)),
                Statement(KINDS["used"], ex("u"), (ex("a"), ex("e"), None)),
                Statement(KINDS["used"], None, (ex("a"), None, None), ((ex("is"), ex("f(x)")),)),
                Statement(KINDS["hadMember"], None, (None, ex("e"))),
            ],
            bundles=[
                Bundle(ex("b"), [Statement(KINDS["agent"], Identifier("http://other/g"))], {"o": "http://other/"})
            ],
            prefixes={"ex": EX},
        )
        assert document.write("provn").decode() == (
            "document\n"
            "  prefix ex <http://example.org/>\n"
            "\n"
            '  entity(ex:e, [prov:label="""a \\"b\\"\n""", ex:n="1" %% xsd:int])\n'
            "  activity(ex:a)\n"
            "  used(ex:u; ex:a, ex:e, -)\n"
            "  used(ex:a, [ex:is='ex:f\\(x\\)'])\n"
            "  hadMember(-, ex:e)\n"
            "\n"
            "  bundle ex:b\n"
            "    prefix o <http://other/>\n"
            "    agent(o:g)\n"
            "  endBundle\n"
            "endDocument\n"
        )
        assert Document().write("provn") == b"document\nendDocument\n"

    @settings(max_examples=examples(150), deadline=None)
    @given(documents(controls=True, missing_mandatory=True, repeated_bundles=True, repeated_relations=True))
    def test_what_is_written_is_read_again(self, document: Document) -> None:
        again = formats.read(document.write("provn"), format="provn")
        assert list(again) == list(document)
        assert [s.attributes for s in again] == [s.attributes for s in document]
        assert [b.id for b in again.bundles] == [b.id for b in document.bundles]
        assert again.compare(document).same
        assert not again.warnings
        assert not document.losses("provn")

    @settings(max_examples=examples(40), deadline=None)
    @given(documents(odd_times=False, dictionaries=False))
    def test_prov_reads_it(self, document: Document) -> None:
        from prov.model import ProvDocument

        theirs = ProvDocument.deserialize(content=document.write("provn").decode(), format="provn")
        assert len(theirs.records) + sum(len(b.records) for b in theirs.bundles) == len(document)
        assert {str(r.identifier.uri) for r in theirs.records if r.is_element()} == {
            s.id for s in document.statements if s.kind.element
        }

    def test_the_default_namespace_is_declared_before_prefixes(self) -> None:
        """Production namespaceDeclarations; ProvToolbox drops all statements behind a later one."""
        bundle = Bundle(ex("b"), [Statement(KINDS["entity"], Identifier("http://f/e"))], {"a": EX, "": "http://f/"})
        written = Document(bundles=[bundle], prefixes={"ex": EX, "": "http://d/"}).write("provn").decode()
        declared = [line.strip() for line in written.splitlines() if "<" in line]
        assert declared == [
            *("default <http://d/>", "prefix ex <http://example.org/>"),
            *("default <http://f/>", "prefix a <http://example.org/>"),
        ]

    def test_an_association_has_its_markers(self) -> None:
        """The grammar lets them be left out, and ProvToolbox cannot read that."""
        document = read("wasAssociatedWith(ex:a) wasAssociatedWith(ex:a, [ex:b=1])")
        assert document.write("provn").count(b"(ex:a, -, -") == 2

    def test_strings_have_as_few_escapes_as_can_be(self) -> None:
        attributes = tuple((ex("v"), Literal('a\tb\n"c" \\', datatype)) for datatype in (XSD + "string", XSD + "token"))
        document = Document([Statement(KINDS["entity"], ex("e"), (), attributes)])
        written = document.write("provn").decode()
        assert '"""a\tb\n\\"c\\" \\\\"""' in written
        assert '"a\tb\\n\\"c\\" \\\\" %%' in written
        assert formats.read(written.encode(), format="provn").statements == document.statements

    def test_blank_labels_and_prefixes_that_provn_cannot_spell(self) -> None:
        document = Document(
            statements=[
                Statement(KINDS["entity"], Identifier("_:a b")),
                Statement(KINDS["entity"], Identifier("http://o/x")),
            ],
            prefixes={"1o": "http://o/", "bad": "http://e/<>"},
        )
        again = formats.read(document.write("provn"), format="provn")
        assert again.compare(document).same
        assert "1o" not in again.prefixes

    def test_losses(self) -> None:
        document = Document(
            statements=[
                Statement(KINDS["entity"], None),
                Statement(KINDS["activity"], ex("a"), ("yesterday", None)),
                Statement(KINDS["hadMember"], ex("m"), (ex("c"), ex("e")), ((ex("x"), text("y")),)),
                Statement(
                    KINDS["entity"],
                    ex("e"),
                    (),
                    (
                        (ex("x"), text("\0")),
                        (ex("x"), text("y", "a tag")),
                        (ex("x"), Literal("no:name", PROV_QUALIFIED_NAME)),
                    ),
                ),
            ]
        )
        reasons = " | ".join(loss.reason for loss in document.losses("provn"))
        for part in (
            "without an identifier",
            "startTime",
            "no identifier for hadMember",
            "no attributes",
            "U+0000",
            "a tag",
            "as a name",
        ):
            assert part in reasons
        assert len(document.losses("provn")) == 7
        assert len(formats.read(document.write("provn"), format="provn")) == 3

    @given(statements(missing_mandatory=True))
    @settings(max_examples=examples(60), deadline=None)
    def test_one_statement_is_one_line(self, statement: Statement) -> None:
        lines = Document(statements=[statement]).write("provn").decode().split("\n")
        keyword = statement.kind.name if statement.kind.entries is None else f"prov:{statement.kind.name}"
        assert sum(line.startswith(f"  {keyword}(") for line in lines) == 1


class TestDictionaries:
    HEAD = "document\nprefix ex <http://e/>\n"

    def read(self, text: str) -> list[Statement]:
        return formats.read(f"{self.HEAD}{text}\nendDocument".encode(), format="provn").statements

    def test_keys_and_entities(self) -> None:
        (insertion,) = self.read(
            "prov:derivedByInsertionFrom(ex:i; ex:d, ex:c, "
            '{("k"@en, ex:e), (\'ex:k\', ex:f), (1, ex:e), ("k"@en, ex:e)}, [ex:p=2])'
        )
        e, f = Identifier("http://e/e"), Identifier("http://e/f")
        assert insertion.args == ("http://e/d", "http://e/c")
        assert insertion.entries == (
            DictionaryEntry(text("k", "en"), e),
            DictionaryEntry(Identifier("http://e/k"), f),
            DictionaryEntry(Literal("1", XSD + "int"), e),
        )
        assert len(insertion.attributes) == 1

    def test_sets_may_be_empty_and_keywords_bare(self) -> None:
        bare = self.read("derivedByRemovalFrom(ex:d, ex:c, {}) derivedByRemovalFrom(ex:d, ex:c, -)")
        assert [statement.entries for statement in bare] == [(), ()]
        assert bare == self.read("prov:derivedByRemovalFrom(ex:d, ex:c) prov:derivedByRemovalFrom(-; ex:d, ex:c, {})")

    def test_the_order_of_a_set_says_nothing(self) -> None:
        one, other = self.read(
            'prov:derivedByRemovalFrom(ex:d, ex:c, {"k", "l"}) prov:derivedByRemovalFrom(ex:d, ex:c, {"l", "k"})'
        )
        assert one == other
        assert hash(one) == hash(other)

    def test_the_extension_of_provtoolbox(self) -> None:
        document = formats.read(
            f"{self.HEAD}provext:hadMember(ex:m; ex:c, ex:e, [ex:p=1]) provext:alternateOf(-; ex:e, ex:f)\n"
            "endDocument".encode(),
            format="provn",
        )
        member, alternate = document
        assert (member.kind.name, member.id, len(member.attributes)) == ("hadMember", "http://e/m", 1)
        assert alternate == Statement(KINDS["alternateOf"], None, (Identifier("http://e/e"), Identifier("http://e/f")))
        assert [warning.line for warning in document.warnings] == [3, 3]
        assert len(document.losses("provn")) == 2


NOT_READ = {
    # The file uses a prefix that it does not declare.
    "cff-sample.provn": "the prefix 'nidm'",
    # Quotation marks in a string that are not escaped.
    "nipype-bet.provn": "FSLOUTPUTTYPE",
}


def _files() -> list[Path]:
    return sorted(path for path in CORPUS.rglob("*.provn") if path.is_file())


@pytest.mark.parametrize("folder", ["prov-constraints", "prov-suite-testcases", "documents"])
def test_every_file_of_the_corpus_reads_and_survives_writing(folder: str) -> None:
    place = corpus(folder)
    files = [path for path in _files() if place in path.parents]
    assert files
    for path in files:
        reason = next((r for part, r in NOT_READ.items() if part in path.name), None)
        if reason is not None:
            with pytest.raises(ReadError, match=reason):
                formats.read(path)
            continue
        document = formats.read(path)
        assert all(statement.span is not None for statement in document), path
        again = formats.read(document.write("provn"), format="provn")
        assert again.compare(document).same, path
        assert list(again) == list(document), path


class TestExtensions:
    """The production ``extensibilityExpression`` and what may stand in it."""

    SOURCE = (
        'ex:f(ex:id; ex:a, -, 2012-01-01T00:00:00Z, "x"@en, \'ex:q\', 5, {ex:a, "b"}, (ex:a, (-)), '
        "ex:g(ex:h(-; ex:z)), [ex:a=1, ex:b='ex:T'])"
    )

    def test_every_part_is_kept(self) -> None:
        (extension,) = read(self.SOURCE).extensions
        inner = Extension(ex("g"), None, (Extension(ex("h"), None, (ex("z"),)),))
        assert extension == Extension(
            ex("f"),
            ex("id"),
            (
                *(ex("a"), None, "2012-01-01T00:00:00Z", text("x", "en")),
                *(Literal(EX + "q", PROV_QUALIFIED_NAME), Literal("5", XSD + "int")),
                *(
                    ArgumentGroup("{}", (ex("a"), text("b"))),
                    ArgumentGroup("()", (ex("a"), ArgumentGroup("()", (None,)))),
                    inner,
                ),
            ),
            ((ex("a"), Literal("1", XSD + "int")), (ex("b"), ex("T"))),
        )
        assert extension.span == (3, 1)

    def test_they_are_counted_as_what_is_not_prov_with_their_place(self) -> None:
        document = read("entity(ex:e)\nbundle ex:b ex:f(ex:e) endBundle\nprov:wasMade(ex:e)")
        assert [(part.part, part.line, part.column) for part in document.unmapped.unread] == [
            ("the statement ex:f", 4, 13),
            ("the statement prov:wasMade", 5, 1),
        ]
        assert (len(document), len(document.unmapped), sum(document.unmapped.reasons.values())) == (1, 2, 2)
        assert [f.rule for f in validate(document).findings] == ["reading:unread"] * 2

    def test_they_are_written_again_in_their_bundle(self) -> None:
        document = read(
            f"{self.SOURCE} bundle ex:b default <http://d/> prefix n <http://n/> n:f(x) x:f() endBundle",
            declare=f"prefix ex <{EX}> prefix x <http://d/>",
        )
        again = formats.read(document.write("provn"), format="provn")
        assert (again.extensions, again.bundles[0].extensions) == (document.extensions, document.bundles[0].extensions)
        assert len(again.bundles[0].extensions) == 2
        assert again.compare(document).same

    def test_a_keyword_has_a_prefix_where_only_the_default_namespace_fits(self) -> None:
        document = Document(prefixes={"": "http://d/"}, extensions=[Extension(Identifier("http://d/f"))])
        assert formats.read(document.write("provn"), format="provn").extensions == document.extensions

    def test_comparison_sees_them(self) -> None:
        left, right = read("ex:f(ex:a, [ex:a=1, ex:b=2])"), read("ex:f(ex:a, [ex:b=2, ex:a=1])")
        assert left.compare(right).same
        assert str(left.compare(read("ex:f(ex:b)")).difference) == (
            '- ex:f(ex:a, [ex:a="1" %% xsd:int, ex:b="2" %% xsd:int])\n+ ex:f(ex:b)'
        )
        assert not left.compare(read("bundle ex:b ex:f(ex:a, [ex:b=2, ex:a=1]) endBundle")).same

    @pytest.mark.parametrize("format_", [f.name for f in BOTH_WAYS if f.name != "provn"])
    def test_they_are_a_loss_elsewhere(self, format_: str) -> None:
        lost = [loss for loss in read("ex:f(ex:a)").losses(format_) if "extend PROV-N" in loss.reason]
        assert [loss.subject for loss in lost] == [ex("f")]

    def test_other_notes_are_known_by_their_iri(self) -> None:
        (statement,) = read("p:mentionOf(ex:a, ex:b, ex:c)", declare=f"prefix ex <{EX}> prefix p <{PROV}>").statements
        assert statement.kind is KINDS["mentionOf"]

    def test_nesting_is_bounded(self) -> None:
        found = error("document\nprefix e <http://e/>\n" + "e:f(" * 10_000)
        assert (found.line, found.column) == (3, 1 + 4 * MAX_DEPTH)
        assert "nested" in found.message
        error("document\nprefix e <http://e/>\ne:f(" + "{" * 10_000)


@pytest.mark.parametrize("datatype", ["xsd:string", "rdf:langString", "prov:InternationalizedString"])
def test_a_language_beside_a_string_type(datatype: str) -> None:
    document = read(
        f'entity(ex:e, [ex:v = "a"@en %% {datatype}])',
        declare=f"prefix ex <{EX}> prefix rdf <http://www.w3.org/1999/02/22-rdf-syntax-ns#>",
    )
    assert document.statements[0].attributes == ((ex("v"), text("a", "en")),)

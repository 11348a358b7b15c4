"""PROV-JSON: shapes of the submission and of the tools that write it, errors with places, and the corpus."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import assume, given, settings

from provrepo.codecs import formats
from provrepo.codecs.json_source import JsonSource, pointer
from provrepo.codecs.provjson import codec as provjson
from provrepo.errors import ReadError
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, Value, text
from provrepo.model.statements import KINDS, DictionaryEntry, Statement
from provrepo.vocab import PROV, PROV_LABEL, PROV_QUALIFIED_NAME, PROV_TYPE, XSD
from tests.support.corpus import CORPUS, corpus
from tests.support.sampling import examples
from tests.support.strategies import documents

EX = "http://example.org/"


def ex(local: str) -> Identifier:
    return Identifier(EX + local)


def read(sections: dict[str, object] | str, *, prefix: dict[str, str] | None = None) -> Document:
    if isinstance(sections, dict):
        sections = json.dumps({**sections, "prefix": prefix or {"ex": EX}})
    return formats.read(sections.encode(), format="provjson")


def value(written: str) -> Value:
    document = read(f'{{"prefix": {{"ex": "{EX}"}}, "entity": {{"ex:e": {{"ex:v": {written}}}}}}}')
    ((_, found),) = document.statements[0].attributes
    return found


def error(source: str) -> ReadError:
    with pytest.raises(ReadError) as caught:
        formats.read(source.encode(), format="provjson")
    assert caught.value.format == "provjson"
    return caught.value


T = "2011-11-16T16:05:00+00:00"


class TestRecords:
    @pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.name)
    def test_each_kind(self, kind: object) -> None:
        chosen = KINDS[getattr(kind, "name", "")]
        args = tuple(T if a.time else ex(f"x{i}") for i, a in enumerate(chosen.arguments))
        record = {f"prov:{a.name}": T if a.time else f"ex:x{i}" for i, a in enumerate(chosen.arguments)}
        named = read({chosen.name: {"ex:r" if chosen.identified else "_:r": record}})
        assert named.statements == [Statement(chosen, ex("r") if chosen.identified else None, args)]
        if not chosen.element:
            assert read({chosen.name: {"_:r": record}}).statements == [Statement(chosen, None, args)]
            nothing = read({chosen.name: {"_:r": {}}}).statements
            assert nothing == [Statement(chosen, None, (None,) * len(args))]

    def test_attributes_keep_their_order_and_arrays_repeat(self) -> None:
        document = read(
            {"entity": {"ex:e": {"ex:b": ["1", "2"], "prov:label": "x", "ex:a": {"$": "ex:t", "type": "xsd:QName"}}}}
        )
        assert document.statements[0].attributes == (
            (ex("b"), text("1")),
            (ex("b"), text("2")),
            (Identifier(PROV_LABEL), text("x")),
            (ex("a"), ex("t")),
        )

    def test_several_records_under_one_identifier(self) -> None:
        document = read({"entity": {"ex:e": [{"ex:a": "1"}, {"ex:a": "2"}]}})
        assert [(s.id, s.attributes[0][1]) for s in document] == [(ex("e"), text("1")), (ex("e"), text("2"))]

    def test_a_membership_of_several_members(self) -> None:
        document = read({"hadMember": {"_:m": {"prov:entity": ["ex:a", "ex:b"], "prov:collection": "ex:c"}}})
        assert [s.args for s in document] == [(ex("c"), ex("a")), (ex("c"), ex("b"))]
        assert [s.id for s in document] == [None, None]

    def test_arguments_as_typed_values_and_lone_elements(self) -> None:
        record = {
            "prov:activity": {"$": "ex:a", "type": "prov:QUALIFIED_NAME"},
            "prov:entity": ["ex:e"],
            "prov:time": {"$": T, "type": "xsd:dateTime"},
        }
        assert read({"used": {"_:u": record}}).statements[0].args == (ex("a"), ex("e"), T)

    def test_blank_names_are_forgotten_unless_referred_to(self) -> None:
        document = read(
            {
                "used": {"_:u": {"prov:activity": "ex:a"}, "_:v": {"prov:activity": "ex:a"}},
                "wasDerivedFrom": {
                    "_:d": {"prov:generatedEntity": "ex:f", "prov:usedEntity": "ex:e", "prov:usage": "_:v"}
                },
            }
        )
        assert [s.id for s in document] == [None, "_:v", None]

    def test_equal_records_under_one_blank_name_have_none(self) -> None:
        # prov writes equal anonymous relations so.
        document = read({"used": {"_:id1": [{"prov:activity": "ex:a"}, {"prov:activity": "ex:a"}]}})
        assert [s.id for s in document] == [None, None]

    def test_spans_are_those_of_the_keys(self) -> None:
        source = """{"prefix": {"ex": "http://e/"},
 "entity": {
  "ex:é": {}, "ex:b"
 : {"ex:x": "y"}},
"bundle": {"ex:b": {"agent": {"ex:g": {}}}}}"""
        assert [s.span for s in read(source)] == [(3, 3), (3, 15), (5, 31)]


class TestValues:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ('"a"', text("a")),
            ("7", Literal("7", XSD + "int")),
            ("-0", Literal("-0", XSD + "int")),
            ("123456789012345678901234567890", Literal("123456789012345678901234567890", XSD + "int")),
            ("1.10", Literal("1.10", XSD + "double")),
            ("1E400", Literal("1E400", XSD + "double")),
            ("true", Literal("true", XSD + "boolean")),
            ("false", Literal("false", XSD + "boolean")),
            ('{"$": "a"}', text("a")),
            ('{"$": "a", "lang": "en-GB"}', text("a", "en-GB")),
            ('{"$": "a", "lang": "en", "type": "prov:InternationalizedString"}', text("a", "en")),
            ('{"$": "a", "type": "prov:InternationalizedString"}', Literal("a", PROV + "InternationalizedString")),
            ('{"$": "007", "type": "xsd:integer"}', Literal("007", XSD + "integer")),
            ('{"$": 7, "type": "xsd:long"}', Literal("7", XSD + "long")),
            ('{"$": true, "type": "xsd:boolean"}', Literal("true", XSD + "boolean")),
            ('{"$": "ex:a", "type": "prov:QUALIFIED_NAME"}', ex("a")),
            ('{"$": "ex:a", "type": "xsd:QName"}', ex("a")),
            ('{"$": "http://e/", "type": "xsd:anyURI"}', Literal("http://e/", XSD + "anyURI")),
            ('{"$": "a", "type": "ex:own"}', Literal("a", EX + "own")),
            (r'"\u00e9\ud83c\udf3e\n"', text("é🌾\n")),
        ],
    )
    def test_each_form(self, written: str, expected: Value) -> None:
        found = value(written)
        assert found == expected
        assert type(found) is type(expected)
        if isinstance(found, Literal):
            assert type(found.lexical) is str


class TestNames:
    def test_prefixes_may_stand_after_their_use_and_be_defaults(self) -> None:
        document = read({"entity": {"e": {}, "ex:f": {}}}, prefix={"default": "http://d/", "ex": EX})
        assert [s.id for s in document] == ["http://d/e", ex("f")]
        assert document.prefixes == {"": "http://d/", "ex": EX}

    def test_bundles_have_prefixes_of_their_own(self) -> None:
        inner = {"prefix": {"ex": "http://o/", "q": "http://q/"}, "entity": {"ex:a": {}, "q:a": {}}}
        document = read({"bundle": {"ex:b": inner, "ex:c": {"prefix": {"ex": EX}, "entity": {"ex:a": {}}}}})
        # PROV-N, section 3.7.2: a bundle's name is read with its own declarations.
        assert [b.id for b in document.bundles] == ["http://o/b", ex("c")]
        assert [s.id for s in document] == ["http://o/a", "http://q/a", ex("a")]
        assert [b.prefixes for b in document.bundles] == [inner["prefix"], {}]

    def test_a_bundle_may_declare_the_prefix_of_its_own_name_and_be_repeated(self) -> None:
        document = read({"bundle": {"o:b": {"prefix": {"o": "http://o/"}}, "ex:b": [{}, {"agent": {"ex:g": {}}}]}})
        assert [b.id for b in document.bundles] == ["http://o/b", ex("b"), ex("b")]

    def test_the_id_of_a_bundle_is_its_own_name(self) -> None:
        inner = {"prefix": {"o": "http://o/"}, "@id": "o:b", "entity": {"ex:a": {}}}
        document = read({"bundle": {"o:b": inner, "ex:b": {"@id": "http://example.org/b"}}})
        assert [b.id for b in document.bundles] == ["http://o/b", ex("b")]
        assert [w.message for w in document.warnings] == [
            "the '@id' of the bundle 'ex:b' is 'http://example.org/b', which is another identifier: read as 'ex:b'"
        ]
        assert not document.unmapped

    def test_relations_that_have_no_name_in_prov_lose_it_and_that_is_reported(self) -> None:
        document = read(
            {
                "specializationOf": {"ex:s": {"prov:specificEntity": "ex:a", "prov:generalEntity": "ex:b"}},
                "hadMember": {"ex:m": {"prov:collection": "ex:a", "prov:entity": ["ex:b", "ex:c"]}},
                "mentionOf": {"ex:n": [{"prov:specificEntity": "ex:a"}, {"prov:specificEntity": "ex:b"}]},
            }
        )
        assert [s.id for s in document] == [None] * 5
        assert [part.part for part in document.unmapped.unread] == [
            "/specializationOf/ex:s",
            "/hadMember/ex:m",
            "/mentionOf/ex:n/0",
            "/mentionOf/ex:n/1",
        ]

    def test_local_names_may_be_escaped_as_in_prov_n(self) -> None:
        document = read(
            {"entity": {"ex:f\\(x\\,y\\)": {"ex:it\\'s": {"$": "ex:a\\=b", "type": "prov:QUALIFIED_NAME"}}}}
        )
        assert document.statements == [Statement(KINDS["entity"], ex("f(x,y)"), (), ((ex("it's"), ex("a=b")),))]
        assert not document.warnings

    def test_qualified_relations_of_prov_toolbox_keep_their_names(self) -> None:
        document = read(
            {
                "qualifiedHadMember": {"ex:m": {"collection": "ex:a", "entity": ["ex:b"], "ex:p": ["x"]}},
                "qualifiedSpecializationOf": {"_:s": {"prov:specificEntity": "ex:a", "prov:generalEntity": "ex:b"}},
            }
        )
        member, specialization = document.statements
        assert (member.id, member.args, member.attributes) == (ex("m"), (ex("a"), ex("b")), ((ex("p"), text("x")),))
        assert specialization.args == (ex("a"), ex("b"))
        assert all("extension of ProvToolbox" in w.message for w in document.warnings)
        assert not document.unmapped

    def test_a_redeclared_reserved_prefix_keeps_its_meaning(self) -> None:
        document = read(
            {"entity": {"ex:e": {"ex:v": {"$": "1", "type": "xsd:int"}}}}, prefix={"ex": EX, "xsd": XSD[:-1]}
        )
        assert document.statements[0].attributes == ((ex("v"), Literal("1", XSD + "int")),)
        assert "xsd" in document.warnings[0].message
        assert document.prefixes == {"ex": EX}

    def test_names_that_expand_to_no_iri_are_repaired_with_a_remark(self) -> None:
        document = read('{"prefix": {"ex": "http://e/#"},\n"entity": {"ex:a": {},\n"ex:1->2": {}}}')
        assert document.statements[1].id == "http://e/#1-%3E2"
        assert [w.line for w in document.warnings] == [3]


def entity(record: str) -> str:
    return '{"prefix": {"ex": "http://e/"},\n "entity": {\n  "ex:e": ' + record + "}}"


class TestUnread:
    def test_keys_that_nothing_reads_are_named_with_their_place(self) -> None:
        text = """{"hello": {"@id": "x"}, "entities": {},
 "prefix": {"ex": "http://example.org/"}, "ext:hadFriend": {"_:1": {}},
 "entity": {"ex:e": {"label": "x",
   "@type": "T", "ex:v": 1}},
 "used": {"ex:u": [{"prov:activity": "ex:a"}, {"note": 1}]},
 "bundle": {"ex:b": {"comment": 1, "agent": {"ex:g": {"name": "x"}}}}}"""
        document = provjson.read(text.encode(), format="provjson", base=None)
        assert [tuple(part[:1]) + tuple(part[2:]) for part in document.unmapped.unread] == [
            ("/hello", 1, 2),
            ("/entities", 1, 25),
            ("/ext:hadFriend", 2, 43),
            ("/bundle/ex:b/comment", 6, 22),
            ("/entity/ex:e/label", 3, 22),
            ("/entity/ex:e/@type", 4, 4),
            ("/used/ex:u/1/note", 5, 48),
            ("/bundle/ex:b/agent/ex:g/name", 6, 55),
        ]
        assert "'entity' is meant" in document.unmapped.unread[1].reason
        assert len(document) == 4
        assert document.statements[0].attributes == ((ex("v"), Literal("1", XSD + "int")),)

    def test_a_name_without_prefix_is_an_attribute_where_there_is_a_default_namespace(self) -> None:
        document = read({"entity": {"e": {"label": "x", "@type": "T"}}}, prefix={"default": EX})
        assert document.statements[0].attributes == ((ex("label"), text("x")),)
        assert [part.part for part in document.unmapped.unread] == ["/entity/e/@type"]

    def test_json_that_is_no_provenance_is_a_document_without_statements(self) -> None:
        document = provjson.read(b'{"hello": {"@id": "x"}, "data": [1, 2, 3]}', format="provjson", base=None)
        assert len(document) == 0
        assert len(document.unmapped) == 2


class TestErrors:
    @pytest.mark.parametrize(
        ("source", "line", "column", "says"),
        [
            ("", 1, 1, "object"),
            ("[]", 1, 1, "object"),
            ('{"entity": {}', 1, 14, "comma or '}'"),
            ('{"entity": {},}', 1, 15, "a comma before '}'"),
            ('{"entity": {} "agent": {}}', 1, 15, "comma"),
            ('{"entity" {}}', 1, 11, "':'"),
            ("{entity: {}}", 1, 2, "key"),
            ('{"entity": {}} {}', 1, 16, "nothing may follow"),
            ('{"entity": []}', 1, 12, "object"),
            ('{"entity": {}, "entity": {}}', 1, 16, "'entity' occurs twice"),
            ('{"prefix": {"ex": "http://e/"}, "entity": {"ex:a": {},\n "ex:a": {}}}', 2, 2, "'ex:a' occurs twice"),
            ('{"prefix": {"ex": 1}}', 1, 19, "string"),
            ('{"prefix": {"ex": "e/"}}', 1, 13, "relative"),
            ('{"entity": {"ex:a": {}}}', 1, 13, "prefix 'ex'"),
            ('{"entity": {"a": {}}}', 1, 13, "no default namespace"),
            ('{"bundle": {"ex:b": {}}}', 1, 13, "prefix 'ex'"),
            ('{"prefix": {"ex": "http://e/"}, "bundle": {"ex:b": {"bundle": {}}}}', 1, 53, "cannot contain bundles"),
            (entity('"x"'), 3, 3, "/entity/ex:e)"),
            (entity('{"ex:v": null}'), 3, 12, "/entity/ex:e/ex:v)"),
            (entity('{"ex:v": [1, [2]]}'), 3, 24, "/entity/ex:e/ex:v/1)"),
            (entity('{"ex:v": {"type": "xsd:int"}}'), 3, 12, '"$"'),
            (entity('{"ex:v": {"$": [1]}}'), 3, 12, '"$"'),
            (entity('{"ex:v": {"$": "1", "unit": "m"}}'), 3, 31, "/entity/ex:e/ex:v/unit)"),
            (entity('{"ex:v": {"$": "1", "type": 1}}'), 3, 31, "must be a string"),
            (entity('{"ex:v": {"$": "1", "type": "no:x"}}'), 3, 31, "prefix 'no'"),
            (entity('{"ex:v": {"$": "1", "type": "xsd:int", "lang": "en"}}'), 3, 31, "language"),
            (entity('{"ex:v": {"$": "no:x", "type": "xsd:QName"}}'), 3, 21, "prefix 'no'"),
            (entity('{"no:v~/": 1}'), 3, 12, "/entity/ex:e/no:v~0~1)"),
            (entity('[{}, {"no:v": 1}]'), 3, 17, "/entity/ex:e/1/no:v)"),
            (entity('{"ex:v": 1, "ex:w": {"$": "a",\n "$": "b"}}'), 4, 2, "'$' occurs twice"),
            (entity('{"ex:v": NaN}'), 3, 11, "NaN"),
            (entity('{"ex:v": 01}'), 3, 21, "expecting ','"),
            (entity('{"ex:v": "a\nb"}'), 3, 22, "control character"),
            (entity('{"ex:v": "\\ud83c"}'), 3, 21, "surrogates"),
            (entity('{"ex:v": "\\udf3e\\ud83c"}'), 3, 21, "surrogates"),
            (
                '{"prefix": {"ex": "http://e/"}, "used": {"_:u": {"prov:activity": 1}}}',
                1,
                50,
                "/used/_:u/prov:activity)",
            ),
            ('{"prefix": {"ex": "http://e/"}, "used": {"_:u": {"prov:time": null}}}', 1, 50, "time of used"),
            (
                '{"prefix": {"ex": "http://e/"}, "used": {"_:u": {"prov:activity": ["ex:a", "ex:b"]}}}',
                1,
                50,
                "activity of used",
            ),
            ('{"prefix": {"ex": "http://e/"}, "hadMember": {"_:m": {"ex:a": 1}}}', 1, 55, "no attributes"),
        ],
    )
    def test_what_and_where(self, source: str, line: int, column: int, says: str) -> None:
        found = error(source)
        assert says in found.message
        assert (found.line, found.column) == (line, column)

    @given(documents(max_statements=3))
    @settings(max_examples=examples(40), deadline=None)
    def test_every_truncation_is_an_error_with_a_place(self, document: Document) -> None:
        whole = document.write("provjson").rstrip()
        for cut in range(0, len(whole), max(1, len(whole) // 25)):
            with pytest.raises(ReadError) as caught:
                formats.read(whole[:cut], format="provjson")
            assert caught.value.line is not None

    def test_pointers_are_escaped(self) -> None:
        assert pointer(["entity", "a/b~c", 1]) == "/entity/a~1b~0c/1"

    def test_nesting_beyond_the_scanner_is_an_error_without_the_guards(self) -> None:
        source = JsonSource(b"[" * 200_000, "provjson")
        with pytest.raises(ReadError, match="nested"):
            source.value(0)


class TestWriting:
    def test_it_is_laid_out_for_people(self) -> None:
        document = Document(
            statements=[
                Statement(KINDS["used"], None, (ex("a"), ex("e"), T)),
                Statement(
                    KINDS["entity"],
                    ex("e"),
                    (),
                    (
                        (Identifier(PROV_TYPE), ex("T")),
                        (ex("n"), Literal("01", XSD + "int")),
                        (Identifier(PROV_TYPE), text("é", "fr")),
                    ),
                ),
                Statement(KINDS["used"], None, (ex("a"), None, None)),
                Statement(KINDS["entity"], ex("e"), (), ((ex("n"), text('"')),)),
            ],
            bundles=[Bundle(ex("b"), [Statement(KINDS["agent"], Identifier("http://o/g"))], {"o": "http://o/"})],
            prefixes={"ex": EX, "": "http://d/"},
        )
        assert document.write("provjson").decode() == (
            "{\n"
            '  "prefix": {\n    "ex": "http://example.org/",\n    "default": "http://d/",\n'
            '    "prov": "http://www.w3.org/ns/prov#",\n    "xsd": "http://www.w3.org/2001/XMLSchema#"\n  },\n'
            '  "used": {\n'
            '    "_:id1": {"prov:activity": "ex:a", "prov:entity": "ex:e", "prov:time": "2011-11-16T16:05:00+00:00"},\n'
            '    "_:id2": {"prov:activity": "ex:a"}\n  },\n'
            '  "entity": {\n'
            '    "ex:e": [{"prov:type": [{"$": "ex:T", "type": "prov:QUALIFIED_NAME"}, {"$": "é", "lang": "fr"}],'
            ' "ex:n": [{"$": "01", "type": "xsd:int"}]}, {"ex:n": ["\\""]}]\n  },\n'
            '  "bundle": {\n'
            '    "ex:b": {\n      "prefix": {\n        "ex": "http://example.org/",\n        "o": "http://o/",\n'
            '        "prov": "http://www.w3.org/ns/prov#",\n        "xsd": "http://www.w3.org/2001/XMLSchema#"\n'
            '      },\n      "@id": "ex:b",\n'
            '      "agent": {\n        "o:g": {}\n      }\n    }\n  }\n}\n'
        )
        assert Document().write("provjson") == b"{}\n"

    @settings(max_examples=examples(150), deadline=None)
    @given(documents(controls=True, missing_mandatory=True, repeated_bundles=True, repeated_relations=True))
    def test_what_is_written_is_read_again(self, document: Document) -> None:
        again = formats.read(document.write("provjson"), format="provjson")
        assert Counter(again.statements) == Counter(document.statements)
        assert Counter(b.id for b in again.bundles) == Counter(b.id for b in document.bundles)
        assert again.compare(document).same
        assert not again.warnings
        assert not document.losses("provjson")

    @settings(max_examples=examples(40), deadline=None)
    @given(documents(odd_times=False, dictionaries=False))
    def test_prov_reads_it(self, document: Document) -> None:
        from prov.model import ProvDocument

        # prov takes every key of a bundle for a kind of statement, also "@id", without which ProvToolbox reads none.
        value = json.loads(document.write("provjson"))
        # Bundles whose own prefixes spell their names equally are in an array, which prov does not read.
        assume(all(isinstance(bundle, dict) for bundle in value.get("bundle", {}).values()))
        for bundle in value.get("bundle", {}).values():
            assert bundle.pop("@id") in value["bundle"]
        theirs = ProvDocument.deserialize(content=json.dumps(value), format="json")
        assert len(theirs.records) + sum(len(b.records) for b in theirs.bundles) == len(document)
        assert {str(r.identifier.uri) for r in theirs.records if r.is_element()} == {
            s.id for s in document.statements if s.kind.element
        }

    def test_a_bundle_is_named_with_its_own_declarations(self) -> None:
        agent = Statement(KINDS["agent"], Identifier("http://d/g"))
        document = Document(
            bundles=[
                Bundle(Identifier("http://d/b"), [agent], {"": "http://o/", "ex": "http://q/"}),
                Bundle(ex("c"), [], {"ex": "http://q/"}),
            ],
            prefixes={"ex": EX, "": "http://d/"},
        )
        data = document.write("provjson")
        for name, written in json.loads(data)["bundle"].items():
            assert written["@id"] == name
            # ProvToolbox looks for the prefix of the name in the bundle alone.
            assert name.partition(":")[0] in written["prefix"]
            assert {"prov", "xsd"} <= written["prefix"].keys()
        again = formats.read(data)
        assert [b.id for b in again.bundles] == ["http://d/b", ex("c")]
        assert again.compare(document).same

    @settings(max_examples=examples(60), deadline=None)
    @given(documents())
    def test_one_value_is_written_as_several_are(self, document: Document) -> None:
        value = json.loads(document.write("provjson"))
        for instance in [value, *value.get("bundle", {}).values()]:
            for section, records in instance.items():
                for record in records.values() if section not in ("prefix", "bundle", "@id") else ():
                    for one in record if isinstance(record, list) else [record]:
                        arguments = {"prov:" + argument.name for argument in KINDS[section].arguments}
                        values = [member for key, member in one.items() if key not in arguments]
                        assert all(isinstance(member, list) for member in values)

    def test_names_of_anonymous_relations_never_clash(self) -> None:
        used = [Statement(KINDS["used"], None, (Identifier("_:id2"), None, None)) for _ in range(3)]
        document = Document(statements=used, bundles=[Bundle(ex("b"), used)], prefixes={"ex": EX})
        data = document.write("provjson")
        names = [f"_:id{number}" for number in (1, 3, 4, 5, 6, 7)]
        assert [name for name in names if f'"{name}": '.encode() in data] == names
        assert formats.read(data).compare(document).same

    def test_prefixes_that_mean_something_else_in_json(self) -> None:
        document = Document(
            statements=[
                Statement(KINDS["entity"], Identifier("http://d/e")),
                Statement(KINDS["entity"], Identifier("http://u/e")),
            ],
            prefixes={"default": "http://d/", "_": "http://u/"},
        )
        again = formats.read(document.write("provjson"))
        assert again.compare(document).same
        assert set(again.prefixes) == {"ns1", "ns2"}

    def test_losses(self) -> None:
        document = Document(
            statements=[
                Statement(KINDS["entity"], None),
                Statement(KINDS["hadMember"], ex("m"), (ex("c"), ex("e")), ((ex("x"), text("y")),)),
                Statement(KINDS["used"], None, (ex("a"), None, None), ((Identifier(PROV + "entity"), text("x")),)),
                Statement(KINDS["entity"], ex("e"), (), ((ex("x"), Literal("no:name", PROV_QUALIFIED_NAME)),)),
            ]
        )
        reasons = " | ".join(loss.reason for loss in document.losses("provjson"))
        for part in (
            "without an identifier",
            "no identifier for hadMember",
            "no attributes",
            "as an argument",
            "as a name",
        ):
            assert part in reasons
        assert len(document.losses("provjson")) == 5
        assert len(formats.read(document.write("provjson"))) == 3


class TestDictionaries:
    """The two ways in which ProvToolbox writes keys."""

    def test_keys_of_one_datatype(self) -> None:
        record = {
            "prov:after": "ex:d",
            "prov:before": "ex:c",
            "prov:key-entity-set": {"$key-datatype": "prov:QUALIFIED_NAME", "ex:k": "ex:e"},
        }
        (insertion,) = read({"derivedByInsertionFrom": {"_:i": record}})
        assert insertion.entries == (DictionaryEntry(ex("k"), ex("e")),)
        record["prov:key-entity-set"] = {"1": "ex:e"}
        (insertion,) = read({"prov:derivedByInsertionFrom": {"_:i": record}})
        assert insertion.entries == (DictionaryEntry(text("1"), ex("e")),)

    def test_members_are_statements_of_their_own(self) -> None:
        pairs = [{"key": {"$": "k", "lang": "en"}, "$": "ex:e"}, {"key": "l", "$": ["ex:f"]}]
        record = {"prov:dictionary": "ex:d", "prov:key-entity-set": pairs}
        document = read({"hadDictionaryMember": {"_:m": record}})
        kind = KINDS["hadDictionaryMember"]
        assert document.statements == [
            Statement(kind, None, (ex("d"), ex("e")), entries=(DictionaryEntry(text("k", "en")),)),
            Statement(kind, None, (ex("d"), ex("f")), entries=(DictionaryEntry(text("l")),)),
        ]

    def test_a_single_removed_key_needs_no_array(self) -> None:
        record = {"prov:after": "ex:d", "prov:before": "ex:c", "prov:key-set": {"$": "1", "type": "xsd:int"}}
        (removal,) = read({"derivedByRemovalFrom": {"ex:r": record}})
        assert removal.entries == (DictionaryEntry(Literal("1", XSD + "int")),)

    @pytest.mark.parametrize(
        ("pairs", "says"),
        [
            ("k", "an array or an object"),
            ([{"key": "k"}], "a key and its entity"),
            ([{"key": "k", "$": 7}], "an entity under a key must be a string"),
            ({"$key-datatype": "no:type", "k": "ex:e"}, "the prefix 'no'"),
        ],
    )
    def test_errors(self, pairs: object, says: str) -> None:
        record = {"prov:after": "ex:d", "prov:before": "ex:c", "prov:key-entity-set": pairs}
        with pytest.raises(ReadError, match=says):
            read({"derivedByInsertionFrom": {"_:i": record}})

    def test_the_extension_of_provtoolbox(self) -> None:
        record = {"prov:collection": "ex:c", "prov:entity": ["ex:e", "ex:f"], "ex:p": "1"}
        document = read({"provext:hadMember": {"ex:m": record, "_:n": record}})
        assert [(s.id, s.args[1], len(s.attributes)) for s in document] == [
            (ex("m"), ex("e"), 1),
            (ex("m"), ex("f"), 1),
            (None, ex("e"), 1),
            (None, ex("f"), 1),
        ]
        (warning,) = document.warnings
        assert warning.message.startswith("provext:hadMember is an extension of ProvToolbox")


def test_both_notations_of_each_case_say_the_same_and_survive_writing() -> None:
    cases = sorted(path for path in corpus("prov-suite-testcases").iterdir() if path.is_dir())
    assert len(cases) > 200
    for case in cases:
        read_ = [formats.read(next(p for p in case.iterdir() if p.suffix == suffix)) for suffix in (".provn", ".json")]
        assert read_[0].compare(read_[1]).same, case.name
        for document in read_:
            for format_ in ("provn", "provjson"):
                again = formats.read(document.write(format_), format=format_)
                assert again.compare(document).same, (case.name, format_)


def test_other_peoples_documents_read_and_survive_writing() -> None:
    folder = corpus("documents")
    count = 0
    for path in sorted(folder.rglob("*.json")):
        data = path.read_bytes()
        if formats.detect(data, path).name != "provjson" or not data.lstrip().startswith(b"{"):
            continue
        if not {"prefix", "entity", "wasGeneratedBy", "bundle"} & set(json.loads(data)):
            continue
        document = formats.read(path)
        count += 1
        assert all(statement.span is not None for statement in document), path
        for format_ in ("provn", "provjson"):
            again = formats.read(document.write(format_), format=format_)
            # Losses are those of ProvToolbox's extension: a membership with attributes.
            assert again.compare(document).same or path.name == "issue174.json", (path, format_)
            assert bool(document.losses(format_)) is (path.name == "issue174.json"), (path, format_)
    assert count > 20, f"only {count} in {CORPUS}"

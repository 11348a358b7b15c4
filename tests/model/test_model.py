"""Statements, comparison, digests, names and minted IRIs."""

from __future__ import annotations

import itertools
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs.anonymous import drop_unreferenced_identifiers
from provrepo.codecs.names import NameShortener, PrefixScope, namespace, repair
from provrepo.model.canonical import merged
from provrepo.model.compare import compare
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, digest, is_anonymous, is_blank, is_content, text
from provrepo.model.minting import Minter
from provrepo.model.statements import ELEMENTS, KINDS, DictionaryEntry, Statement
from provrepo.vocab import PROV, RDF_LANG_STRING, XSD, XSD_STRING
from tests.support.sampling import examples
from tests.support.strategies import documents, identifiers

ENTITY, USED, GENERATION, DERIVATION = (KINDS[k] for k in ("entity", "used", "wasGeneratedBy", "wasDerivedFrom"))
LABEL = Identifier(PROV + "label")


def ex(local: str) -> Identifier:
    return Identifier("http://example.org/" + local)


def document(*statements: Statement) -> Document:
    return Document(statements=list(statements))


class TestStatements:
    def test_the_table_is_that_of_prov_dm(self) -> None:
        assert len(KINDS) == 21
        assert [k.name for k in KINDS.values() if k.entries is not None] == [
            "derivedByInsertionFrom",
            "derivedByRemovalFrom",
            "hadDictionaryMember",
        ]
        assert [k.name for k in ELEMENTS] == ["entity", "activity", "agent"]
        assert all(KINDS[k.name] is k for k in KINDS.values())
        unidentified = {k.name for k in KINDS.values() if not k.identified}
        assert unidentified == {"specializationOf", "alternateOf", "hadMember", "mentionOf", "hadDictionaryMember"}

    def test_the_keys_of_one_insertion_are_merged_only_where_they_agree(self) -> None:
        def insertion(*keys: str) -> Statement:
            entries = tuple(DictionaryEntry(text(key), ex("e")) for key in keys)
            return Statement(KINDS["derivedByInsertionFrom"], ex("i"), (ex("d"), ex("c")), entries=entries)

        assert merged([insertion("k", "l"), insertion("l", "k"), insertion()]) == [insertion("k", "l")]
        assert len(merged([insertion("k"), insertion("l")])) == 2
        apart, together = Document([insertion("k"), insertion("l")]), Document([insertion("k", "l")])
        assert not compare(apart, together).same
        assert apart.losses("turtle")

    def test_kinds_stay_single_objects_through_pickling(self) -> None:
        statement = Statement(USED, None, (ex("a"), ex("e"), None), ((LABEL, text("x")),), (3, 4))
        copy = pickle.loads(pickle.dumps(statement))
        assert copy == statement
        assert copy.kind is USED
        assert copy.span == (3, 4)

    def test_equality_ignores_the_span_and_the_order_of_attributes(self) -> None:
        pairs = ((LABEL, text("x")), (LABEL, text("y")))
        one, other = Statement(ENTITY, ex("e"), (), pairs, (1, 1)), Statement(ENTITY, ex("e"), (), pairs[::-1])
        assert one == other
        assert hash(one) == hash(other)
        assert one != Statement(ENTITY, ex("e"))
        assert one != "entity"

    def test_literals_keep_their_spelling(self) -> None:
        assert Literal("007", XSD + "integer") != Literal("7", XSD + "integer")
        assert text("a").datatype == XSD_STRING
        assert text("a", "en") == Literal("a", RDF_LANG_STRING, "en")

    def test_a_document_holds_its_bundles_statements(self) -> None:
        sample = Document(
            statements=[Statement(ENTITY, ex("a"))], bundles=[Bundle(ex("b"), [Statement(ENTITY, ex("c"))])]
        )
        assert len(sample) == 2
        assert [s.id for s in sample] == [ex("a"), ex("c")]
        assert [i.id for i in sample.instances()] == [None, ex("b")]
        assert bool(Document())


class TestCompare:
    @settings(max_examples=examples(30), deadline=None)
    @given(documents(repeated_relations=True), st.randoms(use_true_random=False))
    def test_order_and_repetition_do_not_matter(self, original: Document, random: object) -> None:
        shuffled = [*original.statements, *original.statements[:1]]
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        again = Document(statements=shuffled, bundles=original.bundles[::-1], prefixes={"other": "http://other/"})
        assert compare(original, again).same

    @settings(max_examples=examples(30), deadline=None)
    @given(documents())
    def test_one_statement_more_is_a_difference(self, original: Document) -> None:
        more = Document(
            statements=[*original.statements, Statement(ENTITY, ex("surely-new"))], bundles=original.bundles
        )
        result = compare(original, more)
        assert not result.same
        assert result.difference.left == ()
        assert len(result.difference.right) == 1
        assert "surely-new" in result.difference.right[0]

    def test_spelling_datatype_and_position_matter(self) -> None:
        def entity(literal: Literal) -> Document:
            return document(Statement(ENTITY, ex("e"), (), ((ex("size"), literal),)))

        assert not compare(entity(Literal("7", XSD + "int")), entity(Literal("07", XSD + "int"))).same
        assert not compare(entity(Literal("7", XSD + "int")), entity(Literal("7"))).same
        assert compare(entity(text("a", "en-GB")), entity(text("a", "en-gb"))).same
        one, other = (Statement(USED, None, args) for args in ((ex("a"), ex("b"), None), (ex("b"), ex("a"), None)))
        assert not compare(document(one), document(other)).same

    def test_where_a_statement_stands_matters(self) -> None:
        inside = Document(bundles=[Bundle(ex("b"), [Statement(ENTITY, ex("e"))])])
        assert not compare(inside, document(Statement(ENTITY, ex("e")))).same
        assert not compare(inside, Document(bundles=[Bundle(ex("c"), [Statement(ENTITY, ex("e"))])])).same

    def test_statements_of_one_identifier_are_merged_where_they_agree(self) -> None:
        time = "2020-01-01T00:00:00Z"
        parts = [
            Statement(GENERATION, ex("g"), (ex("e"), ex("a"), None), ((LABEL, text("x")),)),
            Statement(GENERATION, ex("g"), (ex("e"), None, time)),
        ]
        whole = Statement(GENERATION, ex("g"), (ex("e"), ex("a"), time), ((LABEL, text("x")),))
        assert merged(parts) == [whole]
        assert compare(document(*parts), document(whole)).same
        clash = Statement(GENERATION, ex("g"), (ex("other"), None, None))
        assert len(merged([*parts, clash])) == 2

    def test_names_of_blank_nodes_do_not_matter_but_their_links_do(self) -> None:
        def chain(*names: str) -> Document:
            nodes = [Identifier(n) for n in names]
            links = [Statement(DERIVATION, None, (b, a, None, None, None)) for a, b in itertools.pairwise(nodes)]
            return document(*links)

        assert compare(chain("_:a", "_:b", "_:c"), chain("_:z", "_:y", "_:x")).same
        assert compare(chain("_:a", "_:b"), chain("https://h/.well-known/genid/1", "_:q")).same
        assert not compare(chain("_:a", "_:b", "_:c"), chain("_:a", "_:b", "_:a")).same


class TestAnonymous:
    def test_a_blank_name_that_nothing_refers_to_is_forgotten(self) -> None:
        used = Statement(USED, Identifier("_:u"), (ex("a"), ex("e"), None), (), (1, 2))
        kept = drop_unreferenced_identifiers([used, used])
        assert [s.id for s in kept] == [None, None]
        assert kept[0].span == (1, 2)

    def test_one_that_is_referred_to_stays(self) -> None:
        used = Statement(USED, Identifier("_:u"), (ex("a"), ex("e"), None))
        derived = Statement(DERIVATION, None, (ex("f"), ex("e"), ex("a"), None, Identifier("_:u")))
        assert drop_unreferenced_identifiers([used, derived])[0].id == "_:u"
        valued = Statement(ENTITY, ex("x"), (), ((ex("how"), Identifier("_:u")),))
        assert drop_unreferenced_identifiers([used, valued])[0].id == "_:u"

    def test_one_that_two_different_statements_share_stays(self) -> None:
        used = Statement(USED, Identifier("_:u"), (ex("a"), ex("e"), None))
        other = Statement(USED, Identifier("_:u"), (ex("a"), ex("f"), None))
        assert [s.id for s in drop_unreferenced_identifiers([used, other])] == ["_:u", "_:u"]

    def test_blank_elements_keep_their_name(self) -> None:
        assert drop_unreferenced_identifiers([Statement(ENTITY, Identifier("_:e"))])[0].id == "_:e"

    def test_what_is_blank_and_what_is_anonymous(self) -> None:
        assert is_blank("_:a")
        assert not is_blank("http://h/genid/1")
        assert is_anonymous("http://h/genid/1")
        assert not is_anonymous("http://h/a")


class TestDigests:
    @pytest.mark.parametrize(
        ("iri", "expected"),
        [
            ("ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk", "sha-256 f4OxZX_x…"),
            ("ni://lab.example/sha-256;f4OxZX_x_FO5?ct=text/plain", "sha-256 f4OxZX_x…"),
            ("NIH:SHA-256-32;53269057;b", "sha-256-32 53269057"),
            ("nih:3;532690-57e12f-e2b74b;f", "nih 532690-5…"),
            ("hash://sha256/7f83b1657ff1fc53b92dc18148a1d65d", "sha256 7f83b165…"),
            ("urn:hash::sha1:653168802175a37572892c44a8128a1d53a67a39", "sha1 65316880…"),
            ("urn:hash:text/plain:md5:653168802175a3757289", "md5 65316880…"),
            ("urn:sha1:PLSTHIPQGSSZTS5F", "sha1 PLSTHIPQ…"),
            ("urn:sha256:7f83b1657ff1", "sha256 7f83b165…"),
            ("swh:1:cnt:94a9ed024d3859793618152ea559a168bbcbb5e2;origin=https://h/", "swh 94a9ed02…"),
        ],
    )
    def test_an_iri_with_a_digest_is_shortened_to_the_start_of_the_digest(self, iri: str, expected: str) -> None:
        assert digest(iri) == expected
        assert is_content(iri), "so lineage takes it for content too"

    @pytest.mark.parametrize(
        "iri", ["swh:1:dir:94a9ed024d38", "urn:uuid:7f83b165", "http://h/ni:///x;f4Ox", "ni://h", "ni:///;x", "_:b"]
    )
    def test_what_names_no_bytes_has_no_digest(self, iri: str) -> None:
        assert digest(iri) == ""


class TestNames:
    def test_a_scope_expands_with_its_own_prefixes_first(self) -> None:
        outer = PrefixScope({"ex": "http://outer/", "": "http://default/"})
        inner = PrefixScope({"ex": "http://inner/"}, outer)
        assert outer.expand("ex:a") == "http://outer/a"
        assert inner.expand("ex:a") == "http://inner/a"
        assert inner.expand("a") == "http://default/a"
        assert inner.expand("_:a") == "_:a"
        assert inner.expand("no:a") is None
        assert PrefixScope({}).expand("a") is None
        assert outer.expand("prov:type") == PROV + "type"
        assert outer.expand("ex:a") is outer.expand("ex:a")

    @pytest.mark.parametrize(
        ("iri", "repaired"),
        [
            ("http://e/a?b=c#d", "http://e/a?b=c#d"),
            ("http://e/été/日本", "http://e/été/日本"),
            ("http://e/a b", "http://e/a%20b"),
            ("http://e/<a>[0]{x}|^`\\", "http://e/%3Ca%3E%5B0%5D%7Bx%7D%7C%5E%60%5C"),
            ("http://e/a%20b", "http://e/a%20b"),
            ("http://e/100%", "http://e/100%25"),
            ("http://e/#a#b#c", "http://e/#a%23b%23c"),
            ("http://[::1]:80/x[1]", "http://[::1]:80/x%5B1%5D"),
        ],
    )
    def test_repair_encodes_what_an_iri_cannot_hold(self, iri: str, repaired: str) -> None:
        assert repair(iri) == repaired
        assert repair(repaired) == repaired

    def test_a_scope_remembers_what_it_repaired(self) -> None:
        scope = PrefixScope({"ex": "http://e/"})
        assert scope.remarks(1) == []
        assert PrefixScope({}, scope).expand("ex:a>b") == "http://e/a%3Eb"
        assert "a%3Eb" in scope.remarks(7)[0].message
        assert scope.remarks(7)[0].line == 7

    def test_declarations(self) -> None:
        assert namespace("ex", "http://e/", base=None, line=1) == ("http://e/", None)
        resolved, remark = namespace("ex", "b/", base="http://e/a/", line=1)
        assert resolved == "http://e/a/b/"
        assert remark is not None
        assert "relative" in remark.message
        with pytest.raises(ValueError, match="relative"):
            namespace("ex", "b/", base=None, line=1)
        assert namespace("prov", PROV, base=None, line=1) == (None, None)
        declared, remark = namespace("xsd", XSD[:-1], base=None, line=5)
        assert declared is None
        assert remark is not None
        assert remark.line == 5

    def test_the_longest_namespace_wins(self) -> None:
        names = NameShortener({"ex": "http://e/", "a": "http://e/a#", "": "http://d/"})
        assert names.short("http://e/a#b") == "a:b"
        assert names.short("http://e/x") == "ex:x"
        assert names.short("http://d/x") == "x"
        assert names.short("http://d/x:y") != "x:y"
        assert names.short(PROV + "type") == "prov:type"
        assert names.short("_:b") == "_:b"

    @given(st.lists(identifiers(), max_size=20))
    @settings(max_examples=examples(50), deadline=None)
    def test_what_is_shortened_expands_again(self, iris: list[Identifier]) -> None:
        names = NameShortener({"ex": "http://example.org/", "": "http://example.org/ns#", "ns1": "http://taken/"})
        short = [names.short(iri) for iri in iris]
        scope = PrefixScope(names.prefixes)
        assert [scope.expand(name) for name in short] == iris
        assert names.prefixes["ns1"] == "http://taken/"

    def test_the_number_of_minted_prefixes_is_bounded(self) -> None:
        names = NameShortener({})
        iris = [f"http://host{i % 3}/directory{i}/file" for i in range(3_000)]
        short = [names.short(iri) for iri in iris]
        assert len(names.prefixes) < 300
        scope = PrefixScope(names.prefixes)
        assert [scope.expand(name) for name in short] == iris
        hosts = NameShortener({})
        for i in range(3_000):
            hosts.short(f"http://host{i}/file")
        assert len(hosts.prefixes) < 1_100


class TestMinting:
    def test_with_a_base_iris_are_urls_under_it(self) -> None:
        minter = Minter("https://repo.example/")
        version = minter.version("p", "d", 3)
        assert version == "https://repo.example/projects/p/documents/d/versions/3"
        assert minter.bundle(version, 1) == version + "#bundle-1"
        assert minter.completed(version) == version + "#completed"
        assert minter.bundle_completed(version, 2) == version + "#bundle-2-completed"
        assert is_anonymous(minter.genid("ab" * 32, 1))

    def test_without_a_base_they_are_stable_uuids_that_differ(self) -> None:
        minter = Minter()
        minted = [minter.project("p"), minter.document("p", "d"), minter.version("p", "d", 1), minter.catalogue()]
        assert all(iri.startswith("urn:uuid:") for iri in minted)
        assert len(set(minted)) == len(minted)
        assert minted == [
            Minter().project("p"),
            Minter().document("p", "d"),
            Minter().version("p", "d", 1),
            Minter().catalogue(),
        ]

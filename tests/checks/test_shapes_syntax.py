"""Shapes that are not well-formed, or could have no results: refused by ``profile add`` and by ``validate``."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from provrepo.checks.shapes.vetting import vet_shapes
from provrepo.cli.main import cli
from provrepo.errors import ReadError, UsageError
from tests.checks.test_own_profiles import PREFIXES, folder, sparql
from tests.support.corpus import corpus
from tests.support.paths import TESTS


def shape(constraint: str) -> str:
    return f"ex:s a sh:NodeShape ; sh:targetClass prov:Entity ; {constraint} ."


def at(constraint: str) -> str:
    return shape(f"sh:property [ sh:path ex:p ; {constraint} ]")


CASES = TESTS / "cases" / "check"
DOCUMENT = CASES / "closed-shape-good.ttl"
ILL_FORMED = {
    "count as a text": (at('sh:minCount "one"'), 'of a shape in http://example.org/shapes#s is "one", which'),
    "count as a decimal": (at("sh:maxCount 1.0"), "has to be an xsd:integer"),
    "negative count": (at("sh:minCount -1"), "has to be an xsd:integer from 0"),
    "length as a text": (at('sh:minLength "3"'), "has to be an xsd:integer"),
    "pattern of a number": (at("sh:pattern 5"), "has to be a text without a language"),
    "pattern of an IRI": (at("sh:pattern ex:p"), "has to be a text"),
    "pattern with a language": (at('sh:pattern "a"@en'), "has to be a text without a language"),
    "flags": (at('sh:pattern "a" ; sh:flags "g"'), "there are i, m, s and x"),
    "flags alone": (at('sh:flags "i"'), "means nothing without sh:pattern"),
    "path as a text": (shape('sh:property [ sh:path "ex:p" ; sh:minCount 1 ]'), "not a property path"),
    "path of one step": (shape("sh:property [ sh:path ( ex:p ) ; sh:minCount 1 ]"), "list of two or more paths"),
    "path of nothing": (shape("sh:property [ sh:path [] ; sh:minCount 1 ]"), "not a property path"),
    "path mistyped": (shape("sh:property [ sh:path [ sh:inverse ex:p ] ; sh:minCount 1 ]"), "sh:inverse belongs"),
    "two paths": (shape("sh:property [ sh:path ex:p, ex:q ; sh:minCount 1 ]"), "sh:path more than once"),
    "no path": (shape("sh:property [ sh:minCount 1 ]"), "has to be a property shape, which has a sh:path"),
    "property as a text": (shape('sh:property "ex:p"'), "has to be a property shape"),
    "in without a list": (at("sh:in ex:a, ex:b"), "sh:in more than once"),
    "in of one thing": (at("sh:in ex:a"), "has to be a list"),
    "in of a broken list": (at("sh:in [ rdf:first 1 ]"), "has to be a list"),
    "or without a list": (shape("sh:or ex:a"), "has to be a list of shapes"),
    "or of texts": (shape('sh:or ( "a" "b" )'), "has to be a list of shapes"),
    "class as a text": (at('sh:class "prov:Agent"'), "has to be an IRI"),
    "target as a text": ('ex:s sh:targetClass "prov:Entity" ; sh:nodeKind sh:IRI .', "has to be an IRI"),
    "datatype as a text": (at('sh:datatype "xsd:int"'), "has to be the IRI of a datatype"),
    "datatype mistyped": (at("sh:datatype <http://www.w3.org/2001/XMLSchema#datetime>"), "namespace of XML Schema"),
    "kind of node": (at("sh:nodeKind sh:Iri"), "sh:Iri belongs neither"),
    "kind of node as a text": (at('sh:nodeKind "IRI"'), "is none of sh:BlankNode"),
    "closed as a text": (shape('sh:closed "true"'), "has to be true or false"),
    "closed as a number": (shape("sh:closed 1"), "has to be true or false"),
    "ignored of a text": (shape('sh:closed true ; sh:ignoredProperties ( "type" )'), "has to be a list of IRIs"),
    "range of a text": (at('sh:minInclusive "5"'), "has to be a number, a date or a time"),
    "range misspelled": (at('sh:minInclusive "x"^^<http://www.w3.org/2001/XMLSchema#integer>'), "has to be a number"),
    "languages without a list": (at('sh:languageIn "en"'), "has to be a list of texts"),
    "equals a text": (at('sh:equals "ex:q"'), "has to be an IRI"),
    "node not described": (shape("sh:node ex:elsewhere"), "has to be a shape that this file describes"),
    "message of a number": (at("sh:minCount 1 ; sh:message 5"), "has to be a text"),
    "term": (at("sh:minimumCount 1"), "sh:minimumCount belongs neither"),
    "type": ("ex:s a sh:NodShape ; sh:targetClass prov:Entity ; sh:nodeKind sh:IRI .", "sh:NodShape belongs neither"),
    "count of a node": (shape("sh:minCount 1"), "http://example.org/shapes#s means nothing without sh:path"),
    "qualified without count": (at("sh:qualifiedValueShape [ sh:class ex:A ]"), "without sh:qualifiedMinCount or"),
    "qualified without shape": (at("sh:qualifiedMinCount 1"), "means nothing without sh:qualifiedValueShape"),
    "shape without target": (
        shape("sh:nodeKind sh:IRI") + " ex:t a sh:NodeShape ; sh:class ex:A .",
        "http://example.org/shapes#t has no target and no other shape refers to it",
    ),
    "property without path": (shape("sh:node ex:t") + " ex:t a sh:PropertyShape ; sh:class ex:A .", "has no sh:path"),
    "alternatives that are the same": (at('sh:pattern "^(a|a)*$"'), "could take forever"),
    "repetitions side by side": (at('sh:pattern "^.*.*.*.*b$"'), "could take forever"),
    "reference to a group": (at(r'sh:pattern "(a)\\1"'), "backreference"),
    "class subtraction": (at('sh:pattern "[a-z-[aeiou]]"'), "of _:b1 cannot be understood: a bracket within"),
    "classes of POSIX": (at('sh:pattern "x[[:alpha:]]"'), "a bracket within"),
    "no pattern": (at('sh:pattern "(a"'), "of _:b1 cannot be understood: missing )"),
    "list of no shapes": (shape("sh:or ()"), "has to be a list of shapes"),
    "query of no node": (sparql("SELECT ?a WHERE { ?a ?b ?c }"), "has to be a SELECT of $this"),
    "query that only asks": (sparql("ASK { $this ?b ?c }"), "has to be a SELECT of $this"),
    "targets near PROV": (
        "ex:s a sh:NodeShape ; sh:targetClass <https://www.w3.org/ns/prov#Entity> ; sh:nodeKind sh:IRI .",
        "<https://www.w3.org/ns/prov#> is not the namespace of PROV, which is <http://www.w3.org/ns/prov#>",
    ),
    "paths near PROV": (
        shape("sh:property [ sh:path <http://www.w3.org/ns/prov/used> ; sh:maxCount 1 ]"),
        "<http://www.w3.org/ns/prov/> is not the namespace of PROV",
    ),
    "replacing": (sparql("SELECT $this WHERE { $this ?b ?c FILTER(REPLACE(?c, 'a+b', '') = '') }"), "to replace"),
}  # fmt: skip
NAMESPACES = (
    *("https://www.w3.org/ns/shacl#", "http://www.w3.org/ns/shacl", "http://www.w3.org/ns/shacl/", "http://w3.org/ns/shacl#"),
    *("http://www.w3.org/ns/shcal#", "http://www.w3.org/ns/SHACL#", "http://www.w3.org/ns/shac#"),
)  # fmt: skip


@pytest.mark.parametrize("what", ILL_FORMED)
def test_ill_formed_shapes_are_refused_by_adding_and_by_using_alike(tmp_path, what):
    shapes, words = ILL_FORMED[what]
    with pytest.raises(UsageError, match=re.escape(words)):
        vet_shapes((PREFIXES + shapes).encode())
    used = CliRunner().invoke(
        cli, ["validate", str(DOCUMENT), "--profile", str(folder(tmp_path / "own", PREFIXES + shapes))]
    )
    assert used.exit_code == 2
    assert words in " ".join(used.output.split())


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_a_namespace_similar_to_that_of_shacl_is_reported(namespace):
    shapes = PREFIXES.replace("http://www.w3.org/ns/shacl#", namespace) + shape("sh:nodeKind sh:IRI")
    with pytest.raises(UsageError, match=r"is not the namespace of SHACL, which is <http://www\.w3\.org/ns/shacl#>"):
        vet_shapes(shapes.encode())


@pytest.mark.parametrize(
    "shapes",
    [
        shape("sh:property [ sh:path ( prov:used [ sh:zeroOrMorePath prov:wasDerivedFrom ] ) ; sh:minCount 1 ]"),
        shape("sh:property [ sh:path [ sh:alternativePath ( ex:a [ sh:inversePath ex:b ] ) ] ; sh:in ( 1 'a' ex:c ) ]"),
        shape("sh:closed true ; sh:ignoredProperties ( rdf:type ) ; sh:deactivated false"),
        shape("sh:or ( [ sh:nodeKind sh:IRI ] ex:t ) . ex:t sh:not [ sh:class ex:A ]"),
        at("sh:minInclusive '2024-01-01'^^<http://www.w3.org/2001/XMLSchema#date> ; sh:message 'too early'@en"),
        at("sh:pattern '^a' ; sh:flags 'ims' ; sh:uniqueLang true ; sh:languageIn ( 'en' 'de' )"),
        at("sh:qualifiedValueShape [ sh:class ex:A ] ; sh:qualifiedMaxCount 2 ; sh:qualifiedValueShapesDisjoint true"),
        "ex:s a sh:NodeShape, rdfs:Class ; sh:nodeKind sh:IRI .",
        "ex:s sh:targetNode 'text', ex:n ; sh:nodeKind sh:IRI .",
    ],
)
def test_well_formed_shapes_are_accepted(shapes):
    assert vet_shapes((PREFIXES + shapes).encode()) == 1


def test_the_shapes_of_the_w3c_are_accepted_except_unusual_ones():
    refused: dict[str, str] = {}
    tried = 0
    for path in sorted((corpus("shacl") / "core").rglob("*.ttl")):
        data = path.read_bytes()
        if b"sh:target" not in data or b"owl:imports" in data:
            continue
        tried += 1
        try:
            vet_shapes(data)
        except (UsageError, ReadError) as error:
            refused[path.stem] = str(error)
    assert tried > 50
    unusual = {name for name, why in refused.items() if not re.search(_UNUSUAL, why)}
    # The suite has these two on purpose: neither constraint has any effect.
    assert unusual == {"qualified-001-shapes", "uniqueLang-002-shapes"}


_UNUSUAL = (
    "has no IRI|relative|refer to themselves|belongs neither|severity|could take forever|other shape refers|"
    "has to be a property shape|not the namespace"
)
"""Reasons that the test suite is refused for and that are ours, or are about the reports and manifests in its files."""


def test_a_profile_without_targets_is_refused_by_both(repository):
    place = CASES / "profile-without-targets"
    with pytest.raises(UsageError, match="not the namespace of SHACL"):
        repository.add_profile(place)
    used = CliRunner().invoke(cli, ["validate", str(DOCUMENT), "--profile", str(place)])
    assert used.exit_code == 2
    assert "not the namespace of SHACL" in used.output


def test_shapes_that_are_no_turtle_are_not_taken_for_the_document(tmp_path):
    used = CliRunner().invoke(
        cli, ["validate", str(DOCUMENT), "--profile", str(folder(tmp_path / "own", "ex:s sh:targetClass"))]
    )
    assert used.exit_code == 2
    assert "the shapes of the profile 'own' cannot be read: turtle: line 1" in used.output

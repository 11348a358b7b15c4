"""Sources in each format with many elements of one kind, for ``tests.support.growth``."""

# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable

from provrepo.vocab import PROV
from tests.support.growth_documents import EX
from tests.support.growth_json import JSON_SOURCES

__all__ = ["FIRST", "SOURCES"]

FIRST = f"@prefix prov: <{PROV}> . @prefix ex: <{EX}> .\n@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n"
XML = f'<prov:document xmlns:prov="{PROV}" xmlns:ex="{EX}">\n'
RDFXML = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:prov="{PROV}" xmlns:ex="{EX}">\n'
PROVN = f"document\nprefix ex <{EX}>\n"


def _join(make_one: Callable[[int], str], n: int, by: str = "\n") -> str:
    return by.join(map(make_one, range(n)))


def _turtle_list(n: int) -> str:
    return FIRST + "ex:e a prov:Entity ; ex:list ( " + _join(lambda i: f"ex:m{i}", n, " ") + " ) ."


def _spelled_list(n: int) -> str:
    cells = _join(lambda i: f"_:c{i} rdf:first ex:m{i} ; rdf:rest _:c{i + 1} .", n)
    return FIRST + "ex:e a prov:Entity ; ex:list _:c0 .\n" + cells + f"\n_:c{n} rdf:rest rdf:nil ."


SOURCES: dict[str, tuple[str, Callable[[int], str]]] = {
    "a list of RDF": ("turtle", _turtle_list),
    "a list of RDF in cells": ("turtle", _spelled_list),
    "a list of RDF in cells, from its end": (
        "turtle",
        lambda n: (
            FIRST
            + "ex:e a prov:Entity .\n"
            + "\n".join(f"_:c{i} rdf:first ex:m{i} ; rdf:rest _:c{i + 1} ." for i in reversed(range(n)))
        ),
    ),
    "lists that share their end": (
        "turtle",
        lambda n: (
            FIRST
            + f"_:c{n} rdf:first 1 ; rdf:rest rdf:nil .\n"
            + _join(lambda i: f"_:c{i} rdf:first ex:m{i} ; rdf:rest _:c{n} . ex:e{i} ex:p _:c{i} .", n)
        ),
    ),
    "a list of a property of PROV": (
        "turtle",
        lambda n: FIRST + "ex:e a prov:Entity ; prov:hadMember ( " + _join(lambda i: f"ex:m{i}", n, " ") + " ) .",
    ),
    "blank nodes, one in the other": ("turtle", lambda n: FIRST + _join(lambda i: f"_:n{i} ex:p _:n{i + 1} .", n)),
    "qualified nodes": (
        "turtle",
        lambda n: (
            FIRST
            + _join(
                lambda i: f"ex:a prov:qualifiedUsage [ a prov:Usage ; prov:entity ex:e{i} ; prov:hadRole ex:r ] .", n
            )
        ),
    ),
    "one qualified node of many": (
        "turtle",
        lambda n: FIRST + _join(lambda i: f"ex:a{i} prov:qualifiedUsage ex:u .", n) + "ex:u prov:entity ex:e .",
    ),
    "one qualified node with many things": (
        "turtle",
        lambda n: FIRST + "ex:a prov:qualifiedUsage ex:u ." + _join(lambda i: f"ex:u prov:entity ex:e{i} .", n),
    ),
    "one qualified node with many times": (
        "turtle",
        lambda n: (
            FIRST
            + "ex:a prov:qualifiedUsage ex:u . ex:u prov:entity ex:e ; prov:atTime "
            + _join(lambda i: f'"{i}"', n, ",")
            + " ."
        ),
    ),
    "one qualified node of many with many": (
        "turtle",
        lambda n: FIRST + _join(lambda i: f"ex:a{i} prov:qualifiedUsage ex:u . ex:u prov:entity ex:e{i} .", n),
    ),
    "derivations with generations": (
        "turtle",
        lambda n: (
            FIRST
            + _join(
                lambda i: (
                    f"ex:e prov:qualifiedDerivation [ prov:entity ex:s{i} ; prov:hadGeneration ex:g{i} ; prov:hadUsage ex:u{i} ] ."
                ),
                n,
            )
        ),
    ),
    "one derivation with many generations": (
        "turtle",
        lambda n: (
            FIRST
            + "ex:e prov:qualifiedDerivation ex:d . ex:d prov:entity ex:s "
            + _join(lambda i: f"; prov:hadGeneration ex:g{i} ; prov:hadUsage ex:u{i}", n)
            + " ."
        ),
    ),
    "times of an activity": (
        "turtle",
        lambda n: FIRST + "ex:a a prov:Activity " + _join(lambda i: f'; prov:startedAtTime "{i}"', n) + " .",
    ),
    "types": ("turtle", lambda n: FIRST + "ex:e a prov:Entity, " + _join(lambda i: f"ex:T{i}", n, ", ") + " ."),
    "subclasses of PROV's": (
        "turtle",
        lambda n: (
            FIRST
            + "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\nex:T0 rdfs:subClassOf prov:Entity .\n"
            + _join(lambda i: f"ex:T{i + 1} rdfs:subClassOf ex:T{i} . ex:e{i} a ex:T{i} .", n)
        ),
    ),
    "subproperties of PROV's": (
        "turtle",
        lambda n: (
            FIRST
            + "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\nex:p0 rdfs:subPropertyOf prov:used .\n"
            + _join(lambda i: f"ex:p{i + 1} rdfs:subPropertyOf ex:p{i} . ex:a ex:p{i} ex:e{i} .", n)
        ),
    ),
    "a class below many": (
        "turtle",
        lambda n: (
            FIRST
            + "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
            + _join(
                lambda i: f"ex:T rdfs:subClassOf ex:T{i} . ex:T{i} rdfs:subClassOf prov:Entity . ex:e{i} a ex:T .", n
            )
        ),
    ),
    "classes below each other in a circle": (
        "turtle",
        lambda n: (
            FIRST
            + "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
            + _join(lambda i: f"ex:T{i} rdfs:subClassOf ex:T{(i + 1) % n} . ex:e{i} a ex:T{i} .", n)
        ),
    ),
    "triples of others": ("turtle", lambda n: FIRST + _join(lambda i: f"ex:e{i} ex:p ex:o{i} .", n)),
    "comments": ("turtle", lambda n: FIRST + "# prefix x: <\n" * n + "ex:e a prov:Entity ."),
    "a long comment": ("turtle", lambda n: FIRST + "# " + "prefix " * n + "\nex:e a prov:Entity ."),
    "prefixes declared again": (
        "turtle",
        lambda n: FIRST + _join(lambda i: f"@prefix p: <http://p{i}.example/> . p:e a prov:Entity .", n),
    ),
    "escapes in a name": ("turtle", lambda n: FIRST + "ex:" + "\\-" * n + " a prov:Entity ."),
    "escapes in an IRI": ("turtle", lambda n: FIRST + f"<{EX}" + "\\u0061" * n + "> a prov:Entity ."),
    "a string in three quotation marks": (
        "turtle",
        lambda n: FIRST + 'ex:e a prov:Entity ; prov:label """' + '\\""a"' * n + '""" .',
    ),
    "an unfinished string": ("turtle", lambda n: FIRST + 'ex:e prov:label "' + "\\" * (2 * n)),
    "quotation marks": ("turtle", lambda n: FIRST + "'" * n),
    "brackets that do not close": ("turtle", lambda n: FIRST + "[]" * n + "("),
    "angle brackets": ("turtle", lambda n: FIRST + "<" * n),
    "dots": ("turtle", lambda n: FIRST + "ex:e a prov:Entity " + "." * n),
    "graphs": ("trig", lambda n: FIRST + _join(lambda i: f"ex:g{i} {{ ex:e{i} a prov:Entity . }}", n)),
    "graphs of one name": ("trig", lambda n: FIRST + _join(lambda i: f"ex:g {{ ex:e{i} a prov:Entity . }}", n)),
    "graphs that are blank nodes": (
        "trig",
        lambda n: FIRST + _join(lambda i: f"_:g{i} {{ ex:e{i} a prov:Entity . }}", n),
    ),
    "quads again": ("nquads", lambda n: f"<{EX}e> <{EX}p> <{EX}o> .\n" * n),
    "lines": ("ntriples", lambda n: "\n" * n + f"<{EX}e> <{EX}p> <{EX}o> ."),
    "namespaces declared in each element": (
        "provxml",
        lambda n: (
            XML
            + _join(
                lambda i: (
                    f'<prov:entity xmlns:p{i % 1_000}="http://p{i % 1_000}.example/" prov:id="p{i % 1_000}:e{i}"/>'
                ),
                n,
            )
            + "</prov:document>"
        ),
    ),
    "attributes of an entity in XML": (
        "provxml",
        lambda n: (
            XML
            + '<prov:entity prov:id="ex:e">'
            + _join(lambda i: f"<ex:k{i}>{i}</ex:k{i}>", n)
            + "</prov:entity></prov:document>"
        ),
    ),
    "bundles in XML": (
        "provxml",
        lambda n: (
            XML
            + _join(
                lambda i: (
                    f'<prov:bundleContent prov:id="ex:b{i}"><prov:entity prov:id="ex:e{i}"/></prov:bundleContent>'
                ),
                n,
            )
            + "</prov:document>"
        ),
    ),
    "namespaces of bundles in XML": (
        "provxml",
        lambda n: (
            XML
            + _join(
                lambda i: (
                    f'<prov:bundleContent xmlns:p{i % 1_000}="http://p{i % 1_000}.example/" prov:id="ex:b{i}"><prov:entity prov:id="p{i % 1_000}:e{i}"/></prov:bundleContent>'
                ),
                n,
            )
            + "</prov:document>"
        ),
    ),
    "character references": (
        "provxml",
        lambda n: (
            XML
            + '<prov:entity prov:id="ex:e"><prov:label>'
            + "&#65;" * n
            + "</prov:label></prov:entity></prov:document>"
        ),
    ),
    "sections of CDATA": (
        "provxml",
        lambda n: (
            XML
            + '<prov:entity prov:id="ex:e"><prov:label>'
            + "<![CDATA[a]]>" * n
            + "</prov:label></prov:entity></prov:document>"
        ),
    ),
    "comments in XML": (
        "provxml",
        lambda n: (
            XML
            + '<prov:entity prov:id="ex:e"><prov:label>a'
            + "<!-- -->a" * n
            + "</prov:label></prov:entity></prov:document>"
        ),
    ),
    "instructions in XML": ("provxml", lambda n: XML + "<?a b?>" * n + '<prov:entity prov:id="ex:e"/></prov:document>'),
    "unknown elements": ("provxml", lambda n: XML + _join(lambda i: f"<ex:x{i}/>", n) + "</prov:document>"),
    "references in XML": (
        "provxml",
        lambda n: (
            XML
            + "<prov:hadMember><prov:collection prov:ref='ex:c'/>"
            + _join(lambda i: f"<prov:entity prov:ref='ex:e{i}'/>", n)
            + "</prov:hadMember></prov:document>"
        ),
    ),
    "a collection in RDF/XML": (
        "rdfxml",
        lambda n: (
            RDFXML
            + f'<prov:Entity rdf:about="{EX}e"><ex:list rdf:parseType="Collection">'
            + _join(lambda i: f'<rdf:Description rdf:about="{EX}m{i}"/>', n)
            + "</ex:list></prov:Entity></rdf:RDF>"
        ),
    ),
    "a container in RDF/XML": (
        "rdfxml",
        lambda n: (
            RDFXML
            + f'<rdf:Bag rdf:about="{EX}e">'
            + _join(lambda i: f'<rdf:li rdf:resource="{EX}m{i}"/>', n)
            + "</rdf:Bag></rdf:RDF>"
        ),
    ),
    "properties in RDF/XML": (
        "rdfxml",
        lambda n: (
            RDFXML
            + f'<prov:Entity rdf:about="{EX}e">'
            + _join(lambda i: f"<ex:k{i}>{i}</ex:k{i}>", n)
            + "</prov:Entity></rdf:RDF>"
        ),
    ),
    "namespaces in RDF/XML": (
        "rdfxml",
        lambda n: (
            RDFXML
            + _join(lambda i: f'<prov:Entity xmlns:p{i % 1_000}="http://p.example/" rdf:about="{EX}e{i}"/>', n)
            + "</rdf:RDF>"
        ),
    ),
    "names by ID in RDF/XML": (
        "rdfxml",
        lambda n: (
            RDFXML.replace(">\n", f' xml:base="{EX}">\n')
            + _join(lambda i: f'<prov:Entity rdf:ID="e{i}"/>', n)
            + "</rdf:RDF>"
        ),
    ),
    "provext": (
        "provn",
        lambda n: (
            PROVN
            + "prefix provext <http://openprovenance.org/prov/extension#>\n"
            + _join(lambda i: f"provext:hadMember(ex:c; ex:c{i}, ex:e{i}, [])", n)
            + "\nendDocument"
        ),
    ),
    "statements beyond PROV-N": (
        "provn",
        lambda n: PROVN + _join(lambda i: f"ex:ext(ex:c{i}; ex:e{i}, [ex:k=1])", n) + "\nendDocument",
    ),
    "one statement beyond PROV-N": (
        "provn",
        lambda n: PROVN + "ex:ext(" + _join(lambda i: f"ex:e{i}", n, ", ") + ")\nendDocument",
    ),
    "attributes in PROV-N": (
        "provn",
        lambda n: PROVN + "entity(ex:e, [" + _join(lambda i: f"ex:k{i}={i}", n, ", ") + "])\nendDocument",
    ),
    "comments in PROV-N": ("provn", lambda n: PROVN + "// a\n/* b */\n" * n + "entity(ex:e)\nendDocument"),
    "stars in PROV-N": ("provn", lambda n: PROVN + "/*" + "*" * n + "\nendDocument"),
    "an unfinished comment in PROV-N": ("provn", lambda n: PROVN + "/* " * n),
    "an unfinished string in PROV-N": ("provn", lambda n: PROVN + 'entity(ex:e, [ex:k="' + "\\\\" * n),
    "an unfinished long string in PROV-N": ("provn", lambda n: PROVN + 'entity(ex:e, [ex:k="""' + '""a' * n),
    "escapes in PROV-N": ("provn", lambda n: PROVN + "entity(ex:" + "\\=" * n + ")\nendDocument"),
    "bundles in PROV-N": (
        "provn",
        lambda n: PROVN + _join(lambda i: f"bundle ex:b{i}\nentity(ex:e{i})\nendBundle", n) + "\nendDocument",
    ),
    "prefixes of bundles in PROV-N": (
        "provn",
        lambda n: (
            PROVN
            + _join(
                lambda i: (
                    f"bundle ex:b{i}\nprefix p{i % 1_900} <http://p{i % 1_900}.example/>\nentity(p{i % 1_900}:e{i})\nendBundle"
                ),
                n,
            )
            + "\nendDocument"
        ),
    ),
    "keys of a dictionary in PROV-N": (
        "provn",
        lambda n: (
            PROVN
            + "prov:derivedByInsertionFrom(ex:d2, ex:d1, {"
            + _join(lambda i: f'("k{i}", ex:e{i})', n, ", ")
            + "})\nendDocument"
        ),
    ),
    **JSON_SOURCES,
}
"""The families of sources: the format's name, and the text as a function of a size."""

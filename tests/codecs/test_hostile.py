"""Hostile files: each is a clear error or a correct read within seconds and megabytes, and never the end of a process.

Every input is read in a process of its own under limits of the operating system (``tests.support.hostile``).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from tests.support.work import ENDLESS

MIB = 500

PROV = "http://www.w3.org/ns/prov#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TURTLE = f"@prefix prov: <{PROV}> . @prefix ex: <http://e/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
PROVN = "document\nprefix ex <http://e/>\n"
XML_HEAD = f'<prov:document xmlns:prov="{PROV}" xmlns:ex="http://e/">'
JSON_HEAD = '{"prefix": {"ex": "http://e/"}, '
MEGABYTE = 1 << 20


def _laughs(root: str) -> str:
    entities = "".join(
        f'<!ENTITY l{n} "{"&l" + str(n - 1) + ";" if n else "ha"}{("&l" + str(n - 1) + ";") * 9 if n else ""}">'
        for n in range(10)
    )
    return f'<?xml version="1.0"?><!DOCTYPE r [{entities}]>{root}'


def _nested_elements(depth: int) -> str:
    return "<ex:a>" * depth + "</ex:a>" * depth


def _prefixes_json(count: int) -> str:
    names = ", ".join(f'"p{n}": "http://e/{n}#"' for n in range(count))
    entities = ", ".join(f'"p{n}:e": {{}}' for n in range(count))
    return f'{{"prefix": {{{names}}}, "entity": {{{entities}}}}}'


def _attributes(count: int) -> str:
    return "".join(f' ex:p{n}=""' for n in range(count))


def _chained_terms(shape: str, count: int) -> str:
    """A context in which each term needs the next one; in a circle the last needs the first."""
    meaning: Callable[[int], str] = {
        "prefix": lambda n: f'"t{n}": "t{n + 1}:"',
        "alias": lambda n: f'"t{n}": "t{n + 1}"',
        "datatype": lambda n: f'"t{n}": {{"@id": "http://e/{n}", "@type": "t{n + 1}"}}',
        "circle": lambda n: f'"t{n}": "t{n + 1}:"',
        "key": lambda n: f'"t{n + 1}": {{"@id": "t{n}:x"}}',
    }[shape]
    last = f'"t{count}": "t0:"' if shape == "circle" else f'"t{0 if shape == "key" else count}": "http://e/"'
    return '{"@context": {' + ", ".join(map(meaning, range(count))) + f', {last}}}, "@id": "http://e/x", "t1": "x"}}'


def _integer(digits: int) -> str:
    return "7" * digits


REFUSED: dict[str, tuple[str, Callable[[], str], str]] = {
    # name: format, text, a part of the message
    "provjson-nested-arrays": ("provjson", lambda: JSON_HEAD + '"entity": ' + "[" * 52_000, "nested"),
    "provjson-nested-objects": ("provjson", lambda: '{"a":' * 10_400, "nested"),
    "provjson-megabyte-of-brackets": ("provjson", lambda: "[" * MEGABYTE, "nested"),
    "provjsonld-nested": ("provjsonld", lambda: '{"@graph":[' * 4_700, "nested"),
    "jsonld-nested-arrays": ("rdfjsonld", lambda: "[" * 26_000 + "]" * 26_000, "nested"),
    "jsonld-nested-nodes": ("rdfjsonld", lambda: '{"http://e/p":' * 4_000 + "1" + "}" * 4_000, "nested"),
    "jsonld-megabyte-of-brackets": ("rdfjsonld", lambda: "[" * MEGABYTE, "nested"),
    "jsonld-nested-contexts": ("rdfjsonld", lambda: '{"@context":' * 4_000 + "{}" + "}" * 4_000, "nested"),
    "turtle-nested-blanks": ("turtle", lambda: TURTLE + "ex:a ex:p " + "[ ex:p " * 7_500, "nested"),
    "turtle-nested-lists": ("turtle", lambda: TURTLE + "ex:a ex:p " + "(" * 26_000 + ")" * 26_000 + " .", "nested"),
    "turtle-megabyte-of-brackets": ("turtle", lambda: "[" * MEGABYTE, "nested"),
    "turtle-nested-triple-terms": (
        "turtle",
        lambda: TURTLE + "ex:a ex:p " + "<<( ex:a ex:p " * 20_000 + "ex:o" + " )>>" * 20_000 + " .",
        "nested",
    ),
    "turtle-reified-triples": (
        "turtle",
        lambda: TURTLE + "<< ex:a ex:p " * 20_000 + "ex:o" + " >>" * 20_000 + " ex:q ex:r .",
        "nested",
    ),
    "ntriples-nested-triple-terms": (
        "ntriples",
        lambda: "<u:a> <u:p> " + "<<( <u:a> <u:p> " * 20_000 + "<u:o>" + " )>>" * 20_000 + " .\n",
        "nested",
    ),
    "trig-nested": ("trig", lambda: TURTLE + "ex:g { ex:a ex:p " + "[ ex:p " * 7_500, "nested"),
    "trig-nested-graphs": ("trig", lambda: TURTLE + "ex:g {" * 10_000, "nested"),
    "rdfxml-nested": (
        "rdfxml",
        lambda: (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ex="http://e/">'
            + "<rdf:Description><ex:p>" * 2_000
        ),
        "nested",
    ),
    "provxml-nested": ("provxml", lambda: XML_HEAD + _nested_elements(4_300) + "</prov:document>", "nested"),
    "provn-nested-bundles": ("provn", lambda: PROVN + "bundle ex:b\n" * 5_000, ""),
    "rdfxml-billion-laughs": (
        "rdfxml",
        lambda: _laughs(
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ex="http://e/">'
            '<rdf:Description rdf:about="http://e/a"><ex:p>&l9;</ex:p></rdf:Description></rdf:RDF>'
        ),
        "DOCTYPE",
    ),
    "provxml-billion-laughs": (
        "provxml",
        lambda: _laughs(XML_HEAD + '<prov:entity prov:id="ex:e"><ex:p>&l9;</ex:p></prov:entity></prov:document>'),
        "DOCTYPE",
    ),
    "provxml-external-entity": (
        "provxml",
        lambda: (
            '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            + XML_HEAD
            + '<prov:entity prov:id="ex:e"><ex:p>&x;</ex:p></prov:entity></prov:document>'
        ),
        "DOCTYPE",
    ),
    "provjson-prefixes": ("provjson", lambda: _prefixes_json(20_000), "prefixes"),
    "turtle-prefixes": (
        "turtle",
        lambda: "".join(f"@prefix p{n}: <http://e/{n}#> .\n" for n in range(20_000)) + "p0:a p0:b p0:c .",
        "prefixes",
    ),
    "provn-prefixes": (
        "provn",
        lambda: "document\n" + "".join(f"prefix p{n} <http://e/{n}#>\n" for n in range(20_000)) + "endDocument",
        "prefixes",
    ),
    "provxml-prefixes": (
        "provxml",
        lambda: (
            f'<prov:document xmlns:prov="{PROV}" '
            + " ".join(f'xmlns:p{n}="http://e/{n}#"' for n in range(20_000))
            + "/>"
        ),
        "namespaces",
    ),
    "provjsonld-prefixes": (
        "provjsonld",
        lambda: '{"@context": [{' + ", ".join(f'"p{n}": "http://e/{n}#"' for n in range(20_000)) + '}], "@graph": []}',
        "prefixes",
    ),
    "provxml-attributes": (
        "provxml",
        lambda: XML_HEAD + '<prov:entity prov:id="ex:e"' + _attributes(1_000_000) + "/></prov:document>",
        "attributes",
    ),
    "rdfxml-attributes": (
        "rdfxml",
        lambda: f'<rdf:RDF xmlns:rdf="{RDF}" xmlns:ex="http://e/"><ex:E' + _attributes(1_000_000) + "/></rdf:RDF>",
        "attributes",
    ),
    **{
        f"jsonld-terms-{shape}": (
            "rdfjsonld",
            lambda shape=shape: _chained_terms(shape, 40_000),
            "depend on each other",
        )
        for shape in ("prefix", "alias", "datatype", "circle", "key")
    },
    "jsonld-terms-in-no-json": ("rdfjsonld", lambda: _chained_terms("alias", 40_000) + "}", "nothing may follow"),
    "jsonld-terms-escaped": (
        "rdfjsonld",
        lambda: _chained_terms("alias", 40_000).replace("@context", "\\u0040context"),
        "depend on each other",
    ),
    "jsonld-contexts-within": (
        "rdfjsonld",
        lambda: (
            '{"@context": {'
            + ", ".join(f'"t{n}": "http://e/{n}"' for n in range(30_000))
            + '}, "@graph": ['
            + ", ".join('{"@context": {}, "t0": "x"}' for _ in range(100_000))
            + "]}"
        ),
        "are active",
    ),
    "provjson-duplicate-keys": (
        "provjson",
        lambda: JSON_HEAD + '"entity": {"ex:a": {}, ' + '"ex:b": {}, "ex:c": {}, ' * 40_000 + '"ex:d": {}}}',
        "twice",
    ),
    "provjson-duplicate-attributes": (
        "provjson",
        lambda: JSON_HEAD + '"entity": {"ex:a": {' + '"ex:p": 1, ' * 100_000 + '"ex:q": 1}}}',
        "twice",
    ),
    "provjson-unterminated": ("provjson", lambda: JSON_HEAD + '"entity": {"' + "a" * 4 * MEGABYTE, ""),
    "provjson-unterminated-escapes": ("provjson", lambda: JSON_HEAD + '"entity": {"' + '\\"' * 2 * MEGABYTE, ""),
    "jsonld-unterminated": ("rdfjsonld", lambda: '{"@id": "' + "a" * 4 * MEGABYTE, ""),
    "provn-unterminated": ("provn", lambda: PROVN + 'entity(ex:a, [ex:p="' + "a" * 4 * MEGABYTE, ""),
    "provn-unterminated-long": ("provn", lambda: PROVN + 'entity(ex:a, [ex:p="""' + '\\"""' * MEGABYTE, ""),
    "provn-unterminated-comment": ("provn", lambda: PROVN + "/*" + "/*" * 2 * MEGABYTE, ""),
    "turtle-unterminated": ("turtle", lambda: TURTLE + 'ex:a ex:p "' + "a" * 4 * MEGABYTE, ""),
    "turtle-unterminated-long": ("turtle", lambda: TURTLE + 'ex:a ex:p """' + 'a""' * MEGABYTE, ""),
    "turtle-unterminated-iri": ("turtle", lambda: TURTLE + "ex:a ex:p <" + "a" * 4 * MEGABYTE, ""),
    "provxml-unterminated": ("provxml", lambda: XML_HEAD + "<prov:entity prov:id='" + "a" * 4 * MEGABYTE, ""),
    "provxml-unterminated-comment": ("provxml", lambda: XML_HEAD + "<!--" + "<!-" * MEGABYTE, ""),
    "provxml-many-open": ("provxml", lambda: "<" * MEGABYTE, ""),
    "ntriples-literal-beyond-the-limit": (
        "ntriples",
        lambda: f'<u:a> <{PROV}value> "' + "a" * (17 * MEGABYTE) + '" .\n',
        "literal",
    ),
    "provjson-literal-beyond-the-limit": (
        "provjson",
        lambda: JSON_HEAD + '"entity": {"ex:a": {"ex:p": "' + "a" * (17 * MEGABYTE) + '"}}}',
        "literal",
    ),
    "provjson-not-utf8": ("provjson", lambda: JSON_HEAD + '"entity": {"ex:\udcff": {}}}', "UTF-8"),
    "turtle-zeros": ("turtle", lambda: TURTLE + "\0" * MEGABYTE, "NUL"),
}
"""What is refused, with the format that it is read as."""

READ: dict[str, tuple[str, Callable[[], str], int]] = {
    # name: format, text, number of statements
    "turtle-decimal": (
        "turtle",
        lambda: TURTLE + 'ex:a a prov:Entity ; ex:p "1E999999999"^^xsd:decimal, 1e999999999 .',
        1,
    ),
    "provn-decimal": (
        "provn",
        lambda: PROVN + 'entity(ex:a, [ex:p="1E999999999" %% xsd:decimal])\nendDocument',
        1,
    ),
    "provjson-decimal": ("provjson", lambda: JSON_HEAD + '"entity": {"ex:a": {"ex:p": 1E999999999}}}', 1),
    "jsonld-decimal": (
        "rdfjsonld",
        lambda: f'{{"@id": "http://e/a", "@type": "{PROV}Entity", "http://e/p": 1E999999999}}',
        1,
    ),
    "provjson-long-integer": (
        "provjson",
        lambda: JSON_HEAD + f'"entity": {{"ex:a": {{"ex:p": {_integer(10_000)}, "ex:q": -{_integer(9_999)}}}}}}}',
        1,
    ),
    "provjson-megabyte-integer": (
        "provjson",
        lambda: JSON_HEAD + f'"entity": {{"ex:a": {{"ex:p": {_integer(MEGABYTE)}}}}}}}',
        1,
    ),
    "provn-long-integer": ("provn", lambda: PROVN + f"entity(ex:a, [ex:p={_integer(10_000)}])\nendDocument", 1),
    "turtle-long-integer": ("turtle", lambda: TURTLE + f"ex:a a prov:Entity ; ex:p {_integer(10_000)} .", 1),
    "jsonld-long-integer": (
        "rdfjsonld",
        lambda: f'{{"@id": "http://e/a", "@type": "{PROV}Entity", "http://e/p": {_integer(10_000)}}}',
        1,
    ),
    "provjson-many-colons": ("provjson", lambda: JSON_HEAD + f'"entity": {{"ex:{"a:" * 500_000}": {{}}}}}}', 1),
    "provjson-brackets-in-a-string": (
        "provjson",
        lambda: JSON_HEAD + '"entity": {"ex:a": {"ex:p": "' + "[{" * MEGABYTE + '"}}}',
        1,
    ),
    "turtle-brackets-in-a-string": (
        "turtle",
        lambda: TURTLE + 'ex:a a prov:Entity ; ex:p "' + "[(" * MEGABYTE + '" .',
        1,
    ),
    "turtle-many-values-in-every-place": (
        # One node with many values in several places: their combinations would be millions.
        "turtle",
        lambda: (
            TURTLE
            + "ex:g a prov:Start ; prov:entity "
            + ", ".join(f"ex:e{n}" for n in range(300))
            + " ; prov:hadActivity "
            + ", ".join(f"ex:b{n}" for n in range(300))
            + " .\n"
            + "".join(f"ex:a{n} prov:qualifiedStart ex:g .\n" for n in range(300))
        ),
        -1,
    ),
    "turtle-subclasses-in-a-ring": (
        "turtle",
        lambda: (
            TURTLE
            + "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
            + "".join(f"ex:c{n} rdfs:subClassOf ex:c{(n + 1) % 1500} .\n" for n in range(1500))
        ),
        -1,
    ),
    "ntriples-linked-blank-nodes": (
        "ntriples",
        lambda: "".join(f"_:a{i} <{PROV}wasDerivedFrom> _:a{j} .\n" for i in range(60) for j in range(60) if i != j),
        3540,
    ),
    "language-tags": (
        "turtle",
        lambda: TURTLE + "ex:a a prov:Entity ; ex:p " + ", ".join(f'"x"@de-A{n:05}' for n in range(20_000)) + " .",
        1,
    ),
}
"""What is no trap for a reader that takes care; -1 where it does not matter how it is read."""


def outcome(tmp_path: Path, name: str, text: str) -> dict[str, Any]:
    """What reading came to, in a process that is not killed by it."""
    file = tmp_path / "hostile"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.hostile", name, str(file)],
        capture_output=True,
        text=True,
        timeout=10 * ENDLESS,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["peak"] < MIB, found
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")
@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, tmp_path: Path) -> None:
    name, text, part = REFUSED[case]
    found = outcome(tmp_path, name, text())
    assert part in found.get("error", "read"), found
    assert found["kind"] in ("ReadError", "TooLarge")
    assert found["length"] < 1_000, "the message repeats the input"


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")
@pytest.mark.parametrize("case", READ)
def test_read(case: str, tmp_path: Path) -> None:
    name, text, statements = READ[case]
    found = outcome(tmp_path, name, text())
    assert "error" not in found, found
    assert statements in (-1, found["statements"])

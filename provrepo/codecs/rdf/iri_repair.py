"""Repair of identifiers in RDF syntaxes that are not IRIs, before pyoxigraph reads the text (ADR 12).

pyoxigraph rejects a text with such an identifier, or drops the triples of a JSON-LD text without an error. The readers
of PROV-N, PROV-JSON and other formats percent-encode such characters (``names.repair``). This module does the same
token by token, and every token stays on its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from provrepo.codecs.jsonld.iris import invalid_names
from provrepo.codecs.names import Location, remarks, repair
from provrepo.model.document import ReaderWarning
from provrepo.vocab import RDF

__all__ = ["RepairedText", "repaired_text"]


class RepairedText(NamedTuple):
    """A text in which every identifier is an IRI.

    Attributes:
        data: the text, with the same lines; the original object if nothing had to be changed.
        repaired: each repaired identifier as written, the IRI that it is read as, and its location.
    """

    data: bytes
    repaired: tuple[tuple[str, str, Location | None], ...] = ()

    def remarks(self) -> list[ReaderWarning]:
        """Warnings about the repaired identifiers."""
        return remarks(self.repaired)


class Replacement(NamedTuple):
    """A token to be replaced: its extent in the text, the new token, the identifier as written, and its IRI."""

    start: int
    end: int
    token: str
    written: str
    iri: str


def repaired_text(data: bytes, format: str) -> RepairedText:  # noqa: A002
    """A text in an RDF syntax with its identifiers repaired.

    Args:
        data: UTF-8 text; JSON-LD with its contexts inlined.
        format: the name of the format.
    """
    suspects, find = _SYNTAXES[format]
    if not any(suspect.search(data) for suspect in suspects):
        return RepairedText(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return RepairedText(data)  # the parser reports the error
    pieces: list[str] = []
    end = 0
    repaired: list[tuple[str, str, Location | None]] = []
    line, line_at, line_start = 1, 0, 0
    for one in find(text):
        pieces += text[end : one.start], one.token
        end = one.end
        line += text.count("\n", line_at, one.start)
        newline = text.rfind("\n", line_at, one.start)
        line_start = newline + 1 if newline >= 0 else line_start
        line_at = one.start
        repaired.append((one.written, one.iri, (line, one.start - line_start + 1)))
    if not repaired:
        return RepairedText(data)
    return RepairedText("".join([*pieces, text[end:]]).encode("utf-8"), tuple(repaired))


# --- Turtle, TriG, N-Triples, N-Quads ----------------------------------------------------------------------------

# Excludes bytes that begin characters some of which IRIs forbid: private use, specials and supplementary planes.
_PLAIN = rb"[^\x00-\x20<>\"{}|\\^`\[\]%#&\x7f\xc2\xee-\xff]"
_PART = rb"(?:" + _PLAIN + rb"++|%[0-9A-Fa-f]{2}|\xc2[\xa0-\xbf]|AND)*+"
_WHOLE = _PART + rb"(?:#" + _PART + rb")?+"
_ODD_IRI = re.compile(rb"<" + _PLAIN + rb"*+(?!>|#" + _PLAIN + rb"*+>)(?!" + _WHOLE.replace(b"AND", b"&") + rb">)")
"""The start of an IRI in angle brackets that may not be one of RFC 3987."""
_ODD_PREFIXED = re.compile(rb":[^\s<>\"':\\%]*+(?:\\[#%]|%(?![0-9A-Fa-f]{2}))")
_TURTLE = re.compile(
    r"""
      "{3}(?:[^"\\]++|\\.|"(?!""))*+(?:"{3}|\Z)
    | '{3}(?:[^'\\]++|\\.|'(?!''))*+(?:'{3}|\Z)
    | "(?:[^"\\\r\n]++|\\.)*+"?
    | '(?:[^'\\\r\n]++|\\.)*+'?
    | \#[^\r\n]*+
    | <<\(?
    | (?P<iri><[^>\r\n]*+>?)
    | (?P<word>(?:[^\s<>"'\#\[\](){},;\\^|`]++|\\.)++)
    """,
    re.DOTALL | re.VERBOSE,
)
_CODE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U(000[0-9A-Fa-f]{5}|0010[0-9A-Fa-f]{4})")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ODD_NAME = re.compile(r"\\[#%]|%(?![0-9A-Fa-f]{2})")
_ENDING_DOTS = re.compile(r"(?<![.\\])\.++\Z|(?<=\\\.)\.++\Z")
"""The dots after a name, which end a statement; an escaped dot is part of the name."""


def _in_turtle(text: str) -> list[Replacement]:
    found: list[Replacement] = []
    namespaces: dict[str, str] = {}
    previous, prefix = "", None
    for token in _TURTLE.finditer(text):
        if token.lastgroup == "iri":
            written, iri = _iri(token.group())
            if iri is not None:
                found.append(Replacement(token.start(), token.end(), f"<{iri}>", written, iri))
            if prefix is not None:
                namespaces[prefix] = written if iri is None else iri
            previous, prefix = "", None
        elif token.lastgroup == "word":
            word = token.group()
            # A declaration is the keyword, the prefix with its colon, and the IRI.
            prefix = word[:-1] if previous in ("@prefix", "prefix") and word.endswith(":") else None
            previous = word.lower()
            if _ODD_NAME.search(word) is not None:
                one = _name(_ENDING_DOTS.sub("", word), namespaces, token.start())
                if one is not None:
                    found.append(one)
    return found


def _iri(token: str) -> tuple[str, str | None]:
    """The IRI of a token in angle brackets, and its repaired form; None if that is the same or cannot be determined."""
    written = _CODE.sub(lambda code: chr(int(code[1] or code[2], 16)), token[1:-1])
    if not token.endswith(">") or ("<" in written and any(map(str.isspace, written))):
        # Not closed: the text up to the next bracket does not belong to the IRI.
        return written, None
    iri = repair(written)
    return written, None if iri == written else iri


def _name(word: str, namespaces: dict[str, str], start: int) -> Replacement | None:
    prefix, colon, local = word.partition(":")
    namespace = namespaces.get(prefix)
    if not colon or namespace is None:
        return None
    written = namespace + _ESCAPE.sub(r"\1", local)
    iri = repair(written)
    return None if iri == written else Replacement(start, start + len(word), f"<{iri}>", written, iri)


# --- RDF/XML -----------------------------------------------------------------------------------------------------

_SUSPECT_XML = re.compile(rb"=\s*+(?:\"(?!WHOLE\")|'(?!WHOLE'))".replace(b"WHOLE", _WHOLE.replace(b"AND", b"&amp;")))
_XML = re.compile(
    r"""
    <!--(?:.*?-->|.*+) | <!\[CDATA\[(?:.*?\]\]>|.*+) | <\?(?:.*?\?>|.*+)
    | <(?P<tag>[^<>"'/!?](?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>
    """,
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""(?<=\s)([^\s=<>"'/]++)\s*+=\s*+("[^"]*+"|'[^']*+')""")
_DECLARATION = re.compile(r"""xmlns:([^\s=:]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")
_REFERENCE = re.compile(r"&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));")
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_NAMING = ("about", "resource", "datatype")


def _in_xml(text: str) -> list[Replacement]:
    declared = (
        (match[1], _REFERENCE.sub(_character, match[2] or match[3] or "")) for match in _DECLARATION.finditer(text)
    )
    of_rdf = {prefix for prefix, namespace in declared if namespace == RDF}
    naming = {f"{prefix}:{name}" for prefix in of_rdf for name in _NAMING} | {"xml:base", "xmlns"}
    found = []
    for tag in _XML.finditer(text):
        if tag.lastgroup != "tag":
            continue
        for attribute in _ATTRIBUTE.finditer(text, tag.start("tag"), tag.end("tag")):
            if attribute[1] in naming or attribute[1].startswith("xmlns:"):
                written = _REFERENCE.sub(_character, attribute[2][1:-1])
                iri = repair(written)
                if iri != written:
                    start, end = attribute.span(2)
                    found.append(Replacement(start, end, quoteattr(iri), written, iri))
    return found


def _character(reference: re.Match[str]) -> str:
    if reference[3]:
        return _CHARACTERS[reference[3]]
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return chr(code) if code <= 0x10FFFF else reference.group()


# --- JSON-LD -----------------------------------------------------------------------------------------------------


def _in_json(text: str) -> list[Replacement]:
    return [Replacement(*one) for one in invalid_names(text)]


_SYNTAXES: dict[str, tuple[tuple[re.Pattern[bytes], ...], Callable[[str], list[Replacement]]]] = {
    "turtle": ((_ODD_IRI, _ODD_PREFIXED), _in_turtle),
    "trig": ((_ODD_IRI, _ODD_PREFIXED), _in_turtle),
    "ntriples": ((_ODD_IRI,), _in_turtle),
    "nquads": ((_ODD_IRI,), _in_turtle),
    "rdfxml": ((_SUSPECT_XML,), _in_xml),
    "rdfjsonld": ((re.compile(rb'"'),), _in_json),
}
"""Syntax → patterns that quickly show whether a text may need repair, and the function that finds the tokens."""

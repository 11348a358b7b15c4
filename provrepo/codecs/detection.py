"""Detection of the format of bytes from their structure.

JSON is recognized by its keys and the shapes of their values (``_json``), XML by its root, the other formats by their
beginning. The text may be incomplete: truncated or malformed text ends the traversal, and the part before decides. The
reader of the detected format reports errors.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provrepo.codecs.formats import IMPORTED
from provrepo.codecs.json_source import JsonSource
from provrepo.codecs.jsonld.contexts import find as find_context
from provrepo.codecs.jsonld.contexts import is_shipped
from provrepo.codecs.provjson.reader import SECTIONS
from provrepo.codecs.provjsonld.terms import KNOWN_CONTEXTS, SPECIAL, TYPES
from provrepo.errors import ReadError

__all__ = ["sniff"]

_ADVICE = "name one: --from, format= in Python, a media type with its profile over HTTP"

_HEAD = 1_000_000
"""Bytes that are examined if the format is not JSON."""

_JSON_NAMES = ("provjson", "provjsonld", "rdfjsonld")
# Graphs of TriG begin with a brace too, and blank nodes of Turtle with a bracket.
_JSON = re.compile(r"\{\s*(?:[\"}]|\Z)|\[\s*(?:[\"{\[\d-]|(?:true|false|null)\s*[,\]]|\]?\s*\Z)")
_PROVN = re.compile(
    r"^\s*(?:document\b|bundle\b|prefix\s|default\s*<|(?:entity|activity|agent|was\w+|used|actedOn\w+|had\w+|"
    r"specializationOf|alternateOf|mentionOf)\s*\()",
)
_XML_ROOT = re.compile(r"<(?![?!])\s*(?:[\w.-]+:)?([\w.-]+)")
_ROOTS = {"RDF": "rdfxml", "svg": "svg", "graphml": "graphml"}
_DIAGRAM = re.compile(r"(?:---\n(?s:.*?)\n---\s+)?(?:(?P<dot>digraph\b)|flowchart\s)")
_TURTLE = re.compile(r"(?im)^\s*(?:@?prefix\b|@?base\b|@version\b|\[|\(|<[^>\s]*>\s|[\w.-]*:[\w.-]*\s+a?\s*\S|_:\w)")
_GRAPH = re.compile(r"\{\s*(?:<[^>\s]*>|_:\w)")
_LINE = re.compile(
    r"^(?:<[^>]*>|_:\S+)\s+<[^>]*>\s+(?:<[^>]*>|_:\S+|\"(?:[^\"\\]|\\.)*\"\S*)\s*(<[^>]*>|_:\S+)?\s*\.\s*$"
)


def sniff(data: bytes, named: str | None = None) -> str | None:
    """The name of the format of some bytes; None if it is not recognized.

    Args:
        data: the whole content, or at least its beginning.
        named: the format that the file name suggests. It decides if the structure of JSON does not.

    Raises:
        ReadError: two formats are equally likely; the message names both.
    """
    if data.startswith(b"PK\x03\x04") and data[30:].startswith(b"nodes.csv"):
        return "neo4j"
    head = data[:_HEAD].removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace").lstrip()
    if _JSON.match(head) or (head[:1] in ("{", "[") and named in _JSON_NAMES):
        return _json(data, named)
    if head.startswith("<!") or re.match(r"<(?:\?[\w.-]+\s|[\w.-]+(?::[\w.-]+)?[\s/>])", head):
        root = _XML_ROOT.search(re.sub(r"(?s)<!--.*?-->", "", head))
        if root:
            return _ROOTS.get(root.group(1), "provxml")
    if diagram := _DIAGRAM.match(head):
        return "dot" if diagram["dot"] else "mermaid"
    bare = re.sub(r"(?s)^(?:\s+|//[^\n]*|/\*.*?\*/|#[^\n]*)+", "", head)
    if _PROVN.match(bare) and not re.match(r"(?i)prefix\s+[\w.-]*:\s*<", bare):
        return "provn"
    lines = [line for line in bare.splitlines()[:50] if line.strip() and not line.lstrip().startswith("#")]
    matches = [_LINE.match(line) for line in lines[:-1] or lines]
    if lines and all(matches):
        return "nquads" if any(m and m.group(1) for m in matches) else "ntriples"
    if _TURTLE.search(bare) or _GRAPH.match(bare):
        in_graph = re.search(r"(?im)^\s*(?:graph\s+)?(?:<[^>\s]*>|[\w.-]*:[\w./-]*|_:\w+)?\s*\{", bare)
        return "trig" if in_graph else "turtle"
    return None


# --- JSON --------------------------------------------------------------------------------------------------------

_DECODER = json.JSONDecoder()
_CRATE = re.compile(r"https?://w3id\.org/ro/crate/")
_CONFORMS = re.compile(r"(?:^|[:/])conformsTo$")
_CROISSANT = re.compile(r"\"http://mlcommons\.org/croissant/\d")
_RUN_PROFILE = "https://w3id.org/ro/wfrun/"
_ACTION = re.compile(r"(?:^|[:/])(?:Create|Update|Activate|Control|Organize)Action$")
_KEYWORDS = ("@context", "@graph", "@id", "@type")
_ARGUMENTS = {name: frozenset(argument.name for argument in kind.arguments) for name, kind in TYPES.items()}
_SPELLED = frozenset("prov:" + term for term in SPECIAL) - {"prov:value"}
"""Attributes as the draft of 2020 spells them; they are not properties of PROV-O."""


@dataclass(slots=True)
class _JsonFeatures:
    """The structure of the top level of a JSON text.

    Attributes:
        keys: the keys of its members.
        sections: names of PROV-JSON's sections whose values have the shape of a section.
        keywords: the keywords of JSON-LD in it.
        context: the value of ``@context``.
        statements: the number of members of ``@graph`` with the shape of PROV-JSONLD, by the part that shows it:
            ``bare`` (a type that only PROV-JSONLD's context defines), ``arguments``, ``attributes``.
        bare: the types counted as ``bare``.
        others: the number of members of ``@graph`` whose type PROV-JSONLD does not have.
        croissant: whether it says that it conforms to Croissant.
        runs: whether a member of ``@graph`` is an action, or conforms to a profile of Workflow Run RO-Crate.
    """

    keys: set[str] = field(default_factory=set)
    sections: list[str] = field(default_factory=list)
    keywords: set[str] = field(default_factory=set)
    context: Any = None
    statements: dict[str, int] = field(default_factory=lambda: {"bare": 0, "arguments": 0, "attributes": 0})
    bare: set[str] = field(default_factory=set)
    arguments: set[str] = field(default_factory=set)
    others: int = 0
    croissant: bool = False
    runs: bool = False


def _json(data: bytes, named: str | None) -> str:
    """The format of JSON: PROV-JSON, PROV-JSONLD or JSON-LD.

    Other JSON gets the format that its name suggests; the reader of that format reports that it has no provenance.

    Raises:
        ReadError: two of them are equally likely.
    """
    source = JsonSource(data, "json", strict=False)
    start = source.start()
    other = "rdfjsonld" if named in ("provjsonld", "rdfjsonld") else "provjson"
    if source.text.startswith("[", start):
        # Of the formats of PROV only JSON-LD may be an array.
        return _imported(_first(source, start)) or "rdfjsonld"
    seen = _structure(source, start)
    if seen.keywords.isdisjoint(("@context", "@graph")):
        if seen.sections:
            return "provjson"
        imported = _imported(seen.keys)
        if imported is not None:
            return imported
        return "rdfjsonld" if seen.keywords else other
    if seen.croissant:
        return "croissant"
    if seen.runs and _is_crate(seen):
        return "rocratejson"
    kind = _linked(seen)
    if seen.sections:
        title = "PROV-JSONLD (provjsonld)" if kind == "provjsonld" else "PROV-O as JSON-LD (rdfjsonld)"
        mark = "@graph" if "@graph" in seen.keywords else "@context"
        raise ReadError(
            f"this may be PROV-JSON (provjson), because of {seen.sections[0]!r}, or {title}, because of {mark!r}; "
            f"{_ADVICE}"
        )
    return kind


def _imported(keys: Iterable[str]) -> str | None:
    """The format of another tool whose objects have these keys: the one that names most of them."""
    found = set(keys)
    fitting = [(len(each), format_.name) for format_ in IMPORTED for each in format_.keys if each <= found]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _first(source: JsonSource, start: int) -> Iterable[str]:
    """The keys of the first element of an array, if it is an object."""
    element = next(_each(source, start), None)
    return element.keys() if isinstance(element, dict) else ()


def _structure(source: JsonSource, start: int) -> _JsonFeatures:
    seen = _JsonFeatures()
    try:
        for key, _, at in source.members(start):
            seen.keys.add(key)
            opening = source.text[at : at + 1]
            if key in _KEYWORDS:
                seen.keywords.add(key)
            if key == "@graph" and opening == "[":
                for node in _each(source, at):
                    _node(node, seen)
            elif key == "@context":
                seen.context = _value(source, at)
            elif key in SECTIONS and opening == "{":
                if _section(source, key, at):
                    seen.sections.append(key)
            elif _CONFORMS.search(key):
                seen.croissant = bool(_CROISSANT.search(json.dumps(_value(source, at))))
            else:
                _value(source, at)
    except (ReadError, ValueError, RecursionError):
        pass
    return seen


def _value(source: JsonSource, at: int) -> Any:
    found, source.position = _DECODER.raw_decode(source.text, at)
    return found


def _each(source: JsonSource, at: int) -> Iterator[Any]:
    """The elements of an array, as far as they can be read."""
    try:
        for _, start in source.elements(at):
            yield _value(source, start)
    except (ReadError, ValueError, RecursionError):
        # The rest of the text cannot be read either.
        source.position = len(source.text)


def _section(source: JsonSource, key: str, at: int) -> bool:
    """Whether an object has the shape of a section: of records, or of namespaces under ``prefix``."""
    fits = True
    try:
        for _, _, start in source.members(at):
            value = _value(source, start)
            if key == "prefix":
                fits = fits and isinstance(value, str)
            else:
                fits = fits and (isinstance(value, dict) or (isinstance(value, list) and _objects(value)))
    except (ReadError, ValueError, RecursionError):
        source.position = len(source.text)
    return fits


def _objects(values: list[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


# --- JSON-LD -----------------------------------------------------------------------------------------------------


def _node(node: Any, seen: _JsonFeatures) -> None:
    """Count a member of ``@graph`` of the document, or of a bundle in it."""
    if not isinstance(node, dict):
        return
    type_ = node.get("@type")
    seen.runs = seen.runs or _of_run(node, type_)
    if isinstance(type_, list) and len(type_) == 1:
        type_ = type_[0]
    if not isinstance(type_, str):
        seen.others += 1
        return
    name = type_.removeprefix("prov:").removeprefix("provext:")
    if name == "Bundle" and isinstance(node.get("@graph"), list):
        for inner in node["@graph"]:
            _node(inner, seen)
    elif name not in TYPES:
        seen.others += 1
        return
    if name == type_:
        seen.statements["bare"] += 1
        seen.bare.add(type_)
    elif arguments := _ARGUMENTS.get(name, frozenset()) & node.keys():
        seen.statements["arguments"] += 1
        seen.arguments |= arguments
    elif not _SPELLED.isdisjoint(node):
        seen.statements["attributes"] += 1


def _of_run(node: Mapping[str, Any], types: Any) -> bool:
    """Whether a node of a crate is what was done, or names a profile of Workflow Run RO-Crate."""
    if any(isinstance(each, str) and _ACTION.search(each) for each in (types if isinstance(types, list) else [types])):
        return True
    profiles = node.get("conformsTo")
    named = [
        each.get("@id") for each in (profiles if isinstance(profiles, list) else [profiles]) if isinstance(each, dict)
    ]
    return any(isinstance(each, str) and each.startswith(_RUN_PROFILE) for each in named)


def _is_crate(seen: _JsonFeatures) -> bool:
    """Whether JSON-LD is that of an RO-Crate: by its context."""
    return any(_CRATE.match(address) for address in _contexts(seen.context)[0])


def _linked(seen: _JsonFeatures) -> str:
    """PROV-JSONLD or other JSON-LD, by the contexts, then by the shape of the statements.

    A type or an argument that no context defines has no meaning in JSON-LD, so the text must be PROV-JSONLD.

    Raises:
        ReadError: the text refers to contexts of both.
    """
    addresses, terms = _contexts(seen.context)
    ours = any(KNOWN_CONTEXTS.fullmatch(address) for address in addresses) or _embedded(terms)
    theirs = next((address for address in addresses if is_shipped(address)), None)
    if ours and theirs:
        raise ReadError(
            f"this may be PROV-JSONLD (provjsonld), or PROV-O as JSON-LD (rdfjsonld), because of the context {theirs}; "
            f"{_ADVICE}"
        )
    if ours or theirs:
        # A PROV-JSONLD document has @graph. Other JSON with its context is JSON-LD.
        return "provjsonld" if ours and "@graph" in seen.keywords else "rdfjsonld"
    if "@vocab" in terms:
        return "rdfjsonld"
    undefined = seen.bare - terms.keys()
    if undefined and seen.others:
        unknown = next((address for address in addresses if find_context(address) is None), None)
        if unknown is not None:
            raise ReadError(
                f"this may be PROV-JSONLD (provjsonld), because of the type {min(undefined)!r}, or PROV-O as JSON-LD "
                f"(rdfjsonld), because of the context {unknown}; {_ADVICE}"
            )
    if undefined or seen.statements["attributes"] or seen.arguments - terms.keys():
        return "provjsonld"
    return "rdfjsonld"


def _contexts(context: Any) -> tuple[list[str], dict[str, Any]]:
    """The URLs in a ``@context``, and the terms that it defines, including those of user-defined contexts."""
    addresses: list[str] = []
    terms: dict[str, Any] = {}
    for part in context if isinstance(context, list) else [context]:
        if isinstance(part, str):
            addresses.append(part)
            own = find_context(part)
            if own is not None and not is_shipped(part):
                inner, defined = _contexts(own)
                addresses += inner
                terms |= defined
        elif isinstance(part, dict):
            terms |= part
    return addresses, terms


def _embedded(terms: Mapping[str, Any]) -> bool:
    """Whether these are the terms of PROV-JSONLD's context, inlined."""
    typed = [name for name in TYPES if isinstance(terms.get(name), dict) and "@context" in terms[name]]
    return 2 * len(typed) > len(TYPES)

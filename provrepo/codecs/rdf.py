"""The RDF formats: bytes to quads and back by pyoxigraph, and from there to documents by way of PROV-O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin

from provrepo.codecs import provo_losses
from provrepo.codecs.names import RESERVED
from provrepo.codecs.provo_read import read_quads
from provrepo.codecs.provo_write import document_quads
from provrepo.codecs.rdf_terms import Terms, from_pyoxigraph, is_iri, xml_problem
from provrepo.errors import ReadError, UnknownFormat
from provrepo.model.document import Document, Loss, Quad
from provrepo.model.identifiers import Identifier, Literal
from provrepo.vocab import RDFS

__all__ = ["Parsed", "losses", "parse", "read", "serialize", "write"]

_SYNTAX = {
    "turtle": "TURTLE",
    "trig": "TRIG",
    "ntriples": "N_TRIPLES",
    "nquads": "N_QUADS",
    "rdfxml": "RDF_XML",
    "rdfjsonld": "JSON_LD",
}
"""pyoxigraph's names of the formats."""

_NO_BASE = "provrepo-relative://none/0/0/0/0/0/0/0/0/"
"""Stands in for a missing base where pyoxigraph drops relative IRIs in silence (JSON-LD)."""

_VOCABULARIES = {**RESERVED, "rdfs": RDFS}
"""Prefixes that are declared without being asked for, where their terms occur."""

_LETTER = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_CHARACTER = _LETTER + "_0-9\u00b7\u0300-\u036f\u203f\u2040\\-"
_PREFIX = re.compile(f"(?:[{_LETTER}](?:[{_CHARACTER}.]*[{_CHARACTER}])?)?")
"""PN_PREFIX of Turtle, or nothing."""


class Parsed(NamedTuple):
    """What was read from bytes in an RDF syntax.

    Attributes:
        quads: in source order; blank nodes are ``_:b1``, ``_:b2`` … by first occurrence.
        prefixes: as declared, without those of prov and xsd.
    """

    quads: list[Quad]
    prefixes: dict[str, str]


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002 (the name that callers use)
    """Read PROV-O in one of the RDF formats.

    Raises:
        ReadError: not well-formed, a relative IRI without a base, a remote JSON-LD context, or RDF 1.2.
    """
    quads, prefixes = parse(data, format, base)
    return read_quads(quads, prefixes)


def write(document: Document, *, format: str) -> bytes:  # noqa: A002
    """Write PROV-O in one of the RDF formats; one without named graphs holds the top level alone.

    Raises:
        WriteError: an identifier is not an absolute IRI, or a literal is none that RDF has.
    """
    prefixes = dict(document.prefixes)
    for bundle in document.bundles:
        for prefix, namespace in bundle.prefixes.items():
            prefixes.setdefault(prefix, namespace)
    return serialize(document_quads(document), format, prefixes)


def losses(document: Document, *, format: str) -> list[Loss]:  # noqa: A002
    """What PROV-O cannot tell apart, and what the syntax cannot spell."""
    return provo_losses.losses(document, format)


def parse(data: bytes, format: str, base: str | None = None) -> Parsed:  # noqa: A002
    """Bytes to quads with every literal as it is spelled.

    Args:
        data: UTF-8 text.
        format: the name of an RDF format.
        base: relative IRIs are resolved against it.

    Raises:
        ReadError: with line and column where pyoxigraph or a search for the culprit gives one.
    """
    import pyoxigraph

    given = base
    if base is None and format == "rdfjsonld":
        base = _NO_BASE
    try:
        parser = pyoxigraph.parse(data, getattr(pyoxigraph.RdfFormat, _syntax(format)), base_iri=base)
        quads = from_pyoxigraph(parser, format)
        found = parser.prefixes
    except SyntaxError as error:
        raise _explained(error, data, format) from None
    except ValueError as error:
        raise ReadError(f"{given!r} cannot be a base IRI: {error}", format=format) from None
    if base is _NO_BASE:
        _refuse_relative(quads, data, format)
    prefixes = {p: n for p, n in sorted(found.items()) if RESERVED.get(p) != n}
    return Parsed(quads, prefixes)


def _syntax(name: str) -> str:
    try:
        return _SYNTAX[name]
    except KeyError:
        raise UnknownFormat(f"{name!r} is not an RDF format; there are: {', '.join(_SYNTAX)}") from None


def _explained(error: SyntaxError, data: bytes, format: str) -> ReadError:  # noqa: A002
    """Pyoxigraph's error in words that say what to do."""
    line, column = error.lineno, error.offset
    message = re.sub(r"^Parser error at .*?: ", "", str(error.msg))
    message = re.sub(r" \(line \d+\)$", "", message)
    if "LoadDocumentCallback" in message:
        return _remote_context(data, format)
    if "No scheme found" in message:
        named = re.search(r"'([^']*)'", message)
        message = (
            "a relative IRI"
            + (f" <{named.group(1)}>" if named else "")
            + " without a base; give one with --base (or base=)"
        )
        if line is None and named is not None:
            line, column = _place(data, f'"{named.group(1)}"')
    return ReadError(message, line=line, column=column, format=format)


def _relative(name: str | None) -> str:
    return f"a relative IRI{'' if name is None else f' <{name}>'} without a base; give one with --base (or base=)"


def _place(data: bytes, text: str) -> tuple[int | None, int | None]:
    """Where a text first stands: line and column, both from 1."""
    source = data.decode("utf-8", "replace")
    index = source.find(text)
    if index < 0:
        return None, None
    return source.count("\n", 0, index) + 1, index - source.rfind("\n", 0, index)


def _refuse_relative(quads: Iterable[Quad], data: bytes, format: str) -> None:  # noqa: A002
    scheme = _NO_BASE.partition("//")[0]
    for quad in quads:
        for term in quad:
            if isinstance(term, Identifier) and term.startswith(scheme):
                name = _as_spelled(term, data)
                line, column = _place(data, f'"{name}"')
                raise ReadError(_relative(name), line=line, column=column, format=format)


def _as_spelled(resolved: str, data: bytes) -> str:
    """The string of a JSON source that was resolved against the base that stands for none."""
    # urljoin resolves only against schemes that it knows to have a path.
    base, wanted = (name.replace("provrepo-relative:", "http:", 1) for name in (_NO_BASE, resolved))
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', data.decode("utf-8", "replace"))
    return next((text for text in strings if urljoin(base, text) == wanted), resolved.removeprefix(_NO_BASE))


def _remote_context(data: bytes, format: str) -> ReadError:  # noqa: A002
    url = next(_remote(json.loads(data)), "")
    line, column = _place(data, json.dumps(url)[1:-1])
    return ReadError(
        f"the JSON-LD context {url} is not known, and contexts are never fetched; put its content in its place",
        line=line,
        column=column,
        format=format,
    )


def _remote(value: Any) -> Iterator[str]:
    """URLs of remote contexts, in source order."""
    if isinstance(value, list):
        for item in value:
            yield from _remote(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "@context":
                yield from (part for part in (item if isinstance(item, list) else [item]) if isinstance(part, str))
            elif key == "@import" and isinstance(item, str):
                yield item
            yield from _remote(item)


def serialize(quads: Iterable[Quad], format: str, prefixes: Mapping[str, str] | None = None) -> bytes:  # noqa: A002
    """Quads to bytes, the same bytes for the same list.

    Quads of named graphs are left out where the format has none; triples of one subject come together.

    Args:
        quads: in the order wanted.
        format: the name of an RDF format.
        prefixes: declared where the syntax has prefixes; those of prov, rdfs and xsd are added where used.

    Raises:
        WriteError: an identifier is not an absolute IRI, or a literal is none that RDF has.
    """
    import pyoxigraph

    syntax = getattr(pyoxigraph.RdfFormat, _syntax(format))
    writable = _grouped(quad for quad in quads if quad.graph is None or syntax.supports_datasets)
    converted: list[Any] = Terms().quads(writable)
    if format == "rdfxml":
        converted = [made for quad, made in zip(writable, converted, strict=True) if xml_problem(quad) is None]
    if not syntax.supports_datasets:
        converted = [quad.triple for quad in converted]
    return pyoxigraph.serialize(converted, format=syntax, prefixes=_declared(prefixes or {}, writable, format)) or b""


def _grouped(quads: Iterable[Quad]) -> list[Quad]:
    """Graph by graph, subject by subject, both in the order of their first quads, the default graph first."""
    graphs: dict[Identifier | None, dict[Identifier, list[Quad]]] = {None: {}}
    for quad in quads:
        graphs.setdefault(quad.graph, {}).setdefault(quad.subject, []).append(quad)
    return [quad for subjects in graphs.values() for held in subjects.values() for quad in held]


def _declared(prefixes: Mapping[str, str], quads: Iterable[Quad], format: str) -> dict[str, str] | None:  # noqa: A002
    if format not in ("turtle", "trig", "rdfxml"):
        return None
    result = {p: n for p, n in prefixes.items() if _PREFIX.fullmatch(p) and is_iri(n)}
    texts = dict.fromkeys(
        text
        for quad in quads
        for text in (quad.predicate, quad.object.datatype if isinstance(quad.object, Literal) else quad.object)
    )
    for prefix, namespace in _VOCABULARIES.items():
        if prefix not in result and any(text.startswith(namespace) for text in texts):
            result[prefix] = namespace
    return result

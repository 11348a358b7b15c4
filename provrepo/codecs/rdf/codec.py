"""The codec of the RDF formats: pyoxigraph converts bytes to quads and back, PROV-O quads to documents and back.

Modules that only reading needs are imported when a document is read: sessions of ``provrepo.capture`` only write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, cast

from provrepo.codecs.names import BASE_ADVICE, RESERVED
from provrepo.codecs.provo.terms import QUALIFIED_NAMES
from provrepo.codecs.provo.writer import each_quad
from provrepo.codecs.rdf.languages import marked, marks_for_blocks, marks_for_quads
from provrepo.codecs.rdf.lines import Feed, LineReader, LineWriter, Take
from provrepo.codecs.rdf.terms import is_iri, xml_problem
from provrepo.errors import ReadError, TooLarge, UnknownFormat
from provrepo.model.document import Document, Loss, Quad, ReaderWarning, SourceBytes, UnreadPart
from provrepo.model.identifiers import Identifier, Literal, Rdf12Term
from provrepo.vocab import RDFS

__all__ = [
    "DATASETS",
    "LINES",
    "Parsed",
    "losses",
    "parse",
    "parse_into",
    "parse_lines",
    "read",
    "rdf12_losses",
    "remarks",
    "serialize",
    "unread",
    "write",
]

_SYNTAX = {
    "turtle": "TURTLE",
    "trig": "TRIG",
    "ntriples": "N_TRIPLES",
    "nquads": "N_QUADS",
    "rdfxml": "RDF_XML",
    "rdfjsonld": "JSON_LD",
}
"""pyoxigraph's names of the formats."""

LINES = ("ntriples", "nquads")
"""Formats with one quad on each line."""

DATASETS = ("trig", "nquads", "rdfjsonld")
"""Formats with named graphs."""

_PREFIXED = ("turtle", "trig", "rdfxml")
"""Formats in which prefixes are declared."""

_NO_BASE = "provrepo-relative://none/0/0/0/0/0/0/0/0/"
"""Used if there is no base: without one, pyoxigraph drops relative IRIs of JSON-LD without an error."""

_NO_BASE_GIVEN = f" without a base; {BASE_ADVICE}"

_VOCABULARIES = {**RESERVED, "rdfs": RDFS}
"""Prefixes that are always declared if their terms occur."""


class Parsed(NamedTuple):
    """The content of a text in an RDF syntax.

    Attributes:
        quads: in source order; blank nodes are ``_:b1``, ``_:b2`` … by first occurrence.
        prefixes: the declared ones, without ``prov`` and ``xsd``.
    """

    quads: list[Quad]
    prefixes: dict[str, str]


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002 (the public name)
    """Read PROV-O in one of the RDF formats.

    Raises:
        ReadError: the text is not well-formed, or has a relative IRI without a base or an unknown JSON-LD context.
    """
    from provrepo.codecs.provo.reader import read_quads

    quads, prefixes = parse(data, format, base)
    document = read_quads(quads, prefixes)
    document.warnings += remarks(data, format)
    for part in unread(data, format):
        document.unmapped.add_part(part)
    document.source = SourceBytes(data, format, base, len(document))
    return document


def write(document: Document, *, format: str) -> bytes:  # noqa: A002
    """Write PROV-O in one of the RDF formats; in one without named graphs only the top level is written.

    Raises:
        WriteError: an identifier is not an absolute IRI, or RDF cannot represent a literal.
    """
    prefixes = dict(document.prefixes)
    for bundle in document.bundles:
        for prefix, namespace in bundle.prefixes.items():
            prefixes.setdefault(prefix, namespace)
    return serialize(written_quads(document, format), format, prefixes)


def written_quads(document: Document, format: str) -> Iterable[Quad]:  # noqa: A002
    """The quads of a document in one of the RDF formats.

    A qualified name in a literal has no meaning without its prefixes. For formats whose reader finds no prefixes, only
    the identifier that the name stands for is written.
    """
    quads = each_quad(document)
    if format in ("turtle", "trig"):
        return quads
    names = {quad for quad in document.variants if isinstance(quad[2], Literal) and quad[2].datatype in QUALIFIED_NAMES}
    return (quad for quad in quads if quad not in names) if names else quads


def losses(document: Document, *, format: str) -> list[Loss]:  # noqa: A002
    """The losses of PROV-O and of the syntax."""
    from provrepo.codecs.provo import losses as provo_losses

    return provo_losses.losses(document, format) + rdf12_losses(document.unmapped.quads, format)


def parse(data: bytes, format: str, base: str | None = None) -> Parsed:  # noqa: A002
    """The quads of a text, with the original spelling of every literal.

    Args:
        data: UTF-8 text.
        format: the name of an RDF format.
        base: the IRI against which relative IRIs are resolved.

    Raises:
        ReadError: the text cannot be read; with line and column if pyoxigraph or a search finds them.
        TooLarge: a token of more than 16 MiB, which is pyoxigraph's limit.
    """
    quads: list[Quad] = []
    prefixes = parse_into(data, format, base, quads.extend, quads.clear)
    return Parsed(quads, prefixes)


def parse_into(
    data: bytes,
    format: str,  # noqa: A002
    base: str | None,
    take: Take,
    restart: Callable[[], object] | None = None,
) -> dict[str, str]:
    """Parse as ``parse`` does, and call ``take`` with the quads as they are read.

    Args:
        data: UTF-8 text.
        format: the name of an RDF format.
        base: the IRI against which relative IRIs are resolved.
        take: called with the next quads.
        restart: discards the quads so far, before the text is read again from its start; without it, it is read once.

    Returns:
        The prefixes that the source declares.
    """
    from provrepo.codecs.rdf.iri_repair import repaired_text

    named: Callable[[str], Identifier] = Identifier
    if format == "rdfjsonld":
        from provrepo.codecs.jsonld.bounds import check_contexts
        from provrepo.codecs.jsonld.contexts import inlined

        if base is None:
            named = _absolute(data, format)
        data = inlined(data, format).data
        check_contexts(data)
    data = repaired_text(data, format).data
    text, tags = marked(data, format)
    if tags is not None:
        reader = LineReader(take, restore=tags.restore, named=named)
        try:
            return _parse(text, format, base, reader)
        except ReadError:
            # The message would show marks. The original text has the same error, or none if the marks caused it.
            if restart is None:
                return _parse(data, format, base, LineReader(lambda _: None, named=named))
            restart()
    return _parse(data, format, base, LineReader(take, named=named))


def parse_lines(blocks: Callable[[], Iterable[bytes]], format: str, take: Take) -> None:  # noqa: A002
    """Parse N-Triples or N-Quads as ``parse_into`` does, in memory independent of the number of quads.

    Blank nodes keep their labels.

    Args:
        blocks: returns the text in blocks of whole lines; called again each time that the text is read.
        format: the name of the format.
        take: called with the next quads.
    """
    tags = marks_for_blocks(blocks, format)
    restore = bytes if tags is None else tags.restore
    texts = blocks() if tags is None else (tags.mark_all(block, format) for block in blocks())
    _parse(Feed(texts), format, None, LineReader(take, restore=restore, labelled=True))


def remarks(data: bytes, format: str) -> list[ReaderWarning]:  # noqa: A002
    """Warnings about a text in an RDF syntax that could be read."""
    from provrepo.codecs.rdf.iri_repair import repaired_text

    if format != "rdfjsonld":
        return repaired_text(data, format).remarks()
    from provrepo.codecs.jsonld.contexts import inlined

    text = inlined(data, format)
    found = repaired_text(text.data, format).remarks()
    if text.null_identifiers:
        found.append(ReaderWarning(f"null as an identifier, {text.null_identifiers} times: read as things without one"))
    return found


def unread(data: bytes, format: str) -> list[UnreadPart]:  # noqa: A002
    """The parts of a text in an RDF syntax that could be read of which there is no triple."""
    if format != "rdfjsonld":
        return []
    from provrepo.codecs.jsonld.keys import undefined_keys

    return undefined_keys(data)


def _parse(data: bytes | Feed, format: str, base: str | None, reader: LineReader) -> dict[str, str]:  # noqa: A002
    import pyoxigraph

    given, source, sink = base, cast("Any", data), cast("Any", reader)
    if base is None and format == "rdfjsonld":
        base = _NO_BASE
    try:
        parser = pyoxigraph.parse(source, getattr(pyoxigraph.RdfFormat, _syntax(format)), base_iri=base)
        pyoxigraph.serialize(parser, sink, pyoxigraph.RdfFormat.N_QUADS)
        found = parser.prefixes
    except SyntaxError as error:
        raise _explained(error, data if isinstance(data, bytes) else b"", format) from None
    except MemoryError as error:
        if "buffer maximal size" not in str(error):
            raise
        raise TooLarge("a single literal or name takes more than 16 MiB, which is the most that is read") from None
    except ValueError as error:
        raise ReadError(f"{given!r} cannot be a base IRI: {error}", format=format) from None
    return {p: n for p, n in sorted(found.items()) if RESERVED.get(p) != n}


def _syntax(name: str) -> str:
    try:
        return _SYNTAX[name]
    except KeyError:
        raise UnknownFormat(f"{name!r} is not an RDF format; there are: {', '.join(_SYNTAX)}") from None


def _explained(error: SyntaxError, data: bytes, format: str) -> ReadError:  # noqa: A002
    """Pyoxigraph's error with advice."""
    line, column = error.lineno, error.offset
    message = re.sub(r"^Parser error at .*?: ", "", str(error.msg))
    message = re.sub(r" \(line \d+\)$", "", message)
    if "No scheme found" in message:
        named = re.search(r"'([^']*)'", message)
        message = (
            "a relative IRI"
            + (f" <{named.group(1)}>" if named else "")
            + (" without a base; this format has none: write it in full" if format in LINES else _NO_BASE_GIVEN)
        )
        if line is None and named is not None:
            line, column = _location(data, f'"{named.group(1)}"')
    return ReadError(message, line=line, column=column, format=format)


def _relative(name: str | None) -> str:
    return f"a relative IRI{'' if name is None else f' <{name}>'}{_NO_BASE_GIVEN}"


def _location(data: bytes, text: str) -> tuple[int | None, int | None]:
    """Line and column, both from 1, of the first occurrence of a text."""
    source = data.decode("utf-8", "replace")
    index = source.find(text)
    if index < 0:
        return None, None
    return source.count("\n", 0, index) + 1, index - source.rfind("\n", 0, index)


def _absolute(data: bytes, format: str) -> Callable[[str], Identifier]:  # noqa: A002
    """A function that makes identifiers, and rejects those that were resolved against ``_NO_BASE``."""
    scheme = _NO_BASE.partition("//")[0]

    def made(iri: str) -> Identifier:
        if iri.startswith(scheme):
            name = _as_spelled(iri, data)
            line, column = _location(data, f'"{name}"')
            raise ReadError(_relative(name), line=line, column=column, format=format)
        return Identifier(iri)

    return made


def _as_spelled(resolved: str, data: bytes) -> str:
    """The string of a JSON source that was resolved against ``_NO_BASE``."""
    from urllib.parse import urljoin

    # urljoin resolves only against schemes that it knows.
    base, wanted = (name.replace("provrepo-relative:", "http:", 1) for name in (_NO_BASE, resolved))
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', data.decode("utf-8", "replace"))
    return next((text for text in strings if urljoin(base, text) == wanted), resolved.removeprefix(_NO_BASE))


def serialize(quads: Iterable[Quad], format: str, prefixes: Mapping[str, str] | None = None) -> bytes:  # noqa: A002
    """Quads as bytes, the same bytes for the same list.

    Quads of named graphs are omitted if the format has no named graphs. Triples of one subject are written together,
    except in N-Triples and N-Quads, which keep the given order.

    Args:
        quads: in order.
        format: the name of an RDF format.
        prefixes: to be declared if the syntax has prefixes; those of prov, rdfs and xsd are added if used.

    Raises:
        WriteError: an identifier is not an absolute IRI, or RDF cannot represent a literal.
    """
    if format in LINES:
        return b"".join(LineWriter().pieces(_representable(quads, format)))
    import pyoxigraph

    syntax = getattr(pyoxigraph.RdfFormat, _syntax(format))
    writable = _grouped(_representable(quads, format))
    tags = marks_for_quads(writable)
    writer = LineWriter(tag=str if tags is None else tags.mark)
    if format == "rdfxml":
        lines = zip(writable, writer.lines(writable), strict=True)
        feed: Any = Feed(line.encode("utf-8") for quad, line in lines if xml_problem(quad) is None)
    else:
        feed = Feed(writer.pieces(writable))
    converted: Iterable[Any] = pyoxigraph.parse(feed, pyoxigraph.RdfFormat.N_QUADS)
    if not syntax.supports_datasets:
        converted = map(attrgetter("triple"), converted)
    declared = _declared(prefixes or {}, writable, format)
    data = pyoxigraph.serialize(converted, format=syntax, prefixes=declared) or b""
    return data if tags is None else tags.restore(data)


_ASCII_PREFIX = re.compile(r"(?:[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)?")


def _is_prefix(text: str) -> bool:
    """Whether a text is a PN_PREFIX of Turtle, or empty."""
    return (_ASCII_PREFIX if text.isascii() else _any_prefix()).fullmatch(text) is not None


@cache
def _any_prefix() -> re.Pattern[str]:
    """The pattern of PN_PREFIX; compiled at its first use, since such wide ranges take long."""
    letter = (
        "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
        "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
    )
    character = letter + "_0-9\u00b7\u0300-\u036f\u203f\u2040\\-"
    return re.compile(f"(?:[{letter}](?:[{character}.]*[{character}])?)?")


def _representable(quads: Iterable[Quad], format: str) -> Iterable[Quad]:  # noqa: A002
    """The quads that a format can represent."""
    if format == "rdfjsonld":
        return (quad for quad in quads if not isinstance(quad[2], Rdf12Term))
    return quads if format in DATASETS else (quad for quad in quads if quad[3] is None)


def rdf12_losses(quads: Iterable[Quad], format: str) -> list[Loss]:  # noqa: A002
    """The losses of quads with terms of RDF 1.2, which JSON-LD 1.1 cannot represent."""
    if format != "rdfjsonld":
        return []
    reason = "JSON-LD cannot represent triple terms or strings with a base direction (RDF 1.2)"
    return [Loss(reason, quad[0]) for quad in quads if isinstance(quad[2], Rdf12Term)]


def _grouped(quads: Iterable[Quad]) -> list[Quad]:
    """The quads by graph and subject, in the order of their first quads, the default graph first."""
    graphs: dict[Identifier | None, dict[Identifier, list[Quad]]] = {None: {}}
    for quad in quads:
        subjects = graphs.get(quad[3])
        if subjects is None:
            subjects = graphs[quad[3]] = {}
        known = subjects.get(quad[0])
        if known is None:
            subjects[quad[0]] = [quad]
        else:
            known.append(quad)
    return [quad for subjects in graphs.values() for found in subjects.values() for quad in found]


def _declared(prefixes: Mapping[str, str], quads: Iterable[Quad], format: str) -> dict[str, str] | None:  # noqa: A002
    if format not in _PREFIXED:
        return None
    result = {p: n for p, n in prefixes.items() if _is_prefix(p) and is_iri(n)}
    texts: set[str] = set()
    for _, predicate, value, _graph in quads:
        texts.add(predicate)
        texts.add(value.datatype if isinstance(value, Literal) else value)
    for prefix, namespace in _VOCABULARIES.items():
        if prefix not in result and any(text.startswith(namespace) for text in texts):
            result[prefix] = namespace
    return result

"""The table of formats: name, media types, suffixes and codec of each.

Reading, writing, detection and HTTP negotiation use this one table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TypeAlias

from provrepo.codecs.rows import Format
from provrepo.codecs.tools import TOOLS
from provrepo.errors import ReadError, UnknownFormat, WriteError
from provrepo.model.document import Document, Loss
from provrepo.model.unmapped import uses_prov_terms

__all__ = [
    "FORMATS",
    "IMPORTED",
    "READABLE",
    "WRITABLE",
    "Format",
    "Source",
    "by_media_type",
    "by_name",
    "by_suffix",
    "check_base",
    "content",
    "detect",
    "format_of_archive",
    "losses",
    "read",
    "write",
]

Source: TypeAlias = str | Path | bytes | IO[bytes]
"""A path, the bytes themselves, or a binary file object."""


PROV_PROFILE = 'application/ld+json; profile="http://www.w3.org/ns/prov#"'

_PROV_TOOLS = ("ProvToolbox", "prov")

_PROV: tuple[Format, ...] = (
    Format(
        "provjson",
        "PROV-JSON",
        (".json", ".provjson"),
        ("application/json", "application/prov+json"),
        rdf=False,
        bundles=True,
        module="codecs.provjson.codec",
        specification="https://www.w3.org/Submission/2013/SUBM-prov-json-20130424/",
        systems=_PROV_TOOLS,
        readers=_PROV_TOOLS,
    ),
    Format(
        "provn",
        "PROV-N",
        (".provn", ".pn"),
        ("text/provenance-notation",),
        rdf=False,
        bundles=True,
        module="codecs.provn.codec",
        specification="https://www.w3.org/TR/2013/REC-prov-n-20130430/",
        systems=_PROV_TOOLS,
        readers=_PROV_TOOLS,
    ),
    Format(
        "provxml",
        "PROV-XML",
        (".provx", ".xml"),
        ("application/provenance+xml", "application/xml", "text/xml"),
        rdf=False,
        bundles=True,
        module="codecs.provxml.codec",
        specification="https://www.w3.org/TR/2013/NOTE-prov-xml-20130430/",
        systems=_PROV_TOOLS,
        readers=_PROV_TOOLS,
    ),
    Format(
        "provjsonld",
        "PROV-JSONLD",
        (".jsonld", ".provjsonld"),
        ("application/ld+json", 'application/ld+json; profile="https://openprovenance.org/prov-jsonld"'),
        rdf=False,
        bundles=True,
        module="codecs.provjsonld.codec",
        specification="https://www.w3.org/submissions/2024/SUBM-prov-jsonld-20240825/",
        systems=("ProvToolbox",),
        readers=("ProvToolbox",),
    ),
    Format(
        "turtle",
        "Turtle",
        (".ttl",),
        ("text/turtle", "application/x-turtle"),
        rdf=True,
        bundles=False,
        module="codecs.rdf.codec",
        specification="https://www.w3.org/TR/turtle/",
    ),
    Format(
        "trig",
        "TriG",
        (".trig",),
        ("application/trig", "application/x-trig"),
        rdf=True,
        bundles=True,
        module="codecs.rdf.codec",
        specification="https://www.w3.org/TR/trig/",
    ),
    Format(
        "ntriples",
        "N-Triples",
        (".nt",),
        ("application/n-triples",),
        rdf=True,
        bundles=False,
        module="codecs.rdf.codec",
        specification="https://www.w3.org/TR/n-triples/",
    ),
    Format(
        "nquads",
        "N-Quads",
        (".nq",),
        ("application/n-quads",),
        rdf=True,
        bundles=True,
        module="codecs.rdf.codec",
        specification="https://www.w3.org/TR/n-quads/",
    ),
    Format(
        "rdfxml",
        "RDF/XML",
        (".rdf", ".owl"),
        ("application/rdf+xml",),
        rdf=True,
        bundles=False,
        module="codecs.rdf.codec",
        specification="https://www.w3.org/TR/rdf-syntax-grammar/",
    ),
    Format(
        "rdfjsonld",
        "PROV-O as JSON-LD",
        (".rdf.jsonld",),
        (PROV_PROFILE,),
        rdf=True,
        bundles=True,
        module="codecs.rdf.codec",
        specification="https://www.w3.org/TR/json-ld11/",
    ),
    Format(
        "svg",
        "SVG",
        (".svg",),
        ("image/svg+xml",),
        rdf=False,
        bundles=True,
        module="codecs.svg.codec",
        specification="https://www.w3.org/TR/SVG2/",
        reads=False,
    ),
    Format(
        "dot",
        "DOT",
        (".dot", ".gv"),
        ("text/vnd.graphviz",),
        rdf=False,
        bundles=True,
        module="codecs.diagrams.codec",
        specification="https://graphviz.org/doc/info/lang.html",
        reads=False,
        readers=("Graphviz",),
    ),
    Format(
        "mermaid",
        "Mermaid",
        (".mmd", ".mermaid"),
        ("text/vnd.mermaid",),
        rdf=False,
        bundles=True,
        module="codecs.diagrams.codec",
        specification="https://mermaid.js.org/syntax/flowchart.html",
        reads=False,
        readers=("Mermaid",),
    ),
    Format(
        "graphml",
        "GraphML",
        (".graphml",),
        ("application/graphml+xml",),
        rdf=False,
        bundles=True,
        module="codecs.property_graph.codec",
        specification="http://graphml.graphdrawing.org/",
        reads=False,
        readers=("JanusGraph", "NetworkX"),
        versions="GraphML 1.0 with the labels of TinkerPop 3",
    ),
    Format(
        "neo4j",
        "CSV for Neo4j",
        (".neo4j.zip",),
        ("application/x-neo4j-csv",),
        rdf=False,
        bundles=True,
        module="codecs.property_graph.codec",
        specification="https://neo4j.com/docs/operations-manual/current/import/",
        reads=False,
        readers=("Neo4j",),
        versions="headers of neo4j-admin 5, Cypher 5.23",
    ),
)

FORMATS = (*_PROV, *TOOLS)
"""All formats: those of PROV, a picture and diagrams, and those of other tools."""

READABLE = tuple(format_ for format_ in FORMATS if format_.reads)
"""The formats that documents can be read from: all but pictures and diagrams."""

WRITABLE = tuple(format_ for format_ in FORMATS if format_.writes)
"""The formats that documents can be written in: those of PROV, pictures and diagrams, and some of other tools."""

IMPORTED = TOOLS
"""The formats of other tools, which importers read."""

_BY_NAME = {format_.name: format_ for format_ in FORMATS}
_SUFFIXES = sorted(
    ((suffix, format_) for format_ in FORMATS for suffix in format_.suffixes), key=lambda pair: -len(pair[0])
)
_AMBIGUOUS = {".json", ".jsonl", ".jsonld", ".ndjson", ".xml"}
"""Suffixes that several formats share in practice, so that the content decides."""


def by_name(name: str) -> Format:
    """The format with a name.

    Raises:
        UnknownFormat: there is none; the message lists all names.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownFormat(f"no format is called {name!r}; there are: {', '.join(_BY_NAME)}") from None


def by_suffix(name: str | Path) -> Format | None:
    """The format of a file name's suffix, the longest suffix first; None if no format has it."""
    lower = str(name).lower()
    return next((format_ for suffix, format_ in _SUFFIXES if lower.endswith(suffix)), None)


def by_media_type(value: str) -> Format | None:
    """The format of a ``Content-Type``; parameters other than ``profile`` are ignored. None if unknown."""
    wanted, profile = _media(value)
    candidates = [format_ for format_, kind, _ in _MEDIA_TYPES if kind == wanted]
    exact = [format_ for format_, *both in _MEDIA_TYPES if both == [wanted, profile] and profile]
    return next(iter(exact + candidates), None)


def _media(value: str) -> tuple[str, str]:
    kind, _, parameters = value.partition(";")
    found = re.search(r'(?:^|;)\s*profile\s*=\s*(?:"([^"]*)"|([^;\s]+))', parameters, re.IGNORECASE)
    return kind.strip().lower(), (found.group(1) or found.group(2) or "").strip() if found else ""


_MEDIA_TYPES = [(format_, *_media(name)) for format_ in FORMATS for name in format_.media_types]


def detect(data: bytes, name: str | Path | None = None) -> Format:
    """The format of some bytes: by the suffix of their name if that is unambiguous, otherwise by their content.

    Args:
        data: the whole content, or at least its beginning.
        name: a file name, or None.

    Raises:
        ReadError: neither the name nor the content determines the format, or two formats are equally likely.
    """
    from provrepo.codecs.detection import sniff
    from provrepo.codecs.provxml.encoding import decoded_xml, is_wide

    archived = format_of_archive(data)
    if archived is not None:
        return archived
    if is_wide(data):
        data = decoded_xml(data, strict=False)
    named = by_suffix(name) if name is not None else None
    if named is not None and not (Path(str(name)).suffix.lower() in _AMBIGUOUS and not _explicit(str(name))):
        return named
    found = sniff(data, None if named is None else named.name)
    return named or _unrecognized() if found is None else by_name(found)


def format_of_archive(data: bytes) -> Format | None:
    """The format of an archive of a folder; None for other bytes."""
    from provrepo.codecs.guards import archived

    return _BY_NAME.get(archived(data))


def _explicit(name: str) -> bool:
    return name.lower().endswith(".rdf.jsonld")


def _unrecognized() -> Format:
    raise ReadError(
        "cannot tell which format this is; name one with --from (or format=): " + ", ".join(names(READABLE)),
    )


def content(source: Source) -> tuple[bytes, str | None]:
    """The bytes of a source, and its file name or None.

    Raises:
        ReadError: it cannot be opened or read.
    """
    if isinstance(source, bytes):
        return source, None
    if isinstance(source, str | Path):
        try:
            return Path(source).read_bytes(), str(source)
        except OSError as error:
            raise ReadError(f"cannot read {source}: {error.strerror or error}") from error
    name = getattr(source, "name", None)
    data = source.read()
    if not isinstance(data, bytes):
        raise ReadError("the file object yields text; open it in binary mode")
    return data, name if isinstance(name, str) else None


def check_base(base: str | None) -> None:
    """Check the base IRI that a user gives, for formats without relative IRIs too, which ignore it when they read.

    Raises:
        ReadError: it is not an absolute IRI.
    """
    if base:
        from provrepo.codecs.rdf.terms import is_iri

        if not is_iri(base):
            raise ReadError(f"{base[:200]!r} cannot be a base IRI: it is not an absolute IRI")


def read(source: Source, *, format: str | None = None, base: str | None = None) -> Document:  # noqa: A002
    """Read a document.

    Args:
        source: a path, the bytes, or a binary file object.
        format: a format's name; by default detected from name and content.
        base: the IRI against which relative IRIs are resolved; without one they are an error.

    Returns:
        The document; ``.warnings`` lists what was unusual, ``.unmapped`` what PROV-DM cannot represent.

    Raises:
        ReadError: the document is unreadable, with line and column if known.
        TooLarge: a literal exceeds ``guards.MAX_LITERAL``.
        UnknownFormat: no format has that name.
    """
    from provrepo.codecs.collector import collection_paused
    from provrepo.codecs.guards import check_literals, check_prefixes, prepared

    data, name = content(source)
    chosen = by_name(format) if format is not None else detect(data, name)
    data = prepared(data, chosen.name)
    with collection_paused():
        document = chosen.codec().read(data, format=chosen.name, base=base)
    check_prefixes(document, chosen.name)
    check_literals(document, len(data))
    document.format = chosen.name
    return document


def write(document: Document, format: str) -> bytes:  # noqa: A002
    """The document in a format; the same document gives the same bytes.

    Raises:
        UnknownFormat: no format has that name.
        WriteError: the format cannot represent this document at all, or can only be read.
    """
    from provrepo.codecs.collector import collection_paused

    with collection_paused():
        return _writable(format).codec().write(document, format=format)


_UNMAPPED = {False: "are not PROV", True: "make no statement"}
"""Whether an unmapped triple uses terms of PROV → the end of the message of its loss."""


def losses(document: Document, format: str) -> list[Loss]:  # noqa: A002
    """What the format cannot represent of the document; everything that writing drops is listed.

    Raises:
        UnknownFormat: no format has that name.
        WriteError: the format can only be read.
    """
    chosen = _writable(format)
    found: list[Loss] = []
    if not chosen.reads:
        # A picture has one loss, not one for each triple.
        return chosen.codec().losses(document, format=format)
    if not chosen.rdf:
        found += [
            Loss(f"{chosen.title} cannot represent triples that {_UNMAPPED[uses_prov_terms(quad, why)]}", quad.subject)
            for quad, why in document.unmapped.triples()
        ]
    if chosen.name != "provn":
        found += [
            Loss(f"{chosen.title} cannot represent statements that extend PROV-N", extension.name)
            for instance in document.instances()
            for extension in instance.extensions
        ]
    if not chosen.bundles:
        found += [Loss(f"{chosen.title} cannot represent bundles", bundle.id or "") for bundle in document.bundles]
    return found + chosen.codec().losses(document, format=format)


def _writable(format: str) -> Format:  # noqa: A002
    chosen = by_name(format)
    if not chosen.writes:
        raise WriteError(f"documents can be read from {chosen.title} and cannot be written in it")
    return chosen


def names(formats: Iterable[Format] = FORMATS) -> list[str]:
    """The names of formats, in the table's order."""
    return [format_.name for format_ in formats]

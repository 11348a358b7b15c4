"""Conversion from one format to another: as a stream of triples if both are RDF, otherwise through a ``Document``.

Between two syntaxes of RDF the triples stay unchanged. To N-Triples and N-Quads they are written one by one, so that
memory does not grow with their number; from these two the source is read in blocks as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO

from provrepo.codecs.collector import collection_paused
from provrepo.codecs.formats import Format, Source, by_name, content, detect, losses, read
from provrepo.codecs.guards import MAX_LITERAL, check_literal, prepared
from provrepo.codecs.rdf import codec as rdf
from provrepo.codecs.rdf.iri_repair import repaired_text
from provrepo.codecs.rdf.lines import LineWriter
from provrepo.codecs.rdf.terms import xml_problem
from provrepo.errors import ReadError, TooLarge
from provrepo.model.document import Loss, Quad, ReaderWarning, UnreadPart
from provrepo.model.identifiers import Identifier, Literal

__all__ = ["Conversion", "convert"]

_NAMED = 20
"""The most unread parts with a warning of their own."""

_BLOCK = 1 << 20
_LONGEST = 8 * MAX_LITERAL


@dataclass(slots=True)
class Conversion:
    """The report of a conversion.

    Attributes:
        source: the format that was read.
        target: the format that was written.
        warnings: what was unusual in the source.
        losses: what the target cannot represent.
    """

    source: Format
    target: Format
    warnings: list[ReaderWarning] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)


def convert(
    source: Source,
    output: IO[bytes],
    *,
    to: str,
    format: str | None = None,  # noqa: A002 (the public name)
    base: str | None = None,
) -> Conversion:
    """Write a document in another format.

    Args:
        source: a path, the bytes, or a binary file object.
        output: gets the bytes; after an error its content is incomplete.
        to: the name of the format to write.
        format: the format of the source; by default detected from name and content.
        base: the IRI against which relative IRIs are resolved; without one they are an error.

    Raises:
        ReadError: the source is unreadable, with line and column if known.
        TooLarge: a literal exceeds ``guards.MAX_LITERAL``.
        UnknownFormat: no format has that name.
        WriteError: the target cannot represent this document at all.
    """
    target = by_name(to)
    given, chosen = _opened(source, format)
    with collection_paused():
        if not (chosen.rdf and target.rdf):
            return _document(given, output, chosen, target, base)
        if target.name in rdf.LINES:
            return _lines(given, output, chosen, target, base)
        return _triples(given, output, chosen, target, base)


def _opened(source: Source, format: str | None) -> tuple[bytes | Path, Format]:  # noqa: A002
    """A source that can be read several times, and its format."""
    if isinstance(source, str | Path):
        path = Path(source)
        if format is not None:
            return path, by_name(format)
        with _open(path) as file:
            return path, detect(file.read(_BLOCK), path)
    data, name = content(source)
    return data, by_name(format) if format is not None else detect(data, name)


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise ReadError(f"cannot read {path}: {error.strerror or error}") from error


def _document(source: bytes | Path, output: IO[bytes], chosen: Format, target: Format, base: str | None) -> Conversion:
    document = read(source, format=chosen.name, base=base)
    if target.name in rdf.LINES:
        quads = rdf.written_quads(document, target.name)
        for piece in LineWriter().pieces(quad for quad in quads if target.bundles or quad[3] is None):
            output.write(piece)
    else:
        output.write(document.write(target.name))
    warnings = [*document.warnings, *_unread_warnings(document.unmapped.unread)]
    return Conversion(chosen, target, warnings, losses(document, target.name))


def _remarks(data: bytes, chosen: Format) -> list[ReaderWarning]:
    return [*rdf.remarks(data, chosen.name), *_unread_warnings(rdf.unread(data, chosen.name))]


def _unread_warnings(unread: list[UnreadPart]) -> list[ReaderWarning]:
    """A warning for each of the first unread parts, and one with the number of the others."""
    found = [
        ReaderWarning(f"{part.part} is not read: {part.reason}", part.line, part.column) for part in unread[:_NAMED]
    ]
    if len(unread) > _NAMED:
        found.append(ReaderWarning(f"{len(unread) - _NAMED} more parts are not read"))
    return found


def _triples(source: bytes | Path, output: IO[bytes], chosen: Format, target: Format, base: str | None) -> Conversion:
    """Convert to a syntax with prefixes in which triples are grouped by subject, after all of them are read."""
    data = prepared(content(source)[0], chosen.name)
    parsed = rdf.parse(data, chosen.name, base)
    quads = list(dict.fromkeys(parsed.quads))
    _check_literals(quads)
    output.write(rdf.serialize(quads, target.name, parsed.prefixes))
    found = Conversion(chosen, target, _remarks(data, chosen), rdf.rdf12_losses(quads, target.name))
    if not target.bundles:
        graphs = dict.fromkeys(quad[3] for quad in quads if quad[3] is not None)
        found.losses += [_no_bundles(target, graph) for graph in graphs]
    if target.name == "rdfxml":
        for quad in quads:
            problem = xml_problem(quad) if quad[3] is None else None
            if problem is not None:
                found.losses.append(Loss(problem, quad[0]))
    return found


def _lines(source: bytes | Path, output: IO[bytes], chosen: Format, target: Format, base: str | None) -> Conversion:
    """Convert to a syntax with one quad on each line, one quad after the other."""
    writer = _QuadLines(output, target)
    warnings: list[ReaderWarning] = []
    if chosen.name in rdf.LINES:
        found: dict[str, ReaderWarning] = {}
        rdf.parse_lines(lambda: _blocks(source, chosen.name, found), chosen.name, writer)
        warnings = list(found.values())
    else:
        data = prepared(content(source)[0], chosen.name)
        rdf.parse_into(data, chosen.name, base, writer)
        warnings = _remarks(data, chosen)
    return Conversion(chosen, target, warnings, [_no_bundles(target, graph) for graph in writer.dropped])


class _QuadLines:
    """Writes quads as lines.

    Attributes:
        dropped: the named graphs that the format cannot represent.
    """

    def __init__(self, output: IO[bytes], target: Format) -> None:
        self.dropped: dict[Identifier, None] = {}
        self._output = output
        self._datasets = target.bundles
        self._writer = LineWriter(trusted=True)

    def __call__(self, quads: list[Quad]) -> None:
        _check_literals(quads)
        if not self._datasets:
            self.dropped.update((quad[3], None) for quad in quads if quad[3] is not None)
            quads = [quad for quad in quads if quad[3] is None]
        for piece in self._writer.pieces(quads):
            self._output.write(piece)


def _no_bundles(target: Format, graph: str) -> Loss:
    return Loss(f"{target.title} cannot represent bundles", graph)


def _check_literals(quads: Iterable[Quad]) -> None:
    for quad in quads:
        value = quad[2]
        if isinstance(value, Literal):
            check_literal(value.lexical, lambda q=quad: f"{q[1]} of {q[0]}")  # type: ignore[misc]


def _blocks(source: bytes | Path, name: str, warnings: dict[str, ReaderWarning]) -> Iterator[bytes]:
    """Blocks of whole lines of the source, checked by the guards, with their identifiers repaired.

    Args:
        source: the lines.
        name: the name of their format.
        warnings: IRI → warning about the identifier that was read as it; added to.
    """
    line = 0
    with BytesIO(source) if isinstance(source, bytes) else _open(source) as file:
        while block := file.read(_BLOCK):
            rest = file.readline(_LONGEST)
            if len(rest) == _LONGEST:
                raise TooLarge(f"a line of more than {_LONGEST} bytes: literals may not be that long")
            try:
                checked = prepared(block + rest, name)
            except ReadError as error:
                at = None if error.line is None else line + error.line
                raise ReadError(error.message, line=at, column=error.column, format=error.format) from None
            repaired = repaired_text(checked, name)
            for remark in repaired.remarks():
                place = None if remark.line is None else line + remark.line
                warnings.setdefault(remark.focus or "", remark._replace(line=place))
            line += block.count(b"\n") + rest.count(b"\n")
            yield repaired.data

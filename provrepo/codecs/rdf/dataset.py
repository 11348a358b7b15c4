"""The content of one version as N-Quads: its assertions and their completion, each in a named graph.

The top level is in ``<version>``, its completion in ``<version>#completed``; the n-th bundle is in
``<version>#bundle-n`` and ``<version>#bundle-n-completed``, since two documents may use one identifier for a bundle.
Blank nodes become IRIs, so that one store can contain the quads of several documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from provrepo.codecs.collector import collection_paused
from provrepo.codecs.formats import Format
from provrepo.codecs.guards import MAX_LINE, check_literals, check_prefixes, prepared
from provrepo.codecs.provo.completion import complete, minted
from provrepo.codecs.provo.declared import DECLARATIONS, Declared
from provrepo.codecs.provo.reader import read_quads
from provrepo.codecs.provo.writer import Labels, instance_quads
from provrepo.codecs.rdf import codec as rdf
from provrepo.codecs.rdf.lines import LineWriter
from provrepo.errors import TooLarge
from provrepo.model.document import Document, Quad, SourceBytes
from provrepo.model.identifiers import Identifier, Rdf12Term, is_blank
from provrepo.model.minting import Minter

__all__ = ["DatasetCounts", "blank_names", "read_for_dataset", "write_nquads"]


@dataclass(frozen=True, slots=True)
class DatasetCounts:
    """The numbers of quads written, and the graphs of bundles.

    Attributes:
        asserted: the number of quads that the version asserts, bundles included.
        completed: the number of quads in their completions.
        bundles: for each bundle in order its graph and its identifier.
    """

    asserted: int
    completed: int
    bundles: tuple[tuple[Identifier, Identifier], ...] = ()


def read_for_dataset(data: bytes, format: Format, base: str | None) -> tuple[Document, list[Quad] | None]:  # noqa: A002
    """Read a document, and its quads for ``write_nquads`` if the format is one of RDF, so that it is parsed once.

    Raises:
        ReadError: the document is unreadable, with line and column if known.
        TooLarge: a literal exceeds ``guards.MAX_LITERAL``.
    """
    data = prepared(data, format.name)
    with collection_paused():
        if not format.rdf:
            document, quads = format.codec().read(data, format=format.name, base=base), None
        else:
            parsed = rdf.parse(data, format.name, base)
            document, quads = read_quads(parsed.quads, parsed.prefixes), parsed.quads
            document.warnings += rdf.remarks(data, format.name)
            for part in rdf.unread(data, format.name):
                document.unmapped.add_part(part)
            document.source = SourceBytes(data, format.name, base, len(document))
    check_prefixes(document, format.name)
    check_literals(document, len(data))
    document.format = format.name
    return document, quads


def write_nquads(
    data: bytes,
    document: Document,
    format: Format,  # noqa: A002 (the public name)
    base: str | None,
    *,
    version: Identifier,
    mint_blank: Callable[[int], Identifier],
    output: Path,
    quads: Sequence[Quad] | None = None,
    observe: Callable[[int, Sequence[Quad], Callable[[Identifier], Identifier]], None] | None = None,
) -> DatasetCounts:
    """Write the N-Quads of one version; the same bytes, version and names give the same file.

    The assertions of an RDF format are exactly the triples of the bytes, those included that are not PROV, without
    terms of RDF 1.2, which SPARQL 1.1 does not have. Those of another format are the document in PROV-O, with the
    triples for which its reader has no statement.

    Args:
        data: the bytes of the version.
        document: the document read from them.
        format: the format of the bytes.
        base: the IRI against which relative IRIs are resolved.
        version: the version's IRI, which names its graphs.
        mint_blank: names the n-th blank node, from 1 in order of first occurrence.
        output: the file to write; replaced if it exists.
        quads: the quads of ``data`` if ``read_for_dataset`` returned them.
        observe: called for each graph and for its completion, with the number of the graph (0 for the top level, n for
            the n-th bundle), the quads, and a function that returns the IRI of a node.

    Raises:
        ReadError: the bytes cannot be read.
        WriteError: an identifier of the document is not an absolute IRI, or RDF cannot represent a literal.
        TooLarge: a line exceeds ``guards.MAX_LINE``, so that no view could load it.
    """
    if format.rdf:
        parsed = quads if quads is not None else rdf.parse(prepared(data, format.name), format.name, base).quads
        instances = _graphs(parsed)
        names = _NodeNames(_numbered(mint_blank))
    else:
        instances = _instances(document, Labels(document))
        names = _NodeNames(_counted(mint_blank))
    lines = LineWriter(name=names.__getitem__, trusted=format.rdf).pieces
    declared = Declared([quad for _, triples in instances for quad in triples if quad.predicate in DECLARATIONS])
    asserted = completed = 0
    bundles = []
    with collection_paused(), output.open("wb") as file:
        for number, (name, triples) in enumerate(instances):
            graph = version if name is None else Minter.bundle(version, number)
            completed_graph = Minter.completed(version) if name is None else Minter.bundle_completed(version, number)
            if name is not None:
                bundles.append((graph, names[name]))
            file.writelines(_bounded(lines(triples, graph)))
            completion = complete(triples, names.mint, declared)
            file.writelines(_bounded(lines(completion, completed_graph)))
            if observe is not None:
                observe(number, triples, names.__getitem__)
                observe(number, completion, names.__getitem__)
            asserted += len(triples)
            completed += len(completion)
    return DatasetCounts(asserted, completed, tuple(bundles))


def _bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if len(piece) > MAX_LINE:
            longest = max(piece.split(b"\n"), key=len)
            if len(longest) > MAX_LINE:
                raise TooLarge(
                    f"a triple takes {len(longest):,} bytes in N-Quads; at most {MAX_LINE:,} are stored. It begins "
                    f"with {longest[:200].decode('utf-8', 'replace')}…"
                )
        yield piece


def _graphs(quads: Iterable[Quad]) -> list[tuple[Identifier | None, list[Quad]]]:
    """The default graph, then the named ones in the order in which ``read_quads`` makes bundles of them."""
    graphs: dict[Identifier | None, dict[Quad, None]] = {None: {}}
    for quad in quads:
        triples = graphs.get(quad[3])
        if triples is None:
            triples = graphs[quad[3]] = {}
        if not isinstance(quad[2], Rdf12Term):
            triples[quad] = None
    return [(name, list(triples)) for name, triples in graphs.items()]


def blank_names(
    document: Document,
    format: Format,  # noqa: A002 (the public name)
    mint_blank: Callable[[int], Identifier],
) -> dict[Identifier, Identifier]:
    """Blank node of a document → the IRI that ``write_nquads`` gives it.

    Args:
        document: as ``read_for_dataset`` returned it.
        format: the format of its source.
        mint_blank: as for ``write_nquads``.
    """
    labels = Labels(document)
    if not labels.used:
        return {}
    if format.rdf:
        names = _NodeNames(_numbered(mint_blank))
    else:
        names = _NodeNames(_counted(mint_blank))
        # Numbers follow the first occurrence in the output, so the lines are made once more and discarded.
        lines = LineWriter(name=names.__getitem__).lines
        for name, triples in _instances(document, labels):
            if name is not None:
                names[name]
            for _ in lines(triples):
                pass
    return {label: names[labels.node(label)] for label in sorted(labels.used)}


def _instances(document: Document, labels: Labels) -> list[tuple[Identifier | None, list[Quad]]]:
    """The triples of each instance; those of an importer without a statement are of the top level."""
    found = [
        (instance.id, list(dict.fromkeys(instance_quads(instance.statements, labels, instance.id))))
        for instance in document.instances()
    ]
    known = set(found[0][1]) if document.unmapped.quads else set()
    found[0][1].extend(quad for quad in dict.fromkeys(document.unmapped.quads) if quad not in known)
    return found


def _numbered(mint_blank: Callable[[int], Identifier]) -> Callable[[str], Identifier]:
    """IRIs for the labels of ``rdf.parse``, which contain numbers by first occurrence in the bytes."""
    return lambda label: mint_blank(int(label.removeprefix("_:b")))


def _counted(mint_blank: Callable[[int], Identifier]) -> Callable[[str], Identifier]:
    """IRIs for any other labels, numbered by first occurrence in the output."""
    numbers: dict[str, int] = {}
    return lambda label: mint_blank(numbers.setdefault(label, len(numbers) + 1))


class _NodeNames(dict[Identifier, Identifier]):
    """The IRIs of nodes: that of the node itself, or the one minted for a blank node. Made at the first look-up."""

    def __init__(self, blank: Callable[[str], Identifier]) -> None:
        super().__init__()
        self._blank = blank

    def __missing__(self, name: Identifier) -> Identifier:
        found = self[name] = self._blank(name) if is_blank(name) else name
        return found

    def mint(self, subject: Identifier, predicate: Identifier, value: Identifier) -> Identifier:
        """The identifier of a shortcut's qualified node; subject and object may be blank."""
        return minted(self[subject], predicate, self[value])

"""The content of one version as N-Quads: what it asserts and what follows from it, each in its own named graph.

What stands at the top level is in ``<version>``, what completes it in ``<version>#completed``; the n-th bundle is in
``<version>#bundle-n`` and ``<version>#bundle-n-completed``, since two documents may use one identifier for a bundle.
Blank nodes have become IRIs, so that lines of several documents can stand in one store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from provrepo.codecs import rdf
from provrepo.codecs.completion import complete, minted
from provrepo.codecs.formats import Format
from provrepo.codecs.guards import check
from provrepo.codecs.provo_declared import DECLARATIONS, Declared
from provrepo.codecs.provo_read import read_quads
from provrepo.codecs.provo_write import Labels, instance_quads
from provrepo.codecs.rdf_terms import is_iri, literal_problem
from provrepo.errors import WriteError
from provrepo.model.document import Document, Quad
from provrepo.model.identifiers import Identifier, Literal, is_blank
from provrepo.model.minting import Minter
from provrepo.vocab import XSD_STRING

__all__ = ["DatasetCounts", "read_for_dataset", "write_nquads"]


@dataclass(frozen=True, slots=True)
class DatasetCounts:
    """What was written.

    Attributes:
        asserted: quads that the version itself says, bundles included.
        completed: quads that follow from them.
        bundles: for each bundle in order the graph that holds it and the bundle's own identifier.
    """

    asserted: int
    completed: int
    bundles: tuple[tuple[Identifier, Identifier], ...] = ()


def read_for_dataset(data: bytes, format: Format, base: str | None) -> tuple[Document, list[Quad] | None]:  # noqa: A002
    """Read a document, and keep its quads for ``write_nquads`` where the format is one of RDF: it is parsed once.

    Raises:
        ReadError: unreadable, with line and column where there is one.
    """
    check(data, format.name)
    if not format.rdf:
        document, quads = format.codec().read(data, format=format.name, base=base), None
    else:
        parsed = rdf.parse(data, format.name, base)
        document, quads = read_quads(parsed.quads, parsed.prefixes), parsed.quads
    document.format = format.name
    return document, quads


def write_nquads(
    data: bytes,
    document: Document,
    format: Format,  # noqa: A002 (the name that callers use)
    base: str | None,
    *,
    version: Identifier,
    mint_blank: Callable[[int], Identifier],
    output: Path,
    quads: Sequence[Quad] | None = None,
) -> DatasetCounts:
    """Write the N-Quads of one version; the same bytes, version and names give the same file.

    What is asserted in an RDF format is exactly the triples of the bytes, those included that PROV has no place for;
    of another format it is the document in PROV-O.

    Args:
        data: the bytes of the version.
        document: what was read from them.
        format: of the bytes.
        base: against which their relative IRIs are resolved.
        version: the version's IRI, which names its graphs.
        mint_blank: names the n-th blank node, from 1 in order of first occurrence.
        output: the file to write; replaced if it exists.
        quads: those of ``data`` where ``read_for_dataset`` has parsed it already.

    Raises:
        ReadError: the bytes cannot be read.
        WriteError: an identifier of the document is not an absolute IRI, or a literal is none that RDF has.
    """
    if format.rdf:
        parsed = quads if quads is not None else rdf.parse(data, format.name, base).quads
        instances = _graphs(parsed)
        lines = _Lines(_numbered(mint_blank), trusted=True)
    else:
        instances = _instances(document)
        lines = _Lines(_counted(mint_blank), trusted=False)
    declared = Declared([quad for _, held in instances for quad in held if quad.predicate in DECLARATIONS])
    asserted = completed = 0
    bundles = []
    with output.open("w", encoding="utf-8", newline="\n") as file:
        for number, (name, held) in enumerate(instances):
            graph = version if name is None else Minter.bundle(version, number)
            below = Minter.completed(version) if name is None else Minter.bundle_completed(version, number)
            if name is not None:
                bundles.append((graph, lines.name(name)))
            file.writelines(lines.write(held, graph))
            following = complete(held, lines.mint, declared)
            file.writelines(lines.write(following, below))
            asserted += len(held)
            completed += len(following)
    return DatasetCounts(asserted, completed, tuple(bundles))


def _graphs(quads: Iterable[Quad]) -> list[tuple[Identifier | None, list[Quad]]]:
    """The default graph, then the named ones in the order in which ``read_quads`` makes bundles of them."""
    graphs: dict[Identifier | None, dict[Quad, None]] = {None: {}}
    for quad in quads:
        held = graphs.get(quad[3])
        if held is None:
            held = graphs[quad[3]] = {}
        held[quad] = None
    return [(name, list(held)) for name, held in graphs.items()]


def _instances(document: Document) -> list[tuple[Identifier | None, list[Quad]]]:
    labels = Labels(document)
    return [
        (instance.id, list(dict.fromkeys(instance_quads(instance.statements, labels, instance.id))))
        for instance in document.instances()
    ]


def _numbered(mint_blank: Callable[[int], Identifier]) -> Callable[[str], Identifier]:
    """Names for the labels of ``rdf.parse``, which are numbers by first occurrence in the bytes."""
    return lambda label: mint_blank(int(label.removeprefix("_:b")))


def _counted(mint_blank: Callable[[int], Identifier]) -> Callable[[str], Identifier]:
    """Names for any other labels, by first occurrence in what is written."""
    numbers: dict[str, int] = {}
    return lambda label: mint_blank(numbers.setdefault(label, len(numbers) + 1))


_SPECIAL = re.compile(r'["\\\n\r]')
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r"})


class _Lines:
    """Writes quads as lines of N-Quads, every name spelled once.

    Terms that pyoxigraph has parsed are ``trusted``; others are checked, since they may come from a format whose
    identifiers are not IRIs.
    """

    def __init__(self, blank: Callable[[str], Identifier], *, trusted: bool) -> None:
        self._blank = blank
        self._trusted = trusted
        self._names: dict[str, Identifier] = {}
        self._spelled: dict[str, str] = {}

    def name(self, name: Identifier) -> Identifier:
        """The IRI of a node: its own, or the one that a blank node is given."""
        if not is_blank(name):
            return name
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = self._blank(name)
        return known

    def mint(self, subject: Identifier, predicate: Identifier, value: Identifier) -> Identifier:
        """The qualified node of a shortcut, where what it relates may be blank."""
        return minted(self.name(subject), predicate, self.name(value))

    def write(self, quads: Iterable[Quad], graph: Identifier) -> Iterator[str]:
        """The lines of quads in a graph, whatever graph they name themselves."""
        spelled, spell, literal = self._spelled, self._spell, self._literal
        end = f" <{graph}> .\n"
        for subject, predicate, value, _ in quads:
            s = spelled.get(subject) or spell(subject)
            p = spelled.get(predicate) or spell(predicate)
            o = (spelled.get(value) or spell(value)) if isinstance(value, Identifier) else literal(value)
            yield f"{s} {p} {o}{end}"

    def _spell(self, name: Identifier) -> str:
        if not self._trusted and not is_blank(name) and not is_iri(name):
            raise WriteError(f"RDF cannot hold the identifier {name!r}: it is not an absolute IRI")
        known = self._spelled[name] = f"<{self.name(name)}>"
        return known

    def _literal(self, literal: Literal) -> str:
        lexical, datatype, language = literal
        if not self._trusted:
            problem = literal_problem(literal)
            if problem is not None:
                raise WriteError(problem)
        if _SPECIAL.search(lexical):
            lexical = lexical.translate(_ESCAPES)
        if language is not None:
            return f'"{lexical}"@{language}'
        if datatype == XSD_STRING:
            return f'"{lexical}"'
        return f'"{lexical}"^^<{datatype}>'

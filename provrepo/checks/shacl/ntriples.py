"""Graphs between processes: N-Triples in one layout, one space between terms and no comments.

IRIs that RDF does not allow are escaped, so that they arrive as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from provrepo.checks.shacl.graph import Graph
from provrepo.codecs.rdf.escapes import unescape
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.vocab import RDF_LANG_STRING, XSD_STRING

__all__ = ["LINE", "escaped_iri", "lines", "read", "write"]

LINE = re.compile(r'(<[^>]*>|_:\S+) (<[^>]*>) (<[^>]*>|_:\S+|".*"(?:@\S+|\^\^<[^>]*>)?) \.\n')
"""One triple; the groups are its terms."""

_UNSAFE = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


def lines(triples: Iterable[Quad]) -> Iterator[bytes]:
    """The lines of some triples; the graphs that quads name are ignored."""
    known: dict[Value, str] = {}

    def written(term: Value) -> str:
        text = known.get(term)
        if text is None:
            text = known[term] = _written(term)
        return text

    for subject, predicate, value, _ in triples:
        yield f"{written(subject)} {written(predicate)} {written(value)} .\n".encode()


def write(graph: Graph) -> bytes:
    """All triples of a graph."""
    known: dict[int, str] = {}

    def written(number: int) -> str:
        text = known.get(number)
        if text is None:
            text = known[number] = _written(graph.term(number))
        return text

    return "".join(
        f"{written(subject)} {_written(Identifier(predicate))} {written(value)} .\n"
        for predicate, pairs in graph.predicates.items()
        for subject, value in zip(pairs.subjects, pairs.objects, strict=True)
    ).encode()


def read(content: bytes) -> Graph:
    """The graph that was written."""
    known: dict[str, Value] = {}

    def term(token: str) -> Value:
        found = known.get(token)
        if found is None:
            found = known[token] = _term(token)
        return found

    # A subject is never a literal, and a predicate always an IRI: that is what was written.
    triples = (map(term, match.groups()) for match in LINE.finditer(content.decode("utf-8")))
    return Graph(Quad(*triple) for triple in triples)  # type: ignore[arg-type]


def _written(term: Value) -> str:
    if isinstance(term, Identifier):
        return term if term.startswith("_:") else f"<{escaped_iri(term)}>"
    lexical = term.lexical.translate(_ESCAPES)
    if term.language:
        return f'"{lexical}"@{term.language}'
    return f'"{lexical}"' if term.datatype == XSD_STRING else f'"{lexical}"^^<{escaped_iri(term.datatype)}>'


def escaped_iri(iri: str) -> str:
    """An IRI with the characters escaped that stand for themselves nowhere in N-Triples."""
    return _UNSAFE.sub(lambda m: f"\\u{ord(m[0]):04X}", iri)


def _term(token: str) -> Value:
    if token[0] == "<":
        return Identifier(unescape(token[1:-1]))
    if token[0] == "_":
        return Identifier(token)
    end = token.rindex('"')
    lexical, tail = unescape(token[1:end]), token[end + 1 :]
    if tail.startswith("@"):
        return Literal(lexical, RDF_LANG_STRING, tail[1:])
    return Literal(lexical, unescape(tail[3:-1])) if tail else Literal(lexical)

"""Results of SPARQL queries: rows, a boolean or triples in terms of the model, and their serializations.

A result is complete and independent of its store. Variable bindings are written in the SPARQL 1.1 Query Results formats
(JSON, XML, CSV and TSV), triples in the RDF formats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, TypeAlias, cast
from typing import Literal as OneOf

from provrepo.codecs import formats, guards
from provrepo.codecs.rdf.terms import PyoxigraphTerms
from provrepo.errors import AnswerTooLarge, QueryError, ReadError, UsageError
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.vocab import PREDECLARED, RDF_LANG_STRING, XSD_STRING
from provrepo.words import counted

if TYPE_CHECKING:
    import pyoxigraph as ox

__all__ = ["Kind", "QueryResult", "Row", "from_pyoxigraph", "parse", "value_of", "write_pyoxigraph"]

Kind: TypeAlias = OneOf["bindings", "boolean", "graph"]
"""SELECT gives bindings, ASK a boolean, CONSTRUCT and DESCRIBE a graph."""

Row: TypeAlias = dict[str, Value]
"""One solution: variable without its question mark → value; an unbound variable is absent."""

_RESULTS = {
    "json": "application/sparql-results+json",
    "xml": "application/sparql-results+xml",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
}
_GRAPHS = {
    "turtle": "TURTLE",
    "ntriples": "N_TRIPLES",
    "rdfxml": "RDF_XML",
    "rdfjsonld": "JSON_LD",
    "trig": "TRIG",
    "nquads": "N_QUADS",
}
"""Format name → name of pyoxigraph's constant."""

_DIRECTION = "the answer contains a string with a base direction (RDF 1.2), which is not supported"
_TRIPLE_TERM = "the answer contains a triple term (RDF 1.2), which is not supported"

_PLAIN_JSONLD = "application/ld+json"
# The PROV profile in the table of formats promises PROV-O; a query may construct any triples.


class QueryResult:
    """The result of a query.

    Iterating yields the rows of a SELECT or the triples of a CONSTRUCT. The truth value of an ASK is its boolean, that
    of the others whether there are rows or triples.

    Attributes:
        kind: which of the following has a value.
        variables: of a SELECT, in its order.
        rows: the solutions in order.
        boolean: the result of an ASK; None for the other kinds.
        triples: the result of a CONSTRUCT or DESCRIBE; their ``graph`` is None.
    """

    __slots__ = ("_rows", "_triples", "_written", "boolean", "kind", "variables")

    def __init__(
        self,
        kind: Kind,
        variables: tuple[str, ...] = (),
        rows: list[Row] | None = None,
        boolean: bool | None = None,
        triples: list[Quad] | None = None,
    ) -> None:
        self.kind = kind
        self.variables = variables
        self.boolean = boolean
        self._rows = rows or []
        self._triples = triples or []
        self._written: bytes | None = None

    @classmethod
    def from_written(cls, kind: Kind, written: bytes) -> QueryResult:
        """A result from the output of ``write_pyoxigraph``. Rows and triples are parsed at their first use."""
        result = cls(kind)
        result._written = written
        if kind == "graph":
            return result
        if kind == "boolean":
            result.boolean = bool(json.loads(written)["boolean"])
        else:
            # The head comes first and has names only, so the variables are known without parsing the rows.
            head, _ = json.JSONDecoder().raw_decode(written[len(_HEAD) : written.index(_BODY)].decode())
            result.variables = tuple(head["vars"])
        return result

    @property
    def rows(self) -> list[Row]:
        """The solutions of a SELECT in order; empty for the other kinds."""
        if self._written is not None and self.kind == "bindings":
            found = json.loads(self._written)["results"]["bindings"]
            self._rows, self._written = [{name: _value(term) for name, term in row.items()} for row in found], None
        return self._rows

    @property
    def triples(self) -> list[Quad]:
        """The triples of a CONSTRUCT or DESCRIBE; empty for the other kinds."""
        if self._written is not None and self.kind == "graph":
            import pyoxigraph as ox

            self._triples = [_triple(quad) for quad in ox.parse(self._written, ox.RdfFormat.N_TRIPLES)]
            self._written = None
        return self._triples

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, QueryResult):
            return NotImplemented
        return self._content() == other._content()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        what = (
            self.boolean if self.kind == "boolean" else f"{len(self)} {'triples' if self.kind == 'graph' else 'rows'}"
        )
        return f"<QueryResult {self.kind}: {what}>"

    def _content(self) -> tuple[object, ...]:
        return self.kind, self.variables, self.rows, self.boolean, self.triples

    def __iter__(self) -> Iterator[Any]:
        return iter(self.triples if self.kind == "graph" else self.rows)

    def __len__(self) -> int:
        return len(self.triples if self.kind == "graph" else self.rows)

    def __bool__(self) -> bool:
        return bool(self.boolean) if self.kind == "boolean" else len(self) > 0

    def formats(self) -> tuple[str, ...]:
        """The formats in which this kind of result can be written, the preferred one first."""
        if self.kind == "graph":
            return tuple(_GRAPHS)
        # The CSV and TSV formats have no form for a boolean (SPARQL 1.1 Query Results CSV and TSV, section 1): readers
        # parse the bare word as the name of a column.
        return tuple(_RESULTS) if self.kind == "bindings" else ("json", "xml")

    def media_type(self, format: str) -> str:  # noqa: A002 (the public name)
        """The media type of a format, without parameters; all are UTF-8.

        Raises:
            UsageError: this kind of result has no such format.
        """
        self._admit(format)
        if format in _RESULTS:
            return _RESULTS[format]
        return _PLAIN_JSONLD if format == "rdfjsonld" else formats.by_name(format).media_type

    def write(self, format: str, *, quote_formulas: bool = False) -> bytes:  # noqa: A002 (the public name)
        """The result in a format.

        Args:
            format: ``json`` or ``xml``; for bindings also ``csv`` and ``tsv``; for a graph ``turtle``, ``ntriples``,
                ``rdfxml``, ``rdfjsonld``, ``trig`` or ``nquads``.
            quote_formulas: of ``csv``, whether a text that a spreadsheet would evaluate as a formula gets an apostrophe
                before it (OWASP, "CSV Injection"). The results format has no such rule: values are exact without it.

        Raises:
            UsageError: this kind of result has no such format, and the message lists its formats; or formulas are to be
                quoted in another format than CSV.
        """
        self._admit(format)
        if quote_formulas and format != "csv":
            raise UsageError(f"formulas are quoted in CSV, which spreadsheets open, and not in {format}")
        if self.kind == "graph":
            if self._written is not None and format == "ntriples":
                return self._written
            return _write_graph(self.triples, format)
        data = self._written or json.dumps(self._json(), ensure_ascii=False, separators=(",", ":")).encode()
        if quote_formulas:
            data = _with_quoted_formulas(data)
        return data if format == "json" else _transcode(data, format)

    def _admit(self, format_name: str) -> None:
        if format_name in self.formats():
            return
        what = {"bindings": "rows", "boolean": "a yes-or-no answer", "graph": "triples"}[self.kind]
        raise UsageError(f"{what} cannot be written as {format_name!r}; there are: {', '.join(self.formats())}")

    def _json(self) -> dict[str, Any]:
        """SPARQL 1.1 Query Results JSON Format, section 3."""
        if self.kind == "boolean":
            return {"head": {}, "boolean": bool(self.boolean)}
        bindings = [{name: _json_term(row[name]) for name in self.variables if name in row} for row in self.rows]
        return {"head": {"vars": list(self.variables)}, "results": {"bindings": bindings}}


_HEAD, _BODY = b'{"head":', b',"results":'
"""The text that pyoxigraph writes before the head of its JSON results, and between head and rows."""


def _value(term: dict[str, str]) -> Value:
    """A term of SPARQL JSON results."""
    kind, value = term["type"], term["value"]
    if kind == "uri":
        return Identifier(value)
    if kind == "bnode":
        return Identifier(f"_:{value}")
    if "xml:lang" in term:
        return Literal(value, RDF_LANG_STRING, term["xml:lang"])
    return Literal(value, term.get("datatype", XSD_STRING))


def _json_term(value: Value) -> dict[str, str]:
    if isinstance(value, Identifier):
        return {"type": "bnode", "value": value[2:]} if value.startswith("_:") else {"type": "uri", "value": value}
    if value.language is not None:
        return {"type": "literal", "value": value.lexical, "xml:lang": value.language}
    if value.datatype == XSD_STRING:
        return {"type": "literal", "value": value.lexical}
    return {"type": "literal", "value": value.lexical, "datatype": value.datatype}


FORMULA = re.compile(r"\s*+[=+\-@\uff1d\uff0b\uff0d\uff20|%]|[\t\r\n]")
"""Matches the start of a text that a spreadsheet may evaluate as a formula (OWASP, "CSV Injection")."""

_NUMBER = re.compile(r"[+-]?+(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")


def _with_quoted_formulas(data: bytes) -> bytes:
    """SPARQL JSON results in which no text is a formula. IRIs and numbers are unchanged: they are not formulas."""
    answer = json.loads(data)
    for row in answer["results"]["bindings"]:
        for term in row.values():
            text = term["value"]
            if term["type"] != "uri" and FORMULA.match(text) and not _NUMBER.fullmatch(text):
                term["value"] = f"'{text}"
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def _transcode(data: bytes, format_name: str) -> bytes:
    """SPARQL JSON results in another format, converted by pyoxigraph."""
    import pyoxigraph as ox

    written: bytes | None = ox.parse_query_results(data, ox.QueryResultsFormat.JSON).serialize(
        format=getattr(ox.QueryResultsFormat, format_name.upper())
    )
    return written or b""


def _write_graph(triples: list[Quad], format_name: str) -> bytes:
    import pyoxigraph as ox

    quads = PyoxigraphTerms().quads(triple._replace(graph=None) for triple in triples)
    return (
        ox.serialize(
            (quad.triple for quad in quads),
            format=getattr(ox.RdfFormat, _GRAPHS[format_name]),
            prefixes=_used_prefixes(triples),
        )
        or b""
    )


def _used_prefixes(triples: list[Quad]) -> dict[str, str]:
    iris: set[str] = {iri for t in triples for iri in t[:3] if isinstance(iri, Identifier)}
    iris |= {t.object.datatype for t in triples if isinstance(t.object, Literal)}
    return {prefix: name for prefix, name in PREDECLARED.items() if any(iri.startswith(name) for iri in iris)}


def from_pyoxigraph(result: ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples) -> QueryResult:
    """The complete result from pyoxigraph, which evaluates the query while its result is read.

    Raises:
        QueryError: the evaluation failed, or the result contains a term that RDF 1.1 does not have.
    """
    import pyoxigraph as ox

    try:
        if isinstance(result, ox.QueryBoolean):
            return QueryResult("boolean", boolean=bool(result))
        if isinstance(result, ox.QueryTriples):
            return QueryResult("graph", triples=[_triple(triple) for triple in result])
        variables = tuple(variable.value for variable in result.variables)
        return QueryResult("bindings", variables, [_row(variables, solution) for solution in result])
    except (OSError, RuntimeError, ValueError) as error:
        raise QueryError(f"the query cannot be evaluated: {error}") from error


def write_pyoxigraph(
    result: ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples, *, rows: int, size: int
) -> tuple[Kind, bytes]:
    """Write a result of pyoxigraph in the fastest format: SPARQL JSON results, or N-Triples for triples.

    Args:
        result: read to its end, unless it exceeds a limit.
        rows: the most rows or triples.
        size: the most bytes of the output.

    Raises:
        AnswerTooLarge: a limit is exceeded.
        QueryError: the evaluation failed, or the result contains a term that RDF 1.1 does not have.
    """
    import pyoxigraph as ox

    target = _Limited(size)
    stream = cast("IO[bytes]", target)
    try:
        if isinstance(result, ox.QueryTriples):
            result.serialize(stream, format=ox.RdfFormat.N_TRIPLES)
        else:
            result.serialize(stream, format=ox.QueryResultsFormat.JSON)
    except (OSError, RuntimeError, ValueError) as error:
        raise QueryError(f"the query cannot be evaluated: {error}") from error
    written = bytes(target.data)
    if isinstance(result, ox.QueryBoolean):
        return "boolean", written
    kind: Kind = "graph" if isinstance(result, ox.QueryTriples) else "bindings"
    if _count(kind, written, rows) > rows:
        raise AnswerTooLarge(
            f"the answer has more than {counted(rows, 'row')}, the most that are sent; ask for less with LIMIT"
        )
    _refuse_rdf_12(kind, written)
    return kind, written


def _count(kind: Kind, written: bytes, most: int) -> int:
    """The number of rows or triples; an upper bound if that is at most ``most``, otherwise exact."""
    if kind == "graph":
        return written.count(b"\n")
    upper = written.count(b"},{") + 1  # occurrences in strings included
    return upper if upper <= most else len(json.loads(written)["results"]["bindings"])


def _refuse_rdf_12(kind: Kind, written: bytes) -> None:
    if kind == "bindings":
        # In a JSON string the quotation marks of these would be escaped.
        if b'"type":"triple"' in written:
            raise QueryError(_TRIPLE_TERM)
        if b'"its:dir":' in written:
            raise QueryError(_DIRECTION)
    elif b"<<(" in written or b"--ltr" in written or b"--rtl" in written:
        import pyoxigraph as ox

        for quad in ox.parse(written, ox.RdfFormat.N_TRIPLES):
            _triple(quad)


class _Limited:
    """A file object in memory, up to a number of bytes."""

    def __init__(self, size: int) -> None:
        self.data = bytearray()
        self._size = size

    def write(self, chunk: bytes) -> int:
        self.data += chunk
        if len(self.data) > self._size:
            raise AnswerTooLarge(
                f"the answer is larger than {self._size:,} bytes, the most that is sent; ask for less with LIMIT"
            )
        return len(chunk)

    def flush(self) -> None:
        pass


def _row(variables: tuple[str, ...], solution: ox.QuerySolution) -> Row:
    return {name: value_of(term) for name, term in zip(variables, solution, strict=True) if term is not None}


def _triple(triple: ox.Triple | ox.Quad) -> Quad:
    return Quad(_identifier(triple.subject), Identifier(triple.predicate.value), value_of(triple.object))


def _identifier(term: Any) -> Identifier:
    value = value_of(term)
    if not isinstance(value, Identifier):
        raise QueryError("the answer has a literal as a subject")
    return value


def value_of(term: Any) -> Value:
    """A term of pyoxigraph as a term of the model.

    Raises:
        QueryError: RDF 1.1 has no such term.
    """
    import pyoxigraph as ox

    if isinstance(term, ox.NamedNode):
        return Identifier(term.value)
    if isinstance(term, ox.Literal):
        if term.direction is not None:
            raise QueryError(_DIRECTION)
        if term.language is not None:
            return Literal(term.value, RDF_LANG_STRING, term.language)
        return Literal(term.value, term.datatype.value)
    if isinstance(term, ox.BlankNode):
        return Identifier(f"_:{term.value}")
    raise QueryError(_TRIPLE_TERM)


def _like(results: ox.QueryResultsFormat | None, graph: ox.RdfFormat | None) -> str:
    """The name of a format with a similar syntax, for ``guards``: JSON, XML or Turtle."""
    name = (results or graph).name  # type: ignore[union-attr]
    if "JSON" in name:
        return "rdfjsonld"
    return "rdfxml" if "XML" in name else "turtle"


def parse(data: bytes, media_type: str) -> QueryResult:
    """The result in a response of another SPARQL endpoint.

    Args:
        data: the body of the response.
        media_type: its Content-Type; parameters are ignored.

    Raises:
        ReadError: results cannot be read from the media type, the body does not have it, or ``provrepo.codecs.guards``
            rejects the body.
    """
    import pyoxigraph as ox

    kind = media_type.partition(";")[0].strip().lower()
    results, graph = ox.QueryResultsFormat.from_media_type(kind), ox.RdfFormat.from_media_type(kind)
    if results is None and graph is None:
        raise ReadError(f"{kind or 'nothing'} is not a media type of query results or of RDF")
    data = guards.prepared(data, _like(results, graph))
    try:
        if results is not None:
            return from_pyoxigraph(ox.parse_query_results(data, results))
        return QueryResult("graph", triples=[_triple(quad) for quad in ox.parse(data, graph)])
    except SyntaxError as error:
        raise ReadError(
            f"the answer is not {kind}, as its media type states: {error.msg}", line=error.lineno
        ) from error

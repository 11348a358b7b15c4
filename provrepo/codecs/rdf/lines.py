"""Reading and writing quads as lines of canonical N-Quads, faster than with a pyoxigraph object for each term.

pyoxigraph converts other syntaxes: it writes parsed quads as canonical N-Quads, in which every term has one spelling,
and reads such lines to write other syntaxes. Each term is looked up by its spelling and created once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeAlias

from provrepo.codecs.names import MAX_EXPANDED, ExpansionBudget
from provrepo.codecs.rdf.escapes import MUST_ESCAPE, escape, unescape
from provrepo.codecs.rdf.languages import tagged
from provrepo.codecs.rdf.terms import literal_problem
from provrepo.errors import WriteError
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Rdf12Term
from provrepo.vocab import RDF_LANG_STRING, XSD_STRING

__all__ = ["Feed", "LineReader", "LineWriter", "Take"]

_AT_ONCE = 256
"""The number of lines that are joined at a time."""

_CACHED = 50_000
"""The most spellings that are cached. Repetitions are usually near each other."""

_quad = tuple.__new__
"""Makes a ``Quad`` of a tuple at a third of the cost of calling the class."""

Take: TypeAlias = Callable[[list[Quad]], object]
"""Is called with the next quads, in a list that it may keep."""


class LineReader:
    """Parses canonical N-Quads: a file object for writing that calls a function with the quads."""

    def __init__(
        self,
        take: Take,
        *,
        restore: Callable[[bytes], bytes] = bytes,
        labelled: bool = False,
        named: Callable[[str], Identifier] = Identifier,
    ) -> None:
        """Call ``take`` with quads.

        Args:
            take: called with the next quads.
            restore: applied to the text before it is parsed.
            labelled: whether blank nodes keep the labels of the text. Otherwise they become ``_:b1``, ``_:b2`` … by
                first occurrence, since pyoxigraph gives ``[]`` a new label each time.
            named: makes the identifier of an IRI; called about once for each IRI.
        """
        self._named_as = named
        self._take = take
        self._restore = restore
        self._labelled = labelled
        self._rest: list[bytes] = []
        # A name is created again if tens of thousands of others came between.
        self._budget = ExpansionBudget(2 * MAX_EXPANDED)
        self._nodes: dict[str, Identifier] = {}
        self._blanks: dict[str, Identifier] = {}
        self._literals: dict[str, Literal] = {}

    def write(self, piece: bytes) -> int:
        """Parse the next piece of text."""
        whole, newline, rest = piece.rpartition(b"\n")
        if newline:
            # A line may come in thousands of pieces, which are joined once.
            self._lines(self._restore(b"".join([*self._rest, whole])).decode("utf-8").split("\n"))
            self._rest = [rest]
        else:
            self._rest.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Do nothing: no text is buffered but an unfinished line."""

    def _lines(self, lines: list[str]) -> None:
        quads: list[Quad] = []
        add, nodes, literals, new = quads.append, self._nodes, self._literals, _quad
        for line in lines:
            first, second, rest = line.split(" ", 2)
            subject = nodes.get(first) or self._node(first)
            predicate = nodes.get(second) or self._node(second)
            if rest[0] == '"':
                end = rest.rfind('"')
                stop = rest.find(" ", end)
                spelled = rest[:stop]
                value = literals.get(spelled) or self._literal(spelled, end)
                graph = None if len(rest) == stop + 2 else self._named(rest[stop + 1 : -2])
                add(new(Quad, (subject, predicate, value, graph)))
            elif rest.startswith("<<"):
                stop = rest.rfind(")>>") + len(")>>")
                graph = None if rest[stop:] == " ." else self._named(rest[stop + 1 : -2])
                add(new(Quad, (subject, predicate, self._triple_term(rest[:stop]), graph)))
            else:
                third, _, last = rest.partition(" ")
                node = nodes.get(third) or self._node(third)
                add(new(Quad, (subject, predicate, node, None if last == "." else self._named(last[:-2]))))
        self._take(quads)
        if len(nodes) >= _CACHED:
            nodes.clear()

    def _named(self, spelled: str) -> Identifier:
        return self._nodes.get(spelled) or self._node(spelled)

    def _node(self, spelled: str) -> Identifier:
        if not spelled.startswith("_:"):
            return self._iri(spelled)
        if self._labelled:
            name = Identifier(spelled)
        else:
            known = self._blanks.get(spelled)
            name = self._blanks[spelled] = known or Identifier(f"_:b{len(self._blanks) + 1}")
        self._nodes[spelled] = name
        return name

    def _triple_term(self, spelled: str) -> Rdf12Term:
        term = Rdf12Term(spelled)
        return Rdf12Term(term.renamed(self._node)) if "_:" in spelled else term

    def _iri(self, spelled: str) -> Identifier:
        known = self._nodes.get(spelled)
        if known is None:
            self._budget.add(len(spelled))
            known = self._nodes[spelled] = self._named_as(spelled[1:-1])
        return known

    def _literal(self, spelled: str, end: int) -> Literal:
        lexical = unescape(spelled[1:end])
        if end == len(spelled) - 1:
            literal = Literal(lexical)
        elif spelled[end + 1] == "@":
            tag = spelled[end + 2 :]
            # A base direction follows the tag: RDF 1.2 N-Triples, section 2.4.
            literal = Rdf12Term(spelled) if "--" in tag else Literal(lexical, RDF_LANG_STRING, tag)
        else:
            literal = Literal(lexical, self._iri(spelled[end + 3 :]))
        if len(self._literals) >= _CACHED:
            self._literals.clear()
        self._literals[spelled] = literal
        return literal


class LineWriter:
    """Writes quads as lines of canonical N-Quads (RDF 1.1 N-Triples section 4); checks and spells each name once."""

    def __init__(
        self,
        *,
        name: Callable[[Identifier], str] = str,
        tag: Callable[[str], str] = str,
        trusted: bool = False,
    ) -> None:
        """Write lines.

        Args:
            name: node → its name; for renaming blank nodes.
            tag: language tag → its spelling.
            trusted: whether the terms come from a parser of RDF and need no check.
        """
        import pyoxigraph

        self._checks = (pyoxigraph.NamedNode, pyoxigraph.BlankNode)
        self._name = name
        self._tag = tag
        self._trusted = trusted
        self._nodes: dict[str, str] = {}
        self._properties: dict[str, str] = {}
        self._ends: dict[str | None, str] = {None: " .\n"}
        self._datatypes: dict[str, str] = {XSD_STRING: '"'}

    def lines(self, quads: Iterable[Quad], graph: Identifier | None = None) -> Iterator[str]:
        """One line for each quad.

        Args:
            quads: the quads.
            graph: the graph of all lines; None for the graph that each quad names.

        Raises:
            WriteError: an identifier is not an absolute IRI, or RDF cannot represent a literal.
        """
        nodes, properties, ends = self._nodes, self._properties, self._ends
        node, literal, trusted, datatypes = self._node, self._literal, self._trusted, self._datatypes
        special = MUST_ESCAPE.search
        common = None if graph is None else self._end(graph)
        for subject, predicate, value, own in quads:
            if type(value) is Identifier:
                spelled = nodes.get(value) or node(value)
            elif (
                trusted
                and value[2] is None
                and value[1] in datatypes
                and type(value) is Literal
                and not special(value[0])
            ):
                spelled = f'"{value[0]}{datatypes[value[1]]}'
            else:
                spelled = literal(value)  # type: ignore[arg-type]
            yield (
                f"{nodes.get(subject) or node(subject)} {properties.get(predicate) or self._property(predicate)} "
                f"{spelled}{common or ends.get(own) or self._end(own)}"
            )

    def pieces(self, quads: Iterable[Quad], graph: Identifier | None = None) -> Iterator[bytes]:
        """The text of many lines at a time; arguments and errors as for ``lines``."""
        lines = self.lines(quads, graph)
        while piece := "".join(islice(lines, _AT_ONCE)):
            yield piece.encode("utf-8")
            if len(self._nodes) >= _CACHED:
                self._nodes.clear()

    def _node(self, name: Identifier) -> str:
        named = self._name(name)
        if not named.startswith("_:"):
            spelled = self._nodes[name] = self._iri(named)
            return spelled
        try:
            self._checks[1](named[2:])
        except ValueError as error:
            raise WriteError(f"RDF cannot represent the blank node {name!r}: {error}") from None
        self._nodes[name] = named
        return named

    def _property(self, name: Identifier) -> str:
        spelled = self._properties[name] = self._iri(name)
        return spelled

    def _end(self, graph: Identifier | None) -> str:
        if graph is None:
            return self._ends[None]
        spelled = self._ends[graph] = f" {self._nodes.get(graph) or self._node(graph)} .\n"
        return spelled

    def _iri(self, name: str) -> str:
        if not self._trusted:
            try:
                self._checks[0](name)
            except ValueError as error:
                raise WriteError(f"RDF cannot represent the identifier {name!r}: {error}") from None
        return f"<{name}>"

    def _literal(self, literal: Literal) -> str:
        if isinstance(literal, Rdf12Term):
            return tagged(literal.renamed(self._name), self._tag)
        lexical, datatype, language = literal
        if not self._trusted:
            problem = literal_problem(literal)
            if problem is not None:
                raise WriteError(problem)
        lexical = escape(lexical)
        if language is not None:
            return f'"{lexical}"@{self._tag(language)}'
        end = self._datatypes.get(datatype)
        if end is None:
            end = self._datatypes[datatype] = f'"^^<{datatype}>'
        return f'"{lexical}{end}'


class Feed:
    """A file object for reading over pieces of bytes, which are produced as they are read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece = b""
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; none at the end."""
        if self._at >= len(self._piece):
            self._piece = next(self._pieces, b"")
            self._at = 0
        start, self._at = self._at, len(self._piece) if size < 0 else self._at + size
        return self._piece[start : self._at]

"""Terms of the model as terms of pyoxigraph, and which terms RDF can represent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from provrepo.errors import WriteError
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value, is_blank
from provrepo.vocab import RDF_LANG_STRING

if TYPE_CHECKING:
    import pyoxigraph

__all__ = ["PyoxigraphTerms", "is_iri", "is_language_tag", "literal_problem", "xml_problem"]


class PyoxigraphTerms:
    """Converts terms of the model to terms of pyoxigraph, each identifier once."""

    __slots__ = ("_iris", "_nodes", "_rdf")

    def __init__(self) -> None:
        import pyoxigraph

        self._rdf = pyoxigraph
        self._nodes: dict[str, pyoxigraph.NamedNode | pyoxigraph.BlankNode] = {}
        self._iris: dict[str, pyoxigraph.NamedNode] = {}

    def quads(self, quads: Iterable[Quad]) -> list[pyoxigraph.Quad]:
        """Quads, in the same order.

        Raises:
            WriteError: an identifier is not an absolute IRI, or RDF cannot represent a literal.
        """
        make, default = self._rdf.Quad, self._rdf.DefaultGraph()
        nodes, iris, node, iri, other = self._nodes, self._iris, self.node, self.iri, self.value
        result = []
        for subject, predicate, value, graph in quads:
            term = (nodes.get(value) or node(value)) if isinstance(value, Identifier) else other(value)
            result.append(
                make(
                    nodes.get(subject) or node(subject),
                    iris.get(predicate) or iri(predicate),
                    term,
                    default if graph is None else nodes.get(graph) or node(graph),
                )
            )
        return result

    def quad(self, quad: Quad) -> pyoxigraph.Quad:
        """One quad; raises as ``quads`` does."""
        return self.quads((quad,))[0]

    def iri(self, name: str) -> pyoxigraph.NamedNode:
        """An IRI.

        Raises:
            WriteError: it is not absolute.
        """
        known = self._iris.get(name)
        if known is None:
            try:
                known = self._iris[name] = self._rdf.NamedNode(name)
            except ValueError as error:
                raise WriteError(f"RDF cannot represent the identifier {name!r}: {error}") from None
        return known

    def node(self, name: str) -> pyoxigraph.NamedNode | pyoxigraph.BlankNode:
        """An IRI or a blank node.

        Raises:
            WriteError: it is neither.
        """
        known = self._nodes.get(name)
        if known is None:
            if not is_blank(name):
                known = self.iri(name)
            else:
                try:
                    known = self._rdf.BlankNode(name[2:])
                except ValueError as error:
                    raise WriteError(f"RDF cannot represent the blank node {name!r}: {error}") from None
            self._nodes[name] = known
        return known

    def value(self, value: Value) -> pyoxigraph.NamedNode | pyoxigraph.BlankNode | pyoxigraph.Literal:
        """An object of a triple.

        Raises:
            WriteError: RDF cannot represent it.
        """
        if isinstance(value, Identifier):
            return self.node(value)
        problem = literal_problem(value)
        if problem is not None:
            raise WriteError(problem)
        lexical, datatype, language = value
        if language is not None:
            return self._rdf.Literal(lexical, language=language)
        return self._rdf.Literal(lexical, datatype=self.iri(datatype))


@lru_cache(maxsize=4096)
def is_iri(text: str) -> bool:
    """Whether a text is an absolute IRI in RDF."""
    from pyoxigraph import NamedNode

    try:
        NamedNode(text)
    except ValueError:
        return False
    return True


_SURROGATE = re.compile("[\ud800-\udfff]")


def literal_problem(literal: Literal) -> str | None:
    """The reason why RDF cannot represent a literal, or None."""
    if _SURROGATE.search(literal.lexical):
        return "RDF cannot represent text that is not Unicode (a lone surrogate)"
    if literal.language is not None:
        return (
            None if is_language_tag(literal.language) else f"RDF cannot represent the language tag {literal.language!r}"
        )
    if literal.datatype == RDF_LANG_STRING:
        return "RDF cannot represent a language-tagged string without its language"
    return None if is_iri(literal.datatype) else f"RDF cannot represent the datatype {literal.datatype!r}"


@lru_cache(maxsize=256)
def is_language_tag(tag: str) -> bool:
    """Whether a text is a language tag in RDF: well-formed by BCP 47."""
    from pyoxigraph import Literal as RdfLiteral

    try:
        RdfLiteral("", language=tag)
    except ValueError:
        return False
    return True


_NAME_END = re.compile(r"[^\W\d][\w.-]*\Z")


@cache
def _not_xml() -> re.Pattern[str]:
    """A pattern for the characters that XML forbids; compiled at its first use, since such wide ranges take long."""
    return re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_problem(quad: Quad) -> str | None:
    """The reason why RDF/XML cannot represent a triple, or None (RDF/XML section 5.1 and XML 1.0 section 2.2)."""
    if _NAME_END.search(quad.predicate) is None:
        return "RDF/XML cannot write a property whose IRI does not end in an XML name"
    if isinstance(quad.object, Literal) and _not_xml().search(quad.object.lexical):
        return "RDF/XML cannot write control characters"
    return None

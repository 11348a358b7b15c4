"""Terms between the model and pyoxigraph, and which terms RDF can hold at all."""

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
    """Makes pyoxigraph's terms from the model's, each identifier once."""

    __slots__ = ("_iris", "_nodes", "_rdf")

    def __init__(self) -> None:
        import pyoxigraph

        self._rdf = pyoxigraph
        self._nodes: dict[str, pyoxigraph.NamedNode | pyoxigraph.BlankNode] = {}
        self._iris: dict[str, pyoxigraph.NamedNode] = {}

    def quads(self, quads: Iterable[Quad]) -> list[pyoxigraph.Quad]:
        """Quads, in the same order.

        Raises:
            WriteError: an identifier is not an absolute IRI, or a literal is none that RDF has.
        """
        make, default = self._rdf.Quad, self._rdf.DefaultGraph()
        nodes, iris, node, iri, other = self._nodes, self._iris, self.node, self.iri, self.value
        result = []
        for subject, predicate, value, graph in quads:
            held = (nodes.get(value) or node(value)) if isinstance(value, Identifier) else other(value)
            result.append(
                make(
                    nodes.get(subject) or node(subject),
                    iris.get(predicate) or iri(predicate),
                    held,
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
            WriteError: it is not an absolute one.
        """
        known = self._iris.get(name)
        if known is None:
            try:
                known = self._iris[name] = self._rdf.NamedNode(name)
            except ValueError as error:
                raise WriteError(f"RDF cannot hold the identifier {name!r}: {error}") from None
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
                    raise WriteError(f"RDF cannot hold the blank node {name!r}: {error}") from None
            self._nodes[name] = known
        return known

    def value(self, value: Value) -> pyoxigraph.NamedNode | pyoxigraph.BlankNode | pyoxigraph.Literal:
        """What may stand as an object.

        Raises:
            WriteError: it is nothing that RDF has.
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
    """Whether RDF takes it as an absolute IRI."""
    from pyoxigraph import NamedNode

    try:
        NamedNode(text)
    except ValueError:
        return False
    return True


_SURROGATE = re.compile("[\ud800-\udfff]")


def literal_problem(literal: Literal) -> str | None:
    """Why RDF cannot hold a literal, or None."""
    if _SURROGATE.search(literal.lexical):
        return "RDF cannot hold text that is not Unicode (a lone surrogate)"
    if literal.language is not None:
        return None if is_language_tag(literal.language) else f"RDF cannot hold the language tag {literal.language!r}"
    if literal.datatype == RDF_LANG_STRING:
        return "RDF cannot hold a language-tagged string without its language"
    return None if is_iri(literal.datatype) else f"RDF cannot hold the datatype {literal.datatype!r}"


@lru_cache(maxsize=256)
def is_language_tag(tag: str) -> bool:
    """Whether RDF takes it as a language tag: well-formed by BCP 47."""
    from pyoxigraph import Literal as RdfLiteral

    try:
        RdfLiteral("", language=tag)
    except ValueError:
        return False
    return True


_NAME_END = re.compile(r"[^\W\d][\w.-]*\Z")


@cache
def _not_xml() -> re.Pattern[str]:
    """Any character that XML does not have; compiled when it is needed, since ranges as wide as these take long."""
    return re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_problem(quad: Quad) -> str | None:
    """Why RDF/XML cannot hold a triple that RDF can, or None (RDF/XML section 5.1 and XML 1.0 section 2.2)."""
    if _NAME_END.search(quad.predicate) is None:
        return "RDF/XML cannot write a property whose IRI does not end in an XML name"
    if isinstance(quad.object, Literal) and _not_xml().search(quad.object.lexical):
        return "RDF/XML cannot write control characters"
    return None

"""Look-ups in the dataset of a project: descriptions of things, and lists of them, as values of the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from provrepo.codecs.rdf.terms import PyoxigraphTerms
from provrepo.codecs.results import Row
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.repository.context import Context
from provrepo.repository.queries.verbs import query

__all__ = ["Description", "Source", "lexical", "literal", "number", "reference", "text_of", "values"]

Description = Mapping[str, Sequence[Value]]
"""Property → its values."""

_BYTES = 24 << 10
"""The most bytes of the terms in one query; a query has at most 64 KiB."""

_PREFIXES = """\
PREFIX dqv: <http://www.w3.org/ns/dqv#>
PREFIX ol: <https://w3id.org/provrepo/openlineage#>
PREFIX wfprov: <http://purl.org/wf4ever/wfprov#>
"""


class Source:
    """The datasets that are queried: one project, or the merge of several.

    Attributes:
        context: data directory and actor.
        project: the project, or several.
    """

    def __init__(self, context: Context, project: str | Sequence[str]) -> None:
        """Name the datasets.

        Args:
            context: data directory and actor.
            project: one project, or several whose datasets are merged.

        Raises:
            NotFound: one of the projects does not exist, or the actor may not read it.
        """
        for name in [project] if isinstance(project, str) else project:
            context.require_read(name)
        self.context, self.project = context, project

    def rows(self, text: str) -> list[Row]:
        """The rows of a query; the prefixes ``dqv``, ``ol`` and ``wfprov`` are declared.

        Raises:
            TimedOut, AnswerTooLarge, WorkerFailed, Busy: as the verb ``query``.
        """
        found = query(self.context, _PREFIXES + text, project=self.project)
        return list(found.rows)

    def rows_of(self, text: str, iris: Iterable[str]) -> list[Row]:
        """The rows of a query for some things.

        Args:
            text: it has ``$things`` in place of the terms in a VALUES clause of one variable.
            iris: the things. They are divided among several queries, where they are many.
        """
        return self.rows_of_terms(text, [values([iri]) for iri in dict.fromkeys(iris)])

    def rows_of_terms(self, text: str, terms: Sequence[str]) -> list[Row]:
        """As ``rows_of``, for terms of SPARQL, or rows of terms in parentheses."""
        found: list[Row] = []
        for part in _parts(terms):
            found += self.rows(text.replace("$things", " ".join(part)))
        return found

    def descriptions(self, iris: Iterable[str], properties: Iterable[str]) -> dict[str, Description]:
        """The values of some properties of some things; a thing without any is left out.

        Args:
            iris: the things.
            properties: IRIs.
        """
        text = f"SELECT ?s ?p ?o WHERE {{ VALUES ?s {{ $things }} VALUES ?p {{ {values(properties)} }} ?s ?p ?o }}"
        found: dict[str, dict[str, list[Value]]] = {}
        for row in self.rows_of(text, iris):
            found.setdefault(str(row["s"]), {}).setdefault(str(row["p"]), []).append(row["o"])
        for description in found.values():
            for several in description.values():
                several.sort(key=str)
        return {iri: found[iri] for iri in sorted(found)}


def values(iris: Iterable[str]) -> str:
    """IRIs as SPARQL terms."""
    terms = PyoxigraphTerms()
    return " ".join(str(terms.iri(Identifier(iri))) for iri in iris)


def literal(text: str) -> str:
    """A text as a SPARQL term."""
    return str(PyoxigraphTerms().value(Literal(text)))


def lexical(description: Description, *properties: str) -> str:
    """The first value of the first property that has one, as text; empty without one."""
    for name in properties:
        for value in description.get(name, ()):
            return text_of(value)
    return ""


def text_of(value: Value | None) -> str:
    """The text of a value: the lexical form of a literal, an IRI; empty for None."""
    return "" if value is None else value.lexical if isinstance(value, Literal) else str(value)


def reference(description: Description, name: str) -> tuple[str, ...]:
    """The values of a property that are things, sorted."""
    return tuple(sorted(str(value) for value in description.get(name, ()) if isinstance(value, Identifier)))


def number(description: Description, name: str) -> int | None:
    """The first value of a property, if it is a whole number."""
    text = lexical(description, name)
    return int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() else None


def _parts(terms: Sequence[str]) -> Iterable[list[str]]:
    part: list[str] = []
    size = 0
    for term in terms:
        if part and size + len(term) > _BYTES:
            yield part
            part, size = [], 0
        part.append(term)
        size += len(term) + 1
    if part:
        yield part

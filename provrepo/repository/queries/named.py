"""Named queries: SPARQL queries with parameters for common questions about provenance.

Each is a file ``queries/NAME.rq``: comments with title, question and parameters, then the query. A parameter is written
``$name``, and a variable ``?name``. A parameter is replaced by one term, which is checked, and serialized by the RDF
library. So a value cannot change the rest of the query.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast
from typing import Literal as OneOf

from provrepo.errors import Damaged, NotFound, UsageError
from provrepo.resources import root

__all__ = ["DATASET", "OF", "NamedQuery", "Parameter", "by_name", "load", "read"]

DATASET = "dataset"
"""What a parameter names that is a logical dataset, for instance a table, and not one version of it."""

OF = ("entity", "activity", "agent", DATASET)
"""What parameters name."""

Kind = OneOf["iri", "text", "integer", "time"]

_TITLE = re.compile(r"# title: (.+)")
_QUESTION = re.compile(r"# question: (.+)")
_PARAMETER = re.compile(
    r"# parameter (?P<name>[a-z]+) (?P<kind>iri|text|integer|time)(?::(?P<of>entity|activity|agent|dataset))?"
    r"(?: (?P<optional>optional)| = (?P<default>[^:]+))?: (?P<description>.+)"
)
_REFERENCE = re.compile(r"\$([a-z]+)\b")
_XSD = "http://www.w3.org/2001/XMLSchema#"
_DATATYPES = {"text": "string", "integer": "integer", "time": "dateTime"}
_LEXICAL = {
    "integer": re.compile(r"[+-]?[0-9]{1,18}"),
    "time": re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a named query.

    Attributes:
        name: its name, without ``$``.
        kind: ``iri``, ``text``, ``integer`` or ``time`` (xsd:dateTime).
        of: what an IRI names, or a text is the label of: one of ``OF``; empty where that is not stated.
        description: its meaning, for users.
        optional: whether it may have no value; then the query does not restrict it.
        default: the value where none is given; None for none.
    """

    name: str
    kind: Kind
    description: str
    of: str = ""
    optional: bool = False
    default: str | None = None

    def term(self, value: str) -> str:
        """A value as a SPARQL term.

        Raises:
            UsageError: the value is not of the parameter's kind.
        """
        from provrepo.codecs.rdf.terms import PyoxigraphTerms, is_iri
        from provrepo.model.identifiers import Identifier, Literal

        if self.kind == "iri":
            if not is_iri(value):
                raise UsageError(f"{self.name}: {value[:200]!r} is not an absolute IRI")
            return str(PyoxigraphTerms().iri(Identifier(value)))
        lexical = _LEXICAL.get(self.kind)
        if lexical is not None and not lexical.fullmatch(value):
            what = "a whole number" if self.kind == "integer" else "a time such as 2026-01-31T12:00:00Z"
            raise UsageError(f"{self.name}: {value[:200]!r} is not {what}")
        return str(PyoxigraphTerms().value(Literal(value, _XSD + _DATATYPES[self.kind])))

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "of": self.of,
            "description": self.description,
            "required": not self.optional and self.default is None,
            "default": self.default,
        }


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A named query.

    Attributes:
        name: the name of its file, without the suffix.
        title: a short title.
        question: the question that it answers, as a sentence.
        parameters: the parameters, in the order of the file.
        text: the query, with parameters as ``$name``.
    """

    name: str
    title: str
    question: str
    parameters: tuple[Parameter, ...]
    text: str

    def bind(self, values: Mapping[str, str]) -> str:
        """The query with values in place of its parameters.

        Args:
            values: the values of parameters, by name.

        Raises:
            UsageError: a parameter is unknown, missing, or not of its kind.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = sorted(set(values) - set(known))
        if unknown:
            takes = ", ".join(known) or "none"
            raise UsageError(f"the query {self.name} has no parameter {unknown[0][:100]!r}; it has: {takes}")
        terms = {name: self._term(parameter, values.get(name)) for name, parameter in known.items()}
        return _REFERENCE.sub(lambda found: terms[found.group(1)], self.text)

    def _term(self, parameter: Parameter, value: str | None) -> str:
        chosen = value or parameter.default
        if chosen is not None:
            return parameter.term(chosen)
        if parameter.optional:
            return "UNDEF"
        raise UsageError(f"the query {self.name} needs {parameter.name}: {parameter.description}")

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {
            "name": self.name,
            "title": self.title,
            "question": self.question,
            "parameters": [parameter.to_dict() for parameter in self.parameters],
            "query": self.text,
        }


@cache
def load() -> tuple[NamedQuery, ...]:
    """Every named query, sorted by name."""
    return tuple(read(path) for path in sorted((root() / "queries").glob("*.rq")))


def by_name(name: str) -> NamedQuery:
    """One named query.

    Raises:
        NotFound: there is none of this name; the message lists the existing ones.
    """
    found = next((query for query in load() if query.name == name), None)
    if found is None:
        raise NotFound(f"no query is called {name[:100]!r}; there are: {', '.join(query.name for query in load())}")
    return found


def read(path: Path) -> NamedQuery:
    """A named query from its file.

    Raises:
        Damaged: it has no title or question, or it declares other parameters than its text uses.
    """
    head, _, text = path.read_text("utf-8").partition("\n\n")
    lines = head.splitlines() or [""]
    title, question = _TITLE.fullmatch(lines[0]), _QUESTION.fullmatch("".join(lines[1:2]))
    parameters = [_PARAMETER.fullmatch(line) for line in lines[2:]]
    if title is None or question is None or None in parameters:
        raise Damaged(f"{path.name} does not begin with lines of title, question and parameters")
    found = tuple(_parameter(match) for match in parameters if match is not None)
    if {parameter.name for parameter in found} != set(_REFERENCE.findall(text)):
        raise Damaged(f"the parameters that {path.name} declares are not those that it uses")
    return NamedQuery(path.stem, title.group(1), question.group(1), found, text)


def _parameter(match: re.Match[str]) -> Parameter:
    return Parameter(
        match["name"],
        cast("Kind", match["kind"]),
        match["description"],
        match["of"] or "",
        bool(match["optional"]),
        match["default"],
    )

"""Named queries: the questions that people ask of provenance, with parameters.

Each is a file ``queries/NAME.rq``: comments that say title, question and parameters, then the query. A parameter stands
in it as ``$name``, while ``?name`` is a variable, and is replaced by a whole term that has been checked and written by
the RDF library. So no value can become anything else than a value.
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

__all__ = ["NamedQuery", "Parameter", "by_name", "load", "read"]

Kind = OneOf["iri", "text", "integer", "time"]

_TITLE = re.compile(r"# title: (.+)")
_QUESTION = re.compile(r"# question: (.+)")
_PARAMETER = re.compile(
    r"# parameter (?P<name>[a-z]+) (?P<kind>iri|text|integer|time)"
    r"(?: (?P<optional>optional)| = (?P<default>[^:]+))?: (?P<description>.+)"
)
_PLACE = re.compile(r"\$([a-z]+)\b")
_XSD = "http://www.w3.org/2001/XMLSchema#"
_DATATYPES = {"text": "string", "integer": "integer", "time": "dateTime"}
_LEXICAL = {
    "integer": re.compile(r"[+-]?[0-9]{1,18}"),
    "time": re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a named query is asked with.

    Attributes:
        name: as it is given.
        kind: ``iri``, ``text``, ``integer`` or ``time`` (xsd:dateTime).
        description: for people.
        optional: without a value the query asks about everything.
        default: the value where none is given, or None.
    """

    name: str
    kind: Kind
    description: str
    optional: bool = False
    default: str | None = None

    def term(self, value: str) -> str:
        """A value as SPARQL writes it.

        Raises:
            UsageError: it is not of the parameter's kind.
        """
        from provrepo.codecs.rdf.terms import Terms, is_iri
        from provrepo.model.identifiers import Identifier, Literal

        if self.kind == "iri":
            if not is_iri(value):
                raise UsageError(f"{self.name}: {value[:200]!r} is not an absolute IRI")
            return str(Terms().iri(Identifier(value)))
        lexical = _LEXICAL.get(self.kind)
        if lexical is not None and not lexical.fullmatch(value):
            what = "a whole number" if self.kind == "integer" else "a time such as 2026-01-31T12:00:00Z"
            raise UsageError(f"{self.name}: {value[:200]!r} is not {what}")
        return str(Terms().value(Literal(value, _XSD + _DATATYPES[self.kind])))

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "description": self.description,
            "required": not self.optional and self.default is None,
            "default": self.default,
        }


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query that has a name.

    Attributes:
        name: of its file.
        title: a few words.
        question: what it answers, in a sentence.
        parameters: in the order of the file.
        text: the query, with parameters as ``$name``.
    """

    name: str
    title: str
    question: str
    parameters: tuple[Parameter, ...]
    text: str

    def bind(self, values: Mapping[str, str]) -> str:
        """The query with its parameters filled in.

        Args:
            values: of the parameters, by name.

        Raises:
            UsageError: a parameter is unknown, missing, or not of its kind.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = sorted(set(values) - set(known))
        if unknown:
            takes = ", ".join(known) or "none"
            raise UsageError(f"the query {self.name} has no parameter {unknown[0][:100]!r}; it has: {takes}")
        terms = {name: self._term(parameter, values.get(name)) for name, parameter in known.items()}
        return _PLACE.sub(lambda place: terms[place.group(1)], self.text)

    def _term(self, parameter: Parameter, value: str | None) -> str:
        given = value or parameter.default
        if given is not None:
            return parameter.term(given)
        if parameter.optional:
            return "UNDEF"
        raise UsageError(f"the query {self.name} needs {parameter.name}: {parameter.description}")

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "name": self.name,
            "title": self.title,
            "question": self.question,
            "parameters": [parameter.to_dict() for parameter in self.parameters],
            "query": self.text,
        }


@cache
def load() -> tuple[NamedQuery, ...]:
    """Every named query, by name."""
    return tuple(read(path) for path in sorted((root() / "queries").glob("*.rq")))


def by_name(name: str) -> NamedQuery:
    """One named query.

    Raises:
        NotFound: there is none of this name; the message lists those there are.
    """
    found = next((query for query in load() if query.name == name), None)
    if found is None:
        raise NotFound(f"no query is called {name[:100]!r}; there are: {', '.join(query.name for query in load())}")
    return found


def read(path: Path) -> NamedQuery:
    """A named query from its file.

    Raises:
        Damaged: it has no title or question, or its parameters are not those that its text uses.
    """
    head, _, text = path.read_text("utf-8").partition("\n\n")
    lines = head.splitlines() or [""]
    titled, asked = _TITLE.fullmatch(lines[0]), _QUESTION.fullmatch("".join(lines[1:2]))
    parameters = [_PARAMETER.fullmatch(line) for line in lines[2:]]
    if titled is None or asked is None or None in parameters:
        raise Damaged(f"{path.name} does not begin with lines of title, question and parameters")
    found = tuple(_parameter(match) for match in parameters if match is not None)
    if {parameter.name for parameter in found} != set(_PLACE.findall(text)):
        raise Damaged(f"the parameters that {path.name} declares are not those that it uses")
    return NamedQuery(path.stem, titled.group(1), asked.group(1), found, text)


def _parameter(match: re.Match[str]) -> Parameter:
    return Parameter(
        match["name"], cast("Kind", match["kind"]), match["description"], bool(match["optional"]), match["default"]
    )

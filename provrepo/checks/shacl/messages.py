"""Messages of results whose shape has no ``sh:message`` (SHACL, section 3.6.2.7, leaves them to the processor)."""

from __future__ import annotations

from collections.abc import Sequence

from provrepo.model.identifiers import Literal, Value, is_blank
from provrepo.vocab import PREDECLARED

__all__ = ["Messages", "short"]

_MOST_LISTED = 10
"""Members of a list that are named."""

_KINDS = {
    "IRI": "an IRI",
    "BlankNode": "a blank node",
    "Literal": "a literal",
    "BlankNodeOrIRI": "a blank node or an IRI",
    "BlankNodeOrLiteral": "a blank node or a literal",
    "IRIOrLiteral": "an IRI or a literal",
}
_RANGES = {
    "MinExclusive": "greater than {}",
    "MinInclusive": "{} or greater",
    "MaxExclusive": "less than {}",
    "MaxInclusive": "{} or less",
}

_GIVEN = "the shape that is given for it"
_QUALIFIED = "the qualified value shape"


def short(iri: str) -> str:
    """An IRI with a well-known prefix where there is one."""
    for prefix, namespace in PREDECLARED.items():
        if iri.startswith(namespace):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri


def _text(term: Value) -> str:
    return f'"{term.lexical}"' if isinstance(term, Literal) else "a blank node" if is_blank(term) else short(term)


class Messages:
    """The messages of one shape, by constraint component."""

    def __init__(self, path: str | None) -> None:
        """Make the messages of a shape.

        Args:
            path: the path of a property shape as results have it; None for a node shape.
        """
        self._path = "" if path is None else short(path)
        self._value = "This" if path is None else f"A value of {self._path}"

    def class_(self, cls: str) -> str:
        """The message for ``sh:class``."""
        return f"{self._value} is not an instance of {short(cls)}."

    def datatype(self, datatype: str) -> str:
        """The message for ``sh:datatype``."""
        return f"{self._value} is not a well-formed literal of the datatype {short(datatype)}."

    def node_kind(self, kind: str) -> str:
        """The message for ``sh:nodeKind``."""
        return f"{self._value} is not {_KINDS[kind]}."

    def range(self, component: str, limit: str) -> str:
        """The message for the four components of ranges."""
        return f"{self._value} is not {_RANGES[component].format(limit)}."

    def min_length(self, least: int) -> str:
        """The message for ``sh:minLength``."""
        return f"{self._value} does not have {least:,} or more characters."

    def max_length(self, most: int) -> str:
        """The message for ``sh:maxLength``."""
        return f"{self._value} does not have {most:,} or fewer characters."

    def pattern(self, pattern: str) -> str:
        """The message for ``sh:pattern``."""
        return f"{self._value} does not match the pattern {pattern!r}."

    def language_in(self, ranges: Sequence[str]) -> str:
        """The message for ``sh:languageIn``."""
        return f"{self._value} is not a text in one of these languages: {', '.join(ranges)}."

    def in_(self, members: Sequence[Value]) -> str:
        """The message for ``sh:in``."""
        named = ", ".join(map(_text, members[:_MOST_LISTED]))
        more = "" if len(members) <= _MOST_LISTED else f" and {len(members) - _MOST_LISTED:,} others"
        return f"{self._value} is none of {named}{more}." if members else f"{self._value} is not allowed."

    def not_(self, shape: Value) -> str:
        """The message for ``sh:not``."""
        return f"{self._value} conforms to {_named(shape, _GIVEN)}, to which it must not conform."

    def and_(self, shapes: int) -> str:
        """The message for ``sh:and``."""
        return f"{self._value} does not conform to all of {shapes:,} shapes, to which it must conform."

    def or_(self, shapes: int) -> str:
        """The message for ``sh:or``."""
        return f"{self._value} conforms to none of {shapes:,} shapes, to one of which it must conform."

    def xone(self, shapes: int) -> str:
        """The message for ``sh:xone``."""
        return f"{self._value} does not conform to exactly one of {shapes:,} shapes."

    def node(self, shape: Value) -> str:
        """The message for ``sh:node``."""
        return f"{self._value} does not conform to {_named(shape, _GIVEN)}."

    def min_count(self, least: int) -> str:
        """The message for ``sh:minCount``."""
        return f"This has fewer than {least:,} values of {self._path}."

    def max_count(self, most: int) -> str:
        """The message for ``sh:maxCount``."""
        return f"This has more than {most:,} values of {self._path}."

    def unique_lang(self) -> str:
        """The message for ``sh:uniqueLang``."""
        return f"Two values of {self._path} have the same language."

    def equals(self, predicate: str) -> str:
        """The message for ``sh:equals``."""
        if self._path:
            return f"The values of {self._path} are not those of {short(predicate)}."
        return f"This is not its own and only value of {short(predicate)}."

    def disjoint(self, predicate: str) -> str:
        """The message for ``sh:disjoint``."""
        return f"{self._value} is a value of {short(predicate)} too."

    def less_than(self, predicate: str) -> str:
        """The message for ``sh:lessThan``."""
        return f"{self._value} is not less than each value of {short(predicate)}."

    def less_than_or_equals(self, predicate: str) -> str:
        """The message for ``sh:lessThanOrEquals``."""
        return f"{self._value} is not less than or equal to each value of {short(predicate)}."

    def has_value(self, term: Value) -> str:
        """The message for ``sh:hasValue``."""
        return f"None of the values of {self._path} is {_text(term)}." if self._path else f"This is not {_text(term)}."

    def closed(self) -> str:
        """The message for ``sh:closed``."""
        return f"{self._value} has a property that its shape, which is closed, does not allow."

    def qualified_min_count(self, least: int, shape: Value) -> str:
        """The message for ``sh:qualifiedMinCount``."""
        return f"Fewer than {least:,} values of {self._path} conform to {_named(shape, _QUALIFIED)}."

    def qualified_max_count(self, most: int, shape: Value) -> str:
        """The message for ``sh:qualifiedMaxCount``."""
        return f"More than {most:,} values of {self._path} conform to {_named(shape, _QUALIFIED)}."


def _named(shape: Value, otherwise: str) -> str:
    return otherwise if is_blank(str(shape)) else f"the shape {_text(shape)}"

"""Collects the statements of a document that an importer makes, each element once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from provrepo.importers.masking import masked
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.secrets import clean
from provrepo.model.statements import ACTIVITY, AGENT, ENTITY, Attribute, Kind, Statement, Term
from provrepo.vocab import PROV_TYPE, RDF, XSD

__all__ = ["Statements", "json_value", "link", "typed", "unknown_members", "value", "words"]


def words(name: str, text: object) -> list[Attribute]:
    """An attribute with a text, without secrets; none for None and the empty text. What is no text stays JSON."""
    if text is None or text == "":
        return []
    if isinstance(text, dict | list):
        return [json_value(name, text)]
    return [(Identifier(name), Literal(masked(str(text))))]


def typed(name: str, lexical: str, datatype: str) -> Attribute:
    """An attribute with a literal of a datatype of XML Schema, such as ``integer``."""
    return Identifier(name), Literal(lexical, XSD + datatype)


def value(name: str, found: object) -> list[Attribute]:
    """An attribute with a JSON value: a number, a boolean or a text; none for None. Other values stay JSON."""
    if found is None:
        return []
    if isinstance(found, bool):
        return [typed(name, str(found).lower(), "boolean")]
    if isinstance(found, int):
        return [typed(name, str(found), "integer")]
    if isinstance(found, float):
        return [typed(name, repr(found), "double")]
    if isinstance(found, Decimal):
        return [typed(name, format(found, "f"), "decimal")]
    if isinstance(found, str):
        return words(name, found)
    return [json_value(name, found)]


def json_value(name: str, found: object) -> Attribute:
    """An attribute with a JSON value as an ``rdf:JSON`` literal in canonical form, without secrets."""
    text = json.dumps(masked(found), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Identifier(name), Literal(clean(text), RDF + "JSON")


def link(name: str, target: str) -> Attribute:
    """An attribute with an identifier."""
    return Identifier(name), Identifier(target)


class Statements:
    """The statements of a document. What is stated twice is stated once."""

    def __init__(self) -> None:
        self._elements: dict[tuple[str, Identifier], tuple[Kind, list[Term], dict[Attribute, None]]] = {}
        self._relations: dict[Statement, None] = {}

    def entity(self, name: str, *attributes: Iterable[Attribute], types: Iterable[str] = ()) -> Identifier:
        """Describe an entity; attributes are added to those that it has.

        Args:
            name: its identifier.
            attributes: lists of attributes.
            types: IRIs of its types.
        """
        return self._element(ENTITY, name, [], attributes, types)

    def agent(self, name: str, *attributes: Iterable[Attribute], types: Iterable[str] = ()) -> Identifier:
        """Describe an agent; arguments as ``entity``."""
        return self._element(AGENT, name, [], attributes, types)

    def activity(
        self, name: str, start: str | None, end: str | None, *attributes: Iterable[Attribute], types: Iterable[str] = ()
    ) -> Identifier:
        """Describe an activity with its times as ``xsd:dateTime``; other arguments as ``entity``."""
        return self._element(ACTIVITY, name, [start, end], attributes, types)

    def relate(self, kind: Kind, *args: str | None, attributes: Iterable[Attribute] = ()) -> None:
        """State a relation.

        Args:
            kind: its kind.
            args: identifiers, times as ``xsd:dateTime``, and None for an absent argument; absent arguments at the end
                may be left out.
            attributes: its attributes.
        """
        padded = [*args, *[None] * (len(kind.arguments) - len(args))]
        named = zip(kind.arguments, padded, strict=True)
        terms: list[Term] = [arg if arg is None or known.time else Identifier(arg) for known, arg in named]
        self._relations[Statement(kind, None, tuple(terms), tuple(dict.fromkeys(attributes)))] = None

    def document(self, prefixes: Mapping[str, str]) -> Document:
        """All of it, elements first, in the order in which they were stated first."""
        found = [
            Statement(kind, name, tuple(args), tuple(attributes))
            for (_, name), (kind, args, attributes) in self._elements.items()
        ]
        return Document([*found, *self._relations], prefixes=dict(prefixes))

    def _element(
        self,
        kind: Kind,
        name: str,
        args: list[Term],
        attributes: Iterable[Iterable[Attribute]],
        types: Iterable[str],
    ) -> Identifier:
        identifier = Identifier(name)
        _, terms, known = self._elements.setdefault((kind.name, identifier), (kind, list(args), {}))
        for number, term in enumerate(args):
            terms[number] = terms[number] if terms[number] is not None else term
        known.update({(Identifier(PROV_TYPE), Identifier(type_)): None for type_ in types})
        known.update({attribute: None for some in attributes for attribute in some})
        return identifier


def unknown_members(found: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """The members of a JSON object that a mapping does not know; those that begin with an underscore are no content."""
    left = set(known)
    return {key: item for key, item in found.items() if key not in left and not key.startswith("_")}

"""A step that no code did, from its fields, and the PROV document of such steps.

Forms, options and rows of a table give the same fields as text (``FIELDS``). ``described`` checks them, and
``document`` makes the document, which conforms to the profile ``core``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from provrepo.authoring import fields
from provrepo.authoring.fields import FIELDS, FieldError, Item, Person
from provrepo.capture.journal.attributes import is_a, text
from provrepo.errors import UsageError
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier
from provrepo.model.secrets import whole
from provrepo.model.statements import (
    ACTIVITY,
    AGENT,
    ASSOCIATION,
    DERIVATION,
    ENTITY,
    GENERATION,
    SPECIALIZATION,
    USAGE,
    Attribute,
    Statement,
)
from provrepo.vocab import DCTERMS, MLS, PROV, PROV_LABEL, PROVREPO, RDFS, SCHEMA, SPDX

__all__ = ["DescribedStep", "described", "document"]

_PREFIXES = {"dcterms": DCTERMS, "mls": MLS, "provrepo": PROVREPO, "rdfs": RDFS, "schema": SCHEMA, "spdx": SPDX}
_NAMESPACE = uuid.UUID("6a1d3c0e-7f0b-5b59-9a3c-0d9b7c1f4e52")
"""Of the UUIDs of described steps (version 5): the same description has the same IRIs."""


@dataclass(frozen=True, slots=True)
class DescribedStep:
    """A step as a person describes it, checked.

    Attributes:
        what: a few words.
        who: those who did it.
        start: xsd:dateTime.
        end: xsd:dateTime; None where it is not known.
        inputs: what was used.
        outputs: what was made.
        why: the reason.
        plan: the protocol.
        parameters: names and values of settings.
    """

    what: str
    who: tuple[Person, ...]
    start: str
    end: str | None = None
    inputs: tuple[Item, ...] = ()
    outputs: tuple[Item, ...] = ()
    why: str | None = None
    plan: Item | None = None
    parameters: tuple[tuple[str, str], ...] = ()


def described(values: Mapping[str, Sequence[str | Item]], *, here: bool = False) -> DescribedStep:
    """Check the fields of a step.

    Args:
        values: the values of each field, by its name in ``FIELDS``; fields may be missing. Surrounding spaces and empty
            texts are ignored. ``input``, ``output`` and ``plan`` also take items, such as ``item_of_bytes`` returns.
        here: whether the texts come from the user of this machine: then paths of files are read, and times without a
            zone are in that of this machine. Without it no file is ever read.

    Raises:
        FieldError: a field is missing, has too many values, or one that is not possible; with its name.
        UsageError: there is no field of a name.
        OSError: a file cannot be read.
    """
    known = {field.name for field in FIELDS}
    if unknown := [name for name in values if name not in known]:
        names = ", ".join(field.name for field in FIELDS)
        raise UsageError(f"a step has no field {unknown[0][:100]!r}; it has: {names}")
    given = {field.name: _given(values.get(field.name, ())) for field in FIELDS}
    for field in FIELDS:
        if field.required and not given[field.name]:
            raise FieldError(field.name, f"is missing; write {field.hint}")
        if not field.several and len(given[field.name]) > 1:
            raise FieldError(field.name, f"has {len(given[field.name])} values; write one")
    if not given["input"] and not given["output"]:
        raise FieldError("output", f"name what was made or what was used: {fields.FIELDS[4].hint}")
    start, end = fields.times(_text("when", given["when"][0]), here=here)
    step = DescribedStep(
        whole(_text("what", given["what"][0])),
        tuple(fields.person(_text("who", who)) for who in given["who"]),
        start,
        end,
        tuple(_item("input", each, here) for each in given["input"]),
        tuple(_item("output", each, here) for each in given["output"]),
        next((whole(_text("why", why)) for why in given["why"]), None),
        next((_plan(each, here) for each in given["plan"]), None),
        tuple(fields.parameter(_text("parameter", each)) for each in given["parameter"]),
    )
    used = {_same(each) for each in step.inputs}
    if twice := [each for each in step.outputs if _same(each) in used]:
        raise FieldError("output", f"{_shown(twice[0])} is an input too; a changed thing is a version with other bytes")
    return step


def document(steps: Iterable[DescribedStep]) -> Document:
    """The document of some steps. The same steps give the same bytes.

    Who has no IRI is one agent for each name in the document. A file that an earlier step made is that one; another
    input that is a file came from outside (``provrepo:Source``). A step of one input and one output derives the one
    from the other, as with steps of code.
    """
    all_steps = list(steps)
    statements: dict[Statement, None] = {}
    agents: dict[str, Identifier] = {}
    made: dict[object, Identifier] = {}
    for step in all_steps:
        statements.update(dict.fromkeys(_Statements(step, agents, made).all()))
    prefixes = {"step": _namespace(all_steps[0])} if len(all_steps) == 1 else {}
    return Document(list(statements), prefixes=_PREFIXES | prefixes)


class _Statements:
    """The statements of one step.

    Args:
        step: the step.
        agents: of the document so far, by name; those of the step are added.
        made: what steps of the document made so far, by ``_same``; what the step made is added.
    """

    def __init__(self, step: DescribedStep, agents: dict[str, Identifier], made: dict[object, Identifier]) -> None:
        self._step, self._agents, self._made = step, agents, made
        self._namespace = _namespace(step)

    def all(self) -> list[Statement]:
        step, activity = self._step, Identifier(self._namespace + "step")
        attributes: list[Attribute] = [
            is_a(PROVREPO + "ByHand"),
            text(PROV_LABEL, step.what),
            (Identifier(SCHEMA + "actionStatus"), Identifier(SCHEMA + "CompletedActionStatus")),
        ]
        attributes += [text(RDFS + "comment", step.why)] if step.why else []
        attributes += [text(SCHEMA + "additionalProperty", f"{name}={value}") for name, value in step.parameters]
        found = [Statement(ACTIVITY, activity, (step.start, step.end), tuple(attributes))]
        followed = None
        if step.plan is not None:
            followed = self._described(step.plan, "plan", found)
        for number, person in enumerate(step.who, 1):
            agent = self._agent(person, number, found)
            found.append(Statement(ASSOCIATION, None, (activity, agent, followed)))
        used = [self._used(each, f"input-{number}", found) for number, each in enumerate(step.inputs, 1)]
        made = [self._described(each, f"output-{number}", found) for number, each in enumerate(step.outputs, 1)]
        self._made.update(zip(map(_same, step.outputs), made, strict=True))
        found += [Statement(USAGE, None, (activity, each, None)) for each in used]
        found += [Statement(GENERATION, None, (each, activity, None)) for each in made]
        if len(used) == len(made) == 1:
            found.append(Statement(DERIVATION, None, (made[0], used[0], activity, None, None)))
        return found

    def _agent(self, person: Person, number: int, found: list[Statement]) -> Identifier:
        agent = person.iri
        if agent is None:
            agent = self._agents.setdefault(person.name, Identifier(f"{self._namespace}who-{number}"))
        label = (text(PROV_LABEL, person.name),) if person.name else ()
        found.append(Statement(AGENT, agent, (), (is_a(PROV + "Person"), *label)))
        return agent

    def _used(self, item: Item, name: str, found: list[Statement]) -> Identifier:
        known = self._made.get(_same(item))
        if known is not None:
            return known
        return self._described(item if item.content is None else fields.source(item), name, found)

    def _described(self, item: Item, name: str, found: list[Statement]) -> Identifier:
        iri = item.iri or Identifier(self._namespace + name)
        found.append(Statement(ENTITY, iri, (), item.attributes))
        if item.content is not None:
            found.append(Statement(SPECIALIZATION, None, (iri, item.content)))
        return iri


def _namespace(step: DescribedStep) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, _canonical(step))}#"


def _canonical(step: DescribedStep) -> str:
    """A text that is the same for the same description."""

    def item(each: Item) -> list[object]:
        return [each.iri, each.content, each.attributes]

    return json.dumps(
        [
            *(step.what, step.who, step.start, step.end, step.why, step.parameters),
            *([item(each) for each in items] for items in (step.inputs, step.outputs)),
            item(step.plan) if step.plan else None,
        ]
    )


def _given(values: Sequence[str | Item]) -> list[str | Item]:
    stripped = [value.strip() if isinstance(value, str) else value for value in values]
    return [value for value in stripped if value]


def _text(field: str, value: str | Item) -> str:
    if isinstance(value, Item):
        raise FieldError(field, "cannot be a file")
    return value


def _item(field: str, value: str | Item, here: bool) -> Item:
    return value if isinstance(value, Item) else fields.item(field, value, here=here)


def _plan(value: str | Item, here: bool) -> Item:
    return value if isinstance(value, Item) else fields.plan(value, here=here)


def _same(item: Item) -> object:
    """What two items have in common that are one thing: the IRI, or name and bytes."""
    return item.iri or (item.content, item.attributes[1])


def _shown(item: Item) -> str:
    return item.iri or str(item.attributes[1][1])

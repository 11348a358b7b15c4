"""Documents to measure with: steps of a pipeline, each with usages, a generation, derivations and an agent."""

from __future__ import annotations

from random import Random

from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal, text
from provrepo.model.statements import KINDS, Attribute, Statement
from provrepo.vocab import PROV, PROV_LABEL, PROV_ROLE, PROV_TYPE, XSD

EX = "http://example.org/run/"
PER_STEP = 10
"""Statements of one step: 3 entities, 1 activity, 2 usages, 1 generation, 1 association, 2 derivations."""


def pipeline(statements: int, *, salt: str = "") -> Document:
    """A pipeline with attributes, roles and times.

    Args:
        statements: the number of statements, at least 12.
        salt: a part of the names, by which several documents have different ones.
    """
    made = [_agent("alice", "Alice Example", "Person"), Statement(KINDS["entity"], _name("raw"))]
    for step in range(max(1, (statements - 2) // PER_STEP)):
        made += _step(f"{salt}{step}", f"{salt}{step - 1}" if step else None, step)
    while len(made) < statements:
        made.append(Statement(KINDS["entity"], _name(f"spare{salt}{len(made)}")))
    return Document(made, prefixes={"ex": EX, "schema": "http://schema.org/"})


def branching(nodes: int, *, seed: int = 1) -> Document:
    """Activities and entities in equal number, each activity with one to three of the twelve newest entities as input.

    Its picture has more crossings than that of a pipeline. The activities belong to three agents.

    Args:
        nodes: the number of activities and entities.
        seed: of the random choices.
    """
    random = Random(seed)
    agents = ("ada", "lab-robot", "steward")
    made = [_agent(name, name.replace("-", " ").title(), "Agent") for name in agents]
    made += [Statement(KINDS["entity"], _name(f"raw{number}")) for number in range(3)]
    entities = [_name(f"raw{number}") for number in range(3)]
    for number in range((nodes - 3) // 2):
        activity, output = _name(f"run{number}"), _name(f"dataset{number}")
        inputs = random.sample(entities[-12:], min(len(entities), random.choice((1, 1, 2, 3))))
        made += [
            Statement(KINDS["activity"], activity, (None, None)),
            Statement(KINDS["entity"], output),
            *(Statement(KINDS["used"], None, (activity, entity, None)) for entity in inputs),
            Statement(KINDS["wasGeneratedBy"], None, (output, activity, None)),
            Statement(KINDS["wasDerivedFrom"], None, (output, inputs[0], None, None, None)),
            Statement(KINDS["wasAssociatedWith"], None, (activity, _name(random.choice(agents)), None)),
        ]
        entities.append(output)
    return Document(made, prefixes={"ex": EX})


def bare(steps: int) -> Document:
    """A document whose relations say nothing beyond the two things that they relate, as most workflow systems write it.

    Each thing has a type and a label, and each activity two times. With 13,000 steps it has 79,692 statements and
    133,012 triples.

    Args:
        steps: the number of activities, each of which uses one entity and generates another.
    """
    made: list[Statement] = []

    def thing(kind: str, local: str, times: tuple[str, ...] = ()) -> None:
        label = _attribute(PROV_LABEL, text(f"the {kind} {local}"))
        made.append(Statement(KINDS[kind], _name(local), times, (label,)))

    def relation(kind: str, subject: str, value: str) -> None:
        missing = (None,) * (len(KINDS[kind].arguments) - 2)
        made.append(Statement(KINDS[kind], None, (_name(subject), _name(value), *missing)))

    for number in range(20):
        thing("agent", f"agent{number}")
    for number in range(steps // 10):
        thing("entity", f"raw{number}")
    for step in range(steps):
        activity, output = f"a{step}", f"out{step}"
        source = f"out{step - 1}" if step % 10 else f"raw{step // 10}"
        minute = f"2026-{1 + step // 40_000 % 12:02}-{1 + step // 1_440 % 28:02}T{step // 60 % 24:02}:{step % 60:02}"
        thing("entity", output)
        thing("activity", activity, (f"{minute}:00Z", f"{minute}:30Z"))
        relation("used", activity, source)
        relation("wasGeneratedBy", output, activity)
        relation("wasDerivedFrom", output, source)
        relation("wasAssociatedWith", activity, f"agent{step % 20}")
    for step in range(steps * 372 // 13_000):
        relation("used", f"a{step}", f"raw{(step * 7 + 3) % (steps // 10)}")
    return Document(made, prefixes={"ex": EX})


def _name(local: str) -> Identifier:
    return Identifier(EX + local)


def _attribute(name: str, value: Identifier | Literal) -> Attribute:
    return Identifier(name), value


def _agent(name: str, label: str, kind: str) -> Statement:
    attributes = (_attribute(PROV_LABEL, text(label)), _attribute(PROV_TYPE, Identifier(PROV + kind)))
    return Statement(KINDS["agent"], _name(name), (), attributes)


def _step(step: str, before: str | None, number: int) -> list[Statement]:
    activity, output = _name(f"a{step}"), _name(f"out{step}")
    data, script = (_name(f"out{before}") if before else _name("raw")), _name(f"script{step}")
    start = f"2026-01-{1 + number // 86400 % 28:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    size = _attribute("http://schema.org/contentSize", Literal(str(1000 + number), XSD + "integer"))
    role = _attribute(PROV_ROLE, text("input"))
    return [
        Statement(KINDS["entity"], output, (), (_attribute(PROV_LABEL, text(f"output {step}")), size)),
        Statement(KINDS["entity"], script, (), (_attribute(PROV_TYPE, Identifier(PROV + "Plan")),)),
        Statement(KINDS["entity"], _name(f"log{step}"), (), (size,)),
        Statement(KINDS["activity"], activity, (start, start), (_attribute(PROV_LABEL, text(f"step {step}")),)),
        Statement(KINDS["used"], None, (activity, data, start), (role,)),
        Statement(KINDS["used"], None, (activity, script, None)),
        Statement(KINDS["wasGeneratedBy"], None, (output, activity, start)),
        Statement(KINDS["wasAssociatedWith"], None, (activity, _name("alice"), script)),
        Statement(KINDS["wasDerivedFrom"], None, (output, data, activity, None, None)),
        Statement(KINDS["wasDerivedFrom"], None, (_name(f"log{step}"), data, None, None, None)),
    ]

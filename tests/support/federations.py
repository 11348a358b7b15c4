"""Generated federations: documents that are split over several repositories, and one repository with all of them.

Many federations share the repositories. Each has names of its own, so that no walk leads from one to another. A
document of a repository has the statements of many federations, so that few submissions are needed.
"""

from __future__ import annotations

import hashlib
import random
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from provrepo.errors import NotFound
from provrepo.repository.federation.laboratories import ADDRESS, NoAnswer
from provrepo.repository.federation.records import FederatedSource
from provrepo.repository.lineage.query import LineageQuery
from provrepo.repository.lineage.records import LineageGraph
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings

PROJECT = "shared"
NAMES = ("here", "b", "c", "d")
"""The repositories; the first one is that of the caller."""

PREFIXES = """@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix ex: <https://types.example/> .
"""
_TIMES = [f'"2026-01-0{day}T00:00:00Z"^^xsd:dateTime' for day in range(1, 6)]
_DOCUMENTS = 3
"""Documents of each repository for a batch of federations."""


@dataclass
class Federation:
    """The names and documents of one federation: for each repository and document, statements in TriG."""

    number: int
    entities: list[str]
    activities: list[str]
    agents: list[str]
    contents: list[str]
    documents: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    bundles: dict[tuple[str, int], list[str]] = field(default_factory=dict)

    def things(self) -> list[str]:
        return [iri[1:-1] for iri in (*self.entities, *self.activities, *self.agents, *self.contents)]


def federation(number: int) -> Federation:
    """A federation over two to four repositories with common things."""
    chance = random.Random(number)
    base = f"https://f{number}.example/"
    contents = [
        f"<ni:///sha-256;{urlsafe_b64encode(hashlib.sha256(f'{number} {n}'.encode()).digest()).decode().rstrip('=')}>"
        for n in range(2)
    ]
    found = Federation(
        number,
        [f"<{base}e{n}>" for n in range(7)],
        [f"<{base}a{n}>" for n in range(3)],
        [f"<{base}g{n}>" for n in range(2)],
        contents,
    )
    names = NAMES[: chance.randrange(2, 5)]
    for _ in range(chance.randrange(10, 50)):
        place = chance.choice(names), chance.randrange(_DOCUMENTS)
        where = found.bundles if chance.random() < 0.15 else found.documents
        where.setdefault(place, []).append(_statement(found, chance))
    return found


def _statement(found: Federation, chance: random.Random) -> str:
    one, other = chance.sample([*found.entities, *found.contents], 2)
    activity, second = chance.sample(found.activities, 2)
    agent = chance.choice(found.agents)
    at = f" ; prov:atTime {chance.choice(_TIMES)}" if chance.random() < 0.6 else ""
    return chance.choice(
        [
            f"{one} prov:wasDerivedFrom {other} .",
            f"{one} prov:wasDerivedFrom {other} .",
            f"{activity} prov:qualifiedUsage [ a prov:Usage ; prov:entity {one}{at} ] .",
            f"{activity} prov:qualifiedUsage [ a prov:Usage ; prov:entity {one}{at} ] .",
            f"{one} prov:qualifiedGeneration [ a prov:Generation ; prov:activity {activity}{at} ] .",
            f"{one} prov:qualifiedGeneration [ a prov:Generation ; prov:activity {activity}{at} ] .",
            f"{one} prov:wasGeneratedBy {activity} .",
            f"{activity} prov:wasInformedBy {second} .",
            f"{activity} prov:qualifiedStart [ a prov:Start ; prov:entity {one} ; prov:hadActivity {second} ] .",
            f"{one} prov:specializationOf {other} .",
            f"{one} prov:specializationOf {chance.choice(found.contents)} .",
            f"{one} prov:alternateOf {other} .",
            f"{one} prov:hadMember {other} .",
            f"{one} prov:wasInfluencedBy {other} .",
            f"{one} prov:wasAttributedTo {agent} .",
            f"{activity} prov:qualifiedAssociation [ a prov:Association ; prov:agent {agent} ; prov:hadPlan {one} ] .",
            f"{one} a prov:Entity, ex:Table .",
            f'{one} a prov:Entity ; rdfs:label "label {chance.randrange(3)}" .',
        ]
    )


def query(found: Federation) -> LineageQuery:
    """A query about one of its things, with any options."""
    chance = random.Random(-found.number - 1)
    things = found.things()
    options: dict[str, Any] = {"direction": chance.choice(["upstream", "upstream", "downstream", "downstream", "both"])}
    if chance.random() < 0.3:
        options["depth"] = chance.randrange(1, 5)
    if chance.random() < 0.15:
        options["strict"] = True
    if chance.random() < 0.3:
        options["alternates"] = True
    if chance.random() < 0.15:
        options["stop"] = ["https://types.example/Table"]
    if chance.random() < 0.1 and not options.get("strict"):
        options["relations"] = ["wasDerivedFrom", "used", "wasGeneratedBy", "specializationOf"]
    if chance.random() < 0.2:
        options["to"] = chance.choice(things)
        options["direction"] = "both"
    if chance.random() < 0.2:
        options["sources"] = [f"https://f{found.number}.example/e[01]"]
    return LineageQuery(chance.choice(things), **options)


class Client:
    """A repository that is asked in process, over its HTTP application. It can be made to fail.

    Attributes:
        name: its name; None for that of the caller.
        url: its URL.
        answers: how many questions are answered before it is down; None for all.
    """

    def __init__(self, name: str | None, client: FlaskClient, token: str) -> None:
        self.name = name
        self.url = f"https://{name}.example/"
        self.answers: int | None = None
        self.asked = 0
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, question: Mapping[str, Any], *, seconds: float) -> Any:
        assert seconds > 0
        self.asked += 1
        if self.answers is not None and self.asked > self.answers:
            raise NoAnswer("unreachable", "it is down")
        answer = self._client.post(f"/{ADDRESS}", json=question, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return answer.get_json()


class World:
    """The repositories with some federations. It is closed like a file."""

    def __init__(self, folder: Path, federations: list[Federation]) -> None:
        self.federations = federations
        self._stores = [self._opened(folder / name, f"https://{name}.example/") for name in (*NAMES, "merged")]
        self.repositories = [Repository(store, store.owner()) for store in self._stores]
        self.merged = self.repositories[-1]
        for repository in self.repositories:
            repository.create_project(PROJECT)
        self._submit()
        self.clients = {
            name: Client(
                None if name == "here" else name, create_app(store).test_client(), repository.create_token("walker")[0]
            )
            for name, store, repository in zip(NAMES, self._stores, self.repositories, strict=False)
        }

    @staticmethod
    def _opened(folder: Path, base: str) -> Store:
        store = Store.open(Settings(data=folder, workers=1, query_workers=1, rate_loopback="off"))
        Repository(store, store.owner()).init(base=base)
        return store

    def _submit(self) -> None:
        for name, repository in zip(NAMES, self.repositories, strict=False):
            for number in range(_DOCUMENTS):
                place = name, number
                lines = [PREFIXES, *(line for each in self.federations for line in each.documents.get(place, ()))]
                lines += [
                    f"<https://f{each.number}.example/bundle> {{ {' '.join(each.bundles[place])} }}"
                    for each in self.federations
                    if place in each.bundles
                ]
                data = "\n".join(lines).encode()
                repository.submit(data, project=PROJECT, name=f"d{number}", format="trig", allow_empty=True)
                self.merged.submit(data, project=PROJECT, name=f"{name}-d{number}", format="trig", allow_empty=True)

    def close(self) -> None:
        for store in self._stores:
            store.close()


def comparable(graph: LineageGraph | None) -> object:
    """What must be the same in a federated lineage and in that of one repository with all documents."""
    if graph is None:
        return None
    return (
        [(n.iri, n.distance, n.kinds, n.label, n.types, n.total_sources, _sources(n.sources)) for n in graph.nodes],
        [(e.subject, e.relation, e.object, e.basis, _sources(e.sources)) for e in graph.edges],
        graph.roots,
        (graph.total_nodes, graph.total_edges, graph.total_roots, graph.beyond, graph.truncated),
        (graph.declared, graph.undeclared, graph.coverage),
    )


def _sources(sources: object) -> list[tuple[str, str, int, str]]:
    """Sources by the names that documents have in the repository with all of them."""
    found = []
    for source in sources:  # type: ignore[attr-defined]
        document = source.document
        if isinstance(source, FederatedSource):
            document = f"{source.laboratory or 'here'}-{document}"
        found.append((source.project, document, source.version, source.graph.partition("#")[2]))
    return sorted(found)


def asked(ask: Callable[[], LineageGraph]) -> LineageGraph | None:
    """An answer; None where nothing is known of the thing."""
    try:
        return ask()
    except NotFound:
        return None


def parts(graph: LineageGraph) -> set[str]:
    """The names of the nodes."""
    return {node.iri for node in graph.nodes}


def asserted(found: Federation) -> set[str]:
    """The names in all documents of a federation."""
    lines = [line for documents in (found.documents, found.bundles) for lines in documents.values() for line in lines]
    return {iri for iri in found.things() if any(f"<{iri}>" in line for line in lines)}

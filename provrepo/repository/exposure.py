"""The verb ``exposure``: what anonymous clients could read if a project were public.

Everything but the agents is computed in one pass over the entries of the project.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from provrepo.ledger.entries import PROFILE, Entry
from provrepo.model.identifiers import Literal
from provrepo.repository.context import Context
from provrepo.repository.exchange.names import actor_names
from provrepo.repository.people.roles import Right
from provrepo.repository.queries.verbs import query
from provrepo.vocab import PROV_LABEL

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult

__all__ = [
    "AGENTS",
    "MOST_AGENTS",
    "ExposedAgent",
    "ExposedDocument",
    "ExposedEnding",
    "Exposure",
    "exposed_agents",
    "exposure",
]

MOST_AGENTS = 1_000
"""The most agents that are listed; further agents are not counted."""

_NAMES = ("rdfs:label", f"<{PROV_LABEL}>", "foaf:name", "foaf:givenName", "foaf:familyName", "schema:name")
_MAILS = ("foaf:mbox", "schema:email", "vcard:hasEmail", "vcard:email")
_PREFIXES = """\
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX foaf: <http://xmlns.com/foaf/0.1/>
PREFIX schema: <http://schema.org/>
PREFIX vcard: <http://www.w3.org/2006/vcard/ns#>
"""
AGENTS = (
    _PREFIXES
    + f"""SELECT ?agent ?what ?value WHERE {{
  {{ SELECT DISTINCT ?agent WHERE {{ ?agent a prov:Agent }} ORDER BY ?agent LIMIT {MOST_AGENTS + 1} }}
  OPTIONAL {{
    VALUES (?property ?what) {{
      {" ".join(f'({name} "name")' for name in _NAMES)} {" ".join(f'({mail} "mail")' for mail in _MAILS)}
    }}
    ?agent ?property ?value
  }}
}}"""
)


@dataclass(frozen=True, slots=True)
class ExposedDocument:
    """A document with versions that would be public.

    Attributes:
        name: the document.
        title: its title, or its name.
        versions: the numbers of these versions, including superseded ones.
        statements: the number of statements in all of them.
        notes: the notes of their submitters.
    """

    name: str
    title: str
    versions: tuple[int, ...]
    statements: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExposedEnding:
    """A withdrawal or an erasure that would be listed, without the content.

    Attributes:
        document: the document.
        version: the version that was current, or was erased.
        state: ``withdrawn`` or ``erased``.
        time: its time, xsd:dateTime in UTC.
        by: the current name of the actor.
        reason: the published reason.
    """

    document: str
    version: int
    state: str
    time: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExposedAgent:
    """An agent in current versions.

    Attributes:
        iri: its IRI.
        names: its labels and names.
        emails: its e-mail addresses.
    """

    iri: str
    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """The parts of a project that anonymous clients could read if it were public.

    Attributes:
        project: the project.
        public: whether it is public already.
        titles: all titles that the project ever had.
        documents: the documents with versions that would be public.
        endings: withdrawals and erasures, which stay listed with their reasons.
        agents: the agents in the current versions; superseded versions may contain others.
        more_agents: whether there are more agents than are listed.
        entries: the number of ledger entries of the project, which would all be public.
        submitters: the current names of the actors of these entries.
        tokens: identifiers of the tokens that were used; they give no access.
        profiles: names of the project's user-defined profiles, of which all versions would be public.
        pingbacks: the number of pingbacks, which would not be public; anonymous clients could send more.
        internal_reasons: the number of internal reasons, which would not be public.
    """

    project: str
    public: bool
    titles: tuple[str, ...]
    documents: tuple[ExposedDocument, ...]
    endings: tuple[ExposedEnding, ...]
    agents: tuple[ExposedAgent, ...]
    more_agents: bool
    entries: int
    submitters: tuple[str, ...]
    tokens: tuple[str, ...]
    profiles: tuple[str, ...]
    pingbacks: int
    internal_reasons: int

    @property
    def versions(self) -> int:
        """The number of versions that would be public."""
        return sum(len(document.versions) for document in self.documents)

    @property
    def statements(self) -> int:
        """The number of statements in these versions."""
        return sum(document.statements for document in self.documents)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self), "total_versions": self.versions, "total_statements": self.statements}


def exposure(context: Context, project: str) -> Exposure:
    """Return what anonymous clients could read if a project were public. Nothing is changed.

    Args:
        project: the project.

    Raises:
        NotFound: no such project.
        Denied: the actor may not change the settings of projects.
        Busy: another process holds the views.
    """
    context.require(project, Right.MANAGE)
    summary = _EntrySummary()
    entries = 0
    for entry in context.store.ledger.entries(project):
        entries += 1
        summary.add(entry)
    names = actor_names(context.store, project)
    agents = exposed_agents(query(context, AGENTS, project=project))
    return Exposure(
        project=project,
        public=project in context.store.ledger.public(),
        titles=tuple(summary.titles),
        documents=tuple(summary.documents()),
        endings=tuple(
            ExposedEnding(
                entry.body["document"],
                entry.body["version"],
                "erased" if entry.kind == "erase" else "withdrawn",
                entry.time,
                names.get(entry.actor, entry.actor),
                str(entry.body["reason"]),
            )
            for entry in summary.endings
        ),
        agents=tuple(agents[:MOST_AGENTS]),
        more_agents=len(agents) > MOST_AGENTS,
        entries=entries,
        submitters=tuple(sorted({names.get(actor, actor) for actor in summary.actors})),
        tokens=tuple(sorted(summary.tokens)),
        profiles=tuple(summary.profiles),
        pingbacks=len(context.store.pingbacks.stored(project)),
        internal_reasons=sum(bool(entry.body.get("internal")) for entry in summary.endings),
    )


@dataclass(slots=True)
class _EntrySummary:
    """The relevant fields of the entries that were read so far."""

    submissions: dict[str, list[Entry]] = field(default_factory=dict)
    endings: list[Entry] = field(default_factory=list)
    titles: dict[str, None] = field(default_factory=dict)
    profiles: dict[str, None] = field(default_factory=dict)
    actors: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Add the fields of one entry."""
        if entry.actor:
            self.actors.add(entry.actor)
        if entry.body.get("token"):
            self.tokens.add(str(entry.body["token"]))
        if entry.kind == "submit":
            self.submissions.setdefault(entry.body["document"], []).append(entry)
        elif entry.kind in ("withdraw", "erase"):
            self.endings.append(entry)
        elif entry.kind == "settings":
            if entry.body.get("title"):
                self.titles[str(entry.body["title"])] = None
            own = (key.removeprefix(PROFILE) for key in entry.body if key.startswith(PROFILE))
            self.profiles.update(dict.fromkeys(own))

    def documents(self) -> Iterable[ExposedDocument]:
        """Yield the documents by name, with the versions that are neither withdrawn nor erased."""
        covered: dict[str, int] = {}
        erased: set[tuple[str, int]] = set()
        for ending in self.endings:
            document, version = ending.body["document"], ending.body["version"]
            if ending.kind == "erase":
                erased.add((document, version))
            else:
                covered[document] = max(version, covered.get(document, 0))
        for name in sorted(self.submissions):
            left = [
                entry
                for entry in self.submissions[name]
                if entry.body["version"] > covered.get(name, 0) and (name, entry.body["version"]) not in erased
            ]
            if left:
                yield ExposedDocument(
                    name,
                    str(left[-1].body["title"]) or name,
                    tuple(entry.body["version"] for entry in left),
                    sum(entry.body["statements"] for entry in left),
                    tuple(dict.fromkeys(str(entry.body["note"]) for entry in left if entry.body["note"])),
                )


def exposed_agents(found: QueryResult) -> list[ExposedAgent]:
    """Return the agents of the query result, with the rows of each agent combined."""
    known: dict[str, dict[str, set[str]]] = {}
    for row in found.rows:
        agent = str(row["agent"])
        texts = known.setdefault(agent, {"name": set(), "mail": set()})
        what, value = row.get("what"), row.get("value")
        if agent.lower().startswith("mailto:"):
            texts["mail"].add(agent[len("mailto:") :])
        if isinstance(what, Literal) and value is not None:
            text = value.lexical if isinstance(value, Literal) else str(value)
            texts[what.lexical].add(text.removeprefix("mailto:") if what.lexical == "mail" else text)
    return [
        ExposedAgent(iri, tuple(sorted(texts["name"])), tuple(sorted(texts["mail"])))
        for iri, texts in sorted(known.items())
    ]

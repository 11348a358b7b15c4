"""What strangers would read of a project if it were public: for the one who decides that, before it is done.

The verb is part of ``Repository``, in a file of its own. Everything but the agents follows from one pass over the
project's entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from provrepo.errors import Denied
from provrepo.ledger.entries import PROFILE, Entry
from provrepo.model.identifiers import Literal
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.queries.verbs import query
from provrepo.vocab import PROV_LABEL

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult

__all__ = ["ExposedAgent", "ExposedDocument", "ExposedEnding", "Exposure", "MOST_AGENTS", "exposure"]

MOST_AGENTS = 1_000
"""The most agents that are listed; how many more there are is not counted."""

_NAMES = ("rdfs:label", f"<{PROV_LABEL}>", "foaf:name", "foaf:givenName", "foaf:familyName", "schema:name")
_MAILS = ("foaf:mbox", "schema:email", "vcard:hasEmail", "vcard:email")
_PREFIXES = """\
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX foaf: <http://xmlns.com/foaf/0.1/>
PREFIX schema: <http://schema.org/>
PREFIX vcard: <http://www.w3.org/2006/vcard/ns#>
"""
_AGENTS = (
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
    """A document with versions that strangers would read.

    Attributes:
        name: the document.
        title: a label the document gives itself, or its name.
        versions: the numbers of the versions that would be read, former ones included.
        statements: of all these versions together.
        notes: what their submitters said about them.
    """

    name: str
    title: str
    versions: tuple[int, ...]
    statements: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExposedEnding:
    """A withdrawal or an erasure that strangers would find listed, without the content.

    Attributes:
        document: the document.
        version: the version that was current, or was erased.
        state: ``withdrawn`` or ``erased``.
        time: when, xsd:dateTime in UTC.
        by: the name of who did it, as it is today.
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
    """An agent of which current versions speak.

    Attributes:
        iri: its name in the documents.
        names: what it is called.
        emails: its addresses.
    """

    iri: str
    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """What strangers would read of a project.

    Attributes:
        project: its name.
        public: whether it is public already.
        titles: all that the project has been called.
        documents: those with versions that would be read.
        endings: withdrawals and erasures, which stay listed with their reasons.
        agents: those of the current versions; former versions may speak of others.
        more_agents: whether there are more agents than are listed.
        entries: how many entries the project's ledger has; all of them would be read.
        submitters: the names of those who acted in it, as they are today.
        tokens: identifiers of the tokens that were used; they give no access.
        profiles: names of the project's own profiles, with all their versions.
        pingbacks: how many there are. They stay with those who may change the project; strangers may send more.
        internal_reasons: how many there are. They stay with those who may change the project.
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
        """How many versions would be read."""
        return sum(len(document.versions) for document in self.documents)

    @property
    def statements(self) -> int:
        """How many statements these versions have."""
        return sum(document.statements for document in self.documents)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**asdict(self), "total_versions": self.versions, "total_statements": self.statements}


def exposure(context: Context, project: str) -> Exposure:
    """What everybody would read if a project were public. Nothing is changed.

    Args:
        project: its name.

    Raises:
        NotFound: no such project.
        Denied: the actor may not make projects public.
        Busy: another process holds the views.
    """
    context.require_read(project)
    if not access.may_administer(context.actor):
        raise Denied(f"{context.actor.name} may not change the settings of {project!r}")
    seen = _Seen()
    entries = 0
    for entry in context.store.ledger.entries(project):
        entries += 1
        seen.take(entry)
    names = context.store.accounts.names()
    agents = _agents(query(context, _AGENTS, project=project))
    return Exposure(
        project=project,
        public=project in context.store.ledger.public(),
        titles=tuple(seen.titles),
        documents=tuple(seen.documents()),
        endings=tuple(
            ExposedEnding(
                entry.body["document"],
                entry.body["version"],
                "erased" if entry.kind == "erase" else "withdrawn",
                entry.time,
                names.get(entry.actor, entry.actor),
                str(entry.body["reason"]),
            )
            for entry in seen.endings
        ),
        agents=tuple(agents[:MOST_AGENTS]),
        more_agents=len(agents) > MOST_AGENTS,
        entries=entries,
        submitters=tuple(sorted({names.get(actor, actor) for actor in seen.actors})),
        tokens=tuple(sorted(seen.tokens)),
        profiles=tuple(seen.profiles),
        pingbacks=len(context.store.pingbacks.stored(project)),
        internal_reasons=sum(bool(entry.body.get("internal")) for entry in seen.endings),
    )


@dataclass(slots=True)
class _Seen:
    """What the entries say, as far as they have been read."""

    submissions: dict[str, list[Entry]] = field(default_factory=dict)
    endings: list[Entry] = field(default_factory=list)
    titles: dict[str, None] = field(default_factory=dict)
    profiles: dict[str, None] = field(default_factory=dict)
    actors: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)

    def take(self, entry: Entry) -> None:
        """Read one entry."""
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
        """The documents by name, with the versions that are neither withdrawn nor erased."""
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


def _agents(found: QueryResult) -> list[ExposedAgent]:
    """The rows of the query, put together by agent."""
    known: dict[str, dict[str, set[str]]] = {}
    for row in found.rows:
        agent = str(row["agent"])
        said = known.setdefault(agent, {"name": set(), "mail": set()})
        what, value = row.get("what"), row.get("value")
        if agent.lower().startswith("mailto:"):
            said["mail"].add(agent[len("mailto:") :])
        if isinstance(what, Literal) and value is not None:
            text = value.lexical if isinstance(value, Literal) else str(value)
            said[what.lexical].add(text.removeprefix("mailto:") if what.lexical == "mail" else text)
    return [
        ExposedAgent(iri, tuple(sorted(said["name"])), tuple(sorted(said["mail"])))
        for iri, said in sorted(known.items())
    ]

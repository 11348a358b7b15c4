"""Publication of one document: its bytes are submitted to a public project, after a preview of what becomes visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from provrepo.errors import NotFound, UsageError
from provrepo.repository import access, documents
from provrepo.repository.context import Context
from provrepo.repository.exposure import AGENTS, MOST_AGENTS, ExposedAgent, exposed_agents
from provrepo.repository.people.roles import Right
from provrepo.repository.queries.verbs import query, query_version
from provrepo.repository.records import Receipt, VersionInfo
from provrepo.repository.submission import verbs as submission

__all__ = ["MOST_LISTED", "Publication", "publication", "publish"]

MOST_LISTED = 1_000
"""The most things, and the most names of files, that are listed."""

_AT_ONCE = 200
"""The things that one query looks for in the public projects."""

_ANYWHERE = "{ ?thing ?property ?value } UNION { GRAPH ?graph { ?thing ?property ?value } }"
_THINGS = f"SELECT DISTINCT ?thing {{ {_ANYWHERE} FILTER(isIRI(?thing)) }} ORDER BY ?thing LIMIT {MOST_LISTED + 1}"
_FILES = f"""SELECT DISTINCT ?file {{ {_ANYWHERE}
  BIND(STR(?value) AS ?text)
  FILTER(?property = prov:atLocation || STRSTARTS(?text, "file:") || STRSTARTS(STR(?thing), "file:") ||
    (isLiteral(?value) && REGEX(?text, "^(/|~/|[A-Za-z]:[\\\\\\\\/])")))
  BIND(IF(STRSTARTS(STR(?thing), "file:"), STR(?thing), ?text) AS ?file)
}} ORDER BY ?file LIMIT {MOST_LISTED + 1}"""
"""The values of prov:atLocation, IRIs of files, and texts that begin as an absolute path."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What becomes visible to everybody when a version is submitted to a public project.

    Attributes:
        project: the project of the document.
        document: the document.
        version: the version.
        to: the public project.
        name: the name that the document gets there.
        statements: the number of statements.
        title: the title of the document; may be empty.
        note: the note that is published with it; may be empty.
        base: the IRI against which its relative IRIs are resolved; may be empty.
        agents: the agents in it, with names and e-mail addresses.
        more_agents: whether there are more agents than are listed.
        things: the IRIs of its things that no public project has yet.
        more_things: whether there are more things than were looked for.
        files: names of files and places in it.
        more_files: whether there are more of them.
    """

    project: str
    document: str
    version: int
    to: str
    name: str
    statements: int
    title: str
    note: str
    base: str
    agents: tuple[ExposedAgent, ...]
    more_agents: bool
    things: tuple[str, ...]
    more_things: bool
    files: tuple[str, ...]
    more_files: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


def publication(
    context: Context,
    project: str,
    document: str,
    *,
    to: str,
    version: int | None = None,
    name: str | None = None,
    note: str | None = None,
) -> Publication:
    """Return what becomes visible when a version is published. Nothing is changed.

    Args:
        project: the project of the document.
        document: the document.
        to: the public project to which it is to be submitted.
        version: the version; None for the current one.
        name: the name that it gets there; None for the same.
        note: the note that is published with it; None for that of the version.

    Raises:
        NotFound: no such project, document or version.
        Withdrawn: it was withdrawn or erased.
        UsageError: the other project is not public, or is the same one.
        Denied: the actor may not curate the project and has not submitted the document, or may not submit to the other.
        Busy: another process holds the views.
        TimedOut, AnswerTooLarge: as for ``query``.
    """
    info = _permitted(context, project, document, version, to)
    found = [str(row["thing"]) for row in _asked(context, info, _THINGS)]
    agents = exposed_agents(query_version(context, project, document, info.version, AGENTS))
    files = [_plain(row["file"]) for row in _asked(context, info, _FILES)]
    return Publication(
        project=project,
        document=document,
        version=info.version,
        to=to,
        name=access.name("document", document if name is None else name),
        statements=info.statements,
        title=_title(context, info),
        note=info.note if note is None else note,
        base=info.base,
        agents=tuple(agents[:MOST_AGENTS]),
        more_agents=len(agents) > MOST_AGENTS,
        things=tuple(_unknown(context, found[:MOST_LISTED])),
        more_things=len(found) > MOST_LISTED,
        files=tuple(files[:MOST_LISTED]),
        more_files=len(files) > MOST_LISTED,
    )


def publish(
    context: Context,
    project: str,
    document: str,
    *,
    to: str,
    version: int | None = None,
    name: str | None = None,
    note: str | None = None,
    update: bool = False,
) -> Receipt:
    """Submit the bytes of a version to a public project. The document stays where it is, and is not named there.

    Args:
        project: the project of the document.
        document: the document.
        to: the public project.
        version: the version; None for the current one.
        name: the name that it gets there; None for the same.
        note: the note that is published with it; None for that of the version.
        update: append a new version if a document of that name exists there.

    Raises:
        NotFound, Withdrawn, UsageError, Denied: as for ``publication``.
        Refused, Conflict, TakenBack, Waits, Archived, ProjectFull, OverQuota, NoSpace: as for ``submit``.
    """
    info = _permitted(context, project, document, version, to)
    data, _ = documents.original(context, project, document, info.version)
    return submission.submit(
        context,
        data,
        project=to,
        name=document if name is None else name,
        update=update,
        format=info.format,
        base=info.base or None,
        note=info.note if note is None else note,
    )


def _permitted(context: Context, project: str, document: str, version: int | None, to: str) -> VersionInfo:
    """Return the version after checking that the actor may publish it.

    Raises:
        NotFound, Withdrawn, UsageError, Denied: as for ``publication``.
    """
    rights = context.require(project, Right.SUBMIT)
    info = documents.version(context, project, document, version)
    if Right.CURATE not in rights:
        with context.store.ledger.stream(project) as stream:
            access.require_submitter(context.actor, document, stream.submitter(document))
    if info.state == "withdrawn" or info.withdrawn:
        documents.original(context, project, document, version)
        raise NotFound(f"{project}/{document}@{info.version} was withdrawn, so it is not published")
    context.require(to, Right.SUBMIT)
    if to == project:
        raise UsageError(f"{document} is in {project} already; name another project")
    if to not in context.store.ledger.public():
        raise UsageError(f"project {to} is not public: a document is published by submitting it to a public project")
    return info


def _asked(context: Context, info: VersionInfo, text: str) -> Sequence[Any]:
    return query_version(context, info.project, info.name, info.version, text).rows


def _title(context: Context, info: VersionInfo) -> str:
    """Return the title of a version; empty if it has none."""
    entry = context.store.ledger.version(info.project, info.name, info.version)
    return "" if entry is None else str(entry.body["title"])


def _plain(value: object) -> str:
    """Return the text of a term."""
    return str(getattr(value, "lexical", value))


def _unknown(context: Context, things: Sequence[str]) -> list[str]:
    """Return those of some IRIs of which no public project says anything."""
    known: set[str] = set()
    for start in range(0, len(things), _AT_ONCE):
        values = " ".join(f"<{thing}>" for thing in things[start : start + _AT_ONCE])
        text = f"SELECT DISTINCT ?thing {{ VALUES ?thing {{ {values} }} ?thing ?property ?value }}"
        known |= {str(row["thing"]) for row in query(context, text, public=True).rows}
    return [thing for thing in things if thing not in known]

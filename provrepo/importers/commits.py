"""Commits of git: their records, and the statements about them that are the same in every document that knows them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

from provrepo.codecs.rdf.terms import is_iri
from provrepo.importers.git_program import hashed
from provrepo.importers.json_values import Problem
from provrepo.importers.masking import without_login
from provrepo.importers.names import segment
from provrepo.importers.shapes import Shapes
from provrepo.importers.statements import Statements, typed, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import ASSOCIATION, GENERATION
from provrepo.vocab import DCTERMS, PROV, PROV_ROLE, RDFS_LABEL, SCHEMA

__all__ = [
    "GIT_ROOT",
    "Commit",
    "Person",
    "commit_record",
    "read_commit",
    "read_person",
    "revision",
    "state_commit",
    "state_person",
]

GIT_ROOT = "https://w3id.org/provrepo/git/"
"""The beginning of the names of commits and files of commits: a hash is the same in all clones, and so are they."""

_IDENTITY = re.compile(r"(?P<name>[^<>]*?) ?<(?P<mail>[^<>]*)>(?: (?P<seconds>-?\d{1,18})(?: (?P<zone>[+-]\d{4}))?)?.*")
_MAIL = re.compile(r"[^\s@<>:/\"]+@[^\s@<>:/\"]+")
_CO_AUTHOR = re.compile(r"(?im)^co-authored-by:[ \t]*([^<>\n]{1,200}<[^<>\n]{1,200}>)[ \t]*$")
_FIELDS = ("id", "parents", "author", "committer", "message")


class Person(NamedTuple):
    """Who committed something, and when.

    Attributes:
        name: the name; empty if there is none.
        mail: the mail address, or what stands there.
        time: as ``xsd:dateTime`` in the zone of the person; None if there is none, or none that can be written.
    """

    name: str
    mail: str
    time: str | None


class Commit(NamedTuple):
    """A commit.

    Attributes:
        id: its hash.
        parents: the hashes of its parents.
        author: who wrote the change.
        committer: who committed it.
        message: what they say of it.
    """

    id: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return next(iter(self.message.strip().splitlines()), "").strip()


def commit_record(id_: str, data: bytes) -> dict[str, Any]:
    """The record of a commit object (gitformat-commit): JSON, with the persons and times as git writes them."""
    head, _, message = data.partition(b"\n\n")
    fields: dict[str, list[bytes]] = {}
    for line in head.split(b"\n"):
        name, _, rest = line.partition(b" ")
        # Lines of a signature begin with a space, and have an empty name.
        fields.setdefault(name.decode("ascii", "replace"), []).append(rest)
    encoding = fields.get("encoding", [b"utf-8"])[0].decode("ascii", "replace")

    def text(found: bytes) -> str:
        try:
            return found.decode(encoding).replace("\0", "")
        except (UnicodeDecodeError, LookupError, ValueError):
            return found.decode("utf-8", "backslashreplace").replace("\0", "")

    return {
        "id": id_,
        "parents": [parent.decode("ascii", "replace") for parent in fields.get("parent", [])],
        **{name: text(fields[name][0]) for name in ("author", "committer") if name in fields},
        "message": text(message),
    }


def read_commit(shapes: Shapes, found: Mapping[str, Any], pointer: str) -> Commit | None:
    """The commit of a record; None if it is none, which is a problem.

    Args:
        shapes: reads values, and keeps the problems.
        found: the record.
        pointer: where it is.
    """
    id_ = shapes.text(found.get("id"), f"{pointer}/id")
    if not hashed(id_):
        shapes.problems.append(Problem(f"{pointer}/id", "the hash of a commit is needed", fatal=True))
        return None
    parents = shapes.texts(found.get("parents"), f"{pointer}/parents")
    for number, parent in enumerate(parents):
        if not hashed(parent):
            shapes.problems.append(Problem(f"{pointer}/parents/{number}", "no hash of a commit; it is not read"))
    persons = [read_person(shapes, found, name, pointer) for name in ("author", "committer")]
    message = shapes.text(found.get("message"), f"{pointer}/message")
    return Commit(id_, tuple(filter(hashed, parents)), persons[0], persons[1], message)


def read_person(shapes: Shapes, found: Mapping[str, Any], role: str, pointer: str) -> Person:
    """Who did something in a role, and when, such as ``Ana <ana@lab.example> 1795187154 +0100``.

    Args:
        shapes: reads values, and keeps the problems.
        found: the record.
        role: the member of the record.
        pointer: where the record is.
    """
    text = shapes.text(found.get(role), f"{pointer}/{role}")
    match = _IDENTITY.fullmatch(text)
    if match is None:
        shapes.problems.append(Problem(f"{pointer}/{role}", "no name, mail address and time of git; it is not read"))
        return Person("", "", None)
    time = _time(match["seconds"], match["zone"])
    if time is None:
        shapes.problems.append(Problem(f"{pointer}/{role}", "no time that can be written; there is none"))
    return Person(match["name"].strip(), match["mail"].strip(), time)


def _time(seconds: str | None, zone: str | None) -> str | None:
    """Seconds since 1970 in a zone, as ``xsd:dateTime``; ``-0000`` is UTC without a zone, which is the same instant."""
    if seconds is None:
        return None
    hours, minutes = (int(zone[1:3]), int(zone[3:])) if zone else (0, 0)
    shift = timedelta(hours=hours, minutes=minutes) * (-1 if zone and zone[0] == "-" else 1)
    try:
        # XML Schema has zones of up to 14 hours; the instant is the same in another.
        shown = timezone(shift) if abs(shift) <= timedelta(hours=14) and minutes < 60 else UTC
        moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(seconds))
        return moment.astimezone(shown).isoformat()
    except (OverflowError, ValueError):
        return None


def revision(id_: str) -> str:
    """The IRI of the state of a repository that a commit recorded (ISO/IEC 18670); for SHA-256, one of our own."""
    return f"swh:1:rev:{id_}" if len(id_) == 40 else f"{GIT_ROOT}revision/{id_}"


def state_person(statements: Statements, person: Person) -> Identifier | None:
    """Describe a person; None without a name and mail address. The mail address is who it is, as elsewhere."""
    mail = without_login(person.mail)
    known = f"mailto:{mail}" if _MAIL.fullmatch(mail) and is_iri(f"mailto:{mail}") else ""
    if not known and not (person.name or mail):
        return None
    name = known or f"{GIT_ROOT}person/{segment(f'{person.name} <{mail}>')}"
    return statements.agent(name, words(RDFS_LABEL, person.name or mail), types=[f"{PROV}Person"])


def state_commit(statements: Statements, commit: Commit) -> Identifier:
    """Describe a commit: an activity at the time of the committer, which generated the revision.

    The author's time is an attribute: the change may have been written long before, and clocks differ.
    """
    time = commit.committer.time
    activity = statements.activity(
        f"{GIT_ROOT}commit/{commit.id}",
        time,
        time,
        words(RDFS_LABEL, commit.subject or f"commit {commit.id[:12]}"),
        words(f"{DCTERMS}description", commit.message.strip() if commit.message.strip() != commit.subject else ""),
        [typed(f"{SCHEMA}dateCreated", commit.author.time, "dateTime")] if commit.author.time else [],
        words(f"{SCHEMA}identifier", commit.id),
        types=[f"{SCHEMA}UpdateAction"],
    )
    roles: dict[Identifier, list[str]] = {}
    co_authors = [Person(*_named(found), None) for found in _CO_AUTHOR.findall(commit.message)]
    for role, person in (
        ("author", commit.author),
        ("committer", commit.committer),
        *(("co-author", each) for each in co_authors),
    ):
        agent = state_person(statements, person)
        if agent is not None:
            roles.setdefault(agent, []).append(role)
    for agent, found in roles.items():
        statements.relate(
            ASSOCIATION, activity, agent, attributes=[each for role in found for each in words(PROV_ROLE, role)]
        )
    statements.entity(revision(commit.id), words(RDFS_LABEL, f"revision {commit.id[:12]}"))
    statements.relate(GENERATION, revision(commit.id), activity, time)
    return activity


def _named(text: str) -> tuple[str, str]:
    name, _, mail = text.partition("<")
    return name.strip(), mail.rstrip("> \t")

"""The results of verbs: frozen records, which the command line, the server and scripts render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from provrepo.checks.report import Report
from provrepo.repository.exchange.mirroring.records import MirrorInfo
from provrepo.repository.exchange.notices.records import OriginWarning
from provrepo.repository.people.roles import Right

__all__ = [
    "DEFAULT",
    "PUBLIC",
    "Actor",
    "Backtest",
    "Check",
    "DocumentInfo",
    "GateResult",
    "ProfileInfo",
    "ProjectInfo",
    "Quota",
    "Receipt",
    "VersionInfo",
]

DEFAULT = "default"
"""The name of the project if none is given; it is created when the owner first needs it."""

PUBLIC = "*public"
"""The dataset that merges all public projects; no project can have this name."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The user or program for whom a verb is called.

    Attributes:
        id: opaque identifier, which the ledger records; empty for anonymous clients.
        name: the current name.
        owner: whether it is the local owner of the data directory, who has all rights.
        projects: the projects that the token gives access to; None for all.
        write: whether the token gives write access; for tokens without scopes.
        token: identifier of the token; empty for the owner, anonymous clients, and people who have signed in.
        scopes: the rights to which the token limits the roles of its actor. None for a token without scopes: it gives
            access by itself, and the roles of its actor do not count.
        roles: pairs of a project and the role of the actor in it; empty without scopes.
        administrator: whether the actor administers the repository; False without scopes.
        signed_in: whether this is a person who has signed in, without a token; its scopes are all rights.
    """

    id: str
    name: str
    owner: bool = False
    projects: tuple[str, ...] | None = ()
    write: bool = False
    token: str = ""
    scopes: frozenset[Right] | None = None
    roles: tuple[tuple[str, str], ...] = ()
    administrator: bool = False
    signed_in: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """The quota of a project, and how much of it is used. 0 stands for no limit.

    Attributes:
        documents: the most documents that are not withdrawn.
        bytes: the most bytes of all versions that were not erased.
        submissions: the most versions that are accepted on a day of UTC.
        used_documents: the number of documents that are not withdrawn.
        used_bytes: the bytes of all versions that were not erased.
        used_submissions: the number of versions that were accepted today.
    """

    documents: int
    bytes: int
    submissions: int
    used_documents: int
    used_bytes: int
    used_submissions: int


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """A project.

    Attributes:
        name: its name.
        public: whether anonymous clients may read it.
        title: its title; may be empty.
        profiles: names of the profiles that each submission must satisfy.
        documents: the number of documents that are not withdrawn.
        entries: the number of its ledger entries.
        license: the IRI of the license under which its documents may be used; empty if none is stated.
        push: for actors who may change it, the peers to which each accepted version is sent.
        pushes: for them, what happens with documents that peers send: ``pending``, ``at-once``, or ``as-peer``, as
            the peer says.
        reviewed: for them, the names of the actors whose submissions wait for a review; ``*`` stands for all.
        review: for them, ``submitters`` if the submissions of those wait who may submit and not curate, or ``nobody``.
        announce: for them, whether peers are told that a version was derived from their documents.
        mirror: what it is a mirror of, and how far it has followed; None for a project of this repository.
        archived: whether nothing in it can be changed until that is ended.
        embargo: xsd:dateTime in UTC at which it becomes public; empty without an embargo.
        quota: for those to whom a role or token gives access, its quota and how much of it is used; None for others,
            and for a mirror.
    """

    name: str
    public: bool
    title: str = ""
    profiles: tuple[str, ...] = ()
    documents: int = 0
    entries: int = 0
    license: str = ""
    push: tuple[str, ...] = ()
    pushes: str = ""
    reviewed: tuple[str, ...] = ()
    review: str = ""
    announce: bool = False
    mirror: MirrorInfo | None = None
    archived: bool = False
    embargo: str = ""
    quota: Quota | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        lists = {"profiles": list(self.profiles), "push": list(self.push), "reviewed": list(self.reviewed)}
        return {**asdict(self), **lists}


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version of a document, as the ledger recorded it.

    Attributes:
        project: the project.
        name: the document.
        version: its number, from 1.
        sequence: the sequence number of its ledger entry in the project.
        iri: its IRI.
        sha256: SHA-256 of the submitted bytes, in hexadecimal.
        size: the size of the submitted bytes.
        format: the name of their format, detected or declared at submission.
        base: the IRI against which relative IRIs were resolved; may be empty.
        statements: the number of statements.
        time: the time of its acceptance, xsd:dateTime in UTC.
        actor: opaque identifier of the submitter.
        submitter: the current name of the submitter.
        verdict: ``conforms`` or ``fails``.
        layers: the checks that ran.
        profiles: the profiles that it was checked against.
        software: name and version of the program that accepted it.
        note: the note of the submitter; may be empty.
        state: ``current``, ``superseded``, ``withdrawn`` or ``erased``.
        token: identifier of the token with which it was sent, of which a submitter may have several. Empty for the
            local owner, and for versions that are older than this field.
        possible: whether it is valid by PROV-CONSTRAINTS; None if that was not checked or is unknown.
        warnings: the number of warnings in its report; None if it is unknown.
        ended: the time of its withdrawal or erasure, xsd:dateTime in UTC; empty if there was none.
        ended_by: the current name of the actor of its withdrawal or erasure; may be empty.
        reason: the published reason of its withdrawal or erasure; may be empty.
        set_aside: the names of the views that failed on it, whose results omit it; ``every view`` if its content cannot
            be derived.
        withdrawn: whether a later withdrawal of the document covers it. If so, only actors who may change the project
            can read it, even after later versions.
        internal_reason: the internal reason, for actors who may change the project; otherwise empty.
        origin: the entry of the peer from which it comes; None for what was submitted here.
        origin_warnings: what the peer that it came from has announced of it: a withdrawal, an erasure, a later version.
    """

    project: str
    name: str
    version: int
    sequence: int
    iri: str
    sha256: str
    size: int
    format: str
    base: str
    statements: int
    time: str
    actor: str
    submitter: str
    verdict: str
    layers: tuple[str, ...]
    profiles: tuple[str, ...]
    software: str
    note: str = ""
    state: str = "current"
    token: str = ""
    possible: bool | None = None
    warnings: int | None = None
    ended: str = ""
    ended_by: str = ""
    reason: str = ""
    set_aside: tuple[str, ...] = ()
    withdrawn: bool = False
    internal_reason: str = ""
    origin: dict[str, Any] | None = field(default=None, hash=False)
    origin_warnings: tuple[OriginWarning, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        lists = {"layers": list(self.layers), "profiles": list(self.profiles), "set_aside": list(self.set_aside)}
        own = {name: getattr(self, name) for name in _VERSION}  # ``asdict`` copies all values, in ten times as long
        return {**own, **lists, "origin_warnings": [warning.to_dict() for warning in self.origin_warnings]}


_VERSION = tuple(each.name for each in fields(VersionInfo))


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document in a list.

    Attributes:
        project: the project.
        name: the document.
        title: its title, or its name.
        current: its newest version.
        versions: the number of versions.
        withdrawn: whether it is withdrawn.
        reason: the published reason of its withdrawal; may be empty.
        withdrawn_at: the time of its withdrawal; may be empty.
        internal_reason: the internal reason, for actors who may change the project; otherwise empty.
    """

    project: str
    name: str
    title: str
    current: VersionInfo
    versions: int
    withdrawn: bool = False
    reason: str = ""
    withdrawn_at: str = ""
    internal_reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self), "current": self.current.to_dict()}


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of a submission, whose bytes are stored durably.

    Attributes:
        version: the version with these bytes.
        created: False if these bytes were the current version already.
        indexed: whether the views of this process contain the version.
        entry: SHA-256 of the ledger entry.
        report: the report of the checks.
        receipt: what proves the entry to others (``provrepo.verify``); None if checkpoints cannot be signed.
    """

    version: VersionInfo
    created: bool
    indexed: bool
    entry: str
    report: Report = field(compare=False)
    receipt: Mapping[str, Any] | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            **self.version.to_dict(),
            "created": self.created,
            "indexed": self.indexed,
            "entry": self.entry,
            "unmapped": sum(number for _, number in self.report.unmapped),
            "report": self.report.to_dict(),
            "receipt": None if self.receipt is None else dict(self.receipt),
        }


@dataclass(frozen=True, slots=True)
class Check:
    """The result of ``fsck``.

    Attributes:
        entries: the number of ledger entries that were read.
        blobs: the number of blobs that were read.
        problems: one sentence for each problem; empty for a sound data directory.
        notes: one sentence for each unusual but harmless finding.
    """

    entries: int
    blobs: int
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"sound": self.sound, **asdict(self), "problems": list(self.problems), "notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class ProfileInfo:
    """A profile against which submissions can be checked.

    Attributes:
        name: its name.
        title: its title.
        version: the version in force.
        purpose: one or two sentences.
        constraints: ``gate`` or ``report``: the effect of PROV-CONSTRAINTS on the verdict.
        extends: names of the profiles whose shapes apply, too.
        origin: ``provrepo`` for a built-in profile, ``*`` for one of the whole repository, otherwise the project.
        blob: SHA-256 of its content; empty for a built-in profile.
        time: the time at which the version was added, xsd:dateTime in UTC; empty for a built-in profile.
        versions: all versions, the oldest first.
    """

    name: str
    title: str
    version: str
    purpose: str
    constraints: str
    extends: tuple[str, ...] = ()
    origin: str = "provrepo"
    blob: str = ""
    time: str = ""
    versions: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self), "extends": list(self.extends), "versions": list(self.versions)}


@dataclass(frozen=True, slots=True)
class Backtest:
    """The result of a check of all current documents of a project against a profile.

    Attributes:
        project: the project.
        profile: the profile, as ``name/version``.
        before: the version in force that it would replace; empty if there is none.
        documents: the number of documents that were checked.
        known: the number of documents that fail it and the version in force.
        failing: the documents that fail it and not the version in force, each with its report.
    """

    project: str
    profile: str
    before: str
    documents: int
    known: int
    failing: tuple[tuple[VersionInfo, Report], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        failing = [
            {"document": version.name, "version": version.version, "report": report.to_dict()}
            for version, report in self.failing
        ]
        plain = {"project": self.project, "profile": self.profile, "before": self.before}
        return {**plain, "documents": self.documents, "known": self.known, "failing": failing}


@dataclass(frozen=True, slots=True)
class GateResult:
    """The result of the verb ``gate``.

    Attributes:
        iri: the thing.
        coverage: the share of its lineage that is complete, in percent.
        minimum: the required share, in percent.
        things: the number of entities and activities in its lineage.
        gaps: IRI and reason, for each incomplete entity or activity.
        untrusted: IRIs of the entities that are not derived from a declared source.
        warnings: what the origins of copies in its lineage have announced.
        labels: a label of each of the first things of ``gaps`` and ``untrusted`` that has one.
    """

    iri: str
    coverage: float
    minimum: float
    things: int
    gaps: tuple[tuple[str, str], ...] = ()
    untrusted: tuple[str, ...] = ()
    warnings: tuple[OriginWarning, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether everything comes from declared sources, enough is complete, and no origin has taken back a copy."""
        taken_back = any(warning.taken_back for warning in self.warnings)
        return not self.untrusted and not taken_back and self.coverage >= self.minimum

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        gaps = [{"thing": thing, "reason": reason} for thing, reason in self.gaps]
        lists = {"untrusted": list(self.untrusted), "warnings": [warning.to_dict() for warning in self.warnings]}
        return {"passed": self.passed, **asdict(self), "gaps": gaps, **lists}

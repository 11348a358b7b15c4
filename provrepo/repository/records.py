"""What the verbs return: plain frozen records that the command line, the server and scripts render."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from provrepo.checks.report import Report

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
    "Receipt",
    "VersionInfo",
]

DEFAULT = "default"
"""The project where none is named; made when its owner first asks for it."""

PUBLIC = "*public"
"""The dataset that merges all public projects; no project can have this name."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking.

    Attributes:
        id: opaque; what the ledger records.
        name: for people; may change.
        owner: the local owner of the data directory, who may do everything.
        projects: the projects a token was made for; None for all.
        write: whether the token may change anything.
        token: identifier of the token; empty for the owner and for strangers.
    """

    id: str
    name: str
    owner: bool = False
    projects: tuple[str, ...] | None = ()
    write: bool = False
    token: str = ""


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """A project.

    Attributes:
        name: its name.
        public: whether everybody may read it.
        title: for people; may be empty.
        profiles: what each submission must satisfy.
        documents: how many current documents it has.
        entries: the number of its last ledger entry.
    """

    name: str
    public: bool
    title: str = ""
    profiles: tuple[str, ...] = ()
    documents: int = 0
    entries: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**asdict(self), "profiles": list(self.profiles)}


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version of a document, as the ledger recorded it.

    Attributes:
        project: the project.
        name: the document.
        version: from 1.
        sequence: the ledger entry's number in the project.
        iri: the version's IRI.
        sha256: of the submitted bytes, in hexadecimal: their identity.
        size: of the submitted bytes.
        format: as detected or declared at submission.
        base: against which relative IRIs were resolved; may be empty.
        statements: how many.
        time: when it was accepted, xsd:dateTime in UTC.
        actor: opaque identifier of who sent it.
        submitter: the name of who sent it, as it is today.
        verdict: ``conforms`` or ``fails``.
        layers: the checks that ran.
        profiles: what it was held against.
        software: what accepted it.
        note: what the submitter said about it; may be empty.
        state: ``current``, ``superseded``, ``withdrawn`` or ``erased``.
        token: identifier of the token with which it was sent: two tokens may speak for one name. Empty for the local
            owner, and for versions of before it was recorded.
        possible: whether it is valid by PROV-CONSTRAINTS; None where that was not asked, or not recorded yet.
        warnings: how many warnings its report has; None where that was not recorded yet.
        ended: when it was withdrawn or erased, xsd:dateTime in UTC; empty where neither.
        ended_by: the name of who did that, as it is today; may be empty.
        reason: why; may be empty.
        set_aside: the views that could not take it, so that what they answer leaves it out; ``every view`` where its
            content cannot be read again.
        withdrawn: whether a withdrawal of the document covers it, which is one that came after it. Then only those who
            may change the project read it, whatever versions come later.
        internal_reason: the reason that is not published, for those who may change the project; otherwise empty.
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

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        lists = {"layers": list(self.layers), "profiles": list(self.profiles), "set_aside": list(self.set_aside)}
        return {**asdict(self), **lists}


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document in a list.

    Attributes:
        project: the project.
        name: the document.
        title: for people: a label the document gives itself, or its name.
        current: its newest version.
        versions: how many there are.
        withdrawn: whether it has been withdrawn.
        reason: why it was withdrawn; may be empty.
        withdrawn_at: when, or empty.
        internal_reason: the reason that is not published, for those who may change the project; otherwise empty.
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
        """As JSON holds it."""
        return {**asdict(self), "current": self.current.to_dict()}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a submitter gets: stored for good, under which name and digest, and what the checks said.

    Attributes:
        version: the version that holds the bytes.
        created: False where these bytes were the current version already.
        indexed: whether queries of this process see it already.
        entry: SHA-256 of the ledger entry.
        report: what the checks said.
    """

    version: VersionInfo
    created: bool
    indexed: bool
    entry: str
    report: Report = field(compare=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            **self.version.to_dict(),
            "created": self.created,
            "indexed": self.indexed,
            "entry": self.entry,
            "unmapped": sum(number for _, number in self.report.unmapped),
            "report": self.report.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Check:
    """What ``fsck`` found.

    Attributes:
        entries: how many ledger entries were read.
        blobs: how many blobs were read.
        problems: what is wrong, one sentence each; empty for a sound data directory.
        notes: what is unusual but harmless.
    """

    entries: int
    blobs: int
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"sound": self.sound, **asdict(self), "problems": list(self.problems), "notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class ProfileInfo:
    """A profile that submissions may be held against.

    Attributes:
        name: its name.
        title: for people.
        version: the one in force.
        purpose: one or two sentences.
        constraints: ``gate`` or ``report``: what PROV-CONSTRAINTS do to the verdict.
        extends: names of the profiles whose shapes apply too.
        origin: ``provrepo`` for one that ships, ``*`` for one that every project has, otherwise the project.
        blob: SHA-256 of its content in the ledger; empty for one that ships.
        time: when its version was added, xsd:dateTime in UTC; empty for one that ships.
        versions: all that there were, oldest first.
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
        """As JSON holds it."""
        return {**asdict(self), "extends": list(self.extends), "versions": list(self.versions)}


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a profile would say of the documents that are there.

    Attributes:
        project: whose documents.
        profile: the profile that was tried, as ``name/version``.
        before: the version in force that it would replace; empty where there is none.
        documents: how many were held against it.
        known: how many fail, and fail the version in force too.
        failing: those that would newly fail, each with its report.
    """

    project: str
    profile: str
    before: str
    documents: int
    known: int
    failing: tuple[tuple[VersionInfo, Report], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        failing = [
            {"document": version.name, "version": version.version, "report": report.to_dict()}
            for version, report in self.failing
        ]
        plain = {"project": self.project, "profile": self.profile, "before": self.before}
        return {**plain, "documents": self.documents, "known": self.known, "failing": failing}


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether a thing may be built on.

    Attributes:
        iri: the thing.
        coverage: the share of its lineage that is complete, in percent.
        minimum: what was asked for, in percent.
        things: how many entities and activities the lineage has.
        gaps: what is not complete: IRI and reason.
        untrusted: IRIs of the entities that come from no declared source.
    """

    iri: str
    coverage: float
    minimum: float
    things: int
    gaps: tuple[tuple[str, str], ...] = ()
    untrusted: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Everything comes from declared sources, and enough of it is complete."""
        return not self.untrusted and self.coverage >= self.minimum

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        gaps = [{"thing": thing, "reason": reason} for thing, reason in self.gaps]
        return {"passed": self.passed, **asdict(self), "gaps": gaps, "untrusted": list(self.untrusted)}

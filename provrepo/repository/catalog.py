"""Reading the ledger back: projects, documents and versions as records."""

from __future__ import annotations

import json
import re

from provrepo.checks.findings import Severity
from provrepo.checks.report import Report
from provrepo.errors import Error, NotFound, Withdrawn
from provrepo.ledger.entries import Entry
from provrepo.repository.records import DocumentInfo, ProjectInfo, VersionInfo
from provrepo.repository.store import Store

__all__ = [
    "document_info",
    "find_version",
    "history",
    "judged",
    "one_version",
    "project_info",
    "stored_report",
    "version_info",
]


_ENDED = {"withdraw": "withdrawn", "erase": "erased"}
"""The state of a version after an entry of this kind."""


def project_info(store: Store, project: str) -> ProjectInfo:
    """A project as the ledger has it; the caller has asked whether it may be seen."""
    settings = store.ledger.settings(project)
    return ProjectInfo(
        name=project,
        public=bool(settings.get("public", False)),
        title=str(settings.get("title", "")),
        profiles=tuple(settings.get("profiles", ())),
        documents=store.ledger.count(project),
        entries=store.ledger.length(project),
    )


def version_info(
    store: Store,
    entry: Entry,
    state: str = "current",
    ending: Entry | None = None,
    *,
    withdrawn: bool = False,
    curator: bool = False,
) -> VersionInfo:
    """A submit entry as a record.

    Args:
        store: the data directory.
        entry: the submission.
        state: of the version.
        ending: the entry that withdrew or erased the version, where there is one.
        withdrawn: whether a withdrawal covers the version.
        curator: whether the record is for somebody who may know internal reasons.
    """
    fields = entry.fields
    names = store.accounts.names()
    possible, warnings = judged(store, entry)
    return VersionInfo(
        project=entry.project,
        name=fields["document"],
        version=fields["version"],
        sequence=entry.sequence,
        iri=str(store.minter().version(entry.project, fields["document"], fields["version"])),
        sha256=fields["blob"],
        size=fields["size"],
        format=fields["format"],
        base=fields["base"],
        statements=fields["statements"],
        time=entry.time,
        actor=entry.actor,
        submitter=names.get(entry.actor, entry.actor),
        verdict=fields["verdict"],
        layers=tuple(fields["layers"]),
        profiles=tuple(fields["profiles"]),
        software=entry.software,
        note=fields["note"],
        state=state,
        token=fields.get("token", ""),
        possible=possible,
        warnings=warnings,
        ended="" if ending is None else ending.time,
        ended_by="" if ending is None else names.get(ending.actor, ending.actor),
        reason="" if ending is None else ending.fields["reason"],
        set_aside=store.set_aside.views(entry.project, entry.sequence),
        withdrawn=withdrawn,
        internal_reason=_internal_reason(store, ending, curator),
    )


def _internal_reason(store: Store, ending: Entry | None, curator: bool) -> str:
    """The reason that is not published; empty where there is none, or the record is not for a curator."""
    digest = ending.fields.get("internal", "") if curator and ending is not None else ""
    return store.ledger.confidential(digest) if digest else ""


def judged(store: Store, entry: Entry) -> tuple[bool | None, int | None]:
    """Whether a version is possible, and how many warnings its report has.

    Entries of before these two were recorded have them in their report alone. A list must not read a whole report for
    each of its lines, so only the beginning is read, which has the counts: without warnings there is nothing that
    PROV-CONSTRAINTS found, since what fails is not stored. The rest is read where there are some.

    Returns:
        None for what is not known, because the report is gone.
    """
    fields = entry.fields
    if "warnings" in fields:
        return fields.get("possible"), fields["warnings"]
    try:
        with store.blobs.path(fields["report"]).open("rb") as file:
            counted = _COUNTS.search(file.read(_BEGINNING))
        if counted is not None and not any(map(int, counted.groups())):
            return (True if "constraints" in fields["layers"] else None), 0
        report = Report.from_dict(json.loads(store.blobs.get(fields["report"])))
    except (OSError, ValueError, KeyError, Error):
        return None, None
    return report.possible, report.count(Severity.WARNING)


_BEGINNING = 256
_COUNTS = re.compile(rb'"counts": \{"info": (\d+), "violation": (\d+), "warning": (\d+)\}')
"""As ``submission`` writes a report: its keys are in order, and the counts are among the first."""


def history(store: Store, project: str, document: str, *, curator: bool = False) -> list[VersionInfo]:
    """Every version of a document, oldest first, each with its state, and for a curator with internal reasons.

    Raises:
        NotFound: there has never been one of that name.
    """
    versions = store.ledger.versions(project, document)
    if not versions:
        raise NotFound(f"there is no document {document!r} in project {project!r}")
    endings, covered = store.ledger.endings(project, document), store.ledger.withdrawn_up_to(project, document)
    infos = []
    for entry in versions:
        ending = endings.get(entry.fields["version"])
        state = "current" if entry is versions[-1] else "superseded"
        if ending is not None:
            state = _ENDED[ending.kind]
        hidden = entry.fields["version"] <= covered
        infos.append(version_info(store, entry, state, ending, withdrawn=hidden, curator=curator))
    return infos


def one_version(
    store: Store, project: str, document: str, version: int, *, curator: bool = False
) -> VersionInfo | None:
    """One version, without looking at all the others; None where it was erased, or withdrawn for all but curators."""
    withdrawn = version <= store.ledger.withdrawn_up_to(project, document)
    if withdrawn and not curator:
        return None
    entry, newest = store.ledger.version(project, document, version), store.ledger.current(project, document)
    ending = store.ledger.endings(project, document).get(version)
    if entry is None or newest is None or (ending is not None and ending.kind == "erase"):
        return None
    state = "current" if newest.fields["version"] == version else "superseded"
    state = state if ending is None else _ENDED[ending.kind]
    return version_info(store, entry, state, ending, withdrawn=withdrawn, curator=curator)


def find_version(
    store: Store, project: str, document: str, version: int | None, *, erased: bool = False, curator: bool = False
) -> VersionInfo:
    """One version, the current one where none is named.

    Args:
        store: the data directory.
        project: the project.
        document: the document.
        version: the number of the version; None for the current one.
        erased: whether an erased one is wanted as well.
        curator: whether a numbered version may be one that was withdrawn.

    Raises:
        NotFound: no such document or version.
        Withdrawn: the document was withdrawn, and no version was named or a withdrawal covers it; or the version's
            bytes were erased.
    """
    infos = history(store, project, document, curator=curator)
    last = store.ledger.last(project, document)
    if version is None:
        if infos[-1].state == "withdrawn" and last is not None:
            reason = str(last.fields["reason"])
            raise Withdrawn(f"{document} was withdrawn: {reason}", reason=reason, time=last.time)
        found = infos[-1]
    else:
        match = [info for info in infos if info.version == version]
        if not match:
            raise NotFound(f"{document} has no version {version}; there are 1 to {infos[-1].version}")
        found = match[0]
    if found.withdrawn and not curator:
        # Covered by a withdrawal, though the version may have been replaced before, or the document come again since.
        withdrawal = store.ledger.withdrawal(project, document, found.version)
        reason = "" if withdrawal is None else str(withdrawal.fields["reason"])
        raise Withdrawn(
            f"{document} version {found.version} was withdrawn" + (f": {reason}" if reason else ""),
            reason=reason,
            time="" if withdrawal is None else withdrawal.time,
        )
    if found.state == "erased" and not erased:
        raise Withdrawn(f"the bytes of {document} version {found.version} were erased")
    return found


def document_info(
    store: Store,
    project: str,
    name: str,
    newest: Entry,
    withdrawal: Entry | None,
    erased: set[tuple[str, int]],
    *,
    curator: bool = False,
) -> DocumentInfo:
    """A document in a list: its newest version, and its withdrawal where there is one.

    Args:
        store: the data directory.
        project: the project.
        name: the document.
        newest: the entry of its newest version.
        withdrawal: the entry that withdrew the document.
        erased: the documents and versions of the project whose bytes are gone.
        curator: whether the record is for somebody who may know internal reasons.
    """
    ending, version = withdrawal, newest.fields["version"]
    if (name, version) in erased:
        ending = store.ledger.endings(project, name).get(version, withdrawal)
    state = "current" if ending is None else _ENDED[ending.kind]
    withdrawn = withdrawal is not None
    current = version_info(store, newest, state, ending, withdrawn=withdrawn, curator=curator)
    return DocumentInfo(
        project=project,
        name=name,
        title=str(newest.fields["title"]) or name,
        current=current,
        versions=int(newest.fields["version"]),
        withdrawn=withdrawn,
        reason="" if withdrawal is None else str(withdrawal.fields["reason"]),
        withdrawn_at="" if withdrawal is None else withdrawal.time,
        internal_reason=_internal_reason(store, withdrawal, curator),
    )


def stored_report(store: Store, entry: Entry) -> Report:
    """The report that was made when a version was accepted."""
    return Report.from_dict(json.loads(store.blobs.get(entry.fields["report"])))

"""Reading the ledger back: projects, documents and versions as records."""

from __future__ import annotations

import json
from typing import Any

from provrepo.checks.report import Report
from provrepo.errors import NotFound, Withdrawn
from provrepo.ledger.entries import Entry
from provrepo.repository.records import DocumentInfo, ProjectInfo, VersionInfo
from provrepo.repository.store import Store

__all__ = [
    "document_info",
    "find_version",
    "history",
    "one_version",
    "project_info",
    "project_settings",
    "stored_report",
    "version_info",
]


def project_settings(store: Store, project: str) -> tuple[dict[str, Any], bool]:
    """A project's settings, and whether it exists."""
    return store.ledger.settings(project), store.ledger.length(project) > 0


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


def version_info(store: Store, entry: Entry, state: str = "current") -> VersionInfo:
    """A submit entry as a record."""
    fields = entry.fields
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
        submitter=store.accounts.names().get(entry.actor, entry.actor),
        verdict=fields["verdict"],
        layers=tuple(fields["layers"]),
        profiles=tuple(fields["profiles"]),
        software=entry.software,
        note=fields["note"],
        state=state,
    )


def history(store: Store, project: str, document: str) -> list[VersionInfo]:
    """Every version of a document, oldest first, each with its state.

    Raises:
        NotFound: there has never been one of that name.
    """
    versions = store.ledger.versions(project, document)
    if not versions:
        raise NotFound(f"there is no document {document!r} in project {project!r}")
    last = store.ledger.last(project, document)
    withdrawn = last is not None and last.kind == "withdraw"
    erased = store.ledger.erased(project)
    infos = []
    for entry in versions:
        state = "superseded"
        if (document, entry.fields["version"]) in erased:
            state = "erased"
        elif entry is versions[-1]:
            state = "withdrawn" if withdrawn else "current"
        infos.append(version_info(store, entry, state))
    return infos


def one_version(store: Store, project: str, document: str, version: int) -> VersionInfo | None:
    """One version that has not been erased, whatever came later, without looking at all the others."""
    entry, last = store.ledger.version(project, document, version), store.ledger.last(project, document)
    if entry is None or last is None or (document, version) in store.ledger.erased(project):
        return None
    current = last.fields["version"] == version
    state = "superseded" if not current else "withdrawn" if last.kind == "withdraw" else "current"
    return version_info(store, entry, state)


def find_version(
    store: Store, project: str, document: str, version: int | None, *, erased: bool = False
) -> VersionInfo:
    """One version, the current one where none is named; an erased one only where ``erased`` says so.

    Raises:
        NotFound: no such document or version.
        Withdrawn: the document was withdrawn and no version was named, or the version's bytes were erased.
    """
    infos = history(store, project, document)
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
    if found.state == "erased" and not erased:
        raise Withdrawn(f"the bytes of {document} version {found.version} were erased")
    return found


def document_info(store: Store, project: str, name: str, newest: Entry, withdrawal: Entry | None) -> DocumentInfo:
    """A document in a list: its newest version, and its withdrawal where there is one."""
    current = version_info(store, newest, "current" if withdrawal is None else "withdrawn")
    return DocumentInfo(
        project=project,
        name=name,
        title=str(newest.fields["title"]) or name,
        current=current,
        versions=int(newest.fields["version"]),
        withdrawn=withdrawal is not None,
        reason="" if withdrawal is None else str(withdrawal.fields["reason"]),
        withdrawn_at="" if withdrawal is None else withdrawal.time,
    )


def stored_report(store: Store, entry: Entry) -> Report:
    """The report that was made when a version was accepted."""
    return Report.from_dict(json.loads(store.blobs.get(entry.fields["report"])))

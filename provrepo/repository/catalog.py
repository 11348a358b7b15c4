"""Records of projects, documents and versions, made from ledger entries. The caller has checked access."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from provrepo.checks.findings import Severity
from provrepo.checks.report import Report
from provrepo.errors import Damaged, Error, NotFound, Withdrawn
from provrepo.ledger.entries import Entry
from provrepo.ledger.governance.standing import QUOTAS
from provrepo.repository.exchange.blobs import has_blob, read_blob
from provrepo.repository.exchange.mirroring.records import mirror_info
from provrepo.repository.exchange.names import actor_names
from provrepo.repository.exchange.notices.warnings import of_version as warnings_of
from provrepo.repository.records import DocumentInfo, ProjectInfo, Quota, VersionInfo
from provrepo.repository.store import Store

__all__ = [
    "current_submissions",
    "document_info",
    "find_version",
    "history",
    "one_version",
    "project_info",
    "stored_report",
    "validity",
    "version_info",
]


_ENDED = {"withdraw": "withdrawn", "erase": "erased"}
"""The state of a version after an entry of this kind."""


def project_info(store: Store, project: str, *, curator: bool = False, member: bool = False) -> ProjectInfo:
    """Return the record of a project.

    Args:
        store: the data directory.
        project: its name.
        curator: whether to include the settings about exchange and review.
        member: whether to include its quota; for a curator it is included in any case.
    """
    settings = store.ledger.settings(project)
    mirror = store.ledger.mirror(project)
    more = _exchange_settings(store, settings) if curator and mirror is None else {}
    if mirror is not None:
        # Messages may name addresses and files of this machine.
        found = mirror_info(store, mirror)
        more["mirror"] = found if curator else replace(found, message="")
    with store.ledger.stream(project) as stream:
        embargo = stream.embargo()
    return ProjectInfo(
        name=project,
        public=bool(settings.get("public", False)),
        title=str(settings.get("title", "")),
        profiles=tuple(settings.get("profiles", ())),
        documents=store.ledger.count(project),
        entries=store.ledger.length(project),
        license=str(settings.get("license", "")),
        archived=bool(settings.get("archived", False)),
        embargo=embargo,
        quota=_quota(store, project, settings) if (curator or member) and mirror is None else None,
        **more,
    )


def _quota(store: Store, project: str, settings: Mapping[str, Any]) -> Quota:
    with store.ledger.stream(project) as stream:
        use = stream.use()
    documents, total, daily = (int(settings.get(name) or 0) for name in QUOTAS)
    return Quota(documents, total, daily, use.documents, use.bytes, use.submissions)


def _exchange_settings(store: Store, settings: Mapping[str, Any]) -> dict[str, Any]:
    names = store.accounts.names()
    return {
        "push": tuple(settings.get("push", ())),
        "pushes": str(settings.get("pushes", "as-peer")),
        "reviewed": tuple(names.get(actor, actor) for actor in settings.get("reviewed", ())),
        "review": str(settings.get("review", "nobody")),
        "announce": bool(settings.get("announce", False)),
    }


def version_info(
    store: Store,
    entry: Entry,
    state: str = "current",
    ending: Entry | None = None,
    *,
    withdrawn: bool = False,
    curator: bool = False,
) -> VersionInfo:
    """Return the record of a version.

    Args:
        store: the data directory.
        entry: the submission.
        state: the state of the version.
        ending: the entry that withdrew or erased the version, if any.
        withdrawn: whether a withdrawal covers the version.
        curator: whether to include the internal reason.
    """
    fields = entry.fields
    names = actor_names(store, entry.project)
    possible, warnings = validity(store, entry)
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
        origin=fields["origin"],
        origin_warnings=warnings_of(store, entry),
    )


def _internal_reason(store: Store, ending: Entry | None, curator: bool) -> str:
    """Return the internal reason of a withdrawal or erasure for a curator; empty otherwise."""
    digest = ending.fields.get("internal", "") if curator and ending is not None else ""
    return store.ledger.confidential(digest) if digest else ""


def validity(store: Store, entry: Entry) -> tuple[bool | None, int | None]:
    """Return whether a version is valid by PROV-CONSTRAINTS, and the number of warnings in its report.

    Early entries lack these two fields, which are then read from the report. For speed only the beginning of the
    report is read, which contains the counts. Without findings the version is valid if that layer ran; otherwise the
    whole report is read.

    Returns:
        None for each value that is unknown.
    """
    fields = entry.fields
    if "warnings" in fields:
        return fields.get("possible"), fields["warnings"]
    if not has_blob(store, entry.project, fields["report"]):
        return None, None
    try:
        with store.blobs.path(fields["report"]).open("rb") as file:
            counted = _COUNTS.search(file.read(_BEGINNING))
        if counted is not None and not any(map(int, counted.groups())):
            return (True if "constraints" in fields["layers"] else None), 0
        report = Report.from_dict(json.loads(store.blobs.get(fields["report"])))
    except (OSError, ValueError, KeyError, Error):
        return None, None
    return report.possible, report.count(Severity.WARNING)


_PAGE = 256
"""Documents that are read from the ledger at once."""

_BEGINNING = 256
"""Bytes of a report in which its counts are."""

_COUNTS = re.compile(rb'"counts": \{"info": (\d+), "violation": (\d+), "warning": (\d+)\}')
"""The counts in a report as ``submission.submit`` writes it: its keys are sorted, so that the counts come early."""


def history(store: Store, project: str, document: str, *, curator: bool = False) -> list[VersionInfo]:
    """Return every version of a document, the oldest first, with its state.

    Args:
        store: the data directory.
        project: the project.
        document: the document.
        curator: whether to include internal reasons.

    Raises:
        NotFound: the document never existed.
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
        withdrawn = entry.fields["version"] <= covered
        infos.append(version_info(store, entry, state, ending, withdrawn=withdrawn, curator=curator))
    return infos


def one_version(
    store: Store, project: str, document: str, version: int, *, curator: bool = False
) -> VersionInfo | None:
    """Return one version without reading the others; None if it was erased, or withdrawn unless ``curator``."""
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
    """Return one version.

    Args:
        store: the data directory.
        project: the project.
        document: the document.
        version: the number of the version; None for the current one.
        erased: whether to return an erased version.
        curator: whether to return a withdrawn version, if ``version`` is given.

    Raises:
        NotFound: no such document or version.
        Withdrawn: the current version was withdrawn, or a withdrawal covers the version; or its bytes were erased.
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
    if found.state == "erased" and not erased:
        raise Withdrawn(
            f"the bytes of {document} version {found.version} were erased: {found.reason}",
            reason=found.reason,
            time=found.ended,
            state="erased",
        )
    if found.withdrawn and not curator:
        # The version may have been replaced before the withdrawal, or a later version submitted after it.
        withdrawal = store.ledger.withdrawal(project, document, found.version)
        reason = "" if withdrawal is None else str(withdrawal.fields["reason"])
        raise Withdrawn(
            f"{document} version {found.version} was withdrawn" + (f": {reason}" if reason else ""),
            reason=reason,
            time="" if withdrawal is None else withdrawal.time,
        )
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
    """Return the record of a document.

    Args:
        store: the data directory.
        project: the project.
        name: the document.
        newest: the submission of its newest version.
        withdrawal: a later withdrawal, if any.
        erased: the (document, version) pairs of the project whose bytes were erased.
        curator: whether to include internal reasons.
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


def current_submissions(store: Store, project: str) -> Iterator[Entry]:
    """Yield the newest submission of each document of a project that is neither withdrawn nor erased, by name."""
    erased = store.ledger.erased(project)
    after = ""
    while page := store.ledger.documents(project, after=after, limit=_PAGE):
        for name, newest, withdrawal in page:
            if withdrawal is None and (name, newest.body["version"]) not in erased:
                yield newest
        after = page[-1][0]


def stored_report(store: Store, entry: Entry) -> Report:
    """Return the report that was made when a version was accepted.

    Raises:
        Damaged: it cannot be read, as a report that another repository sent may be.
    """
    data = read_blob(store, entry.project, entry.fields["report"])
    try:
        return Report.from_dict(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Damaged(f"the report of {entry.place} cannot be read: it is not one of this software") from error

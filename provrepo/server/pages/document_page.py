"""The page of one version of a document."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response

from provrepo.checks.findings import Severity
from provrepo.checks.render import SHOWN, groups
from provrepo.checks.report import Report
from provrepo.codecs.formats import WRITABLE, by_name
from provrepo.errors import Busy, NotFound, TimedOut, TooLarge, Withdrawn, WorkerFailed
from provrepo.repository.records import VersionInfo
from provrepo.repository.repository import Repository
from provrepo.repository.statements.changes import Changes
from provrepo.repository.statements.table import Summary
from provrepo.repository.submission import conversion
from provrepo.server.discovery import schema_org
from provrepo.server.documents import citing
from provrepo.server.pages import display, pages, statement_list
from provrepo.server.pages.excerpts import excerpts
from provrepo.words import counted

__all__ = ["document_page"]

ROWS = 25
"""Statements on the page of a document; the page of its statements has all of them, in parts."""

_COMPARED = 64 << 10
"""The most bytes of a version whose changes are on its page. Comparing larger ones takes longer than the rest of it."""

_QUERY = """SELECT ?entity ?activity ?time WHERE {
  ?entity prov:wasGeneratedBy ?activity .
  OPTIONAL { ?activity prov:endedAtTime ?time }
} LIMIT 100"""


@dataclass(frozen=True, slots=True)
class _Unmapped:
    """What no statement stands for, for one reason, with examples as text."""

    reason: str
    number: int
    examples: tuple[str, ...]


def document_page(repo: Repository, info: VersionInfo) -> Response:
    """The page of one version of a document.

    Args:
        repo: the repository of the caller.
        info: the version.
    """
    history = repo.history(info.project, info.name)
    named, of = repo.document(info.project, info.name), repo.project(info.project)
    report = repo.report(info.project, info.name, info.version)
    try:
        part = repo.statements(info.project, info.name, info.version, limit=ROWS)
    except (Busy, TimedOut, WorkerFailed):
        part = None  # the page says so, and the rest of it does not depend on it
    summary = part.found.summary if part else None
    return pages.page(
        "document.html",
        document=named,
        description=schema_org.block(schema_org.document(info, named.title, of)),
        version=info,
        mirror=of.mirror,
        public=of.public,
        may_change=info.state == "current"
        and of.mirror is None
        and not of.archived
        and repo.context.curates(info.project),
        newest=history[-1],
        history=history[::-1],
        report=report,
        total_findings=sum(group.number for group in groups(report)),
        lines=excerpts(report, SHOWN, lambda: repo.original(info.project, info.name, info.version)[0]),
        asked=_asked(info, report),
        summary=summary,
        statements=statement_list.of_page(part) if part else None,
        unmapped=_unmapped(summary) if summary else (),
        changes=_changes(repo, info),
        drawn=info.size <= conversion.LARGE,
        in_words=_in_words(summary) if summary else "",
        cited=citing.citation(info, named.title, of),
        query=_QUERY,
        formats=WRITABLE,
        submitted_as=by_name(info.format),
    )


def _asked(info: VersionInfo, report: Report) -> str:
    violations = report.count(Severity.VIOLATION)
    numbers = [counted(violations, "violation")] if violations else []
    numbers += [counted(info.warnings, "warning")] if info.warnings else []
    asked = f"to {', '.join(info.profiles)}" if info.profiles else "to no profile: none was asked"
    return f"{asked}, with {' and '.join(numbers)}" if numbers else asked


def _in_words(summary: Summary) -> str:
    agents = f" and {counted(summary.agents, 'agent')}" if summary.agents else ""
    return (
        f"Picture of this version: {counted(summary.total, 'statement')} about "
        f"{counted(summary.things, 'thing')}{agents}. Arrows point to the past."
    )


def _unmapped(summary: Summary) -> tuple[_Unmapped, ...]:
    shortener = display.Shortener(dict(summary.prefixes))
    return tuple(
        _Unmapped(group.reason, group.number, tuple(statement_list.unmapped_texts(group, shortener)))
        for group in summary.unmapped
    )


def _changes(repo: Repository, info: VersionInfo) -> Changes | None:
    """What changed from the version before, if both can be read and are small."""
    if info.version == 1 or info.size > _COMPARED:
        return None
    try:
        before = repo.version(info.project, info.name, info.version - 1)
        return repo.diff(info.project, info.name, before.version, info.version) if before.size <= _COMPARED else None
    except (NotFound, Withdrawn, TooLarge):
        return None

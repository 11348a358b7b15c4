"""Metrics of the documents of a project: profiles, coverage of lineage, and both over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from provrepo.ledger.entries import Entry
from provrepo.repository.catalog import current_submissions, stored_report
from provrepo.repository.store import Store

__all__ = ["metrics"]


class _Measured(NamedTuple):
    """One accepted version.

    Attributes:
        entry: its ledger entry.
        coverage: the coverage of its lineage in percent; None if it was not measured.
        clean: whether its report has no finding.
    """

    entry: Entry
    coverage: float | None
    clean: bool


def metrics(store: Store, project: str) -> dict[str, Any]:
    """Return the metrics of a project; see ``Repository.metrics``."""
    erased = store.ledger.erased(project)
    current = [_measured(store, entry) for entry in current_submissions(store, project)]
    months: dict[str, list[_Measured]] = {}
    for entry in store.ledger.entries(project):
        if entry.kind == "submit" and (entry.body["document"], entry.body["version"]) not in erased:
            months.setdefault(entry.time[:7], []).append(_measured(store, entry))
    over_time = [{"month": month, **_summary(months[month])} for month in sorted(months)]
    return {"project": project, **_summary(current), "over_time": over_time}


def _measured(store: Store, entry: Entry) -> _Measured:
    report = stored_report(store, entry)
    return _Measured(entry, report.coverage, not report.findings)


def _summary(versions: Sequence[_Measured]) -> dict[str, Any]:
    total = len(versions)
    labels: dict[str, int] = {}
    for each in versions:
        # An accepted version conforms to all profiles that it was checked against.
        for label in each.entry.body["profiles"]:
            labels[label] = labels.get(label, 0) + 1
    measured = [each.coverage for each in versions if each.coverage is not None]
    return {
        "documents": total,
        "without_findings": sum(each.clean for each in versions),
        "profiles": [
            {"profile": label, "conforming": count, "share": round(100 * count / total, 1)}
            for label, count in sorted(labels.items())
        ],
        "coverage": round(sum(measured) / len(measured), 1) if measured else None,
    }

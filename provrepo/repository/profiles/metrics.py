"""How good the documents of a project are: by profile, by coverage of their lineage, and over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from provrepo.ledger.entries import Entry
from provrepo.repository.catalog import stored_report
from provrepo.repository.store import Store

__all__ = ["metrics"]


class _Judged(NamedTuple):
    """One accepted version.

    Attributes:
        entry: its ledger entry.
        coverage: of its lineage in percent; None where it was not measured.
        clean: whether the checks found nothing at all.
    """

    entry: Entry
    coverage: float | None
    clean: bool


def metrics(store: Store, project: str) -> dict[str, Any]:
    """See ``Repository.metrics``."""
    erased = store.ledger.erased(project)
    current = [
        _judged(store, entry)
        for entry in _current(store, project)
        if (entry.body["document"], entry.body["version"]) not in erased
    ]
    months: dict[str, list[_Judged]] = {}
    for entry in store.ledger.entries(project):
        if entry.kind == "submit" and (entry.body["document"], entry.body["version"]) not in erased:
            months.setdefault(entry.time[:7], []).append(_judged(store, entry))
    over_time = [{"month": month, **_summary(months[month])} for month in sorted(months)]
    return {"project": project, **_summary(current), "over_time": over_time}


def _current(store: Store, project: str) -> Iterator[Entry]:
    after = ""
    while page := store.ledger.documents(project, after=after, limit=256):
        yield from (newest for _, newest, withdrawal in page if withdrawal is None)
        after = page[-1][0]


def _judged(store: Store, entry: Entry) -> _Judged:
    report = stored_report(store, entry)
    return _Judged(entry, report.coverage, not report.findings)


def _summary(judged: Sequence[_Judged]) -> dict[str, Any]:
    total = len(judged)
    labels: dict[str, int] = {}
    for each in judged:
        # What is accepted conforms to all that it was held against.
        for label in each.entry.body["profiles"]:
            labels[label] = labels.get(label, 0) + 1
    measured = [each.coverage for each in judged if each.coverage is not None]
    return {
        "documents": total,
        "without_findings": sum(each.clean for each in judged),
        "profiles": [
            {"profile": label, "conforming": count, "share": round(100 * count / total, 1)}
            for label, count in sorted(labels.items())
        ],
        "coverage": round(sum(measured) / len(measured), 1) if measured else None,
    }

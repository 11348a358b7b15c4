"""Metrics of the documents of projects: profiles, coverage of lineage, and both over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from provrepo.repository.profiles.figures import Sum
from provrepo.repository.store import Store
from provrepo.repository.upkeep.periodic import Periodic

__all__ = ["metrics", "start"]

_SECONDS = 1.0
"""The pause between two times that a server adds the figures of new versions."""


def start(store: Store) -> Periodic:
    """Begin to add the figures of new versions as they come, until the store is closed: readers then have no wait."""
    periodic = Periodic(
        store,
        "counting versions by month",
        lambda: store.figures.catch_up(stop=periodic.stopping),
        seconds=_SECONDS,
        now=True,
    )
    periodic.start()
    return periodic


def metrics(store: Store, projects: Sequence[str], name: str | None) -> dict[str, Any]:
    """Return the metrics of some projects together; see ``Repository.metrics``."""
    store.figures.catch_up(name)
    current, ever = (store.figures.sums(projects, current=only) for only in (True, False))
    months = sorted({each.month for each in ever})
    over_time = [{"month": month, **_summary(each for each in ever if each.month == month)} for month in months]
    return {"project": name, **_summary(current), "over_time": over_time}


def _summary(sums: Iterable[Sum]) -> dict[str, Any]:
    found = list(sums)
    total, measured = sum(each.versions for each in found), sum(each.measured for each in found)
    labels: dict[str, int] = {}
    for each in found:
        # An accepted version conforms to all profiles that it was checked against.
        for label in each.profiles:
            labels[label] = labels.get(label, 0) + each.versions
    return {
        "documents": total,
        "without_findings": sum(each.clean for each in found),
        "profiles": [
            {"profile": label, "conforming": count, "share": round(100 * count / total, 1)}
            for label, count in sorted(labels.items())
        ],
        "coverage": round(sum(each.tenths for each in found) / measured / 10, 1) if measured else None,
    }

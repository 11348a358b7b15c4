"""Recordings: the list of them, and the comparison of two, with drift of what was measured.

They are queries, so that they are methods of a repository here and of one at a distance, with the same results.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from provrepo.errors import NotFound, UsageError
from provrepo.repository.queries.named import Parameter, by_name

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult

__all__ = ["STATUSES", "RunComparison", "RunDifference", "Queryable", "Run", "compare_runs", "resolved", "runs"]

STATUSES = ("completed", "failed", "active")
MEASURED = ("measure", "statistic")
"""The aspects that have drift: results of steps that are numbers, and statistics of tables."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Run:
    """A recording.

    Attributes:
        iri: of its activity.
        label: the name of the session, or what was done.
        status: one of ``STATUSES``; ``active`` also of what was killed. Empty where it has none.
        started: xsd:dateTime.
        ended: xsd:dateTime; None where it did not end.
        who: the name of a responsible person; None where none is known.
        steps: the number of its steps.
        kind: ``program`` or ``by hand``.
    """

    iri: str
    label: str
    status: str
    started: str
    ended: str | None
    who: str | None
    steps: int
    kind: str

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RunDifference:
    """What is not the same in two recordings.

    Attributes:
        aspect: ``parameter``, ``input``, ``code``, ``software``, ``measure`` or ``statistic``.
        step: the label of the step; empty for the recording itself.
        name: of the parameter, file, package or measurement.
        first: the value in the first recording; empty where it has none. Several are separated by commas.
        second: the value in the second one.
        drift: of numbers among ``MEASURED``, |second - first| / |first|; infinite if the first is 0, if one of them has
            none, or if there are several. None for others.
        limit: the limit that the drift is compared with; None where there is none.
    """

    aspect: str
    step: str
    name: str
    first: str
    second: str
    drift: float | None = None
    limit: float | None = None

    @property
    def exceeded(self) -> bool:
        """Whether the drift is larger than its limit."""
        return self.drift is not None and self.limit is not None and self.drift > self.limit

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values, in which an infinite drift is null."""
        finite = self.drift if self.drift is not None and math.isfinite(self.drift) else None
        return {**asdict(self), "drift": finite, "exceeded": self.exceeded}


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The comparison of two recordings.

    Attributes:
        first: the IRI of the first one.
        second: the IRI of the second one.
        differences: by aspect, step and name.
    """

    first: str
    second: str
    differences: tuple[RunDifference, ...]

    @property
    def exceeded(self) -> tuple[RunDifference, ...]:
        """Those whose drift is larger than its limit."""
        return tuple(each for each in self.differences if each.exceeded)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {
            "first": self.first,
            "second": self.second,
            "exceeded": len(self.exceeded),
            "differences": [each.to_dict() for each in self.differences],
        }


class Queryable(Protocol):
    """A repository, here or at a distance."""

    def query(self, query: str, *, project: str | Sequence[str] | None = None) -> QueryResult:
        """The result of a query, as ``Repository.query``."""
        ...


def runs(
    self: Queryable,
    *,
    project: str | Sequence[str] | None = None,
    label: str | None = None,
    status: str | None = None,
    since: str | None = None,
    before: str | None = None,
) -> list[Run]:
    """The recordings in a project, the newest first.

    Args:
        project: one project or several; ``default`` if it is None.
        label: only those with this label.
        status: only those with one of ``STATUSES``.
        since: only those that started at this time (xsd:dateTime) or later.
        before: only those that started before this time.

    Raises:
        UsageError: a time or status is none.
        NotFound, TimedOut, Busy: as ``Repository.query``.
    """
    if status is not None and status not in STATUSES:
        raise UsageError(f"{status!r} is not a status; there are: {', '.join(STATUSES)}")
    wanted = {"label": label, "status": status and status.capitalize(), "since": since, "before": before}
    given = {name: value for name, value in wanted.items() if value}
    found = self.query(by_name("runs").bind(given), project=project)
    return [
        Run(
            iri=row["run"],
            label=row["label"],
            status=row.get("status", "").lower(),
            started=row["started"],
            ended=row.get("ended"),
            who=row.get("who"),
            steps=int(row["steps"]),
            kind=row["kind"],
        )
        for row in _texts(found)
    ]


def resolved(repository: Queryable, name: str, *, project: str | Sequence[str] | None = None) -> str:
    """The IRI of a recording, from its IRI or label.

    Raises:
        NotFound: no recording has this label.
        UsageError: several have it; the message lists their IRIs.
    """
    if _SCHEME.match(name):
        return name
    found = runs(repository, project=project, label=name)
    if not found:
        raise NotFound(f"no recording has the label {name[:200]!r}; `provrepo runs` lists them")
    if len(found) > 1:
        listed = ", ".join(f"{run.iri} (started {run.started})" for run in found[:_LISTED])
        more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        raise UsageError(f"{len(found)} recordings have the label {name[:200]!r}; name one by its IRI: {listed}{more}")
    return found[0].iri


def compare_runs(
    self: Queryable,
    first: str,
    second: str,
    *,
    project: str | Sequence[str] | None = None,
    drift: float | None = None,
    limits: Mapping[str, float] | None = None,
) -> RunComparison:
    """What differs between two recordings: parameters, inputs, code, software, measures and statistics.

    Args:
        first: a recording, by its IRI or label.
        second: another one.
        project: one project or several; ``default`` if it is None.
        drift: the limit of the drift of what was measured, as a share: 0.1 is a tenth.
        limits: limits of measurements, by name, instead of ``drift``.

    Raises:
        NotFound: a recording does not exist.
        UsageError: a label is that of several, an IRI is none, or a limit is negative.
        TimedOut, Busy: as ``Repository.query``.
    """
    for each in (*([] if drift is None else [drift]), *(limits or {}).values()):
        if not 0 <= each < math.inf:
            raise UsageError(f"a limit of drift is a number that is not negative, not {each:g}")
    one, other = (_known(self, name, project) for name in (first, second))
    found = self.query(by_name("compare-runs").bind({"first": one, "second": other}), project=project)
    differences = []
    for row in _texts(found):
        aspect, name, before, after = row["aspect"], row["name"], row.get("in_first", ""), row.get("in_second", "")
        share = _drift(before, after) if aspect in MEASURED else None
        limit = None if share is None else limits[name] if limits and name in limits else drift
        differences.append(RunDifference(aspect, row.get("step", ""), name, before, after, share, limit))
    return RunComparison(one, other, tuple(differences))


def _known(repository: Queryable, name: str, project: str | Sequence[str] | None) -> str:
    """The IRI of a recording that exists."""
    iri = resolved(repository, name, project=project)
    term = Parameter("recording", "iri", "a recording").term(iri)
    if not repository.query(f"ASK {{ {term} a prov:Activity }}", project=project).boolean:
        raise NotFound(f"nothing is known of a recording {iri}; `provrepo runs` lists them")
    return iri


def _drift(first: str, second: str) -> float | None:
    """The drift between two values; None if neither is a number, infinite if they cannot be compared."""
    before, after = _numbers(first), _numbers(second)
    if not before and not after:
        return None
    if len(before) != 1 or len(after) != 1 or before == [0.0]:
        return math.inf
    return abs(after[0] - before[0]) / abs(before[0])


def _numbers(values: str) -> list[float]:
    """The numbers in a list of them; empty for anything else."""
    try:
        found = [float(value) for value in values.split(", ")]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []


def _texts(found: QueryResult) -> list[dict[str, str]]:
    """The rows with their values as text."""
    return [{name: str(value) for name, value in row.items() if value is not None} for row in found.rows]

"""Moments of logical datasets: when versions were written, when a dataset was dropped, when unknown versions were read.

They are what the lineage index resolves unknown reads by (``provrepo.views.lineage.resolution``). They follow from one
document: a run's own statements and times. A document without a ``dcat:Dataset`` has none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from provrepo.model.statements import DERIVATION, GENERATION, INVALIDATION, MEMBERSHIP, SPECIALIZATION, USAGE, Kind
from provrepo.model.unknown_versions import whole

__all__ = ["ENDED", "READ", "WRITTEN", "Moment", "moments"]

READ, WRITTEN, ENDED = range(3)
"""Roles: an unknown version was read; a version was written; the dataset was dropped."""


class Moment(NamedTuple):
    """What happened to a dataset at one time.

    Attributes:
        dataset: the logical dataset.
        part: the column that it is about; empty for the whole.
        role: ``READ``, ``WRITTEN`` or ``ENDED``.
        time: microseconds since 1970 plus one (``provrepo.views.extraction``).
        entity: the version, the read, or the column of one of them.
        graph: 0 for the top level, n for the n-th bundle.
    """

    dataset: str
    part: str
    role: int
    time: int
    entity: str
    graph: int = 0


Timed = Mapping[tuple[str, str], Collection[int]]
"""Pairs of effect and cause of one relation, with their times; 0 for none."""


def moments(
    relations: Mapping[Kind, Timed],
    starts: Mapping[str, Collection[int]],
    ends: Mapping[str, Collection[int]],
    datasets: Collection[str],
    graph: int,
) -> set[Moment]:
    """The moments that one graph states.

    A version is written at the time of its generation, or else at the end of the activity; an unknown version is read
    at the time of its usage, or else at the start of the activity. What has no time with a zone is left out.

    Args:
        relations: of the graph, by kind.
        starts: activity → the times of its start.
        ends: activity → the times of its end.
        datasets: the things with the type ``dcat:Dataset``.
        graph: its number.
    """
    of: dict[str, list[str]] = {}
    for thing, dataset in relations.get(SPECIALIZATION, {}):
        if dataset in datasets:
            of.setdefault(thing, []).append(dataset)
    if not of:
        return set()
    columns: dict[str, list[str]] = {}
    for _, member in relations.get(MEMBERSHIP, {}):
        collection, mark, _ = member.partition("#")
        if mark and collection in of:
            columns.setdefault(collection, []).append(member)
    found: set[Moment] = set()
    for entity, role, times in _events(relations, starts, ends):
        version = entity if entity in of else entity.partition("#")[0]
        about = {entity, version} if role != ENDED else {version}
        for dataset in of.get(version, ()):
            for time in filter(None, times):
                found.update(Moment(dataset, "", role, time, each, graph) for each in about)
                if role != ENDED:
                    found.update(
                        Moment(dataset, column.partition("#")[2], role, time, column, graph)
                        for column in columns.get(version, ())
                    )
    return found


def _events(
    relations: Mapping[Kind, Timed], starts: Mapping[str, Collection[int]], ends: Mapping[str, Collection[int]]
) -> Iterator[tuple[str, int, Iterable[int]]]:
    """Entities with a role, and the times that are stated for it."""
    made_by: dict[str, list[str]] = {}
    for (entity, activity), times in relations.get(GENERATION, {}).items():
        if not whole(entity):
            made_by.setdefault(entity, []).append(activity)
            yield entity, WRITTEN, times if any(times) else ends.get(activity, ())
    for (activity, entity), times in relations.get(USAGE, {}).items():
        if whole(entity):
            yield entity, READ, times if any(times) else starts.get(activity, ())
    for entity, activity in relations.get(INVALIDATION, {}):
        if whole(entity):
            # What a run dropped is what it found, whatever version that was.
            yield entity, READ, starts.get(activity, ())
            yield entity, ENDED, ends.get(activity, ())
    for entity, former in relations.get(DERIVATION, {}):
        if whole(former):
            for activity in made_by.get(entity, ()):
                yield former, READ, starts.get(activity, ())

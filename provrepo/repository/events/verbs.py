"""Events of other tools that a server receives: checked, and stored durably before the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from provrepo.errors import Denied, NotFound, UsageError
from provrepo.importers.json_values import Problem, canonical
from provrepo.importers.masking import without_login
from provrepo.importers.openlineage.events import Dataset, Event, read_event
from provrepo.importers.openlineage.fold import dataset_of, document_of, ends_run
from provrepo.ledger.events import Events, NewEvent
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.people.roles import Right

__all__ = ["EventResult", "receive_events"]

_LARGEST = 32 * 1024 * 1024
"""Bytes of one event in canonical JSON."""


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of one event.

    Attributes:
        index: its number in the request, from 0.
        project: the project in which it is stored; empty if it is not.
        problems: what is unusual in it, or why it is not stored.
    """

    index: int
    project: str
    problems: tuple[Problem, ...] = ()

    @property
    def stored(self) -> bool:
        """Whether it is stored, now or before."""
        return bool(self.project)


def receive_events(context: Context, values: Iterable[Any], *, project: str | None = None) -> list[EventResult]:
    """Store events of OpenLineage. When this returns, they are on disk; documents are made of them later.

    An event that cannot be understood, or whose project the actor may not change, is not stored; the others are.

    Args:
        values: the events as JSON values.
        project: the project; None for that of the event's namespace (the setting ``event_projects``), or else the only
            one that the token may write to.

    Returns:
        A result for each event, in order.

    Raises:
        NotFound: no such project.
        Denied: the actor may not change the project.
        Busy: others kept writing for too long.
        NoSpace: the disk is nearly full; nothing was stored.
    """
    if project is not None:
        context.require_change(project, Right.SUBMIT)
    elif not access.may_submit_somewhere(context.actor):
        raise Denied("events are received with a token that may write to a project")
    choose = _chooser(context, project)
    results: list[EventResult] = []
    new: dict[str, list[NewEvent]] = {}
    size = 0
    for index, value in enumerate(values):
        event, problems = read_event(value)
        if event is None:
            results.append(EventResult(index, "", tuple(problems)))
            continue
        try:
            target = choose(_namespace(event))
        except (Denied, NotFound, UsageError) as error:
            results.append(EventResult(index, "", (Problem("/job/namespace", str(error), fatal=True),)))
            continue
        data = canonical(event.data)
        if len(data) > _LARGEST:
            problem = Problem("", f"the event has {len(data):,} bytes; at most {_LARGEST:,} are stored", fatal=True)
            results.append(EventResult(index, "", (problem,)))
            continue
        size += len(data)
        new.setdefault(target, []).append(NewEvent(document_of(event), event.digest, data, ends_run(event)))
        results.append(EventResult(index, target, tuple(problems)))
    context.store.require_space(size)
    events = Events(context.store.ledger)
    for target, found in new.items():
        events.add(target, found, actor=context.actor.id, token=context.actor.token)
    return results


def _namespace(event: Event) -> Dataset:
    return dataset_of(event.member("job" if event.kind in ("run", "job") else "dataset"))


def _chooser(context: Context, project: str | None) -> Callable[[Dataset], str]:
    """Returns the project of a job or dataset, which the actor may change."""
    if project is not None:
        return lambda _: project
    allowed: set[str] = set()
    patterns = _patterns(context.store.settings.event_projects)
    own = context.actor.projects

    def choose(about: Dataset) -> str:
        found = next((target for pattern, target in patterns if fnmatchcase(about.namespace, pattern)), None)
        if found is None and own is not None and len(own) == 1 and not patterns:
            found = own[0]
        if found is None:
            namespace = without_login(about.namespace)[:200]
            raise UsageError(
                f"the namespace {namespace!r} belongs to no project: set event_projects, use a token for "
                "one project, or send to /projects/NAME/api/v1/lineage"
            )
        if found not in allowed:
            context.require_change(found, Right.SUBMIT)
            allowed.add(found)
        return found

    return choose


def _patterns(text: str) -> list[tuple[str, str]]:
    """The pairs of namespace pattern and project of the setting ``event_projects``, in order."""
    pairs = [item.rpartition("=") for item in text.split()]
    return [(pattern, target) for pattern, _, target in pairs if pattern]

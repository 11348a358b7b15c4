"""Jobs, runs, datasets and events of OpenLineage, as far as an actor may read them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from provrepo.errors import Damaged, NotFound
from provrepo.importers.masking import masked
from provrepo.importers.openlineage.events import events
from provrepo.repository.context import Context
from provrepo.repository.exchange.blobs import read_blob
from provrepo.views.openlineage.index import OpenLineage
from provrepo.views.openlineage.reading import EventRow, Reading

__all__ = ["event_texts", "reading"]

_MOST_BYTES = 32 * 1024 * 1024
"""Bytes of the documents that are read for one page of events; at least one document is read."""


@contextmanager
def reading(context: Context, project: str | None = None) -> Iterator[Reading]:
    """What the current versions say that the actor may read.

    Args:
        context: the data directory and the actor.
        project: only this project.

    Raises:
        NotFound: no such project.
        TimedOut: it took longer than the settings allow the actor.
        Busy: another process holds the views.
    """
    if project is not None:
        context.require_read(project)
    projects = context.readable_projects() if project is None else [project]
    deadline = None if context.actor.owner else time.monotonic() + context.seconds(None)
    with context.store.view(OpenLineage).read(projects, deadline) as found:
        yield found


def event_texts(context: Context, rows: Sequence[EventRow]) -> tuple[list[dict[str, Any]], bool]:
    """The events of a page as they were submitted, without what looks like a secret.

    Args:
        context: the data directory and the actor, who may read the projects of the rows.
        rows: where the events are. Those whose bytes were erased meanwhile are left out.

    Returns:
        The events in the order of the rows; and whether some are left out, because the documents are too large.
    """
    wanted: dict[tuple[str, str, int], set[str]] = {}
    for row in rows:
        wanted.setdefault(row[:3], set()).add(row.digest)
    found: dict[tuple[str, str, int, str], dict[str, Any]] = {}
    size, complete = 0, True
    for (project, document, version), digests in wanted.items():
        entry = context.store.ledger.version(project, document, version)
        if entry is None:
            continue
        if size and size + int(entry.fields["size"]) > _MOST_BYTES:
            complete = False
            break
        size += int(entry.fields["size"])
        try:
            data = read_blob(context.store, project, entry.fields["blob"])
        except (NotFound, Damaged):
            continue
        for digest, event in _events(data, digests):
            found[project, document, version, digest] = masked(event)
    return [found[row] for row in rows if row in found], not complete


def _events(data: bytes, digests: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events with some digests. Those of a received run are its lines, of which the others need not be read."""
    lines = {digest: line for line in data.splitlines() if (digest := sha256(line).hexdigest()) in digests}
    if len(lines) == len(digests):
        yield from ((digest, json.loads(line)) for digest, line in lines.items())
        return
    for event, *_ in events(data):
        if event is not None and event.digest in digests:
            yield event.digest, dict(event.data)

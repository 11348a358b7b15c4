"""The part of ``fsck`` that compares the views with the ledger.

A whole check rebuilds every view in a temporary directory, with the usual code, and compares the two. A sample check
derives some versions again and compares their content in the views.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from provrepo.errors import Busy, Damaged, Error
from provrepo.ledger.entries import Entry
from provrepo.repository.records import PUBLIC
from provrepo.repository.store import Store
from provrepo.repository.submission import content_files
from provrepo.repository.upkeep.follower import Follower
from provrepo.repository.upkeep.mirror_keys import MirrorKeys
from provrepo.repository.upkeep.set_aside import SetAside, is_transient
from provrepo.repository.upkeep.views_lock import ViewsLock
from provrepo.views import sqlite_check
from provrepo.views.extraction import Extraction, discard, extraction_file
from provrepo.views.lineage.index import Lineage
from provrepo.views.openlineage.index import OpenLineage
from provrepo.views.search import Search
from provrepo.views.sparql import check
from provrepo.views.sparql.store import Quads
from provrepo.views.sqlite_view import SqliteView
from provrepo.views.view import Change, View
from provrepo.words import counted

__all__ = ["REBUILD", "check_views"]

REBUILD = "`provrepo rebuild` rebuilds it from the ledger"

_SAMPLE = 16
"""The number of versions that are compared without ``--views``."""

_LARGEST = 4 << 20
"""The most bytes of a version in a sample."""

_ROUNDS = 10
"""Attempts to bring both to the same entry, while other processes append."""

_SHOWN = 20
"""The most problems of one view that are shown."""

_TABULAR: tuple[type[SqliteView], ...] = (Lineage, Search, OpenLineage)
"""The views in SQLite."""

V = TypeVar("V")

Progress = Callable[[str, int], None]


def check_views(store: Store, progress: Progress | None = None, *, whole: bool) -> list[str]:
    """Return one sentence with the remedy for each difference between the views and the ledger.

    Args:
        store: the data directory, whose views this process may open.
        progress: called with each project and the number of entries that were applied again.
        whole: compare everything; otherwise a sample.

    Raises:
        Error: the views cannot be opened, or cannot be rebuilt.
    """
    problems = list(_positions(store))
    if whole:
        problems += _all(store, progress)
    else:
        problems += _some(store)
    return [f"{problem}: {REBUILD}" for problem in dict.fromkeys(problems)]


def _positions(store: Store) -> Iterator[str]:
    """Check that the views have applied every entry."""
    with store.follower.paused() as views:
        for project in store.ledger.projects():
            public = bool(store.ledger.settings(project).get("public"))
            length = store.ledger.length(project)
            for view in views:
                for dataset in [project, PUBLIC] if public and view.MERGES else [project]:
                    try:
                        position = view.position(dataset, project)
                    except Damaged as error:
                        yield str(error)
                        continue
                    if position != length:
                        yield (
                            f"dataset {dataset} of {_name(view)} has applied {position} of "
                            f"{counted(length, 'entry', 'entries')} of {project}"
                        )


def _all(store: Store, progress: Progress | None) -> Iterator[str]:
    with store.scratch() as folder:
        set_aside = SetAside(folder / "set-aside.json")
        rebuilt = Follower(
            store.ledger,
            ViewsLock(folder / "lock"),
            lambda base: store.views_at(folder, base),
            lambda entry, base: content_files.derive(store, entry, folder, store.minter(base)),
            set_aside,
            MirrorKeys(folder / "mirrors.json", store.parts.mirrored),
        )
        try:
            rebuilt.rebuild(progress)
            with store.follower.paused() as views:
                expected = _level(store, rebuilt)
                if dict(set_aside.items()).keys() != dict(store.set_aside.items()).keys():
                    yield "other entries are set aside than by a rebuild"
                for kind in _TABULAR:
                    yield from _limited(_tabular(_of(views, kind), _of(expected, kind)))
                yield from _limited(_quads(_of(views, Quads), _of(expected, Quads)))
        finally:
            rebuilt.close()


def _level(store: Store, rebuilt: Follower) -> Sequence[View]:
    """Return the rebuilt views once they and the stored ones have applied the same entries.

    Raises:
        Busy: other processes keep appending.
        Error: an entry cannot be applied now.
    """
    for _ in range(_ROUNDS):
        position = store.ledger.position()
        store.follower.catch_up()
        with rebuilt.paused() as views:
            if rebuilt.waiting:
                raise Busy(f"the views cannot be derived now: {'; '.join(rebuilt.waiting.values())}")
            if store.ledger.position() == position:
                return views
    raise Busy("other processes kept appending, so that the views could not be compared; try again")


def _tabular(view: SqliteView, expected: SqliteView) -> Iterator[str]:
    name = _name(view)
    problems = [f"{name}: {problem}" for problem in sqlite_check.malformed(view, whole=True)]
    try:
        if isinstance(view, Search):
            view.verify_words()
        problems += [f"{name}: {problem}" for problem in sqlite_check.differing(view, expected)]
    except Damaged as error:
        problems.append(str(error))
    yield from problems


def _quads(view: Quads, expected: Quads) -> Iterator[str]:
    for dataset in sorted({*view.datasets(), *expected.datasets()}):
        problem = check.unreadable(view, dataset)
        if problem:
            yield problem
            continue
        for found in check.differing(view, expected, dataset):
            yield f"dataset {dataset} of quads: {found}"


def _some(store: Store) -> Iterator[str]:
    with store.follower.paused() as views:
        for kind in _TABULAR:
            yield from (f"{kind.__name__.lower()}: {p}" for p in sqlite_check.malformed(_of(views, kind), whole=False))
        sample = _sample(store)
        if not sample:
            return
        with store.scratch() as folder:
            expected = store.views_at(folder, store.base())
            try:
                for number, entry in enumerate(sample, 1):
                    yield from _version(store, views, expected, folder, number, entry)
            finally:
                for view in expected:
                    view.close()


def _sample(store: Store) -> list[Entry]:
    """Return random submissions with small existing bytes, each with the same probability (reservoir sampling)."""
    # Not for cryptography. A new sample in each check finds more damages over time.
    draw, found, number = random.Random(), list[Entry](), 0  # noqa: S311
    for project in store.ledger.projects():
        erased = store.ledger.erased(project)
        for entry in store.ledger.entries(project, every=True):
            if (
                entry.kind != "submit"
                or entry.body["size"] > _LARGEST
                or (entry.body["document"], entry.body["version"]) in erased
                or store.set_aside.reason(project, entry.sequence) is not None
            ):
                continue
            number += 1
            if len(found) < _SAMPLE:
                found.append(entry)
            elif (slot := draw.randrange(number)) < _SAMPLE:
                found[slot] = entry
    return found


def _version(
    store: Store, views: Sequence[View], expected: Sequence[View], folder: Path, number: int, entry: Entry
) -> Iterator[str]:
    """Compare one version in each view that contains it with what is derived from its bytes."""
    project, document = entry.project, entry.body["document"]
    version = (project, document, int(entry.body["version"]))
    named = f"version {version[2]} of {project}/{document}"
    try:
        content = content_files.derive(store, entry, folder, store.minter())
    except Error as error:
        if is_transient(error):
            raise
        yield f"{named} cannot be derived again ({error})"
        return
    if content is None:
        return
    try:
        last = store.ledger.last(project, document)
        current = last is not None and last.sequence == entry.sequence
        for view in views:
            position = view.position(project, project)
            if position < entry.sequence or not (current or view.HISTORY):
                continue
            if isinstance(view, Quads):
                for dataset in [project, PUBLIC] if store.ledger.settings(project).get("public") else [project]:
                    found = check.sample_differs(view, dataset, content)
                    if found:
                        yield f"{named} in dataset {dataset} of quads: {found}"
            elif isinstance(view, SqliteView):
                target = _of(expected, type(view))
                # As the only entry of a new dataset.
                extraction = partial(Extraction.read, extraction_file(content))
                change = Change(project, 1, entry.sha256, entry.fields, store.base(), extraction=extraction)
                target.apply(f"sample-{number}", change)
                found = sqlite_check.version_differs(view, project, target, f"sample-{number}", version)
                if found:
                    yield f"{named} in {_name(view)}: {found}"
    except Damaged as error:
        yield str(error)
    finally:
        discard(content)


def _limited(problems: Iterator[str]) -> Iterator[str]:
    for number, problem in enumerate(problems):
        if number == _SHOWN:
            yield "and more of this kind"
            return
        yield problem


def _of(views: Sequence[View], kind: type[V]) -> V:
    return next(view for view in views if isinstance(view, kind))


def _name(view: View) -> str:
    return type(view).__name__.lower()

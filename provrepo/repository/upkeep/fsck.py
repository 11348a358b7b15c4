"""``fsck``: reads every entry, blob and view again and verifies them."""

from __future__ import annotations

from collections.abc import Callable

from provrepo.errors import Damaged, Error
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.events import Events
from provrepo.ledger.streams import columns
from provrepo.repository.exchange import decisions
from provrepo.repository.exchange.names import absence_text
from provrepo.repository.records import Check
from provrepo.repository.store import Store
from provrepo.repository.upkeep import beside
from provrepo.repository.upkeep.fsck_views import REBUILD, check_views
from provrepo.repository.upkeep.permissions import lax

__all__ = ["fsck"]

_RESTORE = "restore it from a backup"


def fsck(store: Store, progress: Callable[[str, int], None] | None = None, *, views: bool = False) -> Check:
    """Verify the chain of every project, every blob that an entry refers to, and the views.

    Erased bytes must not exist. Blobs without an entry are left by a submission that was killed before its entry was
    appended: a note, not a problem.

    Args:
        store: the data directory.
        progress: called with the name of a part that was read, and the number of its items.
        views: rebuild every view in a temporary directory and compare all of it; otherwise a sample of the versions is
            compared.

    Returns:
        The problems, each with its place and remedy, and the notes.
    """
    problems = [f"{problem}: {_RESTORE}" for problem in store.ledger.verify()]
    problems += store.pingbacks.verify()
    problems += store.exchange.verify()
    problems += [*store.parts.pending.verify(), *decisions.problems(store)]
    events = Events(store.ledger)
    problems += [f"{problem}: {_RESTORE}" for problem in events.verify()]
    notes: list[str] = []
    entries = 0
    needed: set[str] = set()
    erased_blobs: set[str] = set()
    for project in [REPOSITORY, *store.ledger.projects()]:
        erased, absent = store.ledger.erased(project), store.parts.mirroring.absent(project)
        before = entries
        for entry in store.ledger.entries(project, every=True):
            entries += 1
            if entry.kind == "submit" and (entry.body["document"], entry.body["version"]) in erased:
                erased_blobs.add(entry.body["blob"])
                needed |= {entry.body["report"]} - absent.keys()
            elif entry.kind != "erase":
                # As ``Ledger.references`` counts them, for entries of any kind.
                needed.update(blob for blob in columns(entry)[3:] if blob and blob not in absent)
        if absent:
            notes.append(f"{project}, a mirror, lacks {absence_text(absent)}")
        if progress is not None:
            progress(project or "the repository's own settings", entries - before)
    for number, blob in enumerate(sorted(needed), 1):
        problem = _blob(store, blob)
        if problem:
            problems.append(f"{problem}: {_RESTORE}")
        if progress is not None and number % 1000 == 0:
            progress("blobs", number)
    unneeded = {blob for blob in store.blobs.all() if blob not in needed}
    problems += [f"blob {blob} was erased and still exists; erase it again" for blob in sorted(unneeded & erased_blobs)]
    unneeded -= erased_blobs
    if unneeded:
        notes.append(f"{len(unneeded)} blob{'s' if len(unneeded) > 1 else ''} without an entry")
    try:
        # Opening the views, which may be damaged, is part of the check.
        server = beside.holder(store)
        if server is not None:
            problems += server.call_verb("check_views", (views,), {})
        elif store.may_follow():
            problems += check_views(store, progress, whole=views)
        elif store.follows:
            notes.append("another process holds the views, so they were not checked")
        else:
            notes.append("the views were not checked: `provrepo rebuild` rebuilds them from the ledger")
    except Error as error:
        problems.append(f"the views could not be checked: {error}")
    # After the check of the views, which may have applied further entries.
    problems += [f"entry {which} is set aside: {why}" for which, why in store.set_aside.items()]
    unreadable = store.set_aside.unreadable()
    if unreadable:
        problems.append(f"{unreadable}: {REBUILD}")
    notes += [
        f"received events of {project}/{document} are in no document: {why}"
        for project, document, why in events.problems()
    ]
    notes += lax(store.settings.data)
    notes += [
        f"the clock was set back before the entry at position {setback.position}, from {setback.before} to "
        f"{setback.after}: entries are in the order in which they were appended"
        for setback in store.ledger.setbacks()
    ]
    return Check(entries, len(needed), tuple(problems), tuple(notes))


def _blob(store: Store, blob: str) -> str | None:
    if not store.blobs.exists(blob):
        return f"blob {blob} is missing"
    try:
        sound = store.blobs.verify(blob)
    except Damaged as error:
        return str(error)
    return None if sound else f"blob {blob} does not have that digest any more"

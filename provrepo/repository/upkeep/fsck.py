"""``fsck``: reads everything again and compares it with what was written down about it."""

from __future__ import annotations

from collections.abc import Callable

from provrepo.errors import Damaged, Error
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.streams import columns
from provrepo.repository.records import Check
from provrepo.repository.store import Store
from provrepo.repository.upkeep import beside
from provrepo.repository.upkeep.fsck_views import REBUILD, check_views
from provrepo.repository.upkeep.permissions import lax

__all__ = ["fsck"]

_RESTORE = "restore it from a backup"


def fsck(store: Store, progress: Callable[[str, int], None] | None = None, *, views: bool = False) -> Check:
    """Check the chain of every project, every blob that an entry names, and the views.

    Erased bytes are expected to be gone. Blobs that no entry names are what a submission leaves that was killed
    before its entry was appended: a note, not a problem.

    Args:
        store: the data directory.
        progress: called with what was read and how much of it there was.
        views: derive every view anew and compare all of them; without it a sample of the versions is compared.

    Returns:
        What was found. Each problem says what is wrong, where, and what to do.
    """
    problems = [f"{problem}: {_RESTORE}" for problem in store.ledger.verify()]
    problems += store.pingbacks.verify()
    notes: list[str] = []
    entries = 0
    named: set[str] = set()
    gone: set[str] = set()
    for project in [REPOSITORY, *store.ledger.projects()]:
        erased = store.ledger.erased(project)
        before = entries
        for entry in store.ledger.entries(project, every=True):
            entries += 1
            if entry.kind == "submit" and (entry.body["document"], entry.body["version"]) in erased:
                gone.add(entry.body["blob"])
                named.add(entry.body["report"])
            elif entry.kind != "erase":
                # Of whatever kind: what the ledger's references count is needed.
                named.update(blob for blob in columns(entry)[3:] if blob)
        if progress is not None:
            progress(project or "the repository's own settings", entries - before)
    for number, blob in enumerate(sorted(named), 1):
        problem = _blob(store, blob)
        if problem:
            problems.append(f"{problem}: {_RESTORE}")
        if progress is not None and number % 1000 == 0:
            progress("blobs", number)
    stray = {blob for blob in store.blobs.all() if blob not in named}
    problems += [f"blob {blob} was erased and is still there; erase it again" for blob in sorted(stray & gone)]
    stray -= gone
    if stray:
        notes.append(f"{len(stray)} blob{'s' if len(stray) > 1 else ''} that no entry names")
    try:
        # Its first part opens the views, which may be what is damaged.
        server = beside.holder(store)
        if server is not None:
            problems += server.ask("check_views", (views,), {})
        elif store.may_follow():
            problems += check_views(store, progress, whole=views)
        elif store.follows:
            notes.append("the views are held by another process and were not looked at")
        else:
            notes.append("the views were not looked at: `provrepo rebuild` makes them anew from the ledger")
    except Error as error:
        problems.append(f"the views could not be looked at: {error}")
    # After the views, which may have come to further entries. Any process may read what their holder has set aside.
    problems += [f"entry {which} is set aside: {why}" for which, why in store.set_aside.items()]
    unreadable = store.set_aside.unreadable()
    if unreadable:
        problems.append(f"{unreadable}: {REBUILD}")
    notes += lax(store.settings.data)
    notes += [
        f"the clock had been set back by entry {place.position} of all, from {place.before} to {place.after}: entries "
        "are in the order in which they were appended"
        for place in store.ledger.setbacks()
    ]
    return Check(entries, len(named), tuple(problems), tuple(notes))


def _blob(store: Store, blob: str) -> str | None:
    if not store.blobs.exists(blob):
        return f"blob {blob} is missing"
    try:
        sound = store.blobs.verify(blob)
    except Damaged as error:
        return str(error)
    return None if sound else f"blob {blob} does not have that digest any more"

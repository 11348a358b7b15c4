"""Verbs about mirrors: read-only copies of projects of other repositories, which follow their origins."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from provrepo.errors import (
    Busy,
    Conflict,
    Denied,
    Diverged,
    Error,
    NotFound,
    RemoteError,
    TooLarge,
    Unreachable,
    UsageError,
)
from provrepo.ledger.entries import Entry, now
from provrepo.ledger.exchange.mirrors import Mirror
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.exchange.begin import begin_mirror, require_foreign, require_only_public
from provrepo.repository.exchange.import_entries import ALL, BLOBS, fetch_absent, import_entries, require_mirror
from provrepo.repository.exchange.mirroring.http_origin import HttpOrigin, split_url
from provrepo.repository.exchange.mirroring.records import MirrorInfo, mirror_info
from provrepo.repository.exchange.serving import StreamEnd
from provrepo.repository.store import Store
from provrepo.text import quoted
from provrepo.verify.monitoring import Seen, read_checkpoint
from provrepo.verify.receipts import log_of
from provrepo.words import counted

__all__ = ["end_mirror", "locked", "mirror", "mirrors", "pull"]

Progress = Callable[[int, int], None]
"""Called with the number of entries that are here, and the number of entries of the origin."""


def mirror(
    context: Context,
    url: str,
    *,
    name: str | None = None,
    public: bool | None = None,
    blobs: str | None = None,
    most: int | None = None,
    token: str | None = None,
    progress: Progress | None = None,
) -> MirrorInfo:
    """Begin to mirror a project of another repository, and copy it.

    The mirror has the entries of its origin, byte for byte, and is read-only. If it exists, its options are changed,
    and it is brought up to date.

    Args:
        url: the URL of the project, such as ``https://lab.example/projects/crops``.
        name: the name of the mirror here; by default that of the project.
        public: whether anonymous clients may read the mirror, if the project is public there too; by default not.
        blobs: which blobs are copied: ``all`` (the default), ``current`` or ``none``. Entries are always copied.
        most: the size in bytes above which a blob is not copied; 0 for no limit.
        token: for the server; by default that of the peer with its URL, if there is one.
        progress: called with the number of entries that are here, and the number of entries of the origin.

    Raises:
        UsageError: it is not the URL of a project, or an option is wrong.
        Conflict: the name is taken; or it is a project of this repository.
        Denied: only the owner may; or the server refuses the token.
        NotFound: there is no such project there, or the token may not read it.
        RemoteError: the server cannot be reached, or sends what cannot be copied. What was copied before stays.
        NoSpace: the disk is nearly full.
    """
    _check_options(blobs, most)
    _, project = split_url(url)
    chosen = access.name("project", project if name is None else name)
    context.store.make()
    context.require_owner("begins mirrors")
    with _origin(context.store, url, token) as origin:
        described = origin.describe()
        begun = begin_mirror(
            context,
            chosen,
            described,
            url=origin.url,
            public=bool(public),
            blobs=blobs or ALL,
            most=most or None,
        )
        changes: dict[str, object] = {"origin": origin.url, "active": True}
        if public is not None:
            if public:
                require_only_public(context.store, chosen, begun.identity, begun.stream)
            changes["public"] = public
        if blobs is not None:
            changes["blobs"] = blobs
        if most is not None:
            changes["most"] = most or None
        context.store.parts.mirroring.change(chosen, actor=context.actor.id, **changes)
        context.store.index()
        return _pull(context, chosen, origin, progress=progress)


def pull(
    context: Context,
    name: str,
    *,
    missing: bool = False,
    after_reset: bool = False,
    token: str | None = None,
    progress: Progress | None = None,
    abandoned: Callable[[], bool] | None = None,
) -> MirrorInfo:
    """Bring a mirror up to date. If its origin has not changed, that costs one request.

    Args:
        name: the mirror.
        missing: fetch also the blobs that are absent, as far as its options allow.
        after_reset: continue although the origin was restored from a backup, or signs with another key, if it still has
            all entries that are here.
        token: for the server; by default that of the peer with its URL, if there is one.
        progress: called with the number of entries that are here, and the number of entries of the origin.
        abandoned: whether to stop; asked between requests.

    Raises:
        NotFound: there is no such mirror; or the origin no longer has the project, or does not show it.
        Conflict: it has no address, or was ended.
        Denied: only the owner may; or the server refuses the token.
        Diverged: the origin was reset, shortened or forked. Nothing was changed here.
        RemoteError: the server cannot be reached, or sends what cannot be copied. What was copied before stays.
        Busy: another process is pulling it.
        NoSpace: the disk is nearly full.
    """
    context.require_owner("pulls")
    found = require_mirror(context.store, name)
    if not found.origin:
        raise Conflict(f"mirror {name} came in a package: provrepo mirror URL --name {name} gives it an address")
    if not found.active:
        raise Conflict(f"mirror {name} was ended: provrepo mirror {found.origin} --name {name} begins it again")
    with _origin(context.store, found.origin, token, abandoned) as origin:
        return _pull(context, name, origin, missing=missing, after_reset=after_reset, progress=progress)


def mirrors(context: Context) -> list[MirrorInfo]:
    """Return the mirrors of this repository that the actor may read, by name."""
    readable = set(context.readable_projects()) if not context.actor.owner else None
    found = context.store.ledger.mirrors()
    return [mirror_info(context.store, one) for one in found if readable is None or one.project in readable]


def end_mirror(context: Context, name: str) -> MirrorInfo:
    """Stop following an origin. The mirror stays as it is, read-only.

    Raises:
        NotFound: there is no such mirror.
        Denied: only the owner may.
    """
    context.require_owner("ends mirrors")
    require_mirror(context.store, name)
    ended = context.store.parts.mirroring.change(name, actor=context.actor.id, active=False)
    return mirror_info(context.store, ended)


def _check_options(blobs: str | None, most: int | None) -> None:
    if blobs is not None and blobs not in BLOBS:
        raise UsageError(f"blobs is one of {', '.join(BLOBS)}, not {blobs[:40]!r}")
    if most is not None and most < 0:
        raise UsageError("the largest size of a blob is a number of bytes from 0")


def _origin(store: Store, url: str, token: str | None, abandoned: Callable[[], bool] | None = None) -> HttpOrigin:
    server, _ = split_url(url)
    if token is None:
        peers = [peer for peer in store.peers.list() if peer.url == server and peer.has_token]
        token = store.peers.token(peers[0].name) if peers else ""
    return HttpOrigin(url, token=token, abandoned=abandoned)


def _pull(
    context: Context,
    name: str,
    origin: HttpOrigin,
    *,
    missing: bool = False,
    after_reset: bool = False,
    progress: Progress | None = None,
) -> MirrorInfo:
    mirroring = context.store.parts.mirroring
    with locked(context.store, name):
        tried = now()
        try:
            end = _follow(context, name, origin, missing=missing, after_reset=after_reset, progress=progress)
        except Error as error:
            state = _state(error)
            if state:
                mirroring.change(name, actor="", state=state, message=quoted(str(error)), tried=tried)
            raise
        changed = mirroring.change(
            name,
            actor="",
            state="current",
            message="",
            tried=tried,
            contacted=tried,
            ahead=end.sequence,
            about=end.about,
        )
        return mirror_info(context.store, changed)


def _follow(
    context: Context,
    name: str,
    origin: HttpOrigin,
    *,
    missing: bool,
    after_reset: bool,
    progress: Progress | None,
) -> StreamEnd:
    store = context.store
    found = require_mirror(store, name)
    end = origin.end()
    length, digest = store.ledger.end(name)
    if found.setup and end.setup != found.setup:
        _after_reset(store, found, origin, end, accepted=after_reset)
    if end.about != found.about or end.setup != found.setup:
        found = _learn(context, found, origin)
    kept = store.parts.log.kept(name)
    if end.sequence < length:
        raise Diverged(
            f"{origin.url} has {counted(end.sequence, 'entry', 'entries')}, and {length:,} were mirrored from it: "
            f"it was shortened. {_remedy(found)}",
            state="shortened",
            evidence=_evidence(store, found, origin),
        )
    if end.sequence == length and end.sha256 != digest:
        raise _forked(store, found, origin, length)
    present: Seen | None = None
    if end.sequence > length or (kept is not None and kept.checkpoint.size < length):
        present = _checkpoint(origin, kept, new_key=after_reset)
    if end.sequence > length:
        step = None if progress is None else lambda sequence: progress(sequence, end.sequence)
        try:
            import_entries(context, name, origin.entries(length, end.sequence), origin, progress=step)
        except Diverged as error:
            here, _ = store.ledger.end(name)
            raise (_forked(store, found, origin, here) if here else error) from error
    if present is not None:
        _keep(store, found, origin, present)
    if missing:
        fetch_absent(context, name, origin)
    return end


def _checkpoint(origin: HttpOrigin, kept: Seen | None, *, new_key: bool) -> Seen | None:
    """Return the signed checkpoint of an origin; None if it has none.

    Args:
        origin: the origin.
        kept: the last one, whose keys have to sign this one.
        new_key: accept another key, since the operator has said that the origin was set up anew.

    Raises:
        Diverged: another key signed it.
    """
    given = origin.log()
    if given is None:
        return None
    return read_checkpoint(None if new_key else kept, given.checkpoint, given.keys)


def _keep(store: Store, found: Mirror, origin: HttpOrigin, present: Seen) -> None:
    """Verify a checkpoint against all entries that are here, and keep it.

    The entries are those of the last checkpoint, too, since it was compared with the same tree, which only grows.

    Raises:
        Diverged: the origin has signed other entries than it has sent.
    """
    log, stated = store.parts.log, present.checkpoint
    length = store.ledger.length(found.project)
    if log_of(stated.origin) != (found.identity, found.stream):
        raise Diverged(f"{origin.url} sent the checkpoint of {stated.origin}. {_remedy(found)}", state="reset")
    if stated.size > length:
        return  # it grew after its end was asked for; the next pull verifies it
    if log.root(found.project, stated.size) != stated.root:
        raise Diverged(
            f"{origin.url} has signed other entries than it has sent, among the first {stated.size:,}. "
            f"{_remedy(found)}",
            evidence=_notes(log.kept(found.project), present),
        )
    log.keep(found.project, present)


def _evidence(store: Store, found: Mirror, origin: HttpOrigin) -> tuple[str, ...]:
    """Return the last signed checkpoint that was verified, and the one of now, if there are such."""
    kept = store.parts.log.kept(found.project)
    try:
        return _notes(kept, _checkpoint(origin, kept, new_key=True))
    except Error:
        return _notes(kept, None)


def _notes(*seen: Seen | None) -> tuple[str, ...]:
    return tuple(str(each.note) for each in seen if each is not None)


def _learn(context: Context, found: Mirror, origin: HttpOrigin) -> Mirror:
    """Store what the origin says of itself, such as its base IRI and the names of actors."""
    store = context.store
    described = origin.describe()
    if (described.identity, described.project) != (found.identity, found.stream):
        raise Diverged(
            f"{origin.url} is project {described.project} of the repository {described.identity} now, and "
            f"{found.stream} of {found.identity} was mirrored from there. {_remedy(found)}",
            state="reset",
        )
    require_foreign(store, described)
    store.parts.mirroring.rename(described.identity, described.actors)
    changed = store.parts.mirroring.change(
        found.project,
        actor="",
        setup=described.setup,
        base=described.base,
        former=described.former,
        before=described.before,
    )
    store.index()
    return changed


def _after_reset(store: Store, found: Mirror, origin: HttpOrigin, end: StreamEnd, *, accepted: bool) -> None:
    """Refuse an origin with another set-up identifier, unless it has all entries that are here and that is accepted."""
    length, digest = store.ledger.end(found.project)
    if end.sequence < length:
        raise Diverged(
            f"{origin.url} was restored from a backup or set up anew: it has "
            f"{counted(end.sequence, 'entry', 'entries')}, and {length:,} were mirrored from it. {_remedy(found)}",
            state="shortened",
        )
    if length and _digest_there(origin, length) != digest:
        raise _forked(store, found, origin, length, restored=True)
    if not accepted:
        raise Diverged(
            f"{origin.url} was restored from a backup or set up anew (its set-up identifier was {found.setup} and is "
            f"{end.setup}). It has all entries that are here ({length:,}): to go on, use provrepo pull {found.project} "
            "--after-reset",
            state="reset",
        )


def _forked(store: Store, found: Mirror, origin: HttpOrigin, length: int, *, restored: bool = False) -> Diverged:
    """Return the error for an origin whose entries are others than those that are here; finds the first of them."""
    same, differs = 0, length
    while differs - same > 1:
        middle = (same + differs) // 2
        with store.ledger.stream(found.project) as stream:
            here = stream.digest(middle)
        if _digest_there(origin, middle) == here:
            same = middle
        else:
            differs = middle
    why = (
        f"it was restored from a backup or set up anew, and lacks what came before that from entry {differs} on"
        if restored
        else "its history was rewritten, or is that of another copy of the repository"
    )
    return Diverged(
        f"{origin.url} has another entry {differs} than the one that was mirrored: {why}. {_remedy(found)}",
        state="forked",
        evidence=_evidence(store, found, origin),
    )


def _digest_there(origin: HttpOrigin, sequence: int) -> str:
    (data,) = origin.entries(sequence - 1, sequence)
    try:
        return Entry.from_bytes(data, strict=False).sha256
    except Error as error:
        raise RemoteError(f"{origin.url} sent as entry {sequence} what is none: {quoted(str(error))}") from error


def _remedy(found: Mirror) -> str:
    return (
        "Nothing was changed here. Ask its operator; to follow it as it is now, mirror it under another name: "
        f"provrepo mirror {found.origin} --name OTHER. {found.project} stays as it is"
    )


def _state(error: Error) -> str:
    """Return the state of a mirror after an error; empty if the error says nothing about it."""
    if isinstance(error, Diverged):
        return error.state
    if isinstance(error, Unreachable):
        return "unreachable"
    if isinstance(error, Denied | NotFound):
        return "refused"
    if isinstance(error, RemoteError | TooLarge):
        return "invalid"
    return "" if isinstance(error, Busy) else "failed"


@contextmanager
def locked(store: Store, name: str) -> Iterator[None]:
    """Lock a mirror against pulls of other processes and threads, which would receive the same blobs."""
    file = store.blobs.partial(".locks") / name
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(f"another process is pulling or unpacking {name}; try again later") from None
        yield
    finally:
        os.close(descriptor)

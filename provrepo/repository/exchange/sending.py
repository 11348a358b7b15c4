"""Sending versions to peers, and asking what became of them.

A peer may be down, slow or hostile. Each request has a deadline and a limit of size, follows no redirect and goes to
the URL of the peer. Every failure is recorded with the push and the peer, and tried again later, at growing intervals.
Peers are worked off by one thread each, so that none delays another. Delivering a version twice is harmless: the peer
knows it by the digest of its entry.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from provrepo.checks.report import Report
from provrepo.errors import (
    Busy,
    Conflict,
    Denied,
    Error,
    NotFound,
    ReadError,
    Refused,
    RemoteError,
    TooLarge,
    UsageError,
)
from provrepo.ledger.entries import Entry, timestamp
from provrepo.ledger.exchange.peers import Peer
from provrepo.ledger.exchange.pushes import Push
from provrepo.repository.exchange import messages
from provrepo.repository.store import Store
from provrepo.text import quoted

if TYPE_CHECKING:
    from provrepo.http_client import Answer, HttpClient

__all__ = ["GIVE_UP", "attempt", "work_off"]

log = logging.getLogger("provrepo.repository.exchange.sending")

GIVE_UP = timedelta(days=30)
"""The time after which a version that could not be delivered is given up."""

LONGEST_PAUSE = 6 * 3600.0
"""The longest pause between two attempts in seconds, unless the peer asks for a longer one."""

LONGEST_ASKED = 24 * 3600.0
"""The longest pause in seconds that a peer can ask for."""

_FOREVER = "9999"
_TIMEOUT, _DEADLINE = 30.0, 300.0
_ANSWER = 1 << 20
_AT_ONCE = 100
"""The most pushes to one peer in one round."""

_PERMANENT = (ReadError, Refused, TooLarge, UsageError, Conflict)
"""Errors of a peer that another attempt with the same bytes would meet again."""

_STATES = {"waiting": "pending", "accepted": "accepted", "rejected": "rejected", "expired": "expired"}
"""The state of a document there → that of the push."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}|")
_LONGEST_TEXT = 10_000


def work_off(store: Store, *, everything: bool = False, stop: Callable[[], bool] = lambda: False) -> int:
    """Attempt all pushes that are due, with one thread for each peer.

    Args:
        store: the data directory.
        everything: attempt also what is not due yet.
        stop: returns whether to stop before the next attempt.

    Returns:
        The number of pushes that were due.
    """
    due = store.parts.pushes.due(_FOREVER if everything else _at(0), _AT_ONCE)
    threads = [
        threading.Thread(target=_to_peer, args=(store, peer, pushes, stop), name=f"push to {peer}", daemon=True)
        for peer, pushes in due.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive() and not stop():
            thread.join(0.2)
    return sum(map(len, due.values()))


def attempt(store: Store, push: Push) -> Push:
    """Attempt one push, whether it is due or not, and return it as it is afterwards. Failures are recorded with it."""
    _to_peer(store, push.peer, [push], lambda: False)
    return store.parts.pushes.get(push.id)


def _to_peer(store: Store, name: str, pushes: list[Push], stop: Callable[[], bool]) -> None:
    """Attempt pushes to one peer until a failure that concerns the others as well."""
    trouble = f"pushes to {name} could not be worked off"
    try:
        peer = store.peers.find(name)
        if peer is None:
            for push in pushes:
                _failed(store, push, f"there is no peer {name!r} any more")
            return
        from provrepo.http_client import HttpClient  # loads httpx

        with HttpClient(
            peer.url,
            token=store.peers.token(name),
            timeout=_TIMEOUT,
            deadline=_DEADLINE,
            attempts=1,
            report=Report.from_dict,
        ) as client:
            for push in pushes:
                if stop() or not _one(store, peer, client, push):
                    return
        store.parts.troubles.works(log, trouble)
    except Exception as error:  # noqa: BLE001 (one peer must not end the thread of the others)
        if not stop():
            store.parts.troubles.failed(log, trouble, str(error) or type(error).__name__)


def _one(store: Store, peer: Peer, client: HttpClient, push: Push) -> bool:
    """Attempt one push; return whether further pushes to the same peer may be attempted now."""
    if push.state == "queued" and _age(push.created) > GIVE_UP:
        store.parts.pushes.change(push.id, state="given-up", failure=push.failure)
        return True
    try:
        entry = _entry(store, push)
        if entry is None:
            return True
        answer = _deliver(store, client, push, entry) if push.state == "queued" else _ask(client, push)
        _told(store, peer, push, entry, answer)
    except _PERMANENT as error:
        if push.state == "queued":
            store.parts.pushes.change(push.id, state="refused", failure=_text(error))
            store.peers.contacted(peer.name)
        else:
            _failed(store, push, _text(error))
    except NotFound as error:
        if push.state == "queued":
            _failed(store, push, f"{peer.name} has no such project, or does not take documents for it: {_text(error)}")
        else:
            # It was restored from a backup, or has deleted its record: the version is delivered again.
            failure = f"{peer.name} does not know it any more, so it is sent again"
            store.parts.pushes.change(push.id, state="queued", due=_at(_pause(store, 7)), failure=failure)
    except Error as error:
        until = _failed(store, push, _text(error), error)
        if isinstance(error, RemoteError | Denied | Busy):
            store.peers.failed(peer.name, _text(error))
            store.parts.pushes.postpone(peer.name, until)
            return False
    return True


def _entry(store: Store, push: Push) -> Entry | None:
    """Return the submission that is pushed; None after the push was cancelled, since it must not be sent any more."""
    entry = store.ledger.version(push.project, push.document, push.version)
    if entry is None or entry.sha256 != push.entry:
        store.parts.pushes.change(push.id, state="cancelled", failure="the version is not in the ledger here")
        return None
    if push.state == "queued":
        gone = push.version <= store.ledger.withdrawn_up_to(push.project, push.document)
        if gone or (push.document, push.version) in store.ledger.erased(push.project):
            store.parts.pushes.change(
                push.id, state="cancelled", failure="it was withdrawn or erased here before it was sent"
            )
            return None
    return entry


def _deliver(store: Store, client: HttpClient, push: Push, entry: Entry) -> Answer:
    with store.ledger.stream(push.project) as stream:
        head = stream.head()
    message = messages.compose(
        entry,
        identity=store.ledger.identity().id,
        setup=store.ledger.setup(),
        head=head,
        iri=str(store.minter().version(push.project, push.document, push.version)),
        submitter=store.accounts.names().get(entry.actor, ""),
        license=str(store.ledger.settings(push.project).get("license", "")),
    )
    boundary, body = _multipart(message, store.blobs.get(entry.body["blob"]))
    return client.post(
        ["projects", push.target, "pending"],
        body,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": "application/json"},
        limit=_ANSWER,
    )


def _ask(client: HttpClient, push: Push) -> Answer:
    return client.get(
        ["projects", push.target, "pending", push.pending], headers={"Accept": "application/json"}, limit=_ANSWER
    )


def _multipart(message: bytes, document: bytes) -> tuple[str, bytes]:
    """Return the boundary and the body of a form with both parts (RFC 7578)."""
    while True:
        boundary = secrets.token_hex(16)
        if boundary.encode() not in message and boundary.encode() not in document:
            break
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{{}}"; filename="{{}}"\r\nContent-Type: {{}}\r\n\r\n'
    parts = [
        *(head.format("push", "push.json", "application/json").encode(), message, b"\r\n"),
        *(head.format("document", "document", "application/octet-stream").encode(), document, b"\r\n"),
    ]
    return boundary, b"".join([*parts, f"--{boundary}--\r\n".encode()])


def _told(store: Store, peer: Peer, push: Push, entry: Entry, answer: Answer) -> None:
    """Record what a peer answered about a version.

    Raises:
        RemoteError: the answer is not one of a provrepo server, or is about something else.
    """
    found = _checked(answer, peer, entry)
    state = _STATES[found["state"]]
    there = {
        "name": found["document"],
        "version": found["version"],
        "iri": found["iri"],
        "reason": found["reason"],
        "entry": {"pending": found["entry"], "accepted": found["accepted"]}.get(state, found["review"]),
    }
    _record(store, push, entry, state, there["entry"])
    values: dict[str, Any] = {"failure": "", "pending": found["id"], "there": there}
    if state != push.state:
        values |= {"state": state, "due": _at(store.settings.exchange_seconds or 1.0)}
    else:
        # The longer it has waited, the more rarely it is asked for.
        pause = max(_pause(store, 1), _age(push.changed).total_seconds() / 10)
        values |= {"attempts": push.attempts + 1, "due": _at(min(pause, LONGEST_PAUSE))}
    store.parts.pushes.change(push.id, **values)
    store.peers.contacted(peer.name, identity=found["identity"], setup=found["setup"])


def _checked(answer: Answer, peer: Peer, entry: Entry) -> Mapping[str, Any]:
    """Return the members of an answer after checking them."""
    found = answer.json()
    texts = ("id", "state", "sha256", "document", "iri", "reason", "entry", "review", "accepted", "identity", "setup")
    if not isinstance(found, dict) or not all(
        isinstance(found.get(name), str) and len(found[name]) <= _LONGEST_TEXT for name in texts
    ):
        raise RemoteError(f"{answer.where} did not answer as a provrepo server would", status=answer.status)
    version = found.get("version")
    sound = (
        _ID.fullmatch(found["id"])
        and found["state"] in _STATES
        and all(_SHA256.fullmatch(found[name]) for name in ("entry", "review", "accepted"))
        and (version is None or (type(version) is int and 0 < version < 1 << 53))
        and (found["state"] != "accepted" or (version is not None and found["accepted"]))
    )
    if not sound:
        raise RemoteError(f"{answer.where} gave an answer that contradicts itself", status=answer.status)
    if found["sha256"] != entry.body["blob"]:
        raise RemoteError(f"{answer.where} answered about other bytes than those that were sent", status=answer.status)
    if peer.identity and found["identity"] != peer.identity:
        raise RemoteError(
            f"{answer.where} says that it is the repository {found['identity'][:60]}, and {peer.name} is "
            f"{peer.identity}; if it is the right one: provrepo peers set {peer.name} --identity UUID",
            status=answer.status,
        )
    return found


def _record(store: Store, push: Push, entry: Entry, state: str, there: str) -> None:
    """Append the entry about the state of a version at a peer, unless it is there already."""
    body = {
        "document": push.document,
        "version": push.version,
        "blob": entry.body["blob"],
        "direction": "sent",
        "peer": push.peer,
        "entry": there,
        "state": state,
    }
    with store.ledger.appending(push.project) as appending:
        known = appending.exchanges(push.document)
        if not any(all(other.body[name] == body[name] for name in body) for other in known):
            appending.append("exchange", body, actor="")


def _failed(store: Store, push: Push, failure: str, error: Error | None = None) -> str:
    """Record a failed attempt; return the time of the next one."""
    pause = _pause(store, push.attempts)
    if isinstance(error, Busy):
        pause = max(pause, min(error.retry_after, LONGEST_ASKED))
    until = _at(pause)
    store.parts.pushes.change(push.id, attempts=push.attempts + 1, due=until, failure=failure)
    return until


def _pause(store: Store, attempts: int) -> float:
    """Return the seconds before the next attempt: they double with each one."""
    return float(min((store.settings.exchange_seconds or 30.0) * 2 ** min(attempts, 20), LONGEST_PAUSE))


def _at(seconds: float) -> str:
    return timestamp(datetime.now(UTC) + timedelta(seconds=seconds))


def _age(time: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(time)


def _text(error: Error) -> str:
    return quoted(str(error)) or type(error).__name__

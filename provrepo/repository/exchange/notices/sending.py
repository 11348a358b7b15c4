"""Sending the notices of the outbox: in order for each receiver, with pauses after failures, and acknowledged or not.

Only the URLs of peers and the addresses that the operator named are contacted. A failure of one receiver does not delay
the others.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from provrepo.errors import Error, NotFound, ReadError, RemoteError, TooLarge, UsageError
from provrepo.repository.exchange.notices import recording, tables
from provrepo.repository.exchange.notices.announcing import announce_all
from provrepo.repository.exchange.notices.asking import ask_peers
from provrepo.repository.exchange.notices.deriving import announce_new
from provrepo.repository.exchange.notices.payload import MEDIA_TYPE
from provrepo.repository.exchange.webhooks import announcing as webhooks
from provrepo.repository.exchange.webhooks import delivering

if TYPE_CHECKING:
    from provrepo.ledger.exchange.outgoing_notices import SentNotice
    from provrepo.repository.store import Store

_log = logging.getLogger(__name__)

__all__ = ["ASK_AGAIN", "Sending", "send_all", "send_due"]

ASK_AGAIN = (86_400.0, 3 * 86_400.0, 7 * 86_400.0)
"""Seconds after which a notice without acknowledgment is sent again: a day, three days, a week; then no more."""

_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 6 * 3600.0
"""Seconds until the second attempt; the pause doubles with each further one, up to the longest."""

_MOST_ATTEMPTS = 100
"""Failed attempts after which a notice is given up: about three weeks."""

_SECONDS = 30.0
"""The deadline of one notice in seconds."""

_RECEIVERS = 4
"""Receivers that are contacted at the same time."""

_ROUNDS = 50
_URI_LIST = "text/uri-list"


@dataclass(frozen=True, slots=True)
class Sending:
    """The result of one pass over the outbox.

    Attributes:
        delivered: the number of notices that were delivered.
        failed: the number of attempts that failed.
        waiting: the number of notices that wait for another attempt.
        unacknowledged: the number of delivered notices whose acknowledgment is missing.
        refused: the number of notices that were refused or given up.
    """

    delivered: int
    failed: int
    waiting: int
    unacknowledged: int
    refused: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


def send_all(store: Store, *, at_once: bool = False, again: bool = False) -> Sending:
    """Write the notices about new entries, and send what waits, after other processes have ended sending.

    Args:
        store: the data directory.
        at_once: whether to send also what waits for the end of a pause.
        again: whether to send also what was refused, given up, or not acknowledged.
    """
    with _alone(store, wait=True):
        delivered, failed = _send_all(store, at_once=at_once, again=again)
        return _result(store, delivered, failed)


def send_due(store: Store) -> bool:
    """Write the notices about new entries, and send what is due; return False if another process is sending."""
    with _alone(store, wait=False) as alone:
        if alone:
            _send_all(store, at_once=False, again=False)
    return alone


def _send_all(store: Store, *, at_once: bool, again: bool) -> tuple[int, int]:
    """Send what is due; return how many notices were delivered, and how many attempts failed."""
    announce_all(store)
    if store.may_follow():
        announce_new(store)
    webhooks.announce_all(store)
    recording.record_all(store)
    ask_peers(store)
    outbox = tables.outgoing(store)
    outbox.ask_again(None if again else time.time(), len(ASK_AGAIN) + again)
    if again:
        outbox.try_again()
    delivered = failed = 0
    tried: set[tuple[str, str]] = set()
    for _ in range(_ROUNDS):
        by_target: dict[tuple[str, str], list[SentNotice]] = {}
        for notice in outbox.due(None if at_once else time.time(), without=sorted(tried)):
            by_target.setdefault(notice.target, []).append(notice)
        if not by_target:
            break
        for target, (good, bad) in _at_the_same_time(store, by_target).items():
            delivered, failed = delivered + good, failed + bad
            if bad:
                tried.add(target)
    recording.record_all(store)
    return delivered, failed


def _at_the_same_time(
    store: Store, by_target: dict[tuple[str, str], list[SentNotice]]
) -> dict[tuple[str, str], tuple[int, int]]:
    """Send to several receivers in threads, which do not delay the end of the process; return results by receiver."""
    left = list(by_target.items())
    # A receiver whose thread failed unexpectedly counts as failed.
    results = dict.fromkeys(by_target, (0, 1))

    def work() -> None:
        while True:
            try:
                target, notices = left.pop()
            except IndexError:
                return
            try:
                results[target] = _send(store, notices)
            except Exception:  # noqa: BLE001 (the other receivers get theirs)
                _log.exception("sending notices to %s failed", target[0] or target[1])

    threads = [threading.Thread(target=work, name="notices", daemon=True) for _ in range(min(_RECEIVERS, len(left)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _result(store: Store, delivered: int, failed: int) -> Sending:
    listed = tables.outgoing(store).listed()
    states = [notice.state for notice in listed]
    unacknowledged = sum(notice.state == "delivered" and _acknowledged(notice) for notice in listed)
    refused = states.count("refused") + states.count("given-up")
    return Sending(delivered, failed, states.count("waiting"), unacknowledged, refused)


def _acknowledged(notice: SentNotice) -> bool:
    """Return whether a notice is to be acknowledged: neither an acknowledgment, nor a pingback."""
    return not notice.answers and notice.protocol == "inbox"


def _send(store: Store, notices: list[SentNotice]) -> tuple[int, int]:
    """Send notices to one receiver until one fails; return how many were delivered and how many failed."""
    delivered = 0
    for notice in notices:
        try:
            _deliver(store, notice)
        except Error as error:
            _failed(store, notice, error)
            if notice.webhook or not _is_final(error):
                return delivered, 1
        else:
            delivered += 1
            pause = ASK_AGAIN[min(notice.asked, len(ASK_AGAIN) - 1)]
            tables.outgoing(store).delivered(notice.id, final=not _acknowledged(notice), ask_again=time.time() + pause)
    return delivered, len(notices) - delivered


def _deliver(store: Store, notice: SentNotice) -> None:
    """Send one notice.

    Raises:
        Error: the receiver refused it, or cannot be reached.
    """
    if notice.webhook:
        delivering.deliver(store, notice)
        return
    if notice.peer:
        peer = store.peers.find(notice.peer)
        if peer is None:
            raise UsageError(f"there is no peer {notice.peer!r} any more")
        url, token = f"{peer.url}inbox", store.peers.token(peer.name)
    else:
        url, token = notice.url, ""
    parts = urlsplit(url)
    folder, _, last = parts.path.rpartition("/")
    below = f"{parts.scheme}://{parts.netloc}{folder}/"
    media_type = _URI_LIST if notice.protocol == "pingback" else MEDIA_TYPE
    try:
        from provrepo.http_client import HttpClient  # loads httpx

        with HttpClient(below, token=token, timeout=_SECONDS, deadline=_SECONDS, attempts=1) as client:
            answer = client.post(
                last + (f"?{parts.query}" if parts.query else ""),
                notice.body,
                headers={"Content-Type": media_type},
                limit=1 << 20,
            )
        page = answer.status == 200 and answer.headers.get("content-type", "").startswith("text/html")
        if notice.protocol == "inbox" and page:
            raise RemoteError(
                f"{answer.where} answered with a page, as no inbox does (Linked Data Notifications, section 3.1); "
                "is the address right?"
            )
    except Error as error:
        if notice.peer:
            store.peers.failed(notice.peer, str(error))
        raise
    if notice.peer:
        store.peers.contacted(notice.peer)


def _failed(store: Store, notice: SentNotice, error: Error) -> None:
    attempts = notice.attempts + 1
    due = time.time() + min(_FIRST_PAUSE * 2 ** min(notice.attempts, 20), _LONGEST_PAUSE)
    state = (
        "refused"
        if _is_final(error) and not notice.webhook
        else "given-up"
        if attempts >= _MOST_ATTEMPTS
        else "waiting"
    )
    tables.outgoing(store).failed(notice.id, str(error), state=state, due=due)
    if state == "waiting":
        tables.outgoing(store).postpone(notice.target, due)
    if notice.webhook:
        delivering.failed(store, notice, error)


def _is_final(error: Error) -> bool:
    """Return whether the same notice would be refused again. Rights and addresses may be set right meanwhile."""
    if isinstance(error, RemoteError):
        return error.status in (400, 405, 413, 415, 422)
    return isinstance(error, ReadError | TooLarge | UsageError) and not isinstance(error, NotFound)


@contextmanager
def _alone(store: Store, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of the sender, which ends with the process; yield False if another process holds it."""
    descriptor = os.open(store.settings.data / "notices.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)

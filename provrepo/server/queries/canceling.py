"""Running queries that their callers can cancel: ``DELETE /sparql/running/ID`` for a query sent with ``run=ID``."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Blueprint, Response

from provrepo.errors import NotFound
from provrepo.server.protocol import auth, body
from provrepo.server.protocol.rejections import Rejected

__all__ = ["blueprint", "cancelable"]

blueprint = Blueprint("canceling", __name__)

_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")

_running: dict[tuple[str, str], threading.Event] = {}
"""The identifier of the actor and that of the query → whether it is canceled. Strangers share one actor: for them the
identifier, which their client draws at random, is what nobody else knows."""

_lock = threading.Lock()


@blueprint.delete("/sparql/running/<run>")
def cancel(run: str) -> Response:
    """Cancel a running query of the caller. Its request is answered as one that was stopped."""
    actor = auth.repository().actor
    with _lock:
        found = _running.get((actor.id, run))
    if found is None:
        raise NotFound("you have no running query with this identifier; it may be done")
    found.set()
    return Response(status=204)


@contextmanager
def cancelable() -> Iterator[Callable[[], bool] | None]:
    """While the query of this request runs, it can be canceled by its parameter ``run``.

    Yields:
        A function that returns whether it is canceled or its client is gone; None for a request without ``run``.

    Raises:
        Rejected: 400, the identifier has another form, or is in use.
    """
    given = [value for value in body.fields("cancel_id") if value]
    if not given:
        yield None
        return
    if len(given) > 1 or not _ID.fullmatch(given[0]):
        raise Rejected(
            400, "cancel_id is an identifier of your own: 16 to 64 letters, digits, -, _", parameter="cancel_id"
        )
    key = (auth.repository().actor.id, given[0])
    canceled, disconnected = threading.Event(), auth.client().disconnected
    with _lock:
        if key in _running:
            raise Rejected(400, "a query with this identifier is running already", parameter="cancel_id")
        _running[key] = canceled
    try:
        yield lambda: canceled.is_set() or (disconnected is not None and disconnected())
    finally:
        with _lock:
            _running.pop(key, None)

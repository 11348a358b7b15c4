"""Entries about names and tokens, in the repository's own stream.

The tables ``actors`` and ``tokens`` contain the current state and are changed in place. Each change appends an entry
with the whole row in the same transaction, so the last entry about an actor or token determines its row. A row that was
changed by other means than this software differs from it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Iterator
from typing import Any

from provrepo.ledger.appending import Appending
from provrepo.ledger.entries import REPOSITORY, Entry, named, undamaged

__all__ = ["erased_name", "new_salt", "problems", "record_found", "record_name", "record_token"]

Row = tuple[Any, ...]

_ACTORS = "SELECT id, name, owner, created, salt FROM actors"
_TOKENS = "SELECT id, actor, secret, projects, write, created, expires, revoked, salt, scopes FROM tokens"


def new_salt() -> str:
    """Return a salt for one name: 128 random bits in hexadecimal."""
    return secrets.token_hex(16)


def erased_name(actor: str) -> str:
    """Return the placeholder for the erased name of an actor."""
    return f"erased-{actor[:8]}"


def record_name(connection: sqlite3.Connection, appending: Appending, id: str, *, by: str, found: bool = False) -> None:  # noqa: A002
    """Append an entry with the current row of an actor.

    Args:
        connection: in the transaction that changed the row.
        appending: the repository's own stream in that transaction.
        id: opaque identifier of the actor.
        by: opaque identifier of the actor who changed it; empty for the software itself.
        found: whether the row is older than these entries.
    """
    row = connection.execute(f"{_ACTORS} WHERE id = ?", (id,)).fetchone()
    appending.append("name", {**_name(row), **_found(found)}, actor=by)


def record_token(
    connection: sqlite3.Connection,
    appending: Appending,
    id: str,  # noqa: A002
    *,
    by: str,
    found: bool = False,
) -> None:
    """Append an entry with the current row of a token; arguments as for ``record_name``."""
    row = connection.execute(f"{_TOKENS} WHERE id = ?", (id,)).fetchone()
    appending.append("token", {**_token(row), **_found(found)}, actor=by)


def record_found(connection: sqlite3.Connection, appending: Appending) -> None:
    """Append an entry for each actor and token that is older than these entries."""
    for (actor,) in connection.execute("SELECT id FROM actors ORDER BY id").fetchall():
        record_name(connection, appending, actor, by="", found=True)
    for (token,) in connection.execute("SELECT id FROM tokens ORDER BY created, id").fetchall():
        record_token(connection, appending, token, by="", found=True)


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield one sentence for each row of actors and tokens that differs from its last entry."""
    recorded: dict[tuple[str, str], Entry] = {}
    rows = connection.execute(
        "SELECT data FROM entries WHERE project = ? AND kind IN ('name', 'token') ORDER BY sequence", (REPOSITORY,)
    ).fetchall()
    for entry in undamaged(rows):
        key = entry.body["member"] if entry.kind == "name" else entry.body["id"]
        recorded[entry.kind, key] = entry
    for kind, what, query, body_of in (("name", "actor", _ACTORS, _name), ("token", "token", _TOKENS, _token)):
        stored = {str(row[0]): row for row in connection.execute(query).fetchall()}
        for key in sorted(stored.keys() | {key for of, key in recorded if of == kind}):
            last = recorded.get((kind, key))
            if last is None:
                yield f"{what} {key} was never recorded in {named(REPOSITORY)}: it was added by other means"
            elif key not in stored:
                yield f"{what} {key} is gone: {last.place} recorded it, and none are deleted"
            elif differing := _differing(body_of, stored[key], last):
                yield (
                    f"{what} {key}: {', '.join(differing)} {'is' if len(differing) == 1 else 'are'} not what "
                    f"{last.place} recorded"
                )


def _differing(body_of: Any, row: Row, entry: Entry) -> list[str]:
    """Return the fields in which a row differs from its entry, by their names in messages."""
    try:
        body = body_of(row)
    except (TypeError, ValueError, AttributeError):
        return ["its content"]
    wanted = {name: value for name, value in entry.body.items() if name not in ("found", "ignorable", "token")}
    fields = sorted(name for name in wanted.keys() | body.keys() if body.get(name) != wanted.get(name))
    return [_WORDS.get(name, name) for name in fields]


_WORDS = {"digest": "the name", "member": "the actor", "scopes": "its access", "state": "revoked"}


def _name(row: Row) -> dict[str, Any]:
    id_, name, owner, created, salt = row
    if salt is None:
        # Without a salt the name is the placeholder, or was changed by other means.
        digest = "" if name == erased_name(id_) else "changed"
    else:
        digest = _salted(salt, name)
    return {"member": id_, "digest": digest, "owner": bool(owner), "created": created}


def _token(row: Row) -> dict[str, Any]:
    id_, actor, secret, projects, write, created, expires, revoked, salt, scopes = row
    access = ["read", "write"] if write else ["read"]
    return {
        "id": id_,
        "member": actor,
        "state": "granted" if revoked is None else "revoked",
        "scopes": access if scopes is None else ["role", *json.loads(scopes)],
        "expires": expires,
        "projects": "" if projects is None else _salted(salt, projects),
        "created": created,
        "revoked": revoked,
        "secret": secret,
    }


def _salted(salt: str, text: str) -> str:
    return hmac.new(bytes.fromhex(salt), text.encode(), hashlib.sha256).hexdigest()


def _found(found: bool) -> dict[str, bool]:
    return {"found": True} if found else {}

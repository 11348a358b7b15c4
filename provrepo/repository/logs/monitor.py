"""Monitoring the log of a project of another repository without copying it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from provrepo.errors import Diverged, ReadError, RemoteError
from provrepo.ledger.entries import now
from provrepo.ledger.storage import durable
from provrepo.repository.exchange.mirroring.http_origin import HttpOrigin
from provrepo.verify.monitoring import Seen, follow, read_checkpoint
from provrepo.verify.notes import VerifierKey, parse_note

__all__ = ["Monitored", "monitor", "state_file"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Monitored:
    """The result of looking at a log.

    Attributes:
        url: the URL of the project.
        state: ``new`` at the first contact, ``grown``, ``unchanged``, or ``restored``: from a backup, without losing an
            entry that was signed before.
        origin: the name of the log.
        size: the number of entries that its checkpoint covers.
        former: the number of entries at the last contact; 0 at the first.
        seen: the time of the last contact; empty at the first.
        keys: the keys that sign.
        file: the file with the checkpoint.
    """

    url: str
    state: str
    origin: str
    size: int
    former: int
    seen: str
    keys: tuple[str, ...]
    file: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self), "keys": list(self.keys)}


def state_file(folder: Path, url: str) -> Path:
    """Return the file with what is known of a log.

    Args:
        folder: the folder of all such files.
        url: the URL of the project.
    """
    return folder / f"{sha256(url.rstrip('/').encode()).hexdigest()[:16]}.json"


def monitor(url: str, file: Path, *, token: str = "", keys: Sequence[VerifierKey] = ()) -> Monitored:
    """Check that the log of a project has only grown since the last contact, and keep its checkpoint.

    A few tiles of the tree are requested, about 8 KB for each of its levels, and no entries.

    Args:
        url: the URL of the project.
        file: the file with the last checkpoint, which is made at the first contact.
        token: for the server.
        keys: those that are trusted; by default those that the server names at the first contact.

    Raises:
        UsageError: it is not the URL of a project.
        ReadError: the file was not written by this function.
        NotFound: there is no such project there, or the token may not read it.
        Diverged: the log has not only grown, or another key signs. Both signed notes are in ``evidence`` and in the
            file, which keeps the former checkpoint.
        RemoteError: the server cannot be reached, or sends what is no log.
    """
    state = _read(file)
    former = _seen(state, file) if state else None
    with HttpOrigin(url, token=token) as origin:
        given = origin.log()
        if given is None:
            raise RemoteError(f"{origin.url} has no signed log; is its version older, or its key missing?")
        try:
            present = read_checkpoint(former, given.checkpoint, given.keys, keys)
            restored = former is not None and follow(former, present, origin.tile)
        except Diverged as error:
            if error.evidence:
                found = {"time": now(), "problem": str(error), "notes": list(error.evidence)}
                _write(file, {**state, "evidence": [*state.get("evidence", []), found]})
            raise
        address = origin.url
    stated = present.checkpoint
    before = former.checkpoint.size if former else 0
    kept = {"format": _FORMAT, "url": address, "checkpoint": str(present.note), "seen": now()}
    _write(file, {**state, **kept, "keys": [key.text for key in present.keys]})
    outcome = "restored" if restored else "grown" if stated.size > before else "unchanged"
    return Monitored(
        address,
        outcome if former else "new",
        stated.origin,
        stated.size,
        before,
        str(state.get("seen", "")),
        tuple(key.text for key in present.keys),
        str(file),
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ReadError(f"{file} cannot be read: {error}") from error
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise ReadError(f"{file} is not a file of `provrepo log monitor`, or of a newer version")
    return found


def _seen(state: dict[str, Any], file: Path) -> Seen:
    try:
        return Seen(parse_note(state["checkpoint"]), tuple(VerifierKey.from_text(key) for key in state["keys"]))
    except (KeyError, TypeError, AttributeError, ReadError) as error:
        raise ReadError(f"{file} was changed: {error}") from error


def _write(file: Path, state: dict[str, Any]) -> None:
    with durable.translated(f"write {file}"):
        durable.make_directory(file.parent, mode=durable.PRIVATE)
        written = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            with written.open("w", encoding="utf-8") as opened:
                json.dump(state, opened, ensure_ascii=False, indent=1)
                opened.flush()
                durable.sync(opened.fileno())
            written.replace(file)
            durable.sync_directory(file.parent)
        finally:
            written.unlink(missing_ok=True)

"""The outbox: the folder of documents of sessions, with recovery of killed sessions and the state of sending.

A file ``*.sent`` beside a document contains the receipt, and ``*.unsent`` the state of one that waits, was refused or
was discarded.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provrepo.capture.failures import contained, warn_once
from provrepo.capture.journal.events import SUFFIX, load, reports_folder, running
from provrepo.settings import load as settings

__all__ = ["Item", "discard", "item", "items", "lock", "postpone", "queue", "recover", "refuse", "sent", "wake"]

SENT, UNSENT = ".sent", ".unsent"
SENDER, SENDING = ".outbox-sender", ".outbox-sending"
"""Lock files: of the one background sender of a folder, and of a sending in progress."""


@dataclass(frozen=True, slots=True)
class Item:
    """One document of an outbox.

    Attributes:
        path: the document; for a session that runs, its future path.
        state: ``waiting``, ``sent``, ``changed`` since it was sent, ``refused``, ``discarded`` or ``running``.
        reason: why it could not be sent, or was refused.
        attempts: the number of attempts.
        after: the earliest time of the next attempt that the server allows, in seconds since the epoch.
        queued: whether a session queued it for the background sender.
    """

    path: Path
    state: str
    reason: str = ""
    attempts: int = 0
    after: float = 0.0
    queued: bool = False

    @property
    def waits(self) -> bool:
        """Whether it is still to be sent."""
        return self.state in ("waiting", "changed")


# Queue and recovery ---------------------------------------------------------------------------------------------------


def queue(document: Path) -> None:
    """Queue the document of a session and start the background sender, if a server is configured."""
    if _enqueued(document):
        wake(document.parent)


def _enqueued(document: Path) -> bool:
    if not settings().send_to:
        return False
    _note(document, UNSENT, {"sha256": _digest(document), "state": "waiting", "queued": True})
    return True


def wake(folder: Path) -> None:
    """Start the background sender of a folder, unless it runs. It continues after the end of this process."""
    import subprocess
    import sys

    from provrepo.settings import REPORT, RUN, for_command

    with lock(folder, SENDER) as free:
        pass
    if not free or not sys.executable:
        return
    words = [sys.executable, "-m", "provrepo", "outbox", "send", "--background", str(folder)]
    # Double fork through a shell, so that the sender is not a child of this process and never its zombie.
    subprocess.run(
        ["/bin/sh", "-c", '"$@" &', "sh", *words], env=for_command(**{RUN: "", REPORT: ""}), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, timeout=5, check=False,
    )  # fmt: skip


def recover(folder: Path) -> list[Path]:
    """Write the documents of killed sessions from their journals, marked incomplete; returns their paths."""
    found = [contained(_recovered)(journal) for journal in sorted(folder.glob("*" + SUFFIX)) if not running(journal)]
    return [path for path in found if path is not None]


def _recovered(journal: Path) -> Path | None:
    from provrepo.capture.files import children, reports
    from provrepo.capture.journal.document import build, save

    path, identity = _document(journal)
    if path.exists():  # a session had the same name
        path = path.with_name(f"{path.stem}-{identity}{path.suffix}")
    document = build([*load(journal), *reports.recovered(journal), *children.recovered(journal)])
    if document is not None:
        save(document, path)
        contained(_enqueued)(path)
    journal.unlink(missing_ok=True)
    reports.remove(reports_folder(journal))
    return path if document is not None else None


def _document(journal: Path) -> tuple[Path, str]:
    """The path of the document of a journal, and the identifier of its session."""
    name, _, identity = journal.name.removesuffix(SUFFIX).rpartition(".")
    return journal.with_name(name), identity


# Contents --------------------------------------------------------------------------------------------------------


def items(folder: Path, *, queued: bool = False) -> Iterator[Item]:
    """The documents of a folder by name, after the recovery of killed sessions.

    Args:
        folder: the outbox; it may be missing.
        queued: only those that sessions queued.
    """
    from provrepo.codecs.formats import by_suffix

    for path in recover(folder):
        warn_once("provenance of a session that was killed: %s", path)
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith(".") or not path.is_file():
            continue
        if path.name.endswith(SUFFIX):
            yield Item(_document(path)[0], "running")
        elif by_suffix(path) is not None and (not queued or _noted(path, UNSENT).get("queued")):
            with suppress(FileNotFoundError):  # deleted meanwhile
                yield item(path)


def item(path: Path) -> Item:
    """The state of a document.

    Raises:
        OSError: it cannot be read.
    """
    digest = _digest(path)
    receipt, waiting = _noted(path, SENT), _noted(path, UNSENT)
    if receipt.get("sha256") == digest:
        return Item(path, "sent")
    state = "changed" if receipt else "waiting"
    if waiting.get("sha256") != digest:
        return Item(path, state, queued=bool(waiting.get("queued")))
    state = waiting["state"] if waiting.get("state") in ("refused", "discarded") else state
    return Item(
        path, state, str(waiting.get("reason", "")), int(waiting.get("attempts", 0)),
        float(waiting.get("after", 0.0)), bool(waiting.get("queued")),
    )  # fmt: skip


# Results of sending ------------------------------------------------------------------------------------------------


def sent(item: Item, data: bytes, receipt: dict[str, Any]) -> None:
    """Record that a document was sent. A crash before this is harmless: sending the same bytes again changes nothing.

    Args:
        item: the document.
        data: the bytes that were sent.
        receipt: the answer of the server.
    """
    _note(item.path, SENT, {"sha256": hashlib.sha256(data).hexdigest(), "receipt": receipt})
    item.path.with_name(item.path.name + UNSENT).unlink(missing_ok=True)


def postpone(item: Item, reason: str, after: float = 0.0) -> None:
    """Record that a document could not be sent and waits.

    Args:
        item: the document.
        reason: why.
        after: the earliest time of the next attempt that the server allows, in seconds since the epoch.
    """
    _set(item, "waiting", reason, after)


def refuse(item: Item, reason: str) -> None:
    """Record that the server will never accept a document as it is."""
    _set(item, "refused", reason)


def discard(item: Item) -> None:
    """Stop trying to send a document. The file stays."""
    _set(item, "discarded", item.reason)


def _set(item: Item, state: str, reason: str, after: float = 0.0) -> None:
    from provrepo.model.secrets import text

    attempts = item.attempts + (state != "discarded")
    noted = {"sha256": _digest(item.path), "state": state, "reason": text(reason), "attempts": attempts}
    _note(item.path, UNSENT, {**noted, "after": after, "queued": item.queued})


def _noted(path: Path, ending: str) -> dict[str, Any]:
    try:
        found = json.loads(path.with_name(path.name + ending).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _note(path: Path, ending: str, noted: dict[str, Any]) -> None:
    partial = path.with_name(f".{path.name}{ending}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(noted) + "\n", "utf-8")
        partial.replace(path.with_name(path.name + ending))
    finally:
        partial.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def lock(folder: Path, name: str) -> Iterator[bool]:
    """Acquire an exclusive lock that ends with the process; yields False where another process holds it.

    On a file system without locks every process acquires it: a document that is sent twice is stored once.
    """
    try:
        file = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield True
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held = False
    except OSError:
        held = True
    else:
        held = True
    try:
        yield held
    finally:
        os.close(file)

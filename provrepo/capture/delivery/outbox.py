"""The folder of documents of sessions: recovering those of killed sessions, and what waits to be sent.

Beside a document stands ``*.sent`` with the receipt when it has been sent, and ``*.unsent`` while it waits, or for good
where it was refused or discarded.
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

from provrepo.capture.failures import contained, tell
from provrepo.capture.journal.events import SUFFIX, load, running
from provrepo.settings import load as settings

__all__ = ["Item", "discard", "item", "items", "lock", "postpone", "queue", "recover", "refuse", "sent", "wake"]

SENT, UNSENT = ".sent", ".unsent"
SENDER, SENDING = ".outbox-sender", ".outbox-sending"
"""Files that are locked by the one background sender of a folder, and while something is being sent."""


@dataclass(frozen=True, slots=True)
class Item:
    """One document of an outbox.

    Attributes:
        path: the document, or what will be the document of a session that still runs.
        state: ``waiting``, ``sent``, ``changed`` since it was sent, ``refused``, ``discarded`` or ``running``.
        reason: why it could not be sent, or was refused.
        attempts: how often that was tried.
        after: seconds since the epoch before which the server does not want to hear of it.
        queued: whether a session put it here to be sent, and nobody has to ask for that.
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


# What sessions do -----------------------------------------------------------------------------------------------------


def queue(document: Path) -> None:
    """Have the document of a session sent in the background, where a server is set."""
    if _enqueued(document):
        wake(document.parent)


def _enqueued(document: Path) -> bool:
    if not settings().send_to:
        return False
    _note(document, UNSENT, {"sha256": _digest(document), "state": "waiting", "queued": True})
    return True


def wake(folder: Path) -> None:
    """Start a process that sends what sessions queued in a folder, unless there is one. It outlives this process."""
    import subprocess
    import sys

    from provrepo.settings import REPORT, RUN, for_command

    with lock(folder, SENDER) as free:
        pass
    if not free or not sys.executable:
        return
    words = [sys.executable, "-m", "provrepo", "outbox", "send", "--background", str(folder)]
    # The shell is there to be gone: what it leaves behind is nobody's child and never a zombie of this program.
    subprocess.run(
        ["/bin/sh", "-c", '"$@" &', "sh", *words], env=for_command(**{RUN: "", REPORT: ""}), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, timeout=5, check=False,
    )  # fmt: skip


def recover(folder: Path) -> list[Path]:
    """Make documents of the journals that killed sessions left, and return their paths. They are marked incomplete."""
    found = [contained(_recovered)(journal) for journal in sorted(folder.glob("*" + SUFFIX)) if not running(journal)]
    return [path for path in found if path is not None]


def _recovered(journal: Path) -> Path | None:
    from provrepo.capture.files import reports
    from provrepo.capture.journal.document import build, save

    path, identity = _document(journal)
    if path.exists():  # of a later session with the same name
        path = path.with_name(f"{path.stem}-{identity}{path.suffix}")
    document = build([*load(journal), *reports.recovered(journal)])
    if document is not None:
        save(document, path)
        contained(_enqueued)(path)
    journal.unlink(missing_ok=True)
    reports.remove(reports.folder(journal))
    return path if document is not None else None


def _document(journal: Path) -> tuple[Path, str]:
    """Where the document of a journal goes, and what tells its session from others that go there."""
    name, _, identity = journal.name.removesuffix(SUFFIX).rpartition(".")
    return journal.with_name(name), identity


# What is there --------------------------------------------------------------------------------------------------------


def items(folder: Path, *, queued: bool = False) -> Iterator[Item]:
    """The documents of a folder by name, after recovering what can be recovered.

    Args:
        folder: the outbox; it may be missing.
        queued: only those that sessions put there to be sent.
    """
    from provrepo.codecs.formats import by_suffix

    for path in recover(folder):
        tell("provenance of a session that was killed: %s", path)
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith(".") or not path.is_file():
            continue
        if path.name.endswith(SUFFIX):
            yield Item(_document(path)[0], "running")
        elif by_suffix(path) is not None and (not queued or _noted(path, UNSENT).get("queued")):
            with suppress(FileNotFoundError):  # somebody took it away meanwhile
                yield item(path)


def item(path: Path) -> Item:
    """How a document stands.

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


# What comes of sending ------------------------------------------------------------------------------------------------


def sent(item: Item, data: bytes, receipt: dict[str, Any]) -> None:
    """Note that a document was sent. Sending the same bytes again changes nothing, so a crash before this is no harm.

    Args:
        item: the document.
        data: the bytes that were sent.
        receipt: what the server said.
    """
    _note(item.path, SENT, {"sha256": hashlib.sha256(data).hexdigest(), "receipt": receipt})
    item.path.with_name(item.path.name + UNSENT).unlink(missing_ok=True)


def postpone(item: Item, reason: str, after: float = 0.0) -> None:
    """Note that a document could not be sent and waits.

    Args:
        item: the document.
        reason: why.
        after: seconds since the epoch before which the server does not want to hear of it.
    """
    _set(item, "waiting", reason, after)


def refuse(item: Item, reason: str) -> None:
    """Set a document aside that the server will never take as it is."""
    _set(item, "refused", reason)


def discard(item: Item) -> None:
    """Let a document wait no longer. It stays where it is."""
    _set(item, "discarded", item.reason)


def _set(item: Item, state: str, reason: str, after: float = 0.0) -> None:
    from provrepo.capture.facts.redaction import text

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
    """A lock that only one process has, and that dies with it; False where another has it.

    Where the file system has no locks, everybody has it: what is sent twice is still there once.
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

"""The folder of documents of sessions: recovering those of killed sessions, and what has been sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provrepo.capture.edge import LOG, contained
from provrepo.capture.journal import SUFFIX, load, running

__all__ = ["SENT", "Item", "items", "recover", "send"]

SENT = ".sent"
"""The ending of the file beside a document that says where it was sent, with the receipt."""


@dataclass(frozen=True, slots=True)
class Item:
    """One document of an outbox.

    Attributes:
        path: the document, or what will be the document of a session that still runs.
        state: ``waiting``, ``sent``, ``changed`` since it was sent, or ``running``.
    """

    path: Path
    state: str


def recover(folder: Path) -> list[Path]:
    """Make documents of the journals that killed sessions left, and return their paths. They are marked incomplete."""
    found = [contained(_recovered)(journal) for journal in sorted(folder.glob("*" + SUFFIX)) if not running(journal)]
    return [path for path in found if path is not None]


def _recovered(journal: Path) -> Path | None:
    from provrepo.capture import reports
    from provrepo.capture.document import build, save

    path, identity = _document(journal)
    if path.exists():  # of a later session with the same name
        path = path.with_name(f"{path.stem}-{identity}{path.suffix}")
    document = build([*load(journal), *reports.recovered(journal)])
    if document is not None:
        save(document, path)
    journal.unlink(missing_ok=True)
    reports.remove(reports.folder(journal))
    return path if document is not None else None


def items(folder: Path) -> Iterator[Item]:
    """The documents of a folder by name, after recovering what can be recovered."""
    from provrepo.codecs.formats import by_suffix

    recovered = recover(folder)
    for path in recovered:
        LOG.info("recovered %s", path)
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith(".") or not path.is_file():
            continue
        if path.name.endswith(SUFFIX):
            yield Item(_document(path)[0], "running")
        elif by_suffix(path) is not None:
            yield Item(path, _state(path))


def _document(journal: Path) -> tuple[Path, str]:
    """Where the document of a journal goes, and what tells its session from others that go there."""
    name, _, identity = journal.name.removesuffix(SUFFIX).rpartition(".")
    return journal.with_name(name), identity


def _state(path: Path) -> str:
    try:
        sent = json.loads(_receipt(path).read_bytes())
    except FileNotFoundError:
        return "waiting"
    except ValueError:  # cut off while it was written: sending again does no harm
        return "waiting"
    same = isinstance(sent, dict) and sent.get("sha256") == hashlib.sha256(path.read_bytes()).hexdigest()
    return "sent" if same else "changed"


def _receipt(path: Path) -> Path:
    return path.with_name(path.name + SENT)


def send(item: Item, deliver: Callable[[Path, bytes], dict[str, Any]]) -> dict[str, Any]:
    """Send one document and note that it was. Sending the same bytes again changes nothing, so a crash is no harm.

    Args:
        item: what to send.
        deliver: sends bytes and gives the receipt.
    """
    data = item.path.read_bytes()
    receipt = deliver(item.path, data)
    noted = {"sha256": hashlib.sha256(data).hexdigest(), "receipt": receipt}
    contained(_receipt(item.path).write_text)(json.dumps(noted) + "\n", "utf-8")
    return receipt

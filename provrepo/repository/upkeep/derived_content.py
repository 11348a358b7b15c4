"""The content files of entries, for the views that apply them."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

from provrepo.ledger.ledger import Ledger
from provrepo.views.extraction import Extraction, discard, extraction_file

__all__ = ["DerivedContent", "replaced"]


class DerivedContent:
    """The content file of one entry: derived on first use, with one hard link for each dataset that loads it."""

    def __init__(self, derive: Callable[[], Path | None]) -> None:
        """Take what derives the content file; None where the bytes were erased."""
        self._derive = derive
        self._file: Path | None = None
        self._derived = False
        self._guard = threading.Lock()
        self._extraction: Extraction | None = None

    def original(self) -> Path | None:
        """Return the file itself; None where the bytes were erased."""
        with self._guard:
            if not self._derived:
                self._file, self._derived = self._derive(), True
            return self._file

    def link(self) -> Path:
        """Return a new hard link to the file. The view reads and deletes it, perhaps long after ``close``."""
        file = self.original()
        if file is None:
            raise FileNotFoundError("this entry has no content")
        link = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
        os.link(file, link)
        return link

    def extraction(self) -> Extraction:
        """What was extracted from the content."""
        if self._extraction is None:
            file = self.original()
            if file is None:
                raise FileNotFoundError("this entry has no content")
            self._extraction = Extraction.read(extraction_file(file))
        return self._extraction

    def close(self) -> None:
        """Delete the file and what was extracted from it."""
        self._extraction = None  # views keep the method ``link`` with a change that waits
        if self._file is not None:
            discard(self._file)


def replaced(ledger: Ledger, project: str, after: int) -> set[int]:
    """Return the submissions after an entry that a later entry replaces or withdraws.

    Views without a history need not load their content: the result is the same, and the cost is that of the current
    versions.
    """
    newest: dict[str, int] = {}
    found: set[int] = set()
    for entry in ledger.entries(project, after=after):
        document = entry.body.get("document")
        if not isinstance(document, str):
            continue
        if entry.kind in ("submit", "withdraw") and document in newest:
            found.add(newest.pop(document))
        if entry.kind == "submit":
            newest[document] = entry.sequence
    return found

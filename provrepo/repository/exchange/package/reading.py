"""A package that anybody may have made: everything that it says is verified before anything of it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO

from provrepo.errors import Damaged
from provrepo.ledger.entries import Entry, profile_blob
from provrepo.repository.exchange.package.archive import Archive, quoted
from provrepo.repository.exchange.package.bag_reader import BagReader
from provrepo.repository.exchange.package.layout import (
    CRATE,
    ENTRIES,
    FILES,
    PACKAGE,
    PAGE,
    Contents,
    Item,
    top_folder,
)
from provrepo.text import on_one_line

__all__ = ["PackageReader"]

_LARGEST = 16 << 20
"""The most bytes of ``provrepo.json``."""

_LONGEST_REASON = 500
_DESCRIPTIONS = (CRATE, PAGE, PACKAGE, ENTRIES, FILES)


class PackageReader:
    """A package in an open file.

    Attributes:
        name: its name, for messages.
        contents: its description of itself.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        """Read the directory, the files of the bag, and the description.

        Args:
            file: the archive; it can be searched.
            name: its name, for messages.

        Raises:
            ReadError: it is refused; the message names the member.
        """
        self.name = name
        self._archive = Archive(file, name)
        self._bag = BagReader(self._archive)
        for path in _DESCRIPTIONS:
            if not self._bag.has(path):
                raise self._archive.error(f"it is no package of provrepo: the member data/{path} is missing")
        data = b"".join(self._bag.chunks(PACKAGE)) if self._archive.size(f"data/{PACKAGE}") <= _LARGEST else b""
        try:
            self.contents = Contents.from_bytes(data)
        except ValueError as error:
            raise self._archive.refused(f"data/{PACKAGE}", f"cannot be used: {error}") from error
        if self._archive.folder != top_folder(self.contents):
            raise self._archive.error(
                f"its folder is {quoted(self._archive.folder)} and not {quoted(top_folder(self.contents))}"
            )
        # The path of a file → SHA-256; SHA-256 of a blob → its path, or the reason why it is not here.
        self._files: dict[str, bytes] = {}
        self._blobs: dict[bytes, str] = {}
        self._reasons: dict[bytes, str] = {}

    def verify(self, progress: Callable[[str, int], None]) -> None:
        """Verify everything: the chain of entries, the list of files, and the digests of all files.

        Args:
            progress: called with the name of a part, and the number of its items that are done.

        Raises:
            ReadError: something is wrong; the message names the member.
        """
        items = self._items()
        item = next(items, None)
        for entry in self.entries():
            mine = []
            while item is not None and item[1].sequence == entry.sequence:
                mine.append(item)
                item = next(items, None)
            self._check_items(entry, mine)
            progress("entries", entry.sequence)
        if item is not None:
            raise self._line(item[0], f"is about entry {item[1].sequence}, out of order or not in the package")
        for count, path in enumerate(self._bag.payload(), 1):
            expected = self._files.get(path)
            if expected is None and path not in _DESCRIPTIONS:
                raise self._archive.refused(f"data/{path}", f"is not listed in {FILES}")
            found = self._bag.verify(path)
            if expected is not None and bytes.fromhex(found) != expected:
                raise self._archive.refused(f"data/{path}", f"does not have the SHA-256 of {FILES}")
            progress("files", count)

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in order, each after a check that it follows the one before it.

        Raises:
            ReadError: an entry is malformed, or does not follow.
        """
        contents, path = self.contents, f"data/{ENTRIES}"
        sequence, digest = contents.first - 1, contents.previous
        for number, line in enumerate(self._archive.lines(path), 1):
            try:
                entry = Entry.from_bytes(line, strict=False)
            except Damaged as error:
                raise self._archive.refused(path, f"line {number}: {error}") from error
            if (entry.project, entry.sequence) != (contents.project, sequence + 1):
                raise self._archive.refused(
                    path, f"line {number} is {entry.place} and not entry {sequence + 1} of project {contents.project}"
                )
            if entry.previous != digest:
                raise self._archive.refused(
                    path, f"line {number}: the chain is broken, {entry.place} does not follow the entry before it"
                )
            sequence, digest = entry.sequence, entry.sha256
            if sequence > contents.last:
                break
            yield entry
        if (sequence, digest) != (contents.last, contents.sha256):
            raise self._archive.refused(
                path, f"ends with entry {sequence} and not with entry {contents.last} that {PACKAGE} names"
            )

    def digest(self, sequence: int) -> str:
        """Return SHA-256 of an entry; empty if the package does not have it."""
        return next((entry.sha256 for entry in self.entries() if entry.sequence == sequence), "")

    def blobs(self) -> Iterator[str]:
        """Yield the SHA-256 of each blob that is in the package, after ``verify``."""
        for blob in self._blobs:
            yield blob.hex()

    def blob(self, sha256: str) -> Iterator[bytes] | str:
        """Return the bytes of a blob, after ``verify``; or why they are not in the package."""
        digest = bytes.fromhex(sha256)
        path = self._blobs.get(digest)
        if path is not None:
            return self._bag.chunks(path)
        return self._reasons.get(digest, "it belongs to entries that are not in the package")

    def size(self) -> int:
        """Return the size of all blobs in bytes, after ``verify``."""
        return sum(self._archive.size(f"data/{path}") for path in self._blobs.values())

    def _items(self) -> Iterator[tuple[int, Item]]:
        for number, line in enumerate(self._archive.lines(f"data/{FILES}"), 1):
            try:
                yield number, Item.from_bytes(line)
            except ValueError as error:
                raise self._line(number, f"cannot be used: {error}") from error

    def _check_items(self, entry: Entry, items: list[tuple[int, Item]]) -> None:
        """Check that an entry has a line for each of its blobs, and no others."""
        wanted: dict[str, str] = {}
        if entry.kind == "submit":
            wanted = {"original": entry.body["blob"], "report": entry.body["report"]}
        elif entry.kind == "settings":
            blob = profile_blob(entry.body)
            wanted = {} if blob is None else {"profile": blob}
        derivable = entry.kind == "submit"
        for number, item in items:
            derived = derivable and item.role == "prov-json"
            derivable = derivable and not derived
            if wanted.pop(item.role, None) != item.sha256 and not derived:
                raise self._line(number, f"is not about a blob of entry {entry.sequence}")
            if not item.path:
                if not item.why:
                    raise self._line(number, "has neither a path nor a reason")
                if item.sha256:
                    self._reasons[bytes.fromhex(item.sha256)] = on_one_line(item.why, _LONGEST_REASON)
                continue
            if item.role == "original" and item.size != entry.body["size"]:
                raise self._line(number, f"has not the size of the bytes of entry {entry.sequence}")
            self._add_file(number, item)
        if wanted:
            raise self._archive.refused(
                f"data/{FILES}", f"has no line for the {next(iter(wanted))} of entry {entry.sequence}"
            )

    def _add_file(self, number: int, item: Item) -> None:
        if not self._bag.has(item.path):
            raise self._line(number, f"names {quoted(item.path)}, which is missing")
        if self._archive.size(f"data/{item.path}") != item.size:
            raise self._line(number, f"names another size than that of {quoted(item.path)}")
        sha256 = bytes.fromhex(item.sha256)
        if self._files.setdefault(item.path, sha256) != sha256:
            raise self._line(number, f"names another digest of {quoted(item.path)} than a line before it")
        if item.role != "prov-json":
            self._blobs.setdefault(sha256, item.path)

    def _line(self, number: int, problem: str) -> Exception:
        return self._archive.refused(f"data/{FILES}", f"line {number} {problem}")

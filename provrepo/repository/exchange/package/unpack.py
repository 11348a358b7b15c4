"""``unpack``: a mirror from a package, or its continuation.

First the whole package is verified, and that it continues what is here. Only then anything is stored, by
``import_entries``, as when a mirror is pulled.
"""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from provrepo.errors import Conflict, Diverged, ReadError
from provrepo.ledger.exchange.mirrors import Mirror
from provrepo.ledger.storage import durable
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.exchange.begin import begin_mirror, require_foreign
from provrepo.repository.exchange.import_entries import ALL, Imported, fetch_absent, import_entries
from provrepo.repository.exchange.mirroring.verbs import locked
from provrepo.repository.exchange.package.layout import Contents
from provrepo.repository.exchange.package.reading import PackageReader
from provrepo.words import counted

__all__ = ["Unpacked", "check_package", "unpack_package"]

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The result of ``unpack``.

    Attributes:
        mirror: the name of the mirror; empty if the package was only checked.
        contents: what the package says of itself.
        entries: the number of entries that were appended.
        blobs: the number of blobs that were stored.
        sequence: the number of entries of the mirror now.
        absent: the blobs that the mirror lacks: reason → number.
    """

    mirror: str
    contents: Contents
    entries: int = 0
    blobs: int = 0
    sequence: int = 0
    absent: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "mirror": self.mirror,
            "entries": self.entries,
            "blobs": self.blobs,
            "sequence": self.sequence,
            "absent": self.absent,
            "package": self.contents.to_dict(),
        }


class _Blobs:
    """The blobs of a package, a ``BlobSource``."""

    parallel = 1

    def __init__(self, reader: PackageReader) -> None:
        self._reader = reader

    def fetch(self, digest: str, file: Path, most: int | None) -> str | None:
        """Write a blob to a file; see ``BlobSource``."""
        found = self._reader.blob(digest)
        if isinstance(found, str):
            return f"not in the package: {found}"
        size = 0
        with durable.translated(f"store a blob in {file.parent}"), file.open("wb") as opened:
            for chunk in found:
                size += len(chunk)
                if most is not None and size > most:
                    return f"left out: this mirror copies at most {most:,} bytes"
                opened.write(chunk)
        return None


def check_package(source: Path, progress: Progress) -> Unpacked:
    """Verify a package without storing anything; errors as for ``unpack_package``."""
    with _opened(source) as file:
        reader = PackageReader(file, str(source))
        reader.verify(progress)
        return Unpacked("", reader.contents)


def unpack_package(
    context: Context, source: Path, name: str | None, *, after_reset: bool, progress: Progress
) -> Unpacked:
    """Make a mirror from a package, or continue one; see the verb ``unpack``.

    Args:
        context: the data directory, and its owner.
        source: the file.
        name: the name of the mirror; by default that of the project.
        after_reset: continue although the origin was restored from a backup.
        progress: called with the name of a part, and the number of its items that are done.
    """
    if context.store.exists():
        context.require_owner("unpacks packages")
    with _opened(source) as file:
        reader = PackageReader(file, str(source))
        mirror = access.name("project", name if name is not None else reader.contents.project)
        # Before much is read; what it says of its entries is compared when they are verified.
        _require_mine(context, reader, mirror, after_reset)
        reader.verify(progress)
        _require_continuation(context, reader, mirror)
        context.store.make()
        context.require_owner("unpacks packages")
        with locked(context.store, mirror):
            # Again, since others may have changed the mirror meanwhile.
            _require_mine(context, reader, mirror, after_reset)
            _require_continuation(context, reader, mirror)
            context.store.require_space(reader.size())
            return _store(context, reader, mirror, progress)


def _store(context: Context, reader: PackageReader, name: str, progress: Progress) -> Unpacked:
    contents, blobs, mirroring = reader.contents, _Blobs(reader), context.store.parts.mirroring
    before = context.store.ledger.length(name)
    # An older package must not replace what is known of the origin, such as names of actors.
    mirror = context.store.ledger.mirror(name) or begin_mirror(context, name, contents.origin)
    entries = (entry.data for entry in reader.entries() if entry.sequence > before)
    done = import_entries(context, name, entries, blobs, progress=lambda last: progress("entries stored", last))
    more = Imported()
    if mirror.blobs == ALL:
        more = fetch_absent(context, name, blobs, only=set(reader.blobs()))
    if contents.last >= before:
        mirroring.rename(contents.identity, contents.actors)
        mirroring.change(
            name,
            actor=context.actor.id,
            setup=contents.setup,
            base=contents.base,
            former=contents.former,
            before=contents.before,
            ahead=max(mirror.ahead, contents.last),
            **({} if mirror.origin else {"state": "current"}),
        )
        context.store.index()
    absent = Counter(mirroring.absent(name).values())
    return Unpacked(name, contents, done.entries, done.blobs + more.blobs, done.sequence, dict(sorted(absent.items())))


def _require_mine(context: Context, reader: PackageReader, name: str, after_reset: bool) -> None:
    """Refuse a package that cannot belong to a mirror of this name."""
    contents, store = reader.contents, context.store
    found, length = None, 0
    if store.exists():
        require_foreign(store, contents.origin)
        found, length = store.ledger.mirror(name), store.ledger.length(name)
    if found is None and length:
        raise Conflict(
            f"there is a project {name!r} of this repository: choose another name for the mirror with --name"
        )
    if found is not None:
        _require_same(found, contents, after_reset)
    if contents.first > length + 1:
        raise Conflict(
            f"{_range(reader)}, and the entries {length + 1} to {contents.first - 1} are missing here: first unpack a "
            f"package that begins with entry {length + 1} or before"
        )


def _require_same(found: Mirror, contents: Contents, after_reset: bool) -> None:
    """Refuse a package of another project or repository than a mirror, or of another copy of the repository."""
    if (found.identity, found.stream) != (contents.identity, contents.project):
        raise Conflict(
            f"{found.project} is a mirror of project {found.stream} of the repository {found.identity}, and the "
            f"package is of project {contents.project} of {contents.identity}: choose another name with --name"
        )
    if not found.active:
        raise Conflict(f"mirror {found.project} was ended: choose another name with --name")
    if found.setup != contents.setup and not after_reset:
        raise Diverged(
            f"the package is of another set-up of the repository ({contents.setup or 'none'}) than the mirror "
            f"{found.project} ({found.setup or 'none'}): the repository was restored from a backup or set up anew. "
            "Nothing was stored. Ask its operator; to go on if the package continues the mirror, use --after-reset",
            state="reset",
        )


def _require_continuation(context: Context, reader: PackageReader, name: str) -> None:
    """Refuse a verified package whose entries are not those of the mirror, or do not follow them."""
    contents, store = reader.contents, context.store
    mirror = store.ledger.mirror(name) if store.exists() else None
    length = store.ledger.length(name) if mirror is not None else 0
    if mirror is None or not length:
        return
    if mirror.setup != contents.setup and contents.last < length:
        raise Diverged(
            f"{_range(reader)}, and {counted(length, 'entry is', 'entries are')} here: the repository was shortened. "
            "Nothing was stored. Ask its operator, and unpack a package of all entries under another name with --name",
            state="shortened",
        )
    last = min(length, contents.last)
    # Each entry has the digest of the one before it, so that one comparison covers all before.
    there = contents.previous if contents.first == length + 1 else reader.digest(last)
    with store.ledger.stream(name) as stream:
        here = stream.digest(last)
    if there != here:
        raise Diverged(
            f"{_range(reader)}, and do not continue the mirror {name}: entry {last} is another one there. The history "
            "was changed, or one of the two is forged. Nothing was stored. Compare the digest of the entry with the "
            f"sender ({here} here, {there} there); to keep both, unpack the package under another name with --name"
        )


def _range(reader: PackageReader) -> str:
    contents = reader.contents
    return f"{reader.name} has the entries {contents.first} to {contents.last} of project {contents.project}"


@contextmanager
def _opened(source: Path) -> Iterator[IO[bytes]]:
    try:
        file = source.open("rb")
    except OSError as error:
        raise ReadError(f"cannot read {source}: {error.strerror or error}") from error
    with file:
        if not stat.S_ISREG(source.stat().st_mode):
            raise ReadError(f"cannot read {source}: it is not a file")
        yield file

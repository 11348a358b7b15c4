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
from provrepo.repository.exchange.import_entries import begin_mirror, fetch_absent, import_entries, require_foreign
from provrepo.repository.exchange.package.layout import Contents
from provrepo.repository.exchange.package.reading import PackageReader

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


def unpack_package(context: Context, source: Path, name: str | None, progress: Progress) -> Unpacked:
    """Make a mirror from a package, or continue one.

    Args:
        context: the data directory, and its owner.
        source: the file.
        name: the name of the mirror; by default that of the project.
        progress: called with the name of a part, and the number of its items that are done.

    Raises:
        ReadError: the package is refused.
        Conflict: it is of this repository, of another one than the mirror, or begins after the end of the mirror.
        Diverged: its entries are not the continuation of those of the mirror.
        Denied: the actor is not the owner.
    """
    if context.store.exists():
        context.require_owner("unpacks packages")
    with _opened(source) as file:
        reader = PackageReader(file, str(source))
        contents = reader.contents
        mirror = access.name("project", name if name is not None else contents.project)
        # Twice: before much work, and again with the digests that were verified.
        _require_continuation(context, reader, mirror, None)
        reader.verify(progress)
        _require_continuation(context, reader, mirror, reader)
        context.store.make()
        context.require_owner("unpacks packages")
        context.store.require_space(reader.size())
        before = context.store.ledger.length(mirror)
        begin_mirror(context, mirror, contents.origin)
        blobs = _Blobs(reader)
        done = import_entries(
            context,
            mirror,
            (entry.data for entry in reader.entries() if entry.sequence > before),
            blobs,
            progress=lambda sequence: progress("stored", sequence),
        )
        more = fetch_absent(context, mirror, blobs)
        if done.sequence > before:
            _update(context, mirror, contents)
        absent = Counter(context.store.parts.mirroring.absent(mirror).values())
        return Unpacked(
            mirror, contents, done.entries, done.blobs + more.blobs, done.sequence, dict(sorted(absent.items()))
        )


def _require_continuation(context: Context, reader: PackageReader, name: str, verified: PackageReader | None) -> None:
    """Refuse a package that does not continue what is here; nothing is stored."""
    contents, store = reader.contents, context.store
    if not store.exists():
        found, length = None, 0
    else:
        require_foreign(store, contents.origin)
        found, length = store.ledger.mirror(name), store.ledger.length(name)
    where = f"{reader.name} has the entries {contents.first} to {contents.last} of {contents.project}"
    if found is None and length:
        raise Conflict(
            f"there is a project {name!r} of this repository: choose another name for the mirror with --name"
        )
    if found is not None:
        _require_same(found, contents)
    if contents.first > length + 1:
        missing = f"entries {length + 1} to {contents.first - 1} are missing here"
        raise Conflict(f"{where}, and {missing}: unpack a package that begins with entry {length + 1} or before first")
    if found is None or not length:
        return
    with store.ledger.stream(name) as stream:
        if contents.first == length + 1:
            same = contents.previous == stream.digest(length)
            which = length
        else:
            which = min(length, contents.last)
            digest = contents.sha256 if which == contents.last else reader.digest(which) if verified else None
            same = digest is None or digest == stream.digest(which)
    if not same:
        raise Diverged(
            f"{where}, which do not continue the mirror {name}: entry {which} is another one there. The origin was "
            "changed, or one of the two is not genuine. Nothing was stored; compare the digest of the entry with the "
            "laboratory, and unpack the package under another name to keep both"
        )


def _require_same(found: Mirror, contents: Contents) -> None:
    """Refuse a package of another project or repository than a mirror, or of another copy of the repository."""
    if (found.identity, found.stream) != (contents.identity, contents.project):
        raise Conflict(
            f"{found.project} is a mirror of project {found.stream} of the repository {found.identity}, and the "
            f"package is of project {contents.project} of {contents.identity}: choose another name with --name"
        )
    if found.setup != contents.setup:
        raise Conflict(
            f"the package is of another set-up of the repository ({contents.setup or 'none'}) than the mirror "
            f"{found.project} ({found.setup or 'none'}): it was restored from a backup, and entries may be missing "
            "there. Unpack a package of all entries under another name with --name"
        )


def _update(context: Context, name: str, contents: Contents) -> None:
    """Record what the repository says of itself now."""
    mirroring = context.store.parts.mirroring
    mirroring.rename(contents.identity, contents.actors)
    mirroring.change(name, actor=context.actor.id, base=contents.base, former=contents.former, before=contents.before)
    context.store.index()


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

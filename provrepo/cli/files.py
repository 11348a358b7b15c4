"""Files in place of IRIs: a file stands for its present content, which has the same name wherever it was recorded."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from provrepo.cli import output
from provrepo.errors import NotFound, UsageError
from provrepo.vocab import PROV_LOCATION, SCHEMA

if TYPE_CHECKING:
    from provrepo.repository.lineage.records import LineageGraph
    from provrepo.repository.repository import Repository

__all__ = ["FileContent", "noting_changes", "read_sources", "thing_named", "warn_of_other_bytes"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LOOKED_AT = 20
"""Recorded files of a name that are looked at, to find what a changed file was before."""
_LISTED = 3


class FileContent(str):
    """The name of the present bytes of a file.

    Attributes:
        path: the file, as the user wrote it.
    """

    __slots__ = ("path",)
    path: str


def thing_named(thing: str) -> str:
    """The IRI of a thing; of a file, ``FileContent``.

    Raises:
        UsageError: it is neither a file nor an IRI.
        OSError: the file cannot be read.
    """
    if not os.path.isfile(thing):  # noqa: PTH113 (an IRI may be too long for a path)
        if _SCHEME.match(thing) is None:
            raise UsageError(f"{thing}: no such file, and not an absolute IRI")
        return thing
    from provrepo.capture.files.digests import sha256
    from provrepo.capture.journal.attributes import content

    found = FileContent(content(sha256(thing)))
    found.path = thing
    return found


def read_sources(file: Path) -> list[str]:
    """The sources that a file declares, one on each line: IRIs with ``*`` for any characters, or globs of files.

    Raises:
        UsageError: a line is neither an IRI nor the name of a file; with its number.
        OSError: the file, or one that it names, cannot be read.
    """
    found: list[str] = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        if _SCHEME.match(entry) or entry.startswith("*"):
            found.append(entry)
            continue
        files = sorted(name for name in glob.glob(entry, recursive=True) if os.path.isfile(name))  # noqa: PTH113, PTH207
        if not files:
            raise UsageError(f"{file}, line {number}: {entry[:200]!r} is no file here, and not an absolute IRI")
        found += map(thing_named, files)
    return found


class _Recorded(NamedTuple):
    """A recorded version of a file: when the document was submitted, where it is, its location and content."""

    time: str
    document: str
    location: str
    content: str

    def __str__(self) -> str:
        return f"{self.content} ({self.document}, {self.time}, {self.location})"


@contextmanager
def noting_changes(repository: Repository, *things: str | None) -> Iterator[None]:
    """Context manager: where nothing is known of a file, say which bytes of it were recorded instead.

    Raises:
        NotFound: as the verb in it, with that in its text.
    """
    try:
        yield
    except NotFound:
        for thing in things:
            if isinstance(thing, FileContent) and (others := _other_bytes(repository, thing)):
                raise NotFound(_told(thing, others)) from None
        raise


def warn_of_other_bytes(repository: Repository, thing: str, graph: LineageGraph) -> None:
    """Note that a file was changed, if its present bytes are known only from files with other names."""
    if not isinstance(thing, FileContent):
        return
    versions = {edge.subject for edge in graph.edges if edge.object == thing and edge.relation == "specializationOf"}
    labels = {node.label for node in graph.nodes if node.iri in versions}
    if Path(thing.path).name not in labels and (others := _other_bytes(repository, thing)):
        output.note(f"warning: {_told(thing, others, known=True)}")


def _told(thing: FileContent, others: list[_Recorded], *, known: bool = False) -> str:
    here = os.path.abspath(thing.path)  # noqa: PTH100 (links stay, as in recordings)
    same = [each for each in others if each.location == here]
    listed = ", ".join(map(str, (same or others)[:_LISTED]))
    if same:
        present = f"its present bytes, {thing}, are {'those of other files' if known else 'not recorded'}"
        return f"{thing.path} was changed: {present}; the recorded bytes were others: {listed}"
    return (
        f"the present bytes of {thing.path}, {thing}, are {'those of other files' if known else 'not recorded'}; "
        f"of a file of that name the recorded bytes were others: {listed}"
    )


def _other_bytes(repository: Repository, thing: FileContent) -> list[_Recorded]:
    """The recorded versions of files with the name of a file and with other bytes, the newest first."""
    name, found = Path(thing.path).name, dict[str, _Recorded]()
    for node in repository.search(name, limit=_LOOKED_AT).things:
        if node.label != name or SCHEMA + "MediaObject" not in node.types:
            continue
        for each in repository.thing(node.iri, versions=1).versions:
            stated = [assertion.statement for assertion in each.assertions]
            values = {str(key): str(value) for statement in stated for key, value in statement.attributes}
            general = [str(s.args[1]) for s in stated if s.kind.name == "specializationOf" and s.args[0] == node.iri]
            info = each.version
            if general and general[0] != thing:
                document = f"{info.project}/{info.name}@{info.version}"
                found[node.iri] = _Recorded(info.time, document, values.get(PROV_LOCATION, "?"), general[0])
    return sorted(found.values(), reverse=True)

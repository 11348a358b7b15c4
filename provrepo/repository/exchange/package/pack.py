"""``pack``: a project, or what is new in it, as one file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from provrepo._version import __version__
from provrepo.codecs import formats
from provrepo.errors import Damaged, NotFound, TooLarge, UnknownFormat, UsageError
from provrepo.ledger.entries import PROFILE, Entry, canonical, named, profile_blob
from provrepo.ledger.storage import durable
from provrepo.repository.context import Context
from provrepo.repository.exchange.names import actor_names
from provrepo.repository.exchange.package.bag import Bag, Member, Spool
from provrepo.repository.exchange.package.crate import Crate
from provrepo.repository.exchange.package.layout import (
    BYTES_FREE,
    CRATE,
    ENTRIES,
    FILES,
    FOLDERS,
    LONGEST_LINE,
    MEMBERS,
    PACKAGE,
    PAGE,
    RATIO,
    Contents,
    Item,
    top_folder,
)
from provrepo.repository.exchange.package.page import Page
from provrepo.repository.exchange.package.prov_json import FORMAT as PROV_JSON
from provrepo.repository.exchange.package.prov_json import as_prov_json
from provrepo.repository.exchange.package.survey import Survey
from provrepo.repository.exchange.serving import origin
from provrepo.repository.store import Store

__all__ = ["Package", "Progress", "write_package"]

_CHUNK = 1 << 20
_OTHERS = 16
"""More files than one entry has, and those of the bag and the crate themselves."""

_JSON, _LINES = "application/json", "application/x-ndjson"

Progress = Callable[[str, int], None]
"""Called with the name of a part, and the number of its items that are done."""

_WHAT = {
    "withdraw": "{document} withdrawn, with its versions up to {version}: {reason}",
    "erase": "bytes of {document} version {version} erased: {reason}",
    "settings": "settings changed",
    "identity": "identity of the repository",
    "gap": "restored from a backup: {reason}",
}


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was written.

    Attributes:
        contents: its description of itself.
        originals: the number of versions whose bytes are in it.
        withdrawn: the number of withdrawn versions among them.
        omitted: the number of versions whose bytes are not in it.
        files: the number of files, with those of the bag.
        size: its size in bytes.
    """

    contents: Contents
    originals: int
    withdrawn: int
    omitted: int
    files: int
    size: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**self.contents.to_dict(), **{k: v for k, v in asdict(self).items() if k != "contents"}}


def write_package(
    context: Context,
    project: str,
    file: IO[bytes],
    *,
    since: int = 0,
    withdrawn: bool = False,
    progress: Progress | None = None,
) -> Package:
    """Write a package of a project. The caller has checked access.

    Memory grows with the number of files, and not with their sizes.

    Args:
        context: the data directory, and the actor.
        project: the project, which may be a mirror.
        file: gets the bytes, from the first to the last; after an error they are incomplete.
        since: the sequence number of the entry before the first.
        withdrawn: whether to include the bytes and reports of withdrawn versions.
        progress: see ``Progress``.

    Raises:
        UsageError: ``since`` is negative.
        NotFound: there are no entries after ``since``.
        Damaged: an entry or a blob is damaged.
        TooLarge: a package cannot have that many files, or is compressed too well to be unpacked.
        Busy: no worker became free.
    """
    if since < 0:
        raise UsageError("since is the sequence number of an entry, or 0 for all entries")
    store, ledger = context.store, context.store.ledger
    last = ledger.length(project)
    if last <= since:
        raise NotFound(f"project {project!r} has no entries after {since}: it has {last}")
    ends = list(ledger.entries(project, after=last - 1, limit=1, every=True))
    if not ends:
        raise Damaged(f"entry {last} of {named(project)} cannot be read: provrepo fsck lists the problems")
    about = origin(context, project, after=last)
    contents = Contents(
        project=about.project,
        identity=about.identity,
        setup=about.setup,
        base=about.base,
        former=about.former,
        before=about.before,
        first=since + 1,
        last=last,
        previous="",
        sha256=ends[0].sha256,
        time=ends[0].time,
        software=f"provrepo/{__version__}",
    )
    report = progress or (lambda _what, _count: None)
    with ExitStack() as stack:
        scratch = stack.enter_context(store.scratch())
        bag = Bag(file, top_folder(contents), time=contents.time, scratch=scratch)
        stack.callback(bag.abandon)
        parts = _Parts.make(scratch, stack)
        packing = _Packing(store, Survey(project), bag, parts, actor_names(store, project))
        previous, actors = packing.entries(since, last, report)
        contents = replace(contents, previous=previous, actors=actors)
        for entry in ledger.entries(project, after=since, limit=last - since, every=True):
            packing.entry(entry, withdrawn=withdrawn)
            report("files", bag.members)
        _finish(bag, packing, parts, contents, str(store.minter().project(project)))
        return Package(contents, packing.originals, packing.withdrawn, packing.omitted, bag.members, bag.size)


class _Packing:
    """One run of ``write_package``."""

    def __init__(self, store: Store, survey: Survey, bag: Bag, parts: _Parts, names: Mapping[str, str]) -> None:
        self._store = store
        self._survey = survey
        self._bag = bag
        self._parts = parts
        self._names = names
        self._written: dict[tuple[str, str], Item] = {}
        self.originals = self.withdrawn = self.omitted = 0

    def entries(self, since: int, last: int, progress: Progress) -> tuple[str, dict[str, str]]:
        """Write the entries after ``since``, and survey all of them.

        Returns:
            SHA-256 of the entry ``since``, and the names of the actors of the entries after it.
        """
        previous, actors = "", {}
        with self._bag.writing(ENTRIES) as member:
            for entry in self._store.ledger.entries(self._survey.project, limit=last, every=True):
                self._survey.add(entry)
                if entry.sequence == since:
                    previous = entry.sha256
                if entry.sequence > since:
                    if len(entry.data) >= LONGEST_LINE:
                        raise TooLarge(f"{entry.place} has {len(entry.data):,} bytes, too many for a package")
                    member.write(entry.data + b"\n")
                    if entry.actor in self._names:
                        actors[entry.actor] = self._names[entry.actor]
                progress("entries", entry.sequence)
        if self._survey.sequence != last:
            raise Damaged(
                f"entry {self._survey.sequence + 1} of {named(self._survey.project)} cannot be read: provrepo fsck "
                "lists the problems"
            )
        self.describe(
            ENTRIES, member, "Ledger entries", "The ledger entries, one in each line, with their exact bytes.", _LINES
        )
        return previous, actors

    def entry(self, entry: Entry, *, withdrawn: bool) -> None:
        """Write the files of an entry, and its row in the page.

        Args:
            entry: the entry.
            withdrawn: whether to write them if the version was withdrawn.
        """
        if self._bag.members > MEMBERS - _OTHERS:
            raise TooLarge(f"the package would have more than {MEMBERS:,} files; mirror the project instead")
        links: list[tuple[str, str]] = []
        if entry.kind == "submit":
            what, links = self._version(entry, withdrawn=withdrawn)
        else:
            fields = {name: str(entry.body.get(name, "")) for name in ("document", "version", "reason")}
            what = _WHAT.get(entry.kind, "{kind}").format(kind=entry.kind, **fields)
            if entry.kind == "settings":
                links = self._profile(entry)
        self._parts.page.entry(str(entry.sequence), entry.time, self._by(entry), what, links)

    def describe(self, path: str, member: Member, name: str, description: str, media_type: str, **more: str) -> None:
        """Describe a file in the crate."""
        self._parts.crate.add(
            path,
            name=name,
            description=description,
            media_type=media_type,
            size=member.size,
            sha256=member.sha256,
            **more,
        )

    def _version(self, entry: Entry, *, withdrawn: bool) -> tuple[str, list[tuple[str, str]]]:
        """Write the files of a version; return a sentence for the page, and links to the files."""
        body = entry.body
        state = self._survey.documents[body["document"]].state(body["version"])
        why = state if state == "erased" or (state == "withdrawn" and not withdrawn) else ""
        label = f"{entry.sequence:06}-{body['document']}-{body['version']}"
        version = f"version {body['version']} of {body['document']}"
        title, suffix, media_type = _format(body["format"])
        by = f", submitted by {self._by(entry)}" if self._by(entry) else ""
        original = self._blob(
            Item(entry.sequence, "original", body["blob"], why=why),
            f"{label}{suffix}",
            body["title"] or f"{body['document']}, version {body['version']}",
            f"The bytes of {version} as they were submitted ({title}){by}; accepted at {entry.time}; now {state}.",
            media_type,
            license=str(body.get("license", "")),
        )
        self.originals += bool(original.path)
        self.omitted += not original.path
        self.withdrawn += state == "withdrawn" and bool(original.path)
        links = [(title, original.path)] if original.path else []
        if state == "current":
            converted = self._prov_json(entry, original, f"{label}.json", version)
            if converted.path != original.path:
                links += [("PROV-JSON", converted.path)] if converted.path else []
        report = self._blob(
            Item(entry.sequence, "report", body["report"], why=why),
            f"{label}.json",
            f"Report on {version}",
            f"The report of the checks when {version} was accepted; its verdict is {body['verdict']}.",
            _JSON,
        )
        links += [("report", report.path)] if report.path else []
        if body["version"] == self._survey.documents[body["document"]].newest:
            self._parts.page.document(
                *(body["document"], body["title"], str(body["version"]), state),
                *(entry.time, self._by(entry), body["verdict"], links),
            )
        missing = f"; its bytes are not in this package: {original.why}" if not original.path else ""
        return f"{version} submitted, now {state}{missing}", links

    def _prov_json(self, entry: Entry, original: Item, name: str, version: str) -> Item:
        """Write a current version as PROV-JSON, unless it was submitted as that."""
        item = Item(entry.sequence, "prov-json", "", why=original.why)
        if original.path and entry.body["format"] == PROV_JSON:
            item = replace(original, role="prov-json")
        elif original.path:
            output = self._parts.scratch / "converted"
            made, why = as_prov_json(self._store, entry, output)
            item = replace(item, why=why)
            if made:
                path = f"{FOLDERS['prov-json']}/{name}"
                with output.open("rb") as file:
                    member = self._bag.add(path, iter(lambda: file.read(_CHUNK), b""), output.stat().st_size)
                output.unlink()
                item = replace(item, sha256=member.sha256, size=member.size, path=path)
                losses = f"; not represented: {why}" if why else ""
                self.describe(
                    *(path, member, f"{version.capitalize()} as PROV-JSON"),
                    *(f"The statements of {version} as PROV-JSON{losses}.", _JSON),
                    derived_from=original.path,
                )
        self._add(item)
        return item

    def _profile(self, entry: Entry) -> list[tuple[str, str]]:
        """Write the user-defined profile that an entry of settings has, if it has one."""
        blob = profile_blob(entry.body)
        if blob is None:
            return []
        name = next(key.removeprefix(PROFILE) for key in entry.body if key.startswith(PROFILE))
        item = self._blob(
            Item(entry.sequence, "profile", blob),
            f"{entry.sequence:06}-{name}.json",
            f"Profile {name}",
            f"The user-defined profile {name} from {entry.time} on, as one JSON object from path to text.",
            _JSON,
        )
        return [(f"profile {name}", item.path)] if item.path else []

    def _blob(self, item: Item, name: str, title: str, description: str, media_type: str, **more: str) -> Item:
        """Write the bytes of a blob, unless there is a reason not to, or a file has them already."""
        known = self._written.get((item.role, item.sha256))
        if known is not None and not item.why:
            item = replace(item, path=known.path, size=known.size)
        elif not item.why:
            item, member = self._copied(item, f"{FOLDERS[item.role]}/{name}")
            if member is not None:
                self._written[item.role, item.sha256] = item
                self.describe(item.path, member, title, description, media_type, **more)
        self._add(item)
        return item

    def _copied(self, item: Item, path: str) -> tuple[Item, Member | None]:
        blob = self._store.blobs.path(item.sha256)
        absence = self._store.parts.mirroring.absence(self._survey.project, item.sha256)
        if absence is not None:
            return replace(item, why=absence), None
        try:
            file = blob.open("rb")
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not self._store.ledger.references(item.sha256):
                return replace(item, why="erased"), None  # after the last entry of this package
            raise Damaged(f"the blob {item.sha256} cannot be read ({error.strerror}): restore {blob}") from error
        with file:
            member = self._bag.add(path, _chunks(file, blob), os.fstat(file.fileno()).st_size)
        if member.sha256 != item.sha256:
            raise Damaged(f"the blob {item.sha256} has changed on disk: restore {blob} from a backup")
        return replace(item, path=path, size=member.size), member

    def _add(self, item: Item) -> None:
        line = canonical(item.to_dict()).decode()
        if len(line) >= LONGEST_LINE:
            raise TooLarge(f"the description of a file of entry {item.sequence} is too long")
        self._parts.files.add(f"{line}\n")

    def settings(self, name: str) -> str:
        """Return a setting of the project that is a text; empty if it was not set."""
        return self._survey.settings.get(name, "")

    def _by(self, entry: Entry) -> str:
        return self._names.get(entry.actor, entry.actor)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is collected while the files are written.

    Attributes:
        crate: the description of the files for programs.
        page: the description for people.
        files: the lines of ``files.ndjson``.
        scratch: a folder for temporary files.
    """

    crate: Crate
    page: Page
    files: Spool
    scratch: Path

    @classmethod
    def make(cls, scratch: Path, stack: ExitStack) -> _Parts:
        """Make them; they are closed with the stack."""
        parts = cls(Crate(scratch), Page(scratch), Spool(scratch), scratch)
        for part in (parts.crate, parts.page, parts.files):
            stack.callback(part.close)
        return parts


def _finish(bag: Bag, packing: _Packing, parts: _Parts, contents: Contents, iri: str) -> None:
    """Write the files that describe the package."""
    described = json.dumps(contents.to_dict(), ensure_ascii=False, indent=1).encode() + b"\n"
    title, license = packing.settings("title"), packing.settings("license")  # noqa: A001 (the setting)
    facts = [
        ("Project", iri),
        ("Repository", contents.base or f"urn:uuid:{contents.identity}"),
        ("Identity of the repository", contents.identity),
        ("Set-up identifier", contents.setup or "none"),
        ("Ledger entries", f"{contents.first} to {contents.last}"),
        ("Time of the last entry", contents.time),
        ("Digest of the last entry (SHA-256)", contents.sha256),
        ("License", license or "not stated"),
        ("Written by", contents.software),
    ]
    for path, chunks, *texts in (
        (PACKAGE, [described], "The package", "The repository, the project and the range of entries.", _JSON),
        (
            *(FILES, parts.files.chunks(), "Files of the entries"),
            *("For each blob of the entries its file, or why it is not in the package.", _LINES),
        ),
        (
            *(PAGE, parts.page.chunks(contents, title=title, facts=facts), "The package for people"),
            *("A page with the documents and ledger entries.", "text/html"),
        ),
    ):
        packing.describe(path, bag.add(path, chunks), *texts)
    bag.add(CRATE, parts.crate.chunks(contents, title=title, license=license, identifier=iri))
    bag.finish(
        [
            ("External-Identifier", iri),
            ("External-Description", f"Ledger entries {contents.first} to {contents.last} of {contents.project}"),
            ("Bag-Software-Agent", contents.software),
        ]
    )
    if bag.content > BYTES_FREE and bag.content > RATIO * bag.size:
        raise TooLarge(
            f"the content is {bag.content // bag.size:,} times larger than the package, so that readers would take it "
            "for a bomb; mirror the project instead"
        )


def _format(name: str) -> tuple[str, str, str]:
    """Return the title, the suffix and the media type of a format, which a later version may have added."""
    try:
        found = formats.by_name(name)
    except UnknownFormat:
        return name, "", "application/octet-stream"
    return found.title, found.suffixes[0], found.media_type


def _chunks(file: IO[bytes], path: Path) -> Iterator[bytes]:
    with durable.translated(f"read {path}"):
        while chunk := file.read(_CHUNK):
            yield chunk

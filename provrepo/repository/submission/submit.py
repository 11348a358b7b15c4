"""Submission: bytes → worker (read, check, quads) → blob → entry → views → receipt."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from provrepo.checks import emptiness
from provrepo.checks.report import Report
from provrepo.codecs.formats import Source, by_name, check_base, content
from provrepo.errors import Conflict, Denied, Refused, Stale, TakenBack, TooLarge
from provrepo.ledger.appending import Appending
from provrepo.ledger.entries import Entry
from provrepo.repository import access
from provrepo.repository.catalog import stored_report, version_info
from provrepo.repository.exchange.names import actor_names
from provrepo.repository.profiles import user_defined
from provrepo.repository.records import Actor, Receipt
from provrepo.repository.statements import files
from provrepo.repository.store import Store
from provrepo.repository.submission import content_files
from provrepo.repository.submission.checking import run_worker
from provrepo.repository.submission.conversion import LARGE
from provrepo.repository.submission.worker import MAPPING
from provrepo.views.extraction import discard, move

__all__ = ["Recording", "name_for", "submit", "unchanged", "validate"]


class Recording(Protocol):
    """Further entries about a submission, in the transaction that appends its entry."""

    def before(self, appending: Appending) -> None:
        """Called before the entry of the submission is appended. An exception ends the transaction."""

    def after(self, appending: Appending, entry: Entry) -> None:
        """Called after it was appended, or with the entry of the current version if that has the same bytes."""


def submit(
    store: Store,
    actor: Actor,
    data: bytes,
    file: str | None,
    *,
    project: str,
    name: str | None,
    profiles: Sequence[str],
    update: bool,
    if_match: str | None,
    format: str | None,  # noqa: A002
    base: str | None,
    note: str,
    again: bool = False,
    allow_empty: bool = False,
    origin: Mapping[str, Any] | None = None,
    license: str = "",  # noqa: A002
    recording: Recording | None = None,
    own_only: bool = False,
) -> Receipt:
    """Check and store one document; see ``Repository.submit``. The caller has checked that it may be submitted.

    Args:
        store: the data directory.
        actor: the submitter.
        data: the bytes of the document.
        file: the name of their file; None for none.
        project: the project.
        name: the name of the document; None for ``name_for``.
        profiles: names of profiles in addition to those of the project.
        update: whether to append a new version to an existing document.
        if_match: the SHA-256 of the version to replace; ``"*"`` for any, None for no condition.
        format: the name of the format; None to detect it.
        base: the IRI against which relative IRIs are resolved.
        note: a note of the submitter.
        again: whether to accept bytes that were withdrawn or erased.
        allow_empty: whether to accept a document without statements.
        origin: the entry of a peer from which it comes; None for none.
        license: the IRI of its license; may be empty.
        recording: further entries.
        own_only: whether the actor may replace only documents that he submitted first.
    """
    store.ledger.require_own(project)
    settings = store.ledger.settings(project)
    if format is not None:
        by_name(format)
    check_base(base)
    access.text("note", note)
    if profiles:
        user_defined.chosen(store, project, profiles)  # an unknown one is refused also where the bytes are stored
    _within(data, store.settings.max_body)
    blob = hashlib.sha256(data).hexdigest()
    document = access.name("document", name) if name is not None else name_for(file, blob)

    # Tested before the checks, so that a repeated submission costs little and a conflict is reported early. Tested
    # again inside the transaction, where the result is authoritative.
    erased = store.ledger.erased(project)
    previous = _current(store.ledger.last(project, document), erased)
    taken = store.ledger.taken_back(project, document, blob)
    _require_again(store, actor, taken, previous, blob, again=again)
    if own_only and previous is not None:
        with store.ledger.stream(project) as stream:
            access.require_submitter(actor, document, stream.submitter(document))
    unchanged = _precondition(previous, blob, document, update=update, if_match=_condition(if_match, taken, previous))
    if unchanged is not None and recording is None:
        store.index()  # the process that stored it may have been killed before it was indexed
        return _receipt(store, unchanged, created=False)
    store.require_space(len(data))
    with store.ledger.stream(project) as stream:
        stream.require_room(document, len(data), settings=settings)

    names = list(dict.fromkeys([*settings.get("profiles", []), *profiles]))
    folders = user_defined.folders(store, project, names)
    arguments: dict[str, Any] = {"format": format, "base": base, "profiles": folders, "without_profiles": "report"}
    with _Content(store, project, document, blob, len(data)) as quads:
        arguments |= {"target": quads.target, "table": quads.table, "allow_empty": allow_empty}
        result = run_worker(store, data, file, arguments)
        report = Report.from_dict(result["report"])
        if not result["accepted"]:
            raise Refused(_refusal(document, report), report)

        store.blobs.put(data)
        outcome = report.to_dict()
        stored_report_bytes = json.dumps(outcome, ensure_ascii=False, sort_keys=True).encode()
        body: dict[str, Any] = {
            "document": document,
            "blob": blob,
            "size": len(data),
            "format": result["format"],
            "base": base or "",
            "title": result["title"],
            "statements": result["statements"],
            "layers": list(report.layers),
            "profiles": list(report.profiles),
            "mapping": MAPPING,
            "verdict": report.verdict,
            "possible": outcome.get("possible"),
            "warnings": outcome["counts"]["warning"],
            "report": store.blobs.put(stored_report_bytes),
            "note": note,
            "origin": None if origin is None else dict(origin),
            **({"license": license} if license else {}),
        }

        def append(appending: Appending) -> tuple[Entry, bool]:
            if own_only:
                access.require_submitter(actor, document, appending.submitter(document))
            current = _current(appending.last(document), appending.erased())
            taken = appending.taken_back(document, blob)
            _require_again(store, actor, taken, current, blob, again=again)
            unchanged = _precondition(
                current, blob, document, update=update, if_match=_condition(if_match, taken, current)
            )
            if unchanged is None:
                # The same bytes may have been erased meanwhile, which is not possible inside the transaction.
                for content in (data, stored_report_bytes):
                    if not store.blobs.exists(hashlib.sha256(content).hexdigest()):
                        store.blobs.put(content)
            if recording is not None:
                recording.before(appending)
            version = appending.newest(document) + 1
            if unchanged is None and result["written"]:
                quads.publish(version)
            entry = unchanged or appending.append(
                "submit", {**body, "version": version}, actor=actor.id, token=actor.token
            )
            if recording is not None:
                recording.after(appending, entry)
            return entry, unchanged is None

        if recording is None:
            entry, created = store.ledger.batches.append(project, append)
        else:
            with store.ledger.appending(project) as appending:
                entry, created = append(appending)
        quads.keep(result["format"], base or "")
    store.index()
    return _receipt(store, entry, created=created, report=report)


def validate(
    store: Store,
    source: Source,
    *,
    project: str | None,
    profiles: Sequence[str],
    constraints: str | None,
    format: str | None,  # noqa: A002
    base: str | None,
) -> Report:
    """Read and check a document in a worker and store nothing; see ``Repository.validate``."""
    if format is not None:
        by_name(format)
    check_base(base)
    data, file = content(source)
    _within(data, store.settings.max_body)
    folders = user_defined.folders(store, project, profiles)
    arguments = {"format": format, "base": base, "profiles": folders, "constraints": constraints}
    return Report.from_dict(run_worker(store, data, file, arguments)["report"])


def _within(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise TooLarge(f"{len(data):,} bytes are more than the limit of {limit:,} for one document")


def _current(last: Entry | None, erased: set[tuple[str, int]]) -> Entry | None:
    """Return the current version: the newest submission, unless it was withdrawn or its bytes were erased later."""
    if last is None or last.kind != "submit":
        return None
    return None if (last.fields["document"], last.fields["version"]) in erased else last


def _require_again(
    store: Store, actor: Actor, taken: Entry | None, current: Entry | None, blob: str, *, again: bool
) -> None:
    """Refuse bytes that were withdrawn or erased, unless ``again`` is set.

    Args:
        store: the data directory.
        actor: the submitter.
        taken: the withdrawal or erasure of the bytes; None if there is none.
        current: the current version of the document. If it has these bytes, nothing is submitted again.
        blob: SHA-256 of the bytes.
        again: whether the submitter wants to submit them again.

    Raises:
        TakenBack: the bytes were withdrawn or erased, and ``again`` is not set.
        Denied: the bytes were erased, and the actor is not the owner, who alone may erase.
    """
    if taken is None or (current is not None and current.fields["blob"] == blob):
        return
    state = "erased" if taken.kind == "erase" else "withdrawn"
    document, version, reason = taken.fields["document"], taken.fields["version"], taken.fields["reason"]
    by = actor_names(store, taken.project).get(taken.actor, taken.actor)
    if not again:
        raise TakenBack(
            f"these bytes were {state} on {taken.time} by {by} ({document} version {version}): {reason}; to submit "
            "them anyway, use --again, ?again=true or again=True",
            state=state,
            document=document,
            version=version,
            time=taken.time,
            by=by,
            reason=reason,
        )
    if taken.kind == "erase" and not actor.owner:
        raise Denied("these bytes were erased; only the owner of the data directory may submit them again")


def _condition(if_match: str | None, taken: Entry | None, current: Entry | None) -> str | None:
    """Return ``if_match``; None for withdrawn or erased bytes of a document without a current version."""
    return None if taken is not None and current is None else if_match


def _precondition(
    current: Entry | None, blob: str, document: str, *, update: bool, if_match: str | None
) -> Entry | None:
    """Return the current version if it has these bytes already; None if a new version may be appended.

    Raises:
        Stale: ``if_match`` does not match the current version.
        Conflict: the document has other bytes, and neither ``update`` nor ``if_match`` is given.
    """
    if current is not None and current.fields["blob"] == blob:
        return current
    if if_match is not None:
        if current is None:
            raise Stale(f"{document} has no current version to replace")
        if if_match not in ("*", current.fields["blob"]):
            raise Stale(f"{document} has a newer version: {current.fields['version']} ({current.fields['blob']})")
    elif current is not None and not update:
        raise Conflict(
            f"the name {document} is taken by other bytes (version {current.fields['version']}, "
            f"sha256 {current.fields['blob']}); submit an update, or choose another name"
        )
    return None


def unchanged(
    store: Store, project: str, document: str, blob: str, *, update: bool, if_match: str | None
) -> Entry | None:
    """Return the current version if it has these bytes; None if they could become a version now.

    Raises:
        Stale, Conflict: as for ``Repository.submit``.
    """
    current = _current(store.ledger.last(project, document), store.ledger.erased(project))
    taken = store.ledger.taken_back(project, document, blob)
    return _precondition(current, blob, document, update=update, if_match=_condition(if_match, taken, current))


class _Content:
    """The content file of one submission: a temporary file, until the entry is appended.

    Many submissions fail, or turn out to be of bytes that another has stored meanwhile. They leave no file: it could
    have content that is erased later.

    Attributes:
        target: where the worker writes the quads, for the version number that will probably be next; None where this
            process has no views.
        table: where it writes the table of the statements; None where there is no target, or the document is small.
    """

    def __init__(self, store: Store, project: str, document: str, blob: str, size: int) -> None:
        self._store = store
        self._table = store.temporary(".sqlite")
        self._key = project, document, blob
        self._published: Path | None = None
        self.target: dict[str, Any] | None = None
        self.table: str | None = None
        if store.may_index():
            minter = store.minter()
            with store.ledger.stream(project) as stream:
                version = stream.newest(document) + 1
            self._expected = self._file(version, minter.base)
            self._written = store.temporary(".nq")
            self.target = content_files.target(
                minter,
                project,
                document,
                version,
                blob,
                output=self._written,
                partial=self._written,
            )
            if size > LARGE:
                self.table = str(self._table)

    def publish(self, version: int) -> None:
        """Give the follower the file; to be called inside the transaction that appends the entry.

        If another submission got the number, or the base IRI was changed, the quads are derived again.
        """
        if self.target is not None and self._file(version, self._store.base()) == self._expected:
            self._published = self._expected
            with suppress(OSError):  # such as a full disk, or a transaction that is tried a second time
                move(self._written, self._expected)
        elif self._published is not None:
            discard(self._published)  # of a transaction that failed
            self._published = None

    def keep(self, format: str, base: str) -> None:  # noqa: A002
        """Note that the entry was appended: the follower deletes the file. A table of the statements is kept, too."""
        self._published = None
        if self._table.exists():
            with suppress(OSError):  # it is made again at the first reading
                files.make_room(self._store)
                self._table.replace(files.table(self._store, self._key[2], format, base))

    def _file(self, version: int, base: str) -> Path:
        project, document, blob = self._key
        return self._store.content_file(project, document, version, blob, base)

    def __enter__(self) -> _Content:
        return self

    def __exit__(self, *error: object) -> None:
        self._table.unlink(missing_ok=True)
        if self.target is not None:
            discard(self._written)
        if self._published is not None:
            discard(self._published)


def _refusal(document: str, report: Report) -> str:
    if emptiness.only_empty(report):
        return (
            f"{document} makes no statement of PROV; to store it anyway, use --allow-empty, allow_empty=True "
            "or ?allow_empty=true"
        )
    return f"{document} does not conform: {report.count_text()}"


def _receipt(store: Store, entry: Entry, *, created: bool, report: Report | None = None) -> Receipt:
    return Receipt(
        version=version_info(store, entry),
        created=created,
        indexed=store.indexed(entry),
        entry=entry.sha256,
        report=report or stored_report(store, entry),
        receipt=store.parts.log.receipt_or_none(entry.project, entry),
    )


def name_for(file: str | None, blob: str) -> str:
    """Return the default name of a document: the name of the file without its suffix, or part of the digest.

    It depends only on the submission, so that repeating it finds the same document.
    """
    stem = Path(file).name.split(".")[0] if file else ""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:100]
    return stem if stem else f"sha256-{blob[:16]}"

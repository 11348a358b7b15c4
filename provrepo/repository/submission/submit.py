"""A submission's walk: bytes → worker (read, check, quads) → blob → entry → views → receipt."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from provrepo.checks import emptiness
from provrepo.checks.report import Report
from provrepo.codecs.formats import Source, by_name, check_base, content
from provrepo.errors import Conflict, Denied, Refused, Stale, TakenBack, TooLarge
from provrepo.ledger.entries import Entry
from provrepo.ledger.storage.durable import translated
from provrepo.repository import access
from provrepo.repository.catalog import stored_report, version_info
from provrepo.repository.profiles import own
from provrepo.repository.records import Actor, Receipt
from provrepo.repository.store import Store
from provrepo.repository.submission import content_files
from provrepo.repository.submission.worker import MAPPING
from provrepo.views.extraction import discard

__all__ = ["name_for", "submit", "validate"]


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
) -> Receipt:
    """Check and store one document, its bytes and the name of their file; see ``Repository.submit``."""
    access.name("project", project)
    access.require_write(
        actor, project, public=store.ledger.public(), exists=lambda name: store.ledger.length(name) > 0
    )
    settings = store.ledger.settings(project)
    if format is not None:
        by_name(format)
    check_base(base)
    access.text("note", note)
    _within(data, store.settings.max_body)
    blob = hashlib.sha256(data).hexdigest()
    document = access.name("document", name) if name is not None else name_for(file, blob)

    # Asked before the checks, so that a repeated submission costs nothing and a taken name is said at once; asked
    # again inside the transaction, where the answer counts.
    erased = store.ledger.erased(project)
    previous = _standing(store.ledger.last(project, document), erased)
    taken = store.ledger.taken_back(project, document, blob)
    _readmit(store, actor, taken, previous, blob, again=again)
    unchanged = _precondition(previous, blob, document, update=update, if_match=_wanted(if_match, taken, previous))
    if unchanged is not None:
        store.index()  # it may be new to the views all the same, where who stored it was killed
        return _receipt(store, unchanged, created=False)
    store.require_space(len(data))

    wanted = list(dict.fromkeys([*settings.get("profiles", []), *profiles]))
    target = _target(store, project, document, blob) if store.may_index() else None
    held = own.folders(store, project, wanted)
    arguments = {"format": format, "base": base, "profiles": held, "without_profiles": "report", "target": target}
    result = _intake(store, data, file, {**arguments, "allow_empty": allow_empty})
    report = Report.from_dict(result["report"])
    if not report.conforms and not (allow_empty and emptiness.only_empty(report)):
        raise Refused(_why(document, report), report)

    store.blobs.put(data)
    judged = report.to_dict()
    checked = json.dumps(judged, ensure_ascii=False, sort_keys=True).encode()
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
        "possible": judged.get("possible"),
        "warnings": judged["counts"]["warning"],
        "report": store.blobs.put(checked),
        "note": note,
        "origin": None,
    }
    with store.ledger.appending(project) as appending:
        standing = _standing(appending.last(document), appending.erased())
        taken = appending.taken_back(document, blob)
        _readmit(store, actor, taken, standing, blob, again=again)
        unchanged = _precondition(standing, blob, document, update=update, if_match=_wanted(if_match, taken, standing))
        if unchanged is None:
            # Again, and cheap: somebody may have erased the same bytes since. Nobody can inside the transaction.
            store.blobs.put(data)
            store.blobs.put(checked)
        entry = unchanged or appending.append(
            "submit", {**body, "version": appending.newest(document) + 1}, actor=actor.id, token=actor.token
        )
    store.index()
    return _receipt(store, entry, created=unchanged is None, report=report)


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
    """Read and check in a worker, and keep nothing; see ``Repository.validate``."""
    if format is not None:
        by_name(format)
    check_base(base)
    data, file = content(source)
    _within(data, store.settings.max_body)
    held = own.folders(store, project, profiles)
    arguments = {"format": format, "base": base, "profiles": held, "constraints": constraints}
    return Report.from_dict(_intake(store, data, file, arguments)["report"])


def _within(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise TooLarge(f"{len(data):,} bytes are more than the {limit:,} that one document may have")


def _intake(store: Store, data: bytes, file: str | None, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run ``intake.run`` on some bytes in a worker process."""
    source = store.temporary()
    try:
        with translated("keep the submitted bytes while they are checked"):
            source.write_bytes(data)
        result: dict[str, Any] = store.pool.call(
            "provrepo.repository.submission.worker:run",
            {"source": str(source), "name": file, **arguments},
            timeout=store.settings.check_timeout,
        )
    finally:
        source.unlink(missing_ok=True)
        if arguments.get("target"):
            discard(Path(arguments["target"]["partial"]))
    return result


def _standing(last: Entry | None, erased: set[tuple[str, int]]) -> Entry | None:
    """The current version: the newest submission, unless it was withdrawn or its bytes erased since."""
    if last is None or last.kind != "submit":
        return None
    return None if (last.fields["document"], last.fields["version"]) in erased else last


def _readmit(store: Store, actor: Actor, taken: Entry | None, current: Entry | None, blob: str, *, again: bool) -> None:
    """Refuse bytes that were withdrawn or erased, unless they are expressly submitted again.

    Args:
        store: the data directory.
        actor: who submits.
        taken: what took them back; None where nothing did.
        current: the document's current version. Bytes that it holds are not submitted anew.
        blob: SHA-256 of the bytes.
        again: whether they are submitted again on purpose.

    Raises:
        TakenBack: they were taken back, and ``again`` is not set.
        Denied: they were erased, and the actor is not the owner, who alone erases.
    """
    if taken is None or (current is not None and current.fields["blob"] == blob):
        return
    state = "erased" if taken.kind == "erase" else "withdrawn"
    document, version, reason = taken.fields["document"], taken.fields["version"], taken.fields["reason"]
    by = store.accounts.names().get(taken.actor, taken.actor)
    if not again:
        raise TakenBack(
            f"these bytes were {state} on {taken.time} by {by} ({document} version {version}): {reason}; to submit "
            "them all the same, say so (--again, ?again=true, again=True)",
            state=state,
            document=document,
            version=version,
            time=taken.time,
            by=by,
            reason=reason,
        )
    if taken.kind == "erase" and not actor.owner:
        raise Denied("these bytes were erased; only the owner of the data directory takes them in again")


def _wanted(if_match: str | None, taken: Entry | None, current: Entry | None) -> str | None:
    """The version that is to be replaced; None where the document was withdrawn and its bytes come again on purpose."""
    return None if taken is not None and current is None else if_match


def _precondition(
    current: Entry | None, blob: str, document: str, *, update: bool, if_match: str | None
) -> Entry | None:
    """The current version where it holds these bytes already; None where a new version may be appended.

    Raises:
        Stale: the version named by ``if_match`` is not the current one.
        Conflict: the name is taken by other bytes and no update was asked for.
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


def _target(store: Store, project: str, document: str, blob: str) -> dict[str, Any]:
    """Where the quads of what will probably be the next version go.

    Should another submission take that number meanwhile, nothing refers to the file, and the quads are made again.
    """
    minter = store.minter()
    versions = store.ledger.versions(project, document)
    version = int(versions[-1].fields["version"]) + 1 if versions else 1
    return content_files.target(
        minter,
        project,
        document,
        version,
        blob,
        output=store.content_file(project, document, version, blob, minter.base),
        partial=store.temporary(".part"),
    )


def _why(document: str, report: Report) -> str:
    if emptiness.only_empty(report):
        return (
            f"{document} makes no statement of PROV; to store it all the same, say so with --allow-empty, "
            "allow_empty=True or ?allow_empty=true"
        )
    return f"{document} does not conform: {report.count_text()}"


def _receipt(store: Store, entry: Entry, *, created: bool, report: Report | None = None) -> Receipt:
    return Receipt(
        version=version_info(store, entry),
        created=created,
        indexed=store.indexed(entry),
        entry=entry.sha256,
        report=report or stored_report(store, entry),
    )


def name_for(file: str | None, blob: str) -> str:
    """The document name for a submission without one: the file's name without its ending, or part of the digest.

    It depends on nothing but the submission, so that submitting the same again finds the same document.
    """
    stem = Path(file).name.split(".")[0] if file else ""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:100]
    return stem if stem else f"sha256-{blob[:16]}"

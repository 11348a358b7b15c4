"""The verb ``changes``: what was submitted, withdrawn and erased in a project, the newest first, for its readers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from provrepo.errors import UsageError
from provrepo.repository.context import Context
from provrepo.repository.exchange.names import actor_names

__all__ = ["Change", "changes"]

_KINDS = ("submit", "withdraw", "erase")


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the ledger about a document.

    Attributes:
        sequence: its number in the project.
        entry: SHA-256 of its canonical form, in hexadecimal.
        kind: ``submit``, ``withdraw`` or ``erase``.
        document: the document.
        version: the version.
        time: xsd:dateTime in UTC.
        by: the name of its actor.
        state: of a submission: ``withdrawn`` or ``erased`` if that has happened to the version since; otherwise empty.
        title: of a version that is neither; may be empty.
        note: the note of its submitter, of a version that is neither; otherwise the reason.
        verdict: of a submission, ``conforms`` or ``fails``; otherwise empty.
        warnings: of a submission, the number of warnings.
    """

    sequence: int
    entry: str
    kind: str
    document: str
    version: int
    time: str
    by: str
    state: str = ""
    title: str = ""
    note: str = ""
    verdict: str = ""
    warnings: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


def changes(
    context: Context, project: str, *, before: int | None = None, limit: int = 50
) -> tuple[list[Change], int | None]:
    """Return the newest submissions, withdrawals and erasures of a project.

    Args:
        project: the project.
        before: only those before this entry; None for the newest.
        limit: the most.

    Returns:
        These, the newest first, and the ``before`` of those that follow; None if there are none.

    Raises:
        NotFound: no such project.
        UsageError: ``limit`` is less than 1, or ``before`` is negative.
    """
    if limit < 1 or (before is not None and before < 0):
        raise UsageError("limit is a number from 1, before one from 0")
    context.require_read(project)
    store = context.store
    names = actor_names(store, project)
    with store.ledger.stream(project) as stream:
        found = stream.newest_of(_KINDS, before, limit + 1)
        erased = stream.erased()
        covered = {name: stream.withdrawn_up_to(name) for name in {entry.body["document"] for entry in found}}
    shown = []
    for entry in found[:limit]:
        body, state = entry.body, ""
        document, version = str(body["document"]), int(body["version"])
        submitted = entry.kind == "submit"
        if submitted and (document, version) in erased:
            state = "erased"
        elif submitted and version <= covered[document]:
            state = "withdrawn"
        open_ = submitted and not state
        shown.append(
            Change(
                sequence=entry.sequence,
                entry=entry.sha256,
                kind=entry.kind,
                document=document,
                version=version,
                time=entry.time,
                by=names.get(entry.actor, entry.actor),
                state=state,
                title=str(body["title"]) if open_ else "",
                note=str(body["note"]) if open_ else "" if submitted else str(body["reason"]),
                verdict=str(body["verdict"]) if submitted else "",
                warnings=int(body.get("warnings") or 0) if submitted else 0,
            )
        )
    return shown, found[limit - 1].sequence if len(found) > limit else None

"""Former states: "as of" an entry of a project, or a time, as the last entry of each project by then."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from provrepo.errors import UsageError
from provrepo.ledger.ledger import Ledger

__all__ = ["HINT", "FormerState", "former_state", "last_entries"]

HINT = "PROJECT/SEQUENCE, an entry; or a time with its zone, such as 2026-01-31T12:00:00Z"
"""The two forms of ``as_of``, for people."""

_ENTRY = re.compile(r"([^/]+)/([1-9][0-9]{0,14})")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


class FormerState(TypedDict):
    """The versions that count in an answer; see ``provrepo.views.lineage.index.Lineage.traverse``.

    Attributes:
        as_of: the number of the last entry of each project; None for the current state.
        curated: the projects whose withdrawn versions count; None for the current state.
    """

    as_of: Mapping[str, int] | None
    curated: Sequence[str] | None


def former_state(
    ledger: Ledger, as_of: str | None, require_read: Callable[[str], None], curates: Callable[[str], bool]
) -> FormerState:
    """The state as of an entry or a time, without versions withdrawn since, except in projects that the caller curates.

    Args:
        ledger: the entries.
        as_of: in a form of ``HINT``; None for the current state.
        require_read: raises NotFound for a project that the caller may not read.
        curates: whether the caller may read the withdrawn versions of a project.

    Raises:
        UsageError, NotFound: as ``last_entries``.
    """
    if as_of is None:
        return {"as_of": None, "curated": None}
    found = last_entries(ledger, as_of, require_read)
    return {"as_of": found, "curated": [project for project in found if curates(project)]}


def last_entries(ledger: Ledger, as_of: str, require_read: Callable[[str], None]) -> dict[str, int]:
    """The number of each project's last entry as of an entry or a time; projects without one by then are left out.

    Entries of several projects are ordered as this copy of the data appended them. As of a time, a mirror has the
    entries that its origin had then.

    Args:
        ledger: the entries.
        as_of: in a form of ``HINT``.
        require_read: raises NotFound for a project that the caller may not read.

    Raises:
        UsageError: neither an entry nor a time with a zone.
        NotFound: no such project or entry.
    """
    entry = _ENTRY.fullmatch(as_of)
    if entry is not None:
        project, sequence = entry.groups()
        require_read(project)
        return ledger.lengths(ledger.position_of(project, int(sequence)))
    try:
        if _TIME.fullmatch(as_of):
            return ledger.lengths_at(datetime.fromisoformat(as_of))
    except ValueError:
        pass  # it has the form of a time, but no such day or hour exists
    raise UsageError(f"as of {as_of[:100]!r}: write {HINT}")

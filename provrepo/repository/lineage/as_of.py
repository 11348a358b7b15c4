"""What "as of" means: an entry of a project, or a moment, as how far each project's ledger had come by then."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from provrepo.errors import UsageError
from provrepo.ledger.ledger import Ledger

__all__ = ["HINT", "Then", "lengths", "then"]

HINT = "PROJECT/SEQUENCE, an entry; or a time with its zone, such as 2026-01-31T12:00:00Z"
"""How it is written, for people."""

_ENTRY = re.compile(r"([^/]+)/([1-9][0-9]{0,14})")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


class Then(TypedDict):
    """Which versions count in an answer; see ``provrepo.views.lineage.index.Lineage.ask``."""

    as_of: Mapping[str, int] | None
    curated: Sequence[str] | None


def then(
    ledger: Ledger, as_of: str | None, require_read: Callable[[str], None], curates: Callable[[str], bool]
) -> Then:
    """What was current then; without what was withdrawn since, except in the projects that the caller curates.

    Args:
        ledger: the entries.
        as_of: as ``HINT`` says; None for now.
        require_read: refuses a project that the caller may not read.
        curates: whether the caller may read what was withdrawn from a project.

    Raises:
        UsageError, NotFound: as ``lengths``.
    """
    if as_of is None:
        return {"as_of": None, "curated": None}
    found = lengths(ledger, as_of, require_read)
    return {"as_of": found, "curated": [project for project in found if curates(project)]}


def lengths(ledger: Ledger, as_of: str, require_read: Callable[[str], None]) -> dict[str, int]:
    """The number of each project's last entry then; a project that began later is left out.

    The order of entries of several projects is that in which this copy of the data took them in.

    Args:
        ledger: the entries.
        as_of: as ``HINT`` says.
        require_read: refuses a project that the caller may not read.

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
            return ledger.lengths(ledger.position_at(datetime.fromisoformat(as_of)))
    except ValueError:
        pass  # the form of a time, and no such day or hour
    raise UsageError(f"as of {as_of[:100]!r}: write {HINT}")

"""The table of mirrors: projects whose stream is a copy of the entries of another repository's project.

The entries of a mirror are those of its origin, byte for byte. They contain the name that the project has at the origin
(``Mirror.stream``), which may differ from the name here (``Mirror.project``). The columns of ``entries`` have the name
here, and ``entries.stream`` the name in the bytes; it is null for the projects of this repository.

A mirror is recorded by ``mirror`` entries in the repository's own stream. The row repeats the last of them, and also
has what may change without an entry, such as the time of the last contact.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from provrepo.errors import Damaged, Mirrored
from provrepo.ledger.kinds import is_name

__all__ = ["RECORDED", "Mirror", "every", "find", "problems", "recorded", "require_own"]


@dataclass(frozen=True, slots=True)
class Mirror:
    """One mirror.

    Attributes:
        project: its name here.
        stream: the name of the project at the origin, which its entries contain.
        origin: the URL of the project that is mirrored; empty for one that came in a package.
        identity: UUID of the origin.
        setup: the set-up identifier of the origin, from which a restore of the origin is detected.
        base: the base IRI of the origin, below which the documents have their IRIs; empty if it has none.
        former: whether the origin had entries before it had an identity: see ``model.minting``.
        before: the number of its entry ``identity``: the IRIs of the entries before that do not depend on the identity
            of the origin; 0 for none.
        public: whether anonymous clients may read it, provided that the project is public at the origin too.
        active: whether it is still followed.
        content: a number that grows when blobs arrive that were absent, so that the views index them.
        blobs: which blobs are copied: ``all``, ``current`` or ``none``.
        most: the size in bytes above which a blob is not copied; None for no limit.
        state: the outcome of the last contact, one of ``STATES``.
        message: the outcome for people; empty if the mirror is up to date.
        tried: the time of the last attempt, xsd:dateTime in UTC; empty before the first.
        contacted: the time of the last contact that succeeded.
        ahead: the number of entries that the origin had then.
        about: the digest of what the origin said of itself then, such as names of actors.
    """

    project: str
    stream: str
    origin: str
    identity: str
    setup: str
    base: str = ""
    former: bool = False
    before: int = 0
    public: bool = False
    active: bool = True
    content: int = 0
    blobs: str = "all"
    most: int | None = None
    state: str = "new"
    message: str = ""
    tried: str = ""
    contacted: str = ""
    ahead: int = 0
    about: str = ""

    @property
    def key(self) -> str:
        """Whatever the content of the views depends on, beside entries and blobs."""
        former = "former" if self.former else ""
        return f"{self.identity} {self.stream} {self.base} {former} {self.before} {self.public} {self.content}"


_NAMES = tuple(field.name for field in fields(Mirror))
_COLUMNS = ", ".join(_NAMES)
_FLAGS = ("former", "public", "active")

RECORDED = ("stream", "origin", "identity", "setup", "base", "former", "before", "public", "active")
"""The columns that ``mirror`` entries repeat."""


def find(connection: sqlite3.Connection, project: str) -> Mirror | None:
    """Return the mirror with a name; None if there is none."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM mirrors WHERE project = ?", (project,)).fetchone()  # noqa: S608
    return None if row is None else _mirror(row)


def every(connection: sqlite3.Connection) -> list[Mirror]:
    """Return all mirrors by name."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM mirrors ORDER BY project").fetchall()  # noqa: S608
    return [_mirror(row) for row in rows]


def require_own(connection: sqlite3.Connection, project: str) -> None:
    """Refuse a mirror, to which nothing can be appended here.

    Raises:
        Mirrored: the project is a mirror.
    """
    row = connection.execute("SELECT origin, stream, identity FROM mirrors WHERE project = ?", (project,)).fetchone()
    if row is not None:
        origin, stream, identity = row
        where = origin or f"project {stream} of the repository {identity}"
        raise Mirrored(
            f"project {project} is a mirror of {where} and is changed there only; what is derived from it goes into "
            "another project here"
        )


def recorded(mirror: Mirror) -> dict[str, Any]:
    """Return the body of the ``mirror`` entry for a row."""
    return {
        "name": mirror.project,
        "origin": mirror.origin,
        "identity": mirror.identity,
        "setup": mirror.setup,
        "state": "begun" if mirror.active else "ended",
        "stream": mirror.stream,
        "base": mirror.base,
        "former": mirror.former,
        "before": mirror.before,
        "public": mirror.public,
    }


def problems(connection: sqlite3.Connection, last: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield one sentence for each row that differs from the last ``mirror`` entry about it.

    Args:
        connection: of the ledger.
        last: the body of the last entry, by the name of the mirror.
    """
    found = {mirror.project: mirror for mirror in every(connection)}
    for name in sorted(found.keys() | last.keys()):
        if name not in last:
            yield f"mirror {name} was never recorded in the repository's own stream: it was added by other means"
        elif name not in found:
            yield f"mirror {name} is gone: an entry recorded it, and none are deleted"
        else:
            wanted = recorded(found[name])
            differing = sorted(key for key, value in wanted.items() if last[name].get(key) != value)
            if differing:
                yield f"mirror {name}: {', '.join(differing)} is not what the last entry about it recorded"
    for project, stream in connection.execute(
        "SELECT DISTINCT e.project, e.stream FROM entries AS e LEFT JOIN mirrors AS m ON m.project = e.project "
        "WHERE e.stream IS NOT m.stream ORDER BY 1 LIMIT 20"
    ).fetchall():
        yield f"project {project}: its entries are stored as those of {stream!r}, which is not what it mirrors"


def _mirror(row: tuple[Any, ...]) -> Mirror:
    values = dict(zip(_NAMES, row, strict=True))
    if not (is_name(values["project"]) and is_name(values["stream"])):
        raise Damaged(f"the row of mirror {values['project']!r} was changed by other means than provrepo")
    return Mirror(**{**values, **{name: bool(values[name]) for name in _FLAGS}})

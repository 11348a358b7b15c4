"""The files of a package, and the record that describes it.

::

    crops-1-57                     one folder, a bag (RFC 8493)
    ├── bagit.txt
    ├── bag-info.txt
    ├── manifest-sha512.txt        digests of the files below data
    ├── tagmanifest-sha512.txt     digests of the files above
    └── data                       a crate (RO-Crate 1.2)
        ├── ro-crate-metadata.json
        ├── index.html             a page for people
        ├── provrepo.json           the record ``Contents``
        ├── entries.ndjson         the ledger entries, their exact bytes, one a line
        ├── files.ndjson           for each blob of these entries: its file, or the reason why it is not here
        ├── originals              the submitted bytes
        ├── prov-json              the current versions as PROV-JSON
        ├── reports                the reports of the checks
        └── profiles               user-defined profiles of the project
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from provrepo.errors import RemoteError
from provrepo.ledger.kinds import DIGEST, LINK, TIME, UUID, is_name
from provrepo.repository.exchange.origin import Origin

__all__ = [
    "BYTES_FREE",
    "CRATE",
    "ENTRIES",
    "FILES",
    "FORMAT",
    "FOLDERS",
    "LONGEST_LINE",
    "MEMBERS",
    "PACKAGE",
    "PAGE",
    "RATIO",
    "Contents",
    "Item",
    "top_folder",
]

FORMAT = 1
"""The number of the format. A reader refuses greater numbers."""

PACKAGE, ENTRIES, FILES = "provrepo.json", "entries.ndjson", "files.ndjson"
PAGE, CRATE = "index.html", "ro-crate-metadata.json"
FOLDERS: Mapping[str, str] = {
    "original": "originals",
    "prov-json": "prov-json",
    "report": "reports",
    "profile": "profiles",
}
"""Role of a file → its folder."""

MEMBERS = 500_000
"""The most files of a package. Python needs about 1 kB of memory for each, to read as to write."""

RATIO = 200
"""How many times larger than the package its content may be, beyond ``BYTES_FREE``: larger ones are taken for bombs."""

BYTES_FREE = 256 << 20
"""Bytes of content that are allowed whatever the size of the package."""

LONGEST_LINE = 1 << 20
"""The most bytes of a line: of an entry, of a file of the package, of a manifest."""

_PATH = re.compile(r"(originals|prov-json|reports|profiles)/[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a package contains, which it states itself in ``provrepo.json``.

    Attributes:
        project: the name of the project.
        identity: UUID of the repository.
        setup: its set-up identifier; may be empty.
        base: its base IRI; empty if none was set.
        former: whether it had entries before it had an identity: see ``model.minting``.
        before: the number of the entry ``identity`` of the project: the IRIs of the entries before that do not depend
            on the identity; 0 for none.
        first: the sequence number of the first entry.
        last: the sequence number of the last entry.
        previous: SHA-256 of the entry before the first; empty if the first is entry 1.
        sha256: SHA-256 of the last entry.
        time: the time of the last entry, xsd:dateTime in UTC.
        software: name and version of the program that made the package.
        actors: identifier → name, for the actors of these entries whose names are known.
    """

    project: str
    identity: str
    setup: str
    base: str
    former: bool
    before: int
    first: int
    last: int
    previous: str
    sha256: str
    time: str
    software: str
    actors: Mapping[str, str] = field(default_factory=dict)

    @property
    def entries(self) -> int:
        """The number of entries."""
        return self.last - self.first + 1

    @property
    def origin(self) -> Origin:
        """What a mirror needs to know of the repository.

        Raises:
            RemoteError: it says what is not possible.
        """
        known = {name: getattr(self, name) for name in _OF_ORIGIN}
        return Origin.from_dict({**known, "sequence": self.last})

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"format": FORMAT, **asdict(self), "actors": dict(sorted(self.actors.items()))}

    @classmethod
    def from_bytes(cls, data: bytes) -> Contents:
        """Read ``provrepo.json``.

        Raises:
            ValueError: it is not the description of a package that this version can read, with the reason.
        """
        found = _object(data)
        if type(found.get("format")) is not int or found["format"] < 1:
            raise ValueError("it has no number of a format")
        if found["format"] > FORMAT:
            raise ValueError(f"its format is {found['format']}, and this version reads {FORMAT}: upgrade provrepo")
        for name, right in _FIELDS.items():
            if name not in found:
                raise ValueError(f"{name!r} is missing")
            if not right(found[name]):
                raise ValueError(f"{name!r} cannot be {str(found[name])[:80]!r}")
        contents = cls(**{name: found[name] for name in _FIELDS})
        if contents.last < contents.first:
            raise ValueError("it has no entries")
        try:
            contents.origin  # noqa: B018 (raises)
        except RemoteError as error:
            raise ValueError(str(error)) from error
        if contents.before and not contents.former:
            raise ValueError("'before' is 0 for a repository that always had an identity")
        if (contents.previous == "") != (contents.first == 1):
            raise ValueError("'previous' is empty for the first entry of a project, and for no other")
        return contents


@dataclass(frozen=True, slots=True)
class Item:
    """A line of ``files.ndjson``: a blob of an entry, or a version in PROV-JSON.

    Attributes:
        sequence: the sequence number of the entry.
        role: ``original``, ``report``, ``profile`` or ``prov-json``.
        sha256: SHA-256 of the bytes; empty for PROV-JSON that is not here.
        size: their number; 0 if they are not here.
        path: the file below ``data``; empty if it is not here. Equal bytes have one file.
        why: why it is not here: ``withdrawn``, ``erased`` or another reason; for PROV-JSON also what it cannot
            represent.
    """

    sequence: int
    role: str
    sha256: str
    size: int = 0
    path: str = ""
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Item:
        """Read a line.

        Raises:
            ValueError: it is malformed, with the reason.
        """
        found = _object(data)
        for name, right in _ITEM.items():
            if name not in found or not right(found[name]):
                raise ValueError(f"{name!r} is missing or malformed")
        item = cls(**{name: found[name] for name in _ITEM})
        if item.path and not item.path.startswith(f"{FOLDERS[item.role]}/") and item.role != "prov-json":
            raise ValueError(f"a file of the role {item.role!r} is not {item.path!r}")
        if item.role != "prov-json" and not item.sha256:
            raise ValueError("'sha256' is missing")
        if bool(item.path) != bool(item.sha256) and item.role == "prov-json":
            raise ValueError("PROV-JSON has a path and a digest, or neither")
        return item


def top_folder(contents: Contents) -> str:
    """Return the name of the one folder of a package."""
    return f"{contents.project}-{contents.first}-{contents.last}"


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


def _is_number(value: Any) -> bool:
    return type(value) is int and 1 <= value < 2**53


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_names(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_text(key) and _is_text(name) for key, name in value.items())


_FIELDS: Mapping[str, Callable[[Any], bool]] = {
    "project": is_name,
    "identity": UUID.check,
    "setup": lambda value: value == "" or UUID.check(value),
    "base": _is_text,
    "former": lambda value: isinstance(value, bool),
    "before": _is_size,
    "first": _is_number,
    "last": _is_number,
    "previous": LINK.check,
    "sha256": DIGEST.check,
    "time": TIME.check,
    "software": _is_text,
    "actors": _is_names,
}

_OF_ORIGIN = ("project", "identity", "setup", "base", "former", "before", "sha256", "actors")

_ITEM: Mapping[str, Callable[[Any], bool]] = {
    "sequence": _is_number,
    "role": lambda value: isinstance(value, str) and value in FOLDERS,
    "sha256": LINK.check,
    "size": _is_size,
    "path": lambda value: value == "" or (isinstance(value, str) and _PATH.fullmatch(value) is not None),
    "why": _is_text,
}

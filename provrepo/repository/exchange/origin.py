"""What a repository says of itself and of a project to those who copy the project."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import RemoteError, UsageError
from provrepo.ledger.kinds import is_name
from provrepo.model.identifiers import web_address
from provrepo.repository import access

__all__ = ["Origin"]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Origin:
    """A project and its repository, as far as a copy of the project needs to know them.

    Attributes:
        project: the name of the project, which its entries contain.
        identity: UUID of the repository.
        setup: its set-up identifier, which a restore draws anew.
        base: its base IRI; may be empty.
        former: whether it had entries before it had an identity.
        before: number of the project's entry ``identity``, before which IRIs do not depend on the identity; 0 for none.
        sequence: the number of entries of the project.
        sha256: the digest of the last entry; empty without entries.
        actors: opaque identifier → name, for the actors of its entries.
    """

    project: str
    identity: str
    setup: str = ""
    base: str = ""
    former: bool = False
    before: int = 0
    sequence: int = 0
    sha256: str = ""
    actors: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self), "actors": dict(self.actors)}

    @classmethod
    def from_dict(cls, found: object) -> Origin:
        """Read it from a JSON object of another repository; unknown members are ignored.

        Raises:
            RemoteError: a member is missing or cannot be what it says.
        """
        if not isinstance(found, Mapping):
            raise RemoteError("the origin does not describe itself by a JSON object")
        values = {name: found[name] for name in cls.__dataclass_fields__ if name in found}
        for name, sound in _SOUND.items():
            if name not in values or not sound(values[name]):
                raise RemoteError(
                    f"the origin describes itself with {name} = {str(values.get(name))[:80]!r}, which is not possible"
                )
        return cls(**values)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2**53


def _is_base(value: object) -> bool:
    if not isinstance(value, str):
        return False
    parts = web_address(value) if value else None
    sound = parts is not None and not (parts.query or parts.fragment) and value.endswith("/") and is_iri(value)
    return not value or sound


def _is_text(value: object) -> bool:
    try:
        return isinstance(value, str) and access.text("text", value) == value
    except UsageError:
        return False


_SOUND: Mapping[str, Callable[[Any], bool]] = {
    "project": is_name,
    "identity": lambda value: isinstance(value, str) and _UUID.fullmatch(value) is not None,
    "setup": lambda value: _is_text(value) and len(str(value)) <= 100,
    "base": _is_base,
    "former": lambda value: isinstance(value, bool),
    "before": _is_count,
    "sequence": _is_count,
    "sha256": lambda value: value == "" or (isinstance(value, str) and _SHA256.fullmatch(value) is not None),
    "actors": lambda value: (
        isinstance(value, Mapping) and all(_is_text(name) for pair in value.items() for name in pair)
    ),
}

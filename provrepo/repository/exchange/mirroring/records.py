"""The record of a mirror, as verbs return it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provrepo.ledger.exchange.mirrors import Mirror
    from provrepo.repository.store import Store

__all__ = ["MirrorInfo", "mirror_info"]


@dataclass(frozen=True, slots=True)
class MirrorInfo:
    """A mirror, and how far it has followed its origin.

    Attributes:
        name: its name here.
        origin: the URL of the project that is mirrored; empty for one that came in a package.
        project: the name of the project there, which its entries contain.
        identity: UUID of the repository that is mirrored.
        setup: its set-up identifier.
        sequence: the number of entries that are here.
        ahead: the number of entries of the origin at the last contact.
        state: ``current``, ``behind``, ``new``, ``unreachable``, ``refused``, ``failed``, ``invalid``, ``reset``,
            ``shortened``, ``forked``, or ``ended``.
        message: what is wrong and what to do; empty if nothing is.
        contacted: the time of the last contact that succeeded, xsd:dateTime in UTC; empty before the first.
        tried: the time of the last attempt; empty before the first.
        blobs: which blobs are copied: ``all``, ``current`` or ``none``.
        most: the size in bytes above which a blob is not copied; None for no limit.
        absent: the number of blobs that its entries name and that were not copied.
    """

    name: str
    origin: str
    project: str
    identity: str
    setup: str
    sequence: int
    ahead: int
    state: str
    message: str = ""
    contacted: str = ""
    tried: str = ""
    blobs: str = "all"
    most: int | None = None
    absent: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)

    @property
    def where(self) -> str:
        """The origin, for people."""
        return self.origin or f"project {self.project} of the repository {self.identity}"


def mirror_info(store: Store, mirror: Mirror) -> MirrorInfo:
    """Return the record of a mirror."""
    sequence = store.ledger.length(mirror.project)
    state = mirror.state
    if state == "current" and mirror.ahead > sequence:
        state = "behind"
    return MirrorInfo(
        name=mirror.project,
        origin=mirror.origin,
        project=mirror.stream,
        identity=mirror.identity,
        setup=mirror.setup,
        sequence=sequence,
        ahead=max(mirror.ahead, sequence) if state in ("current", "behind", "new") else mirror.ahead,
        state=state if mirror.active else "ended",
        message=mirror.message,
        contacted=mirror.contacted,
        tried=mirror.tried,
        blobs=mirror.blobs,
        most=mirror.most,
        absent=len(store.parts.mirroring.absent(mirror.project)),
    )

"""The records of the verbs about logs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["LogInfo"]


@dataclass(frozen=True, slots=True)
class LogInfo:
    """The log of a project: the Merkle tree over its entries, and the last signed statement about it.

    Attributes:
        project: the project; empty for the repository's own stream.
        origin: the name of the log, which is the first line of its checkpoints.
        size: the number of entries that the checkpoint covers.
        root: the root of the tree over them, in hexadecimal.
        checkpoint: the signed note.
        keys: the keys that sign, the one in force first, each as ``NAME+ID+BASE64``.
    """

    project: str
    origin: str
    size: int
    root: str
    checkpoint: str
    keys: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self), "keys": list(self.keys)}

"""Functions of upper layers that methods of ``Document`` and ``Comparison`` call.

``document.write(...)`` and ``comparison.equivalent`` are part of the public interface, and the model imports no codec
and no check. ``provrepo/__init__.py`` therefore registers an object that has these functions as attributes and imports
each at its first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from provrepo.model.difference import Difference
    from provrepo.model.document import Document, Loss

__all__ = ["EquivalenceResult", "Operations", "operations", "register"]


class EquivalenceResult(Protocol):
    """The result of ``equivalent``; see ``provrepo.checks.constraints.equivalence.Equivalence``."""

    @property
    def equivalent(self) -> bool | None:
        """Whether the documents are equivalent; None where one is invalid, or where this could not be determined."""

    @property
    def reason(self) -> str:
        """One sentence for people."""

    @property
    def difference(self) -> Difference:
        """The difference of the normal forms."""


class Operations(Protocol):
    """The functions, each documented in the module that defines it."""

    def write(self, document: Document, format: str) -> bytes:  # noqa: A002
        """``provrepo.codecs.formats.write``."""

    def losses(self, document: Document, format: str) -> list[Loss]:  # noqa: A002
        """``provrepo.codecs.formats.losses``."""

    def equivalent(self, left: Document, right: Document) -> EquivalenceResult:
        """``provrepo.checks.constraints.equivalence.equivalent``."""

    def normalized(self, document: Document) -> Document:
        """``provrepo.checks.constraints.equivalence.normalized``."""

    def to_prov(self, document: Document) -> Any:
        """``provrepo.codecs.prov_adapter.to_prov``."""

    def from_prov(self, document: Any) -> Document:
        """``provrepo.codecs.prov_adapter.from_prov``."""


_registered: list[Operations] = []


def register(functions: Operations) -> None:
    """Set the object that has the functions."""
    _registered[:] = [functions]


def operations() -> Operations:
    """The registered object."""
    return _registered[0]

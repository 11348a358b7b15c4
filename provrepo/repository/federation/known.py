"""Which things a peer is known to know, for a lineage that asks about no others."""

from __future__ import annotations

from provrepo.repository.context import Context
from provrepo.repository.federation.walk import Participant
from provrepo.views.lineage.rules import is_content

__all__ = ["Known"]


class Known:
    """What shows that a peer knows a thing, from what this repository stores and from what was answered so far."""

    def __init__(self, context: Context) -> None:
        """Read nothing yet; see ``may_ask``."""
        self._context = context

    def may_ask(self, participant: Participant, iri: str) -> bool:
        """Whether a peer is known to know a thing.

        It may know content, which has the same name everywhere; what is named below its URL; and what it has named
        itself in an answer.
        """
        return is_content(iri) or iri.startswith(participant.laboratory.url) or iri in participant.named

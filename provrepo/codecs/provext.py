"""ProvToolbox's extension of PROV: identifiers and attributes for relations that have none in PROV-DM.

``provext:hadMember(ex:m; ex:c, ex:e, [ex:since="2020"])`` is read as ``hadMember(ex:c, ex:e)`` with an identifier and
attributes. Formats that cannot represent these report them as losses.
"""

from __future__ import annotations

from provrepo.model.document import ReaderWarning
from provrepo.model.statements import ALTERNATE, MEMBERSHIP, SPECIALIZATION

__all__ = ["EXTENDED", "QUALIFIED", "remark"]

EXTENDED = {f"provext:{kind.name}": kind for kind in (SPECIALIZATION, ALTERNATE, MEMBERSHIP)}
"""Keyword → kind that it is read as. As in ProvToolbox, the keyword is one word and not a prefixed name."""

QUALIFIED = {f"qualified{kind.name[0].upper()}{kind.name[1:]}": kind for kind in EXTENDED.values()}
"""Section of PROV-JSON → kind; ProvToolbox names the sections ``qualifiedHadMember`` and so on."""


def remark(keyword: str, line: int | None) -> ReaderWarning:
    """The warning about a statement of the extension."""
    kind = EXTENDED.get(keyword) or QUALIFIED[keyword]
    return ReaderWarning(
        f"{keyword} is an extension of ProvToolbox: read as {kind.name}, with identifier and attributes",
        line,
    )

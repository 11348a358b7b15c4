"""ProvToolbox's extension of PROV: relations that PROV-DM leaves bare, with an identifier and attributes.

``provext:hadMember(ex:m; ex:c, ex:e, [ex:since="2020"])`` says what ``hadMember(ex:c, ex:e)`` says, and more. It is
read as the latter, with the identifier and the attributes, which formats without a place for them report as lost.
"""

from __future__ import annotations

from provrepo.model.document import ReaderWarning
from provrepo.model.statements import ALTERNATE, MEMBERSHIP, SPECIALIZATION

__all__ = ["EXTENDED", "QUALIFIED", "remark"]

EXTENDED = {f"provext:{kind.name}": kind for kind in (SPECIALIZATION, ALTERNATE, MEMBERSHIP)}
"""The kind that a keyword is read as. ProvToolbox takes it for a word and not for a prefixed name; so does this."""

QUALIFIED = {f"qualified{kind.name[0].upper()}{kind.name[1:]}": kind for kind in EXTENDED.values()}
"""The same as sections of PROV-JSON, where ProvToolbox calls them ``qualifiedHadMember`` and so on."""


def remark(keyword: str, line: int | None) -> ReaderWarning:
    """What to tell about a statement of the extension."""
    kind = EXTENDED.get(keyword) or QUALIFIED[keyword]
    return ReaderWarning(
        f"{keyword} is an extension of ProvToolbox: read as {kind.name}, with identifier and attributes",
        line,
    )

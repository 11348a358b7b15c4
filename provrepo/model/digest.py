"""The statement digest: one value for the same content in any format.

Identifiers that mean nothing outside the document (blank nodes, skolem IRIs) are replaced by a colour that depends
only on what is said about them; see ``provrepo.model.canonical`` for the rest.
"""

from __future__ import annotations

import hashlib
from collections import Counter

from provrepo.model.canonical import identifier, line, mentioned, merged, separated, unreferred
from provrepo.model.document import Document
from provrepo.model.identifiers import is_anonymous
from provrepo.model.statements import Statement

__all__ = ["statement_digest"]


def statement_digest(document: Document) -> str | None:
    """``stmt/1:`` and the SHA-256 of the canonical statements, equal for the same content in any format.

    It is for finding content again, never for identity or signatures: those are of the bytes.

    Returns:
        None where anonymous nodes remain that colour refinement cannot tell apart: two documents that differ only in
        how such nodes are linked would get the same digest.
    """
    lines, tied = _canonical(document)
    if tied:
        return None
    digest = hashlib.sha256()
    for text in sorted(lines):
        digest.update(text.encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return "stmt/1:" + digest.hexdigest()


def _canonical(document: Document) -> tuple[Counter[str], bool]:
    """The canonical lines of every instance, and whether anonymous nodes remain that cannot be told apart."""
    lines: Counter[str] = Counter()
    tied = False
    for instance in document.instances():
        statements = separated(merged(instance.statements))
        colours, ties = _colours(statements)
        tied = tied or ties
        where = "" if instance.id is None else f" in bundle {identifier(instance.id, {})}"
        lines.update({line(statement, colours) + where for statement in statements})
    return lines, tied


def _colours(statements: list[Statement]) -> tuple[dict[str, str], bool]:
    """A colour for each anonymous identifier by refinement (1-dimensional Weisfeiler-Leman), without branching."""
    holders: dict[str, list[Statement]] = {}
    for statement in statements:
        for name in mentioned(statement):
            if is_anonymous(name):
                holders.setdefault(name, []).append(statement)
    silent = unreferred(holders)
    colours = {name: "" if name in silent else "?" for name in holders}
    nodes = [name for name in holders if name not in silent]
    classes = len(set(colours.values()))
    while nodes:
        refined = {}
        for name in nodes:
            own, colours[name] = colours[name], "!"
            refined[name] = "?" + _hash([own, *sorted(line(s, colours) for s in holders[name])])
            colours[name] = own
        colours.update(refined)
        now = len(set(colours.values()))
        if now == classes:
            break
        classes = now
    return colours, len({colours[name] for name in nodes}) < len(nodes)


def _hash(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:24]

"""Repairs of a document's text that a person chooses: statements that are added, and change no other.

Offered is only what needs no invention: that a thing which is used or generated is an entity, and that one of the
agents of the document is responsible. Anything else (a time, a name, a source) only its author knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from provrepo.checks.findings import Finding
from provrepo.model.document import Document
from provrepo.model.rendering import Renderer
from provrepo.model.statements import AGENT
from provrepo.vocab import PROV

__all__ = ["Mending", "Repair", "added"]

_MOST_AGENTS = 3
"""The most agents of a document that are offered; beyond it a choice is a search."""

_TYPE = re.compile(rf"<([^<>]+)> a <{re.escape(PROV)}(Entity|Activity|Agent)> \.")
_AGENT = re.compile(rf"<([^<>]+)> <{re.escape(PROV)}(wasAssociatedWith|wasAttributedTo)> <urn:fill-in:agent> \.")
_NAME = re.compile(r"[A-Za-z][\w.-]*:[A-Za-z0-9_]([A-Za-z0-9_/.-]*[A-Za-z0-9_/-])?", re.ASCII)
"""Prefixed names that PROV-N and Turtle read alike, but for the slash, which Turtle does not have in names."""

_END = re.compile(r"^[ \t]*(?:bundle|endDocument)\b", re.MULTILINE)


class Repair(NamedTuple):
    """A statement that would repair a finding.

    Attributes:
        words: what it adds, for people.
        statement: in the format of the document, without a line break.
    """

    words: str
    statement: str


class Mending:
    """The repairs of one document."""

    def __init__(self, document: Document) -> None:
        """Of a document that was read from PROV-N or Turtle; for other formats nothing is offered."""
        self._format = document.format if document.format in ("provn", "turtle") else None
        self._names = Renderer.of(document)
        agents = dict.fromkeys(s.id for s in document.statements if s.kind is AGENT and s.id is not None)
        self._agents: Sequence[str] = list(agents) if len(agents) <= _MOST_AGENTS else []

    def of(self, finding: Finding) -> list[Repair]:
        """The repairs for a finding; none where it has to be mended by hand."""
        if self._format is None or finding.bundle is not None or finding.patch is None:
            return []
        if found := _TYPE.fullmatch(finding.patch):
            kind = found[2].lower()
            words = f"Describe {self._names.identifier(found[1])} as an {kind}"
            return self._written(words, kind, found[2], found[1])
        if found := _AGENT.fullmatch(finding.patch):
            return [
                repair
                for agent in self._agents
                for repair in self._written(
                    f"Add: {self._names.identifier(agent)} is responsible", found[2], found[2], found[1], agent
                )
            ]
        return []

    def _written(self, words: str, keyword: str, term: str, *things: str) -> list[Repair]:
        if self._format == "turtle":
            iris = [f"<{thing}>" for thing in things]
            second = f"<{PROV}{term}>"
            return [Repair(words, f"{iris[0]} {' '.join([second, *iris[1:]] if iris[1:] else ['a', second])} .")]
        names = [self._names.identifier(thing) for thing in things]
        # A name that PROV-N would need escapes for, or an IRI without a prefix, is left to the author.
        return [Repair(words, f"{keyword}({', '.join(names)})")] if all(map(_NAME.fullmatch, names)) else []


def added(text: str, statement: str) -> str:
    """The text of a document with one more statement: before the bundles and the end of PROV-N, otherwise at the end.

    Args:
        text: of a document in PROV-N or Turtle.
        statement: as ``Repair.statement``; only its first line is used.
    """
    line = (statement.splitlines() or [""])[0]
    end = _END.search(text)
    at = end.start() if end else text.rfind("endDocument")
    if at < 0:
        return f"{text.rstrip()}\n{line}\n"
    before = text[:at].rstrip().rpartition("\n")[2]
    indent = re.match(r"[ \t]*", before)[0] if end and before.strip() != "document" else ""  # type: ignore[index]
    return f"{text[:at].rstrip()}\n{indent}{line}\n{text[at:]}"

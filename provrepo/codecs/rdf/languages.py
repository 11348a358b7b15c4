"""The spelling of language tags, which pyoxigraph converts to lower case when it reads and when it writes.

RDF 1.1 allows that (Concepts, section 3.3), but people write ``de-AT``. Before pyoxigraph reads a text, a tag with
capitals is therefore replaced by one with private use subtags (BCP 47, section 2.2.7). In the output of pyoxigraph the
original tag is restored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import count

from provrepo.model.document import Quad
from provrepo.model.identifiers import Literal, Rdf12Term

__all__ = ["TagMarks", "marks_for_blocks", "marked", "marks_for_quads", "tagged"]

_TAG = rb"([A-Za-z]+(?:-[A-Za-z0-9]+)*+)"
_TURTLE = re.compile(rb"""(@)(?<=["']@)""" + _TAG)
_XML = re.compile(rb"""(\bxml:lang\s*+=\s*+["'])""" + _TAG + rb"""(?=["'])""")
_JSON = re.compile(rb'("@language"\s*+:\s*+")' + _TAG + rb'(?=")')
_PATTERNS = {"rdfxml": _XML, "rdfjsonld": _JSON}
_IN_TERM = re.compile(r'(?<="@)[A-Za-z]+(?:-[A-Za-z0-9]+)*')
_CAPITAL = re.compile(rb"[A-Z]")


class TagMarks:
    """Replaces tags by marked ones, and restores them.

    Args:
        word: at most eight letters that do not occur in the text to be restored.
    """

    def __init__(self, word: str) -> None:
        self._word = word
        self._marked: dict[str, str] = {}
        self._spelled: list[str] = []
        self._pattern = re.compile(rb"[A-Za-z0-9-]+-" + word.encode() + rb"-([0-9]+)")

    def mark(self, tag: str) -> str:
        """The marked tag; the tag itself if it has no capitals."""
        if tag.islower():
            return tag
        known = self._marked.get(tag)
        if known is None:
            private = "" if re.search(r"(?i)(?:^|-)x-", tag) else "-x"
            known = self._marked[tag] = f"{tag.lower()}{private}-{self._word}-{len(self._spelled)}"
            self._spelled.append(tag)
        return known

    def restore(self, text: bytes) -> bytes:
        """Output of pyoxigraph with the original tags."""
        return self._pattern.sub(lambda found: self._spelled[int(found[1])].encode(), text)

    def mark_all(self, text: bytes, format: str) -> bytes:  # noqa: A002
        """Text in an RDF syntax with its tags marked.

        Other text with the form of a tag, in a string or a comment, is marked too and restored in the same way.
        """
        return _pattern(format).sub(lambda found: found[1] + self.mark(found[2].decode()).encode(), text)


def _pattern(format: str) -> re.Pattern[bytes]:  # noqa: A002
    return _PATTERNS.get(format, _TURTLE)


def marked(data: bytes, format: str) -> tuple[bytes, TagMarks | None]:  # noqa: A002
    """Text in an RDF syntax with its tags marked, and the marks; the text itself and None if no tag has capitals."""
    tags = marks_for_blocks(lambda: [data], format)
    return (data, None) if tags is None else (tags.mark_all(data, format), tags)


def marks_for_blocks(blocks: Callable[[], Iterable[bytes]], format: str) -> TagMarks | None:  # noqa: A002
    """Marks for the tags of a text in blocks, which is read twice for them; None if no tag has capitals."""
    pattern = _pattern(format)
    if not any(_CAPITAL.search(found[2]) for block in blocks() for found in pattern.finditer(block)):
        return None
    return TagMarks(_unused(lambda word: any(word.encode() in block for block in blocks())))


def marks_for_quads(quads: Iterable[Quad]) -> TagMarks | None:
    """Marks for the tags of quads; None if no tag has capitals."""
    literals = [quad[2] for quad in quads if isinstance(quad[2], Literal)]
    if not any(_has_capitals(literal) for literal in literals):
        return None
    return TagMarks(_unused(lambda word: any(word in literal.lexical for literal in literals)))


def _has_capitals(literal: Literal) -> bool:
    if isinstance(literal, Rdf12Term):
        return any(not tag.islower() for tag in _IN_TERM.findall(literal.lexical))
    return literal.language is not None and not literal.language.islower()


def tagged(term: str, tag: Callable[[str], str]) -> str:
    """The text of an ``Rdf12Term`` with ``tag`` applied to each language tag."""
    return _IN_TERM.sub(lambda found: tag(found[0]), term)


def _unused(occurs: Callable[[str], bool]) -> str:
    return next(word for number in count() if not occurs(word := f"pvr{number:05}"))

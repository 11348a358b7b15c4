"""Language tags as they were written: pyoxigraph puts every tag into lower case, on the way in and on the way out.

RDF 1.1 lets it (Concepts, section 3.3), but ``de-AT`` is how people write it. A tag with capitals is therefore marked
with private use subtags (BCP 47, section 2.2.7) before pyoxigraph sees it, and restored in what pyoxigraph wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import count

from provrepo.model.document import Quad
from provrepo.model.identifiers import Literal, Rdf12Term

__all__ = ["TagMarks", "marks_for_blocks", "marked", "marks_for", "tagged"]

_TAG = rb"([A-Za-z]+(?:-[A-Za-z0-9]+)*+)"
_TURTLE = re.compile(rb"""(@)(?<=["']@)""" + _TAG)
_XML = re.compile(rb"""(\bxml:lang\s*+=\s*+["'])""" + _TAG + rb"""(?=["'])""")
_JSON = re.compile(rb'("@language"\s*+:\s*+")' + _TAG + rb'(?=")')
_PLACES = {"rdfxml": _XML, "rdfjsonld": _JSON}
_IN_TERM = re.compile(r'(?<="@)[A-Za-z]+(?:-[A-Za-z0-9]+)*')
_CAPITAL = re.compile(rb"[A-Z]")


class TagMarks:
    """Marks tags and restores them.

    Args:
        word: at most eight letters that occur in none of the text that is to be restored.
    """

    def __init__(self, word: str) -> None:
        self._word = word
        self._marked: dict[str, str] = {}
        self._spelled: list[str] = []
        self._pattern = re.compile(rb"[A-Za-z0-9-]+-" + word.encode() + rb"-([0-9]+)")

    def mark(self, tag: str) -> str:
        """The tag as it may be given to pyoxigraph."""
        if tag.islower():
            return tag
        known = self._marked.get(tag)
        if known is None:
            private = "" if re.search(r"(?i)(?:^|-)x-", tag) else "-x"
            known = self._marked[tag] = f"{tag.lower()}{private}-{self._word}-{len(self._spelled)}"
            self._spelled.append(tag)
        return known

    def restore(self, text: bytes) -> bytes:
        """Text of pyoxigraph with the tags as they were given."""
        return self._pattern.sub(lambda found: self._spelled[int(found[1])].encode(), text)

    def mark_all(self, text: bytes, format: str) -> bytes:  # noqa: A002
        """Text in an RDF syntax with its tags marked.

        What only looks like a tag, in a string or a comment, is marked too and restored like any other.
        """
        return _pattern(format).sub(lambda found: found[1] + self.mark(found[2].decode()).encode(), text)


def _pattern(format: str) -> re.Pattern[bytes]:  # noqa: A002
    return _PLACES.get(format, _TURTLE)


def marked(data: bytes, format: str) -> tuple[bytes, TagMarks | None]:  # noqa: A002
    """Text in an RDF syntax with its tags marked; the text itself and None where no tag has capitals."""
    tags = marks_for_blocks(lambda: [data], format)
    return (data, None) if tags is None else (tags.mark_all(data, format), tags)


def marks_for_blocks(blocks: Callable[[], Iterable[bytes]], format: str) -> TagMarks | None:  # noqa: A002
    """Marks for the tags of a text in blocks, which is gone through again for them; None as in ``marked``."""
    pattern = _pattern(format)
    if not any(_CAPITAL.search(found[2]) for block in blocks() for found in pattern.finditer(block)):
        return None
    return TagMarks(_unused(lambda word: any(word.encode() in block for block in blocks())))


def marks_for(quads: Iterable[Quad]) -> TagMarks | None:
    """What marks the tags of quads; None where none has capitals."""
    literals = [quad[2] for quad in quads if isinstance(quad[2], Literal)]
    if not any(_has_capitals(literal) for literal in literals):
        return None
    return TagMarks(_unused(lambda word: any(word in literal.lexical for literal in literals)))


def _has_capitals(literal: Literal) -> bool:
    if isinstance(literal, Rdf12Term):
        return any(not tag.islower() for tag in _IN_TERM.findall(literal.lexical))
    return literal.language is not None and not literal.language.islower()


def tagged(term: str, tag: Callable[[str], str]) -> str:
    """The text of an ``Rdf12Term`` with each language tag spelled as ``tag`` says."""
    return _IN_TERM.sub(lambda found: tag(found[0]), term)


def _unused(occurs: Callable[[str], bool]) -> str:
    return next(word for number in count() if not occurs(word := f"pvr{number:05}"))

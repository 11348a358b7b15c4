"""What somebody who sees a redacted copy could still infer about what it withholds."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal, is_content
from provrepo.model.statements import Statement
from provrepo.redaction.names import names_of
from provrepo.vocab import PROV_TYPE
from provrepo.words import counted

__all__ = ["Inference", "inferences"]

_SHORTEST = 4
"""Characters of a name's last part, or of a value, that are searched for in texts: shorter ones occur by chance."""

_DIGEST = re.compile(r"(?i)(?:checksum\w*|sha-?\d+|md5|digest|hash\w*)$")
_SIZE = re.compile(r"(?i)(?:size|count|rows|length|duration)\w*$")
_LAST = re.compile(r"[^/#:?=]+(?=[/#:?=]*$)")


class Inference(NamedTuple):
    """One way to infer something.

    Attributes:
        way: a short name of it.
        subject: the name in the copy that it is about; empty for the whole copy.
        message: what can be seen, and what to do about it.
    """

    way: str
    subject: str
    message: str


def inferences(
    original: Document,
    copy: Document,
    *,
    withheld: Iterable[Identifier],
    values: Iterable[str],
    pseudonyms: Mapping[Identifier, str],
    collapsed: Iterable[Identifier],
) -> list[Inference]:
    """List what can be inferred. It is a list of known ways and no proof that there are no others.

    Args:
        original: the document.
        copy: the redacted copy.
        withheld: the names that are withheld.
        values: the values of attributes that are withheld.
        pseudonyms: names in the copy that say nothing → the type for which they were chosen.
        collapsed: activities of the copy that stand for a group.
    """
    hidden = {*pseudonyms, *collapsed}
    return [
        *_words(copy, withheld, values),
        *_alone(copy, pseudonyms),
        *_degrees(copy, hidden),
        *_around(copy, hidden),
        *_prefixes(original, copy, withheld),
    ]


def _words(copy: Document, withheld: Iterable[Identifier], values: Iterable[str]) -> Iterator[Inference]:
    """Parts of withheld names, and withheld values, in texts and names of the copy."""
    parts = {found[0].lower() for name in withheld if (found := _LAST.search(name)) and not name.startswith("_:")}
    searched = {part for part in parts | {value.strip().lower() for value in values} if len(part) >= _SHORTEST}
    if not searched:
        return
    pattern = re.compile("|".join(map(re.escape, sorted(searched, key=lambda part: (-len(part), part)))))
    seen: set[tuple[str, str]] = set()
    for one in copy:
        about = str(one.id or one.args[0])
        texts = [(str(value), str(name)) for name, value in one.attributes]
        texts += [(str(name), "its name") for name, _ in names_of(one)]
        for text, place in texts:
            found = pattern.search(text.lower())
            if found is not None and (about, place) not in seen:
                seen.add((about, place))
                message = f"{found[0]!r}, a part of what is withheld, still stands in {place}: remove or drop that, too"
                yield Inference("words", about, message)


def _alone(copy: Document, pseudonyms: Mapping[Identifier, str]) -> Iterator[Inference]:
    """Pseudonyms of a type with one element: whoever knows that there is one knows which."""
    for type_, number in sorted(Counter(pseudonyms.values()).items()):
        if number == 1:
            name = next(name for name, own in pseudonyms.items() if own == type_)
            yield Inference("one of its type", str(name), f"it is the only {type_} of the copy")
    types: dict[str, list[str]] = defaultdict(list)
    for one in copy:
        if one.kind.element:
            for name, value in one.attributes:
                if name == PROV_TYPE:
                    types[str(value)].append(str(one.id))
    for type_, elements in sorted(types.items()):
        if len(elements) == 1 and elements[0] in pseudonyms and type_ not in pseudonyms.values():
            yield Inference("one of its type", elements[0], f"its type {type_} is that of nothing else in the copy")


def _degrees(copy: Document, hidden: set[Identifier]) -> Iterator[Inference]:
    """Names that say nothing, but whose relations are like those of no other."""
    relations: dict[Identifier, Counter[tuple[str, int]]] = defaultdict(Counter)
    for one in copy:
        if not one.kind.element:
            for place, term in enumerate(one.args):
                if isinstance(term, Identifier):
                    relations[term][one.kind.name, place] += 1
    shapes = {name: tuple(sorted(found.items())) for name, found in relations.items()}
    number = Counter(shapes.values())
    for name in sorted(hidden & shapes.keys()):
        if number[shapes[name]] == 1:
            told = ", ".join(f"{count} {kind}" for (kind, _), count in shapes[name])
            yield Inference("degree", str(name), f"nothing else has relations like it: {told}")


def _around(copy: Document, hidden: set[Identifier]) -> Iterator[Inference]:
    """Times, digests and sizes of statements about what is hidden, and of what it is next to."""
    near: set[Identifier] = set(hidden)
    times = 0
    for one in copy:
        named = {name for name, _ in names_of(one)}
        if named & hidden:
            near |= named
            times += any(argument.time and term for argument, term in zip(one.kind.arguments, one.args, strict=True))
    if times:
        advice = "drop prov:atTime, prov:startedAtTime and prov:endedAtTime"
        yield Inference("times", "", f"{counted(times, 'statement')} about what is hidden have a time: {advice}")
    for one in copy:
        if one.id is None or one.id not in near:
            continue
        if is_content(one.id):
            yield Inference("digest", str(one.id), "whoever has the file knows its digest, which is this name")
        yield from _telling(one)


def _telling(one: Statement) -> Iterator[Inference]:
    for name, value in one.attributes:
        if _DIGEST.search(name):
            yield Inference("digest", str(one.id), f"whoever has the file knows its digest: drop {name}")
        elif _SIZE.search(name) and isinstance(value, Literal):
            yield Inference("size", str(one.id), f"a size or number can be recognized: drop {name}")


def _prefixes(original: Document, copy: Document, withheld: Iterable[Identifier]) -> Iterator[Inference]:
    """Namespaces that the copy shares with what it withholds."""
    namespaces = {space for instance in copy.instances() for space in instance.prefixes.values() if space}
    for space in sorted(namespaces & {s for i in original.instances() for s in i.prefixes.values()}):
        number = sum(name.startswith(space) for name in withheld)
        if number:
            yield Inference("namespace", space, f"{counted(number, 'withheld name')} began with it, as others still do")

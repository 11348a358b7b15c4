"""Short labels that stay true: what all things of a type share is left out, where the rest still tells them apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from provrepo.drawing.overview.records import Thing
from provrepo.drawing.text import ELLIPSIS, clean, fit, width

__all__ = ["FAR", "initials", "short_labels"]

FAR = 10.5
"""Font size of short labels, in units of the picture."""

_ROOM = 94.0
"""The most that a short label takes."""

_FEW = 2
"""A type of so few things has no words that its things share."""

_LEAST = 4
"""The fewest characters of a label that lost words."""

_EXTENSION = re.compile(r"(?<=\w)\.[A-Za-z]\w{0,5}\Z")
_PUNCTUATION = ",;:()"
_WHOLE_NUMBER = re.compile(r"[0-9]+")


def short_labels(things: Iterable[Thing]) -> dict[str, str]:
    """The short label of each thing: distinct among the things of a type, or the whole label."""
    types: dict[tuple[str, str], list[Thing]] = {}
    for thing in things:
        types.setdefault((thing.kind, thing.type_id), []).append(thing)
    found: dict[str, str] = {}
    for members in types.values():
        found.update(_of_type(members))
    return found


def _of_type(members: Sequence[Thing]) -> dict[str, str]:
    whole = {thing.id: clean(thing.label) for thing in members}
    single = [thing.id for thing in members if not thing.group]
    plain = {id_: _EXTENSION.sub("", whole[id_]) for id_ in single}
    plain = _kept_if_distinct(plain, whole)
    words = {id_: label.split() for id_, label in plain.items()}
    common: set[str] = set()
    if len(single) > _FEW:
        occurrences = Counter(word for each in words.values() for word in set(map(_bare, each)))
        common = {word for word, count in occurrences.items() if count > len(single) / 2}
    less = {id_: " ".join(_least(each, common)) or whole[id_] for id_, each in words.items()}
    shown = {**whole, **_kept_if_distinct(less, plain)}
    return _cut(shown)


def _kept_if_distinct(changed: dict[str, str], before: dict[str, str]) -> dict[str, str]:
    """The changed labels; where a change made two of them equal, those as they were before."""
    was, now = Counter(before[id_] for id_ in changed), Counter(changed.values())
    if len(now) == len(was):
        return changed
    return {id_: label if now[label] == was[before[id_]] else before[id_] for id_, label in changed.items()}


def _least(words: Sequence[str], common: set[str]) -> list[str]:
    """The words that tell a thing from others of its type, at least four characters of them.

    A whole number keeps the word before it: "6 gaps filled" for basin 6 would be read as a count. So does a number
    that would be left as the first word.
    """
    keep = {index for index, word in enumerate(words) if _bare(word) not in common}
    if not keep:
        return list(words)
    for index in sorted(keep):
        if _WHOLE_NUMBER.fullmatch(_bare(words[index])) and index:
            keep.add(index - 1)
    while sum(len(words[index]) + 1 for index in keep) - 1 < _LEAST and min(keep) > 0:
        keep.add(min(keep) - 1)
    kept = [words[index] for index in sorted(keep)]
    kept[-1] = kept[-1].rstrip(_PUNCTUATION)
    return kept


def _bare(word: str) -> str:
    return word.strip(_PUNCTUATION)


def _cut(labels: dict[str, str]) -> dict[str, str]:
    """The labels, cut at the end; in the middle where that would make two equal."""
    ended = {id_: fit(label, FAR, _ROOM) for id_, label in labels.items()}
    equal, before = Counter(ended.values()), Counter(labels.values())
    return {id_: cut if equal[cut] <= before[labels[id_]] else _middle(labels[id_]) for id_, cut in ended.items()}


def _middle(label: str) -> str:
    room = _ROOM - width(ELLIPSIS, FAR)
    tail = ""
    for character in reversed(label):
        if width(character + tail, FAR) > room * 0.55:
            break
        tail = character + tail
    head = ""
    for character in label:
        if width(head + character, FAR) + width(tail, FAR) > room:
            break
        head += character
    return head.rstrip() + ELLIPSIS + tail.lstrip()


def initials(label: str) -> str:
    """Two letters for an agent: of its first two words, or the first two of its only one."""
    words = [word for word in re.split(r"[\s_.@-]+", clean(label)) if word]
    if not words:
        return "?"
    return (words[0][0] + words[1][0] if len(words) > 1 else words[0][:2]).upper()

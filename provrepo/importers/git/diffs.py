"""What commits changed, in the raw format of ``git diff-tree`` (gitformat: "raw output format").

For each parent of a commit there is one list of changed paths. ``changes`` are what the commit itself changed: for a
merge only what differs from all of its parents, since the rest is what one of them had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

__all__ = ["Change", "Difference", "File", "changes", "differences"]

File = tuple[str, str, str, str]
"""A version of a file: path, mode, hash of its content, and the commit that made it; empty if that is not known."""


class Difference(NamedTuple):
    """The difference from one parent.

    Attributes:
        new: path → mode, hash of the content, letter of the change, and the path of the parent that it comes from.
        gone: the paths that the parent has and the commit has not, with mode and hash there.
        before: path of the parent → mode and hash there.
    """

    new: dict[str, tuple[str, str, str, str]]
    gone: dict[str, tuple[str, str]]
    before: dict[str, tuple[str, str]]

    @property
    def touched(self) -> set[str]:
        """The paths that differ."""
        return self.new.keys() | self.gone.keys()


class Change(NamedTuple):
    """What a commit did with one path.

    Attributes:
        kind: ``A`` added, ``M`` modified, ``T`` of another type, ``R`` renamed, ``C`` copied, ``D`` deleted.
        path: the path.
        mode: of the new version; empty if deleted.
        content: the hash of the new version; empty if deleted.
        sources: the versions that it was made of, or that were deleted.
    """

    kind: str
    path: str
    mode: str
    content: str
    sources: tuple[File, ...]


def differences(text: str) -> Iterator[Difference]:
    """The differences in what ``git diff-tree --stdin --always -r -z --raw`` prints, one for each line of its input."""
    parts = iter(text.split("\0"))
    found: Difference | None = None
    for part in parts:
        if not part:
            continue
        if not part.startswith(":"):
            if found is not None:
                yield found
            found = Difference({}, {}, {})
            continue
        old_mode, mode, old, new, kind = part[1:].split(" ")
        path = next(parts)
        target = next(parts) if kind[0] in "RC" else path
        if found is None:
            raise ValueError("a change without a commit")
        if kind[0] != "A":
            found.before[path] = (old_mode, old)
        if kind[0] in "DR":
            found.gone[path] = (old_mode, old)
        if kind[0] != "D":
            found.new[target] = (mode, new, kind[0], path)
    if found is not None:
        yield found


def changes(
    commit: str, found: Sequence[Difference], maps: Sequence[Mapping[str, str]], made: dict[str, str]
) -> list[Change]:
    """What a commit did, from its differences to its parents.

    Args:
        commit: its hash.
        found: the difference from each parent, or from nothing; at least one.
        maps: for each parent, path → the commit that made the version there.
        made: that of the first parent, which becomes that of the commit.
    """
    every = set[str]().union(*(each.touched for each in found))
    same = every - found[0].touched.intersection(*(each.touched for each in found[1:]))
    for path in found[0].touched & same:
        # Another parent has what the commit has there.
        number = next(number for number, each in enumerate(found) if path not in each.touched)
        _follow(made, path, maps[number].get(path))
    result = []
    for path in sorted(every - same):
        new = [each.new[path] for each in found if path in each.new]
        sources = _sources(path, found, maps)
        if new:
            mode, content, kind, _ = new[0]
            result.append(Change(kind, path, mode, content, sources))
        else:
            result.append(Change("D", path, "", "", sources))
    for change in result:
        _follow(made, change.path, commit if change.content else None)
    return result


def _follow(made: dict[str, str], path: str, maker: str | None) -> None:
    if maker is None:
        made.pop(path, None)
    else:
        made[path] = maker


def _sources(path: str, found: Sequence[Difference], maps: Sequence[Mapping[str, str]]) -> tuple[File, ...]:
    sources: dict[File, None] = {}
    for number, each in enumerate(found):
        source = each.new[path][3] if path in each.new else path
        if path in each.new and each.new[path][2] == "A":
            continue
        mode, content = each.before[source]
        made = maps[number].get(source, "") if number < len(maps) else ""
        sources[source, mode, content, made] = None
    return tuple(sources)

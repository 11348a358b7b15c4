"""Profiles: sets of SHACL shapes with the requirements of a community on its documents.

A profile is a folder of ``shapes/``::

    profile.toml       title, version, purpose, constraints, extends
    shapes.ttl         SHACL shapes
    examples/good/     documents that conform
    examples/bad/      documents that do not; each lists the shapes that it violates

A bad example has a line with ``violates:`` and the local names of the shapes: in a comment where the format has
comments, otherwise in a second file with ``.violates`` added to the name.

A profile may extend others: then their shapes apply too, and it cannot remove any.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from provrepo import resources
from provrepo.errors import Damaged, UsageError

__all__ = ["Example", "Profile", "available", "load", "read_from_user", "read", "resolve"]

Mode = Literal["gate", "report"]

_VIOLATES = re.compile(r"violates:[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class Example:
    """A document that demonstrates a profile.

    Attributes:
        path: the file.
        violates: local names of the shapes that it violates; empty for a good example.
    """

    path: Path
    violates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile.

    Attributes:
        name: by default the folder's name.
        title: for users.
        version: of the shapes; recorded in each report.
        purpose: one or two sentences.
        constraints: whether violations of PROV-CONSTRAINTS make a document fail (``gate``) or are only warnings
            (``report``).
        folder: with its files.
        extends: names of the profiles whose shapes apply too.
    """

    name: str
    title: str
    version: str
    purpose: str
    constraints: Mode
    folder: Path
    extends: tuple[str, ...] = ()

    @property
    def shapes(self) -> Path:
        """The file of SHACL shapes."""
        return self.folder / "shapes.ttl"

    @property
    def label(self) -> str:
        """``name/version``, as in reports and in the ledger."""
        return f"{self.name}/{self.version}"

    def good(self) -> list[Example]:
        """Documents that conform, in order of their names."""
        return [Example(path) for path in self._files("good")]

    def bad(self) -> list[Example]:
        """Documents that do not conform, in order of their names.

        Raises:
            Damaged: one does not list what it violates.
        """
        return [Example(path, _violates(path)) for path in self._files("bad")]

    def _files(self, kind: str) -> list[Path]:
        folder = self.folder / "examples" / kind
        return sorted(path for path in folder.glob("*") if path.suffix != ".violates") if folder.is_dir() else []


def available() -> list[Profile]:
    """The profiles that ship with provrepo, by name."""
    return [load(path.parent.name) for path in sorted((resources.root() / "shapes").glob("*/profile.toml"))]


@cache
def load(name: str) -> Profile:
    """The profile with a name that ships with provrepo.

    Raises:
        UsageError: there is none; the message lists the available ones.
        Damaged: its ``profile.toml`` cannot be parsed.
    """
    shapes = resources.root() / "shapes"
    folders = {path.parent.name: path.parent for path in sorted(shapes.glob("*/profile.toml"))}
    if name not in folders:
        raise UsageError(f"no profile is called {name!r}; there are: {', '.join(folders)}")
    return read(folders[name])


def read(folder: Path, name: str | None = None) -> Profile:
    """The profile in a folder; its name is by default the folder's.

    Raises:
        Damaged: its ``profile.toml`` cannot be read or parsed.
    """
    file = folder / "profile.toml"
    try:
        table = tomllib.loads(file.read_text("utf-8"))
        constraints: Mode = table["constraints"]
        if constraints not in ("gate", "report"):
            raise ValueError(f"constraints is {constraints!r} and not 'gate' or 'report'")
        title, version, purpose = (_text(table, key) for key in ("title", "version", "purpose"))
        extends = table.get("extends", [])
        if not isinstance(extends, list) or not all(isinstance(item, str) for item in extends):
            raise ValueError("extends is not a list of names of profiles")
    except OSError as error:
        raise Damaged(f"cannot read {file}: {error.strerror or error}") from error
    except KeyError as error:
        raise Damaged(f"cannot understand {file}: it has no {error.args[0]}") from error
    except ValueError as error:
        raise Damaged(f"cannot understand {file}: {error}") from error
    return Profile(name or folder.name, title, version, purpose, constraints, folder, tuple(extends))


def read_from_user(folder: Path, name: str | None = None) -> Profile:
    """``read`` for a folder that a user names, whose errors are not damage of the repository.

    Raises:
        UsageError: its ``profile.toml`` cannot be read or parsed.
    """
    try:
        return read(folder, name)
    except Damaged as error:
        raise UsageError(str(error)) from error


def _text(table: dict[str, Any], key: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} is not a text")
    return value.strip()


def resolve(chosen: Iterable[str | Profile], find: Callable[[str], Profile] = load) -> list[Profile]:
    """The chosen profiles and all that they extend, each once, extended ones first.

    Args:
        chosen: names or profiles.
        find: returns the profile with a name.

    Raises:
        UsageError: a name is unknown, or a profile extends itself.
    """
    found: dict[str, Profile] = {}

    def add(profile: Profile, extending: tuple[str, ...]) -> None:
        if profile.name in extending:
            raise UsageError(f"the profile {profile.name!r} extends itself: {' → '.join((*extending, profile.name))}")
        if profile.name not in found:
            for name in profile.extends:
                if name not in found:
                    add(find(name), (*extending, profile.name))
            found[profile.name] = profile

    for item in chosen:
        add(find(item) if isinstance(item, str) else item, ())
    return list(found.values())


def _violates(path: Path) -> frozenset[str]:
    separate = path.with_name(path.name + ".violates")
    text = (separate if separate.exists() else path).read_text("utf-8")
    match = _VIOLATES.search(text)
    if match is None:
        raise Damaged(f"the example {path} does not say which shapes it violates")
    return frozenset(match[1].replace(",", " ").split())

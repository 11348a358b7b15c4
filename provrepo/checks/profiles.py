"""Profiles: what a community asks of a document beyond its being PROV.

A profile is a folder of ``shapes/``::

    profile.toml       title, version, purpose, constraints, extends
    shapes.ttl         SHACL shapes
    examples/good/     documents that conform
    examples/bad/      documents that do not; each says which shapes it violates

An example of a violation says so in a line with ``violates:`` and the local names of the shapes, in a comment where the
format has comments and otherwise in a file beside it that is called the same with ``.violates`` added.

A profile may extend others: a document that satisfies it satisfies them too. Shapes are never taken back.
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

__all__ = ["Example", "Profile", "available", "load", "offered", "read", "resolve"]

Mode = Literal["gate", "report"]

_VIOLATES = re.compile(r"violates:[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class Example:
    """A document that shows what a profile means.

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
        name: the folder's name.
        title: for people.
        version: of the shapes; recorded with every report.
        purpose: one or two sentences.
        constraints: whether violations of PROV-CONSTRAINTS fail a document (``gate``) or are told only (``report``).
        folder: where it lies.
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
        """``name/version``, as reports and the ledger record it."""
        return f"{self.name}/{self.version}"

    def good(self) -> list[Example]:
        """Documents that conform, in order of their names."""
        return [Example(path) for path in self._files("good")]

    def bad(self) -> list[Example]:
        """Documents that do not conform, in order of their names.

        Raises:
            Damaged: one does not say what it violates.
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
    """The profile of that name that ships with provrepo.

    Raises:
        UsageError: there is none; the message lists those there are.
        Damaged: its ``profile.toml`` cannot be understood.
    """
    shapes = resources.root() / "shapes"
    folders = {path.parent.name: path.parent for path in sorted(shapes.glob("*/profile.toml"))}
    if name not in folders:
        raise UsageError(f"no profile is called {name!r}; there are: {', '.join(folders)}")
    return read(folders[name])


def read(folder: Path, name: str | None = None) -> Profile:
    """The profile in a folder, which is called as the folder is where no name is given.

    Raises:
        Damaged: its ``profile.toml`` cannot be understood.
    """
    file = folder / "profile.toml"
    try:
        written = tomllib.loads(file.read_text("utf-8"))
        constraints: Mode = written["constraints"]
        if constraints not in ("gate", "report"):
            raise ValueError(f"constraints is {constraints!r} and not 'gate' or 'report'")
        title, version, purpose = (_text(written, key) for key in ("title", "version", "purpose"))
        extends = written.get("extends", [])
        if not isinstance(extends, list) or not all(isinstance(item, str) for item in extends):
            raise ValueError("extends is not a list of names of profiles")
    except OSError as error:
        raise Damaged(f"cannot read {file}: {error.strerror or error}") from error
    except KeyError as error:
        raise Damaged(f"cannot understand {file}: it has no {error.args[0]}") from error
    except ValueError as error:
        raise Damaged(f"cannot understand {file}: {error}") from error
    return Profile(name or folder.name, title, version, purpose, constraints, folder, tuple(extends))


def offered(folder: Path, name: str | None = None) -> Profile:
    """``read`` for a folder that a user names: what is wrong with it is no damage of the repository.

    Raises:
        UsageError: its ``profile.toml`` cannot be read or understood.
    """
    try:
        return read(folder, name)
    except Damaged as error:
        raise UsageError(str(error)) from error


def _text(written: dict[str, Any], key: str) -> str:
    value = written[key]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} is not a text")
    return value.strip()


def resolve(chosen: Iterable[str | Profile], find: Callable[[str], Profile] = load) -> list[Profile]:
    """The profiles asked for and all that they extend, each once, what is extended first.

    Args:
        chosen: names, or profiles that have been found already.
        find: finds the profile of a name.

    Raises:
        UsageError: a name is unknown, or a profile extends itself.
    """
    found: dict[str, Profile] = {}

    def add(profile: Profile, below: tuple[str, ...]) -> None:
        if profile.name in below:
            raise UsageError(f"the profile {profile.name!r} extends itself: {' → '.join((*below, profile.name))}")
        if profile.name not in found:
            for name in profile.extends:
                if name not in found:
                    add(find(name), (*below, profile.name))
            found[profile.name] = profile

    for item in chosen:
        add(find(item) if isinstance(item, str) else item, ())
    return list(found.values())


def _violates(path: Path) -> frozenset[str]:
    beside = path.with_name(path.name + ".violates")
    text = (beside if beside.exists() else path).read_text("utf-8")
    match = _VIOLATES.search(text)
    if match is None:
        raise Damaged(f"the example {path} does not say which shapes it violates")
    return frozenset(match[1].replace(",", " ").split())

"""Profiles: what a community asks of a document beyond its being PROV.

A profile is a folder of ``shapes/``::

    profile.toml       name, title, version, purpose, constraints
    shapes.ttl         SHACL shapes
    examples/good/     documents that conform
    examples/bad/      documents that do not; each says which shapes it violates

An example of a violation says so in a line with ``violates:`` and the local names of the shapes, in a comment where the
format has comments and otherwise in a file beside it that is called the same with ``.violates`` added.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from provrepo import resources
from provrepo.errors import Damaged, UsageError

__all__ = ["Example", "Profile", "available", "load"]

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
    """

    name: str
    title: str
    version: str
    purpose: str
    constraints: Mode
    folder: Path

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
    """The profile of that name.

    Raises:
        UsageError: there is none; the message lists those there are.
        Damaged: its ``profile.toml`` cannot be understood.
    """
    shapes = resources.root() / "shapes"
    folders = {path.parent.name: path.parent for path in sorted(shapes.glob("*/profile.toml"))}
    if name not in folders:
        raise UsageError(f"no profile is called {name!r}; there are: {', '.join(folders)}")
    file = folders[name] / "profile.toml"
    try:
        written = tomllib.loads(file.read_text("utf-8"))
        mode: Mode = written["constraints"]
        if mode not in ("gate", "report"):
            raise ValueError(f"constraints is {mode!r} and not 'gate' or 'report'")
        return Profile(name, written["title"], written["version"], written["purpose"], mode, folders[name])
    except (ValueError, KeyError) as error:
        raise Damaged(f"cannot understand {file}: {error}") from error


def _violates(path: Path) -> frozenset[str]:
    beside = path.with_name(path.name + ".violates")
    text = (beside if beside.exists() else path).read_text("utf-8")
    match = _VIOLATES.search(text)
    if match is None:
        raise Damaged(f"the example {path} does not say which shapes it violates")
    return frozenset(match[1].replace(",", " ").split())

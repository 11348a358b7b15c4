"""What every verb needs: the settings in force, the repository, and names of documents as people write them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from provrepo.settings import Settings, load

if TYPE_CHECKING:
    from provrepo.repository.repository import Repository

__all__ = ["REFERENCE", "Invocation", "Reference", "json_option", "keep_private", "pass_invocation"]

_Verb = TypeVar("_Verb", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of the command line.

    Attributes:
        data: what ``--data`` says, or None.
        contexts: what ``--contexts`` says, or None.
    """

    data: Path | None = None
    contexts: Path | None = None

    def settings(self, **flags: object) -> Settings:
        """The settings in force, read when a verb asks for them: ``--help`` works beside a broken provrepo.toml.

        Raises:
            SettingsError: a setting that has no meaning.
        """
        return load({"data": self.data, "contexts": self.contexts, **flags})

    def repository(self, *, follow: bool = False) -> Repository:
        """The repository as its local owner.

        Args:
            follow: whether this verb needs the views: to query them, or to bring them up to date.
        """
        from provrepo.repository.repository import open as open_repository

        keep_private()
        return open_repository(settings=self.settings(), follow=follow)


def keep_private() -> None:
    """Let only the owner read what this process writes from now on: RocksDB and SQLite go by the umask."""
    os.umask(0o077)


pass_invocation = click.make_pass_decorator(Invocation)


class Reference(NamedTuple):
    """A document as the command line names it: ``P/N`` or ``P/N@VERSION``.

    Attributes:
        project: ``default`` where none is named.
        name: the document.
        version: None for the current one.
    """

    project: str
    name: str
    version: int | None = None

    def __str__(self) -> str:
        return f"{self.project}/{self.name}" + (f"@{self.version}" if self.version else "")


class _ReferenceType(click.ParamType[Reference]):
    name = "P/N[@VERSION]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Reference:
        if isinstance(value, Reference):
            return value
        found = re.fullmatch(r"(?:([^/@]*)/)?([^/@]+)(?:@([1-9][0-9]{0,9}))?", value)
        if found is None:
            self.fail(f"{value!r} does not name a document: write PROJECT/NAME or PROJECT/NAME@VERSION", param, ctx)
        project, name, version = found.groups()
        return Reference("default" if project is None else project, name, int(version) if version else None)


REFERENCE = _ReferenceType()


def json_option(verb: _Verb) -> _Verb:
    """The option ``--output text|json`` of verbs that print records."""
    return click.option(
        "--output",
        "style",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="For people or for programs.",
    )(verb)

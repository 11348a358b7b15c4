"""Shared by the verbs: settings, the repository, and references to documents such as ``P/N@VERSION``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import click

from provrepo.settings import Settings, load

if TYPE_CHECKING:
    from provrepo.repository.repository import Repository

__all__ = ["WAITS", "REFERENCE", "Invocation", "Reference", "json_option", "keep_private", "pass_invocation"]

WAITS = 3
"""The exit code of what is stored and waits for a review."""

_Verb = TypeVar("_Verb", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of the command line.

    Attributes:
        data: the value of ``--data``: a directory, or the URL of a server; or None.
        contexts: the value of ``--contexts``, or None.
    """

    data: str | None = None
    contexts: Path | None = None

    def settings(self, **flags: object) -> Settings:
        """Load the settings. Not before a verb needs them, so that ``--help`` works with a broken provrepo.toml.

        Raises:
            SettingsError: a setting is invalid.
        """
        return load({"data": self.data, "contexts": self.contexts, **flags})

    def repository(self, *, follow: bool = False, server: str | None = None) -> Repository:
        """Open the repository as its local owner, or connect to the server that ``--data`` names.

        Args:
            follow: whether the verb queries the views or brings them up to date.
            server: the URL of a server instead of ``--data``.

        Raises:
            UsageError: it is not the URL of a server.
        """
        settings = self.settings()
        url = settings.server or None if server is None else server
        if url is not None:
            from provrepo.remote.repository import connect

            # A test compares its verbs with those of ``Repository``.
            return cast("Repository", connect(url, settings=settings))
        from provrepo.repository.repository import open as open_repository

        keep_private()
        return open_repository(settings=settings, follow=follow)


def keep_private() -> None:
    """Set the umask so that only the owner can read new files; RocksDB and SQLite follow the umask."""
    os.umask(0o077)


pass_invocation = click.make_pass_decorator(Invocation)


class Reference(NamedTuple):
    """A reference to a document: ``P/N`` or ``P/N@VERSION``.

    Attributes:
        project: ``default`` if the reference has none.
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
        help="The format of the result.",
    )(verb)

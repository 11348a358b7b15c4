"""The options of a query as arguments and options of a command (``provrepo.repository.options``)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click

from provrepo.errors import UsageError
from provrepo.repository.options import Kind, Named, options

__all__ = ["given", "named_thing", "query_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def query_options(query: type, *, without: Collection[str] = ()) -> Callable[[_Command], _Command]:
    """Decorator: give a command the options of a query class, by the names of its fields.

    Required fields are left to the command, which names its arguments. An option that is not given is None, or empty
    where it may be repeated; ``given`` leaves it out.

    Args:
        query: the dataclass.
        without: names of fields that the command does not have.
    """

    def decorate(command: _Command) -> _Command:
        for named in reversed(options(query)):
            if not named.required and named.option.kind is not Kind.PYTHON and named.name not in without:
                command = _option(named)(command)
        return command

    return decorate


def given(values: dict[str, Any]) -> dict[str, Any]:
    """The options that have a value, as arguments of a verb."""
    return {name: value for name, value in values.items() if value is not None and value != ()}


def named_thing(_context: click.Context, _parameter: click.Parameter, thing: Any) -> Any:
    """Callback of arguments and options that name one thing, or several."""
    if isinstance(thing, tuple):
        return tuple(map(_iri, thing))
    return None if thing is None else _iri(thing)


def _iri(thing: str) -> str:
    """The IRI of a thing; a file stands for its content, which has the same name wherever it was recorded."""
    if not os.path.isfile(thing):  # noqa: PTH113 (an IRI may be too long for a path)
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", thing) is None:
            raise UsageError(f"{thing}: no such file, and not an absolute IRI")
        return thing
    import hashlib

    from provrepo.capture.journal.attributes import content

    with Path(thing).open("rb") as file:
        return content(hashlib.file_digest(file, "sha256").hexdigest())


def _lines(_context: click.Context, _parameter: click.Parameter, file: Path | None) -> list[str] | None:
    return None if file is None else file.read_text("utf-8").splitlines()


def _option(named: Named) -> Callable[[_Command], _Command]:
    option, kind = named.option, named.option.kind
    text = option.text.replace("`", "")
    default = named.default if option.command_default is None else option.command_default
    more: dict[str, Any] = {"metavar": option.metavar or None}
    if kind is Kind.CHOICE:
        more["type"] = click.Choice(list(option.choices))
    elif kind is Kind.NUMBER:
        more |= {"type": click.IntRange(min=1), "default": default, "show_default": True}
    elif kind is Kind.SECONDS:
        more["type"] = click.FloatRange(min=0, min_open=True)
    elif kind is Kind.FLAG:
        more["is_flag"] = True
    elif kind is Kind.THING:
        more["callback"] = named_thing
    elif kind is Kind.TEXTS:
        more["multiple"] = True
        text = text.removesuffix(".") + "; repeatable."
    elif kind is Kind.LINES:
        more |= {"type": click.Path(path_type=Path, exists=True, dir_okay=False), "callback": _lines}
        text = text.removesuffix(".") + "; one a line, # begins a comment."
    return click.option(named.flag, named.name, help=text, **more)

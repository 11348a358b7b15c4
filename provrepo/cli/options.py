"""The options of a query as arguments and options of a command (``provrepo.repository.options``)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click

from provrepo.cli.files import read_sources, thing_named
from provrepo.repository.options import Kind, Named, options

__all__ = ["given", "named_thing", "query_options", "sources_of"]

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
        return tuple(map(thing_named, thing))
    return None if thing is None else thing_named(thing)


def sources_of(_context: click.Context, _parameter: click.Parameter, file: Path | None) -> list[str] | None:
    """Callback of options that name a file with declared sources."""
    return None if file is None else read_sources(file)


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
        more |= {"type": click.Path(path_type=Path, exists=True, dir_okay=False), "callback": sources_of}
        text = text.removesuffix(".") + "; one a line, also files, for their present content. # begins a comment."
    return click.option(named.flag, named.name, help=text, **more)

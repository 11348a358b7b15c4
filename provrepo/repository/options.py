"""Options: what the fields of a query object are called, mean and accept, wherever a query is read from.

A query object is a frozen dataclass with one field for each option. The metadata of a field is an ``Option``. From it
follow the keyword of the Python verb (``takes``), the option of the command line (``provrepo.cli.options``), the
parameter over HTTP with its description in OpenAPI (``provrepo.server.protocol.options``), and the control in a form of
a page (``provrepo.server.pages.forms``).
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar, cast

from provrepo.errors import UsageError

__all__ = ["Kind", "Named", "Option", "check", "option", "options", "required_iri", "takes"]

C = TypeVar("C")
"""The first argument of a verb: ``Context``, or the connection to a server."""

P = ParamSpec("P")
Q = TypeVar("Q")
R = TypeVar("R")


class Kind(Enum):
    """The kind of value that an option has."""

    TEXT = "text"
    THING = "the IRI of a thing; on the command line also a file, which stands for its content"
    TEXTS = "several texts; on the command line an option that may be repeated"
    THINGS = "several things"
    LINES = "several texts; on the command line the lines of a file"
    CHOICE = "one of some words"
    NUMBER = "a whole number from 1 on"
    SECONDS = "a positive number of seconds"
    FLAG = "true or false"
    PROJECT = "the name of a project"
    AS_OF = "an entry of a project, or a time with its zone"
    PYTHON = "an object that only Python callers pass"

    @property
    def several(self) -> bool:
        """Whether the option may be given more than once."""
        return self in (Kind.TEXTS, Kind.THINGS, Kind.LINES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a query.

    Attributes:
        text: what it is, in a sentence, wherever it is described.
        kind: the kind of its value.
        detail: further sentences, for the references of Python and HTTP.
        parameter: its name over HTTP; empty for that of the field.
        flag: its name on the command line, without ``--``; empty for that of the field.
        metavar: the placeholder of its value on the command line.
        choices: of a ``CHOICE``, the words with their meaning for people.
        most: of a ``NUMBER``, the largest one over HTTP.
        varies: whether the default over HTTP depends on the representation of the answer.
        command_default: the default on the command line, where it differs from that of Python.
        label: the label of its control in a form; empty where forms do not have it.
        primary: whether a form shows it without being unfolded.
        placeholder: of its control in a form.
        repeated: whether the links and commands of a page include it.
    """

    text: str
    kind: Kind
    detail: str = ""
    parameter: str = ""
    flag: str = ""
    metavar: str = ""
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    most: int = 0
    varies: bool = False
    command_default: object = None
    label: str = ""
    primary: bool = False
    placeholder: str = ""
    repeated: bool = True


class Named(NamedTuple):
    """An option with what its field adds.

    Attributes:
        name: the field, which is the keyword in Python.
        option: the option.
        default: the default in Python; ``dataclasses.MISSING`` where a value is required.
        annotation: the type of the field, as it is written.
        positional: whether it may be given without its name.
    """

    name: str
    option: Option
    default: Any
    annotation: str
    positional: bool

    @property
    def required(self) -> bool:
        """Whether a value is required."""
        return self.default is dataclasses.MISSING

    @property
    def parameter(self) -> str:
        """The name over HTTP."""
        return self.option.parameter or self.name

    @property
    def flag(self) -> str:
        """The name on the command line."""
        return "--" + (self.option.flag or self.name.replace("_", "-"))

    def described(self) -> str:
        """The text and the details."""
        return f"{self.option.text} {self.option.detail}".rstrip()


def option(text: str, kind: Kind, **more: Any) -> dict[str, Option]:
    """The metadata of a field: ``field(default=…, metadata=option(…))``; see ``Option``."""
    return {"option": Option(text=text, kind=kind, **more)}


@functools.cache
def options(query: type) -> tuple[Named, ...]:
    """The options of a query class: those that a caller need not name first, then its own before inherited ones."""
    fields = {field.name: field for field in dataclasses.fields(query)}
    names = dict.fromkeys(name for base in query.__mro__ for name in inspect.get_annotations(base))
    found = [
        Named(field.name, field.metadata["option"], field.default, str(field.type), not field.kw_only)
        for field in (fields[name] for name in names if name in fields)
    ]
    return tuple(sorted(found, key=lambda each: not each.positional))


def check(query: Any) -> None:
    """Require that the values of a query are of their kinds.

    Raises:
        UsageError: a word that is not among the choices, a number that is not positive, or a name that is not an IRI.
    """
    cls: type = type(query)
    for each in options(cls):
        value = getattr(query, each.name)
        if value is None:
            continue
        if each.option.kind is Kind.CHOICE and value not in each.option.choices:
            words = ", ".join(each.option.choices)
            raise UsageError(f"{str(value)[:100]!r} is not a {each.name}; use one of {words}")
        if each.option.kind is Kind.NUMBER and value < 1:
            raise UsageError(f"{each.name} is a positive number, not {value}")
        for iri in {Kind.THING: (value,), Kind.THINGS: value}.get(each.option.kind, ()):
            required_iri(iri)


def required_iri(name: str) -> None:
    """Raise UsageError where a name is not an absolute IRI."""
    from provrepo.codecs.rdf.terms import is_iri  # only here: it takes a tenth of the start of a command

    if not is_iri(name):
        raise UsageError(f"{name[:200]!r} is not an absolute IRI")


def takes(query: Callable[P, Q]) -> Callable[[Callable[[C, Q], R]], Callable[Concatenate[C, P], R]]:
    """Decorator: make a function over a context and a query a function over the context and the query's options.

    The function has the parameters of the query class. Type checkers see those of its constructor; ``help()`` shows
    them with their types and defaults, and the docstring lists them under ``Args``.

    Args:
        query: the dataclass of the query.
    """

    def decorate(function: Callable[[C, Q], R]) -> Callable[Concatenate[C, P], R]:
        @functools.wraps(function)
        def verb(context: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
            return function(context, query(*args, **kwargs))

        found = options(cast("type", query))
        signature = inspect.signature(function)
        context, _ = signature.parameters.values()
        verb.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[context, *map(_parameter, found)]
        )
        verb.__doc__ = _documented(function.__doc__ or "", found)
        return verb

    return decorate


def _parameter(named: Named) -> inspect.Parameter:
    return inspect.Parameter(
        named.name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD if named.positional else inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if named.required else named.default,
        annotation=named.annotation,
    )


def _documented(doc: str, found: tuple[Named, ...]) -> str:
    """A docstring without indentation, with the section ``Args`` before the section ``Raises``."""
    items = (f"    {each.name}: {each.described()}" for each in found)
    lines = "\n".join(textwrap.fill(item, 116, subsequent_indent=" " * 8) for item in items)
    # The compiler removes the indentation since Python 3.13.
    before, raises, after = inspect.cleandoc(doc).partition("Raises:\n")
    return f"{before}Args:\n{lines}\n\n{raises}{after}"

"""The options of a query as controls of a form (``provrepo.repository.options``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from provrepo.repository.options import Kind, Named, options

__all__ = ["Control", "controls"]

_LONG = (Kind.THING, Kind.TEXT)
_TYPES = {Kind.TEXT: "search", Kind.NUMBER: "number", Kind.FLAG: "checkbox", Kind.CHOICE: "select"}


class Control(NamedTuple):
    """One control of a form.

    Attributes:
        id: of its element.
        name: of the parameter that it sends.
        label: for people.
        type: ``text``, ``search``, ``number``, ``checkbox``, ``select`` or ``multiple`` (a ``select`` of several).
        values: the present values; those of a ``text`` are one.
        choices: of a ``select`` or ``multiple``, values with their words.
        most: of a ``number``, the largest one; 0 for any.
        placeholder: shown where it has no value.
        required: whether it has to be filled in.
        long: whether it takes a whole line.
        primary: whether it is shown without being unfolded.
    """

    id: str
    name: str
    label: str
    type: str
    values: Sequence[str]
    choices: Mapping[str, str]
    most: int
    placeholder: str
    required: bool
    long: bool
    primary: bool


def controls(
    query: type, values: Callable[[str], list[str]], choices: Mapping[str, Mapping[str, str]] | None = None
) -> list[Control]:
    """The controls for the options of a query that have a label; an option of several texts has one for each value.

    Args:
        query: the dataclass of the query.
        values: the present values of a parameter.
        choices: the choices of parameters for which the option does not list them.
    """
    more = choices or {}
    return [
        control
        for each in options(query)
        if each.option.label
        for control in _controls(each, values(each.parameter), more.get(each.parameter, each.option.choices))
    ]


def _controls(named: Named, values: Sequence[str], choices: Mapping[str, str]) -> list[Control]:
    option = named.option
    type_ = _TYPES.get(option.kind, "multiple" if choices else "text")
    each = [[value] for value in values] or [[""]]
    groups = each if option.kind is Kind.TEXTS and type_ == "text" else [values or [_default(named)]]
    return [
        Control(
            named.parameter if len(groups) == 1 else f"{named.parameter}-{number}",
            named.parameter,
            option.label,
            type_,
            group,
            choices,
            option.most,
            option.placeholder,
            named.required,
            option.kind in _LONG,
            option.primary,
        )
        for number, group in enumerate(groups, 1)
    ]


def _default(named: Named) -> str:
    return str(named.default) if named.option.kind is Kind.CHOICE else ""

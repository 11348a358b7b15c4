"""Parts of which JSON Schemas are made (``schemas``)."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = [
    "FLAG",
    "INTEGER",
    "NAME",
    "NUMBER",
    "OBJECT",
    "STRING",
    "Schema",
    "array",
    "extended",
    "mapping",
    "members",
    "or_null",
    "record",
    "ref",
]

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
NAME: Schema = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"}


def ref(name: str) -> Schema:
    """A reference to one of ``SCHEMAS``."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Schema) -> Schema:
    """The schema of a list."""
    return {"type": "array", "items": items}


def mapping(values: Schema) -> Schema:
    """The schema of an object with any names."""
    return {"type": "object", "additionalProperties": values}


def or_null(schema: Schema) -> Schema:
    """A schema that null satisfies too."""
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else {"anyOf": [schema, {"type": "null"}]}


def members(properties: Mapping[str, Schema], *, optional: Mapping[str, Schema] | None = None) -> Schema:
    """The schema of an object; all members are required except the optional ones."""
    return {"type": "object", "required": list(properties), "properties": {**properties, **(optional or {})}}


def extended(schema: Schema, properties: Mapping[str, Schema], *without: str) -> Schema:
    """The schema of an object with further or changed members, and without some."""
    members = {name: value for name, value in {**schema["properties"], **properties}.items() if name not in without}
    optional = set(schema["properties"]) - set(schema["required"]) - set(properties)
    return {"type": "object", "required": [name for name in members if name not in optional], "properties": members}


_PLAIN: dict[Any, Schema] = {str: STRING, int: INTEGER, float: NUMBER, bool: FLAG, dict: OBJECT}


def _typed(hint: Any) -> Schema:
    """The schema for the type annotation of a field."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if is_dataclass(hint):
        return record(hint)  # type: ignore[arg-type]
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (kind,) = (member for member in inner if member is not type(None))
        return or_null(_typed(kind))
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is tuple:
        return array(_typed(inner[0]))
    return _PLAIN[origin]


def record(kind: type[DataclassInstance], **changes: Schema) -> Schema:
    """The schema of a record as its ``to_dict`` writes it, with a member for each field.

    Args:
        kind: a dataclass.
        changes: schemas of fields whose annotation is too general.
    """
    hints = get_type_hints(kind)
    return members({name: changes.get(name) or _typed(hints[name]) for name in (field.name for field in fields(kind))})

"""The JSON Schemas of statements, of changes between versions, and of citations."""

from __future__ import annotations

from provrepo.model.statements import KINDS
from provrepo.server.routing.schema_parts import (
    FLAG,
    INTEGER,
    NAME,
    OBJECT,
    STRING,
    Schema,
    array,
    mapping,
    members,
    or_null,
)

__all__ = ["statement_schemas"]


def statement_schemas(value: Schema) -> dict[str, Schema]:
    """The schemas by name.

    Args:
        value: the schema of a value of an attribute.
    """
    statement = members(
        {
            "number": INTEGER,
            "kind": {"enum": list(KINDS)},
            "id": or_null(STRING),
            "arguments": mapping(STRING),
            "attributes": array(members({"name": STRING, "value": value})),
            "line": or_null(INTEGER),
            "bundle": or_null(STRING),
        },
        optional={"entries": array(members({"key": value, "entity": or_null(STRING)}))},
    )
    version = members({"version": INTEGER, **dict.fromkeys(("iri", "sha256", "time", "note"), STRING)})
    things = array(members({"iri": STRING, "name": STRING}))
    sentence = members(
        {
            "change": {"enum": ["added", "removed", "changed"]},
            "kind": STRING,
            "number": INTEGER,
            "text": STRING,
            "subjects": things,
            "objects": things,
            **dict.fromkeys(("types", "before", "after", "statements"), array(STRING)),
        }
    )
    return {
        "Statements": members(
            {
                "project": NAME,
                "name": NAME,
                "version": INTEGER,
                "statements_of_version": INTEGER,
                "total": INTEGER,
                "counts": mapping(INTEGER),
                "offset": INTEGER,
                "labels": mapping(STRING),
                "statements": array(statement),
            }
        ),
        "Changes": members(
            {
                "project": NAME,
                "name": NAME,
                "from": version,
                "to": version,
                "same": FLAG,
                "counts": members(dict.fromkeys(("added", "removed", "changed"), INTEGER)),
                "sentences": array(sentence),
            }
        ),
        "SchemaOrg": {**OBJECT, "description": "A description in schema.org, as JSON-LD."},
    }

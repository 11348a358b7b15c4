"""The schemas of members, owners, invitations and embargoes of projects."""

from __future__ import annotations

from provrepo.ledger.accounts import Token
from provrepo.ledger.governance.invitations import MEMBER, REVIEW, Invitation
from provrepo.ledger.members import Member
from provrepo.ledger.people import Person
from provrepo.repository.governance.publication import Publication
from provrepo.repository.people.roles import ROLES
from provrepo.server.routing.schema_parts import (
    FLAG,
    NAME,
    STRING,
    Schema,
    array,
    extended,
    members,
    or_null,
    record,
    ref,
)

__all__ = ["ACCESS"]

_WHO: Schema = {**STRING, "description": "A name or identifier, or the e-mail address or ORCID of a person."}
_PURPOSE: Schema = {"enum": [MEMBER, REVIEW]}
_PERSON = extended(record(Person), {"administrator": FLAG})
_GIVEN_PERSON: dict[str, Schema] = {
    **dict.fromkeys(("name", "email", "orcid", "affiliation", "ror"), STRING),
    "administrator": FLAG,
}
_TOKEN = record(Token, projects=or_null(array(NAME)))
_INVITATION = extended(record(Invitation, project=NAME, purpose=_PURPOSE), {"open": FLAG})


def _given(description: str, required: tuple[str, ...], properties: dict[str, Schema]) -> Schema:
    """The schema of the body of a request."""
    fields = {"required": list(required), "properties": properties, "additionalProperties": False}
    return {"type": "object", "description": description, **fields}


ACCESS: dict[str, Schema] = {
    "Member": record(Member),
    "Person": _PERSON,
    "People": members({"users": array(ref("Person"))}),
    "NewPerson": _given("A person to add.", ("name",), _GIVEN_PERSON),
    "ChangedPerson": _given("What is to change of a person.", (), _GIVEN_PERSON),
    "Token": _TOKEN,
    "Tokens": members({"tokens": array(ref("Token"))}),
    "MadeToken": extended(_TOKEN, {"token": {**STRING, "description": "Its text, which is not shown again."}}),
    "Sessions": members(
        {
            "sessions": array(
                members(
                    {
                        **dict.fromkeys(("id", "begun", "used", "browser"), STRING),
                        "token": or_null(STRING),
                        "current": FLAG,
                    }
                )
            )
        }
    ),
    "Members": members({"project": NAME, "members": array(ref("Member"))}),
    "NewMember": _given(
        "A person or service, and its role in the project.",
        ("who", "role"),
        {"who": _WHO, "role": {**STRING, "enum": list(ROLES)}},
    ),
    "NewOwner": _given("The new owner of the project.", ("who",), {"who": _WHO}),
    "NewEmbargo": _given(
        "The end of an embargo.",
        ("until",),
        {
            "until": {**STRING, "description": "A date, or an xsd:dateTime with a time zone."},
            "reason": {**STRING, "default": "", "description": "Every reader of the project may see it."},
        },
    ),
    "Publication": record(Publication, project=NAME, document=NAME, to=NAME, name=NAME),
    "ReceiptOrPublication": {"anyOf": [ref("ReceiptOrPending"), ref("Publication")]},
    "Invitation": _INVITATION,
    "Invitations": members({"project": NAME, "invitations": array(ref("Invitation"))}),
    "InvitationPage": members(
        {**dict.fromkeys(("id", "role", "by", "expires"), STRING), "project": NAME, "purpose": _PURPOSE}
    ),
    "NewInvitation": _given(
        "A link that gives a role, or reads the project without an account.",
        ("role",),
        {
            "role": {**STRING, "enum": [*ROLES, REVIEW]},
            "days": {"type": "integer", "minimum": 1, "default": 14},
            "uses": {"type": "integer", "minimum": 0, "description": "How often it can be followed; 0 for any number."},
            "label": {**STRING, "default": "", "description": "For whom it is."},
        },
    ),
    "NewLink": extended(
        _INVITATION, {"link": {**STRING, "description": "The address to send; it is not shown again."}}
    ),
}
"""These schemas by name."""

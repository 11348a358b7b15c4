"""Persons as people write them: a name, an IRI, an ORCID iD, a mail address, or a name with one of these."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from provrepo.codecs.rdf.terms import is_iri
from provrepo.model.identifiers import Identifier

__all__ = ["Person", "absolute_iri", "person", "seems_absolute"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<iri>[^<>\s]+)>")
_MAIL = re.compile(r"[^\s@<>:/]+@[^\s@<>:/]+\.[^\s@<>:/]+")
_ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])", re.ASCII)


class Person(NamedTuple):
    """Who did it: a name, an IRI, or both."""

    name: str
    iri: Identifier | None


def person(value: str) -> Person:
    """Who did something.

    Args:
        value: a name, an IRI, an ORCID iD, a mail address, or a name with one of these in angle brackets.

    Raises:
        ValueError: the identifier is none of these, or the check digit of the ORCID iD is wrong.
    """
    named = _NAMED.fullmatch(value)
    name, known = (named["name"].strip(), named["iri"]) if named else ("", value)
    if orcid := _ORCID.fullmatch(known):
        if _check_digit(orcid[1]) != orcid[1][-1]:
            raise ValueError(f"{known} is not an ORCID iD: its check digit is wrong")
        return Person(name, Identifier(f"https://orcid.org/{orcid[1]}"))
    if _MAIL.fullmatch(known):
        return Person(name, Identifier(f"mailto:{known}"))
    if seems_absolute(known):
        return Person(name, absolute_iri(known))
    if named:
        raise ValueError(f"{known!r} is neither an absolute IRI nor an ORCID iD nor a mail address")
    return Person(known, None)


def _check_digit(orcid: str) -> str:
    """The last character of an ORCID iD (ISO 7064, MOD 11-2)."""
    total = 0
    for digit in orcid.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11]


def seems_absolute(value: str) -> bool:
    """Whether a text begins like an absolute IRI."""
    return _SCHEME.fullmatch(value) is not None


def absolute_iri(value: str) -> Identifier:
    """A text as an IRI.

    Raises:
        ValueError: it is none, or contains a password.
    """
    if not is_iri(value):
        raise ValueError(f"{value!r} is not an IRI")
    try:
        secret = urlsplit(value).password
    except ValueError:
        raise ValueError(f"{value!r} is not an IRI") from None
    if secret is not None:
        raise ValueError("the IRI contains a password; write it without one")
    return Identifier(value)

"""The thing of a request, ``?iri=``, in the encodings that clients use.

A form and the URI template ``{uri}`` encode every special character. ``{+uri}`` leaves an IRI as it is (RFC 6570,
section 3.2.3), so that a ``+`` or an encoded character of the IRI itself arrives as if it had been encoded for the
query. A ``Link`` header can only carry ASCII, so that an IRI which was found in one comes back with its other letters
encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

from flask import request

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import NotFound
from provrepo.repository.repository import Repository
from provrepo.server.protocol import parameters

__all__ = ["readings", "requested_thing"]

_BEYOND_ASCII = re.compile("(?:%[89A-Fa-f][0-9A-Fa-f])+")


def requested_thing(repo: Repository, name: str = "iri", *, project: str | None = None) -> str:
    """The IRI of the thing of the running request.

    Where it has several readings, the result is the first that the repository knows.

    Args:
        repo: bound to the caller.
        name: the parameter.
        project: the project to search; None for all that the caller may read.

    Raises:
        Rejected: 400, there is no such parameter.
        NotFound: no such project.
    """
    value = parameters.required(name)
    found = readings(name, request.query_string)
    if len(found) < 2:
        return found[0] if found else value
    return next((iri for iri in found if _known(repo, iri, project)), found[0])


def readings(name: str, query: bytes) -> list[str]:
    """The readings of a parameter as absolute IRIs, the likeliest first; none where there is no such IRI.

    Args:
        name: of the parameter; its first value counts.
        query: the query as it was sent.
    """
    pairs = (part.partition("=") for part in query.decode("utf-8", "replace").split("&"))
    raw = next((value for key, _, value in pairs if unquote_plus(key) == name), "")
    return [iri for iri in dict.fromkeys(_readings(raw)) if is_iri(iri)]


def _readings(raw: str) -> Iterator[str]:
    decoded = unquote_plus(raw)
    yield decoded
    # An IRI has no spaces: this one is a plus that the client did not encode.
    yield decoded.replace(" ", "+")
    yield raw
    for iri in (decoded, raw):
        yield _BEYOND_ASCII.sub(_letters, iri)


def _letters(encoded: re.Match[str]) -> str:
    try:
        return bytes.fromhex(encoded.group().replace("%", "")).decode("utf-8")
    except UnicodeDecodeError:
        return encoded.group()


def _known(repo: Repository, iri: str, project: str | None) -> bool:
    try:
        repo.node(iri, project=project)
    except NotFound:
        return False
    return True

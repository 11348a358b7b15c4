"""The thing that a request is about, ``?iri=``, as clients of several kinds write it.

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
from provrepo.server.protocol.rejections import Rejected

__all__ = ["asked", "readings"]

_BEYOND_ASCII = re.compile("(?:%[89A-Fa-f][0-9A-Fa-f])+")


def asked(repo: Repository, name: str = "iri", *, project: str | None = None) -> str:
    """The IRI that the running request asks about.

    Where it can be read in several ways, the first one counts of which anything is known.

    Args:
        repo: bound to whoever asks.
        name: of the parameter.
        project: where to look; in all that the caller may read where it is not given.

    Raises:
        Rejected: 400, there is no such parameter.
        NotFound: no such project.
    """
    value = request.args.get(name, "")
    if not value:
        raise Rejected(400, f"say what is asked for: ?{name}=")
    found = readings(name, request.query_string)
    if len(found) < 2:
        return found[0] if found else value
    return next((iri for iri in found if _known(repo, iri, project)), found[0])


def readings(name: str, query: bytes) -> list[str]:
    """What a parameter of a query may mean: absolute IRIs, the likeliest first; none where there is no such IRI.

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
    # No IRI has a space: it was a plus that nobody encoded.
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

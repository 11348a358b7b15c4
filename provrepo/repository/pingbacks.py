"""The verbs about pingbacks (PROV-AQ, section 5): links to further provenance, which any reader of a document may send.

The links are shown to the actors who may change the project, and never fetched, since anonymous clients may send them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import NotAvailable, NotFound, TooLarge, UsageError
from provrepo.ledger.pingbacks import Pingback, Pinged
from provrepo.repository import catalog, documents
from provrepo.repository.context import Context
from provrepo.repository.people.roles import Right

__all__ = ["LONGEST", "MOST", "Pingback", "Pinged", "RELATIONS", "discard_pingbacks", "pingback", "pingbacks"]

MOST = 100
"""The most links of one pingback."""

LONGEST = 2000
"""The most characters of an IRI in a pingback."""

RELATIONS = ("has_provenance", "has_query_service")
"""The relations of a link: to a provenance record of a thing, or to a query service for it."""


def pingback(
    context: Context,
    project: str,
    name: str,
    uris: Sequence[str] = (),
    *,
    version: int | None = None,
    links: Sequence[Pinged] = (),
) -> int:
    """Send links to further provenance of the things in a document.

    Args:
        project: the project of the document.
        name: the document.
        uris: the URIs of provenance records about the subject of the document.
        version: the version; None for the document as such.
        links: links to provenance records and query services for other things.

    Returns:
        The number of links that were not stored yet.

    Raises:
        NotFound: no such document or version.
        Withdrawn: the document was withdrawn, or the version erased.
        UsageError: there is no link, or a URI is not an absolute http(s) URI.
        TooLarge: there are more than ``MOST`` links.
        NotAvailable: the settings disable pingbacks.
    """
    documents.version(context, project, name, version)
    context.require_active(project)
    if not context.store.settings.pingbacks:
        raise NotAvailable("this repository accepts no pingbacks")
    sent = [*(Pinged("has_provenance", uri) for uri in uris), *links]
    if not sent:
        raise UsageError("this pingback is empty: send the IRI of a provenance record on each line")
    if len(sent) > MOST:
        raise TooLarge(f"{len(sent)} links in one pingback are too many: send at most {MOST} at once")
    for link in sent:
        _check(link)
    return context.store.pingbacks.store(project, name, version, sent, most=context.store.settings.pingbacks)


def pingbacks(context: Context, project: str, name: str | None = None) -> list[Pingback]:
    """Return the stored links of a document, or of all documents of a project, the oldest first.

    The call marks them as seen: new pingbacks displace unseen links first.

    Raises:
        NotFound: no such project or document.
        Denied: the actor may not change the project.
    """
    context.require(project, Right.CURATE)
    if name is not None:
        catalog.history(context.store, project, name)
    found = context.store.pingbacks.stored(project, name)
    context.store.pingbacks.mark_seen(found)
    return found


def discard_pingbacks(context: Context, project: str, name: str, ids: Sequence[int] | None = None) -> int:
    """Delete links.

    Args:
        project: the project of the document.
        name: the document.
        ids: the identifiers of links; None for all of the document.

    Returns:
        The number of deleted links.

    Raises:
        NotFound: no such project or document, or none of the given links.
        Denied: the actor may not change the project.
    """
    context.require_change(project, Right.CURATE)
    catalog.history(context.store, project, name)
    deleted = context.store.pingbacks.discard(project, name, ids)
    if ids and not deleted:
        raise NotFound(f"{project}/{name} has no pingback {', '.join(map(str, ids))}")
    return deleted


def _check(link: Pinged) -> None:
    if link.relation not in RELATIONS:
        raise UsageError(f"{link.relation[:100]!r} is not a relation of a pingback; there are {', '.join(RELATIONS)}")
    for iri in (link.uri, link.anchor):
        if len(iri) > LONGEST:
            raise UsageError(f"{iri[:60]}… has {len(iri):,} characters; an IRI in a pingback has at most {LONGEST:,}")
    if not _is_address(link.uri):
        raise UsageError(f"{link.uri[:200]!r} is not an absolute http or https URI")
    if link.anchor and (not is_iri(link.anchor) or _misleading(link.anchor)):
        raise UsageError(f"the anchor {link.anchor[:200]!r} is not an absolute IRI")


def _is_address(iri: str) -> bool:
    """Return whether a URI is a safe link on a page: ASCII, http(s), with a host, without user name and password."""
    if not (iri.isascii() and is_iri(iri)):
        return False
    try:
        parts = urlsplit(iri)
    except ValueError:
        return False
    return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc


def _misleading(iri: str) -> bool:
    """Return whether an IRI contains control, format or space characters, which may hide or reorder text."""
    return any(unicodedata.category(character)[0] in "CZ" for character in iri)

"""The verbs about pingbacks (PROV-AQ, section 5): anybody who may read a document may say where more is known of it.

They are part of ``Repository``, in a file of their own. What is said is kept for those who may change the project, and
nothing of it is ever fetched: it comes from strangers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import NotAvailable, NotFound, TooLarge, UsageError
from provrepo.ledger.pingbacks import Pingback, Pinged
from provrepo.repository import catalog, documents
from provrepo.repository.context import Context

if TYPE_CHECKING:
    pass

__all__ = ["LONGEST", "MOST", "Pingback", "Pinged", "RELATIONS", "discard_pingbacks", "pingback", "pingbacks"]

MOST = 100
"""Links that one pingback may carry."""

LONGEST = 2000
"""Characters of an IRI in a pingback."""

RELATIONS = ("has_provenance", "has_query_service")
"""What a pingback may say of a thing: where a provenance record of it is, or a service that can be asked about it."""


def pingback(
    context: Context,
    project: str,
    name: str,
    uris: Sequence[str] = (),
    *,
    version: int | None = None,
    links: Sequence[Pinged] = (),
) -> int:
    """Say where provenance is of what became of the things that a document tells of.

    Args:
        project: whose document.
        name: which document.
        uris: of provenance records.
        version: which version; None for the document as such.
        links: provenance records and query services for things that are named.

    Returns:
        How many of them were not known yet.

    Raises:
        NotFound: no such document or version.
        Withdrawn: the document was withdrawn, or the version erased.
        UsageError: nothing is said, or something else than an absolute http(s) IRI.
        TooLarge: more than ``MOST`` at once.
        NotAvailable: the settings say that none are taken.
    """
    documents.version(context, project, name, version)
    if not context.store.settings.pingbacks:
        raise NotAvailable("this repository takes no pingbacks")
    said = [*(Pinged("has_provenance", uri) for uri in uris), *links]
    if not said:
        raise UsageError("there is nothing in this pingback: send the IRI of a provenance record on each line")
    if len(said) > MOST:
        raise TooLarge(f"{len(said)} links in one pingback are too many: send at most {MOST} at once")
    for one in said:
        _check(one)
    return context.store.pingbacks.store(project, name, version, said, most=context.store.settings.pingbacks)


def pingbacks(context: Context, project: str, name: str | None = None) -> list[Pingback]:
    """What others said they know of a document, or of any document of a project; the oldest first.

    They count as seen from then on: new pingbacks rather replace those that nobody has seen.

    Raises:
        NotFound: no such project or document.
        Denied: the actor may not change the project.
    """
    context.require_write(project)
    if name is not None:
        catalog.history(context.store, project, name)
    found = context.store.pingbacks.stored(project, name)
    context.store.pingbacks.mark_seen(found)
    return found


def discard_pingbacks(context: Context, project: str, name: str, ids: Sequence[int] | None = None) -> int:
    """Forget pingbacks.

    Args:
        project: whose document.
        name: which document.
        ids: which ones; None for all of the document.

    Returns:
        How many are gone.

    Raises:
        NotFound: no such project or document, or none of the pingbacks that are named.
        Denied: the actor may not change the project.
    """
    context.require_write(project)
    catalog.history(context.store, project, name)
    gone = context.store.pingbacks.discard(project, name, ids)
    if ids and not gone:
        raise NotFound(f"{project}/{name} has no pingback {', '.join(map(str, ids))}")
    return gone


def _check(one: Pinged) -> None:
    if one.relation not in RELATIONS:
        raise UsageError(f"{one.relation[:100]!r} is no relation of a pingback; there are {', '.join(RELATIONS)}")
    for iri in (one.uri, one.anchor):
        if len(iri) > LONGEST:
            raise UsageError(f"{iri[:60]}… has {len(iri):,} characters; an IRI in a pingback has at most {LONGEST:,}")
    if not _is_address(one.uri):
        raise UsageError(f"{one.uri[:200]!r} is not an absolute http or https URI")
    if one.anchor and (not is_iri(one.anchor) or _misleading(one.anchor)):
        raise UsageError(f"the anchor {one.anchor[:200]!r} is not an absolute IRI")


def _is_address(iri: str) -> bool:
    """Whether curators may be shown it as something to look up: no scripts, no files, no passwords, no look-alikes."""
    if not (iri.isascii() and is_iri(iri)):
        return False
    try:
        parts = urlsplit(iri)
    except ValueError:
        return False
    return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc


def _misleading(iri: str) -> bool:
    """Whether it holds what a terminal or page does not show, or shows elsewhere than where it stands."""
    return any(unicodedata.category(character)[0] in "CZ" for character in iri)

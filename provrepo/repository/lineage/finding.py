"""The search over projects, documents, things and values that the actor may read."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from provrepo.repository import catalog
from provrepo.repository.context import Context
from provrepo.repository.lineage.answers import Records
from provrepo.repository.lineage.query import FEW, SearchQuery
from provrepo.repository.lineage.records import FoundDocument, FoundProject, SearchResult
from provrepo.repository.records import VersionInfo

__all__ = ["find"]

_MOST_CHOICES = 12
"""Choices of a facet in an answer."""

_DIGEST = re.compile("[0-9a-f]{64}")


def find(context: Context, query: SearchQuery, datasets: Sequence[str], deadline: float | None) -> SearchResult:
    """The result of a search.

    Args:
        context: the data directory and the actor.
        query: the search.
        datasets: the projects that it covers, which the actor may read.
        deadline: in seconds of ``time.monotonic``.

    Raises:
        TimedOut: it took too long.
        Busy: another process holds the views.
    """
    from provrepo.views.lineage.index import Lineage
    from provrepo.views.search import Filters, Search

    offset = (query.page - 1) * query.limit
    few = min(FEW, query.limit)
    things = query.part == "things"
    hits = context.store.view(Search).find(
        query.text,
        datasets,
        limit=query.limit if things else few,
        offset=offset if things else 0,
        filters=Filters(query.kind or "", query.type or "", query.document or "", query.matched or ""),
        sort=query.sort if things else "best",
        deadline=deadline,
    )
    documents, total = _documents(
        context, query, datasets, few if things else query.limit, 0 if things else offset, deadline
    )
    lineage, records = context.store.view(Lineage), Records(context.store.minter())
    # An entry may have reached only one of the two views yet.
    known = [thing for iri in hits.iris if (thing := lineage.thing(iri, datasets)) is not None]
    return SearchResult(
        tuple(records.node(thing) for thing in known),
        hits.total,
        tuple(documents),
        total,
        tuple(_projects(context, query.text, datasets)),
        {name: dict(_ordered(choices.items())[:_MOST_CHOICES]) for name, choices in hits.facets.items()},
        query.page,
    )


def _ordered(choices: Collection[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(choices, key=lambda choice: (-choice[1], choice[0]))


def _documents(
    context: Context, query: SearchQuery, datasets: Sequence[str], limit: int, offset: int, deadline: float | None
) -> tuple[list[FoundDocument], int]:
    from provrepo.views.search import Search

    store = context.store
    names = {actor: name.casefold() for actor, name in store.accounts.names().items()}
    hits, total = store.view(Search).find_documents(
        query.text,
        datasets,
        actors=lambda word: [actor for actor, name in names.items() if word.casefold() in name],
        own=[project for project in datasets if store.ledger.mirror(project) is None],
        limit=limit,
        offset=offset,
        sort=query.sort,
        deadline=deadline,
    )
    infos = [
        info
        for hit in hits
        if (
            info := catalog.one_version(
                store, hit.project, hit.document, hit.version, curator=context.curates(hit.project)
            )
        )
    ]
    if _DIGEST.fullmatch(digest := query.text.strip().lower()):
        former = [info for info in _with_digest(context, datasets, digest) if info.state != "current"]
        infos += former[: max(0, limit - len(infos))]
        total += len(former)
    return [_found(context, info) for info in infos], total


def _with_digest(context: Context, datasets: Sequence[str], digest: str) -> list[VersionInfo]:
    """The versions with some bytes that the actor may read, former ones too."""
    infos = []
    for project in datasets:
        with context.store.ledger.stream(project) as stream:
            entries = [entry for entry in stream.naming(digest) if entry.kind == "submit"]
        for entry in entries:
            if entry.fields["blob"] == digest:
                name, number = entry.fields["document"], entry.fields["version"]
                info = catalog.one_version(context.store, project, name, number, curator=context.curates(project))
                infos += [info] if info else []
    return infos


def _found(context: Context, info: VersionInfo) -> FoundDocument:
    title = str(context.store.ledger.entry(info.project, info.sequence).fields["title"])
    return FoundDocument(
        info.project,
        info.name,
        title or info.name,
        info.version,
        info.state,
        info.iri,
        info.sha256,
        info.note,
        info.submitter,
        info.time,
        info.verdict,
        info.statements,
    )


def _projects(context: Context, text: str, datasets: Sequence[str]) -> list[FoundProject]:
    words = text.casefold().split()
    results = []
    for project in datasets if words else ():
        title = str(context.store.ledger.settings(project).get("title", ""))
        if all(word in f"{project} {title}".casefold() for word in words):
            results.append(FoundProject(project, title, context.store.ledger.count(project)))
    return results

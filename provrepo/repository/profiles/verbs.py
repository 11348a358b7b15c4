"""Verbs about quality: profiles, their effect on stored documents, coverage of lineage, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provrepo.errors import Denied, UsageError
from provrepo.ledger.entries import REPOSITORY
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.queries import verbs as queries
from provrepo.repository.records import DEFAULT, Backtest, GateResult, ProfileInfo

if TYPE_CHECKING:
    pass

__all__ = ["add_profile", "backtest", "gate", "metrics", "profile", "profiles"]


def profiles(context: Context, project: str | None = None) -> list[ProfileInfo]:
    """The profiles that submissions to a project may be held against, by name.

    Args:
        project: with its own ones; None for those that every project has.

    Raises:
        NotFound: no such project.
    """
    from provrepo.repository.profiles import own

    if project is not None:
        context.require_read(project)
    return own.listed(context.store, project)


def profile(context: Context, name: str, project: str | None = None) -> ProfileInfo:
    """One profile; raises what ``profiles`` does, and UsageError where none has the name."""
    found = {info.name: info for info in profiles(context, project)}
    if name not in found:
        raise UsageError(f"no profile is called {name!r}; there are: {', '.join(found)}")
    return found[name]


def add_profile(
    context: Context,
    source: str | Path,
    *,
    name: str | None = None,
    project: str | None = None,
    extends: Sequence[str] = (),
    constraints: str = "report",
) -> ProfileInfo:
    """Add a profile, or a new version of one, and keep it for good.

    It is looked through first: SHACL Core and SHACL-SPARQL without SERVICE and FROM, of bounded size and depth,
    with patterns that cannot take forever; and held against its own examples. Documents that were accepted before
    stay accepted; ``backtest`` says which of them would not be. Adding what is there already changes nothing.

    Args:
        source: a folder with ``profile.toml``, ``shapes.ttl`` and ``examples``, or a file of shapes alone.
        name: what it is called; otherwise the name of the folder or file.
        project: the project that it belongs to; None makes it every project's.
        extends: for a file of shapes: names of the profiles that it extends.
        constraints: for a file of shapes: whether PROV-CONSTRAINTS ``gate`` or are only told (``report``).

    Raises:
        UsageError: it may not be kept; the message says why.
        ReadError: its shapes are no Turtle.
        Damaged: its ``profile.toml`` or shapes cannot be understood.
        Conflict: the name ships with provrepo, or the version says something else already.
        Denied: the actor may not.
        WorkerFailed: it took too long or too much memory.
    """
    from provrepo.repository.profiles import own

    if project is None:
        context.store.make()
    _administer(context, project)
    return own.add(
        context.store,
        context.actor,
        Path(source),
        name=name,
        project=project or REPOSITORY,
        extends=extends,
        constraints=constraints,
    )[0]


def backtest(context: Context, profile: str | Path, *, project: str) -> Backtest:
    """Which current documents of a project would newly fail a profile. Nothing is changed.

    Args:
        profile: the name of one, or the folder of one that has not been added. What fails the version that is in
            force under the folder's name fails already, and is only counted.
        project: whose documents.

    Raises:
        NotFound: no such project.
        UsageError: no such profile, or a folder of one that might not be kept.
    """
    from provrepo.repository.profiles import own

    context.require_read(project)
    return own.backtest(context.store, profile, project)


def gate(
    context: Context,
    iri: str,
    *,
    sources: Iterable[str],
    min_coverage: float = 100.0,
    project: str | None = None,
    public: bool = False,
) -> GateResult:
    """Whether everything upstream of a thing comes from declared sources, and enough of it is known.

    Args:
        iri: an entity or activity: a data set before a model is trained on it, a model before it is released.
        sources: the IRIs that may be sources; ``*`` in them stands for any characters.
        min_coverage: percent of the things upstream that have to be complete (``provrepo.checks.coverage``).
        project: whose dataset is asked; ``default`` where neither this nor ``public`` is given.
        public: ask the dataset that merges all public projects.

    Raises:
        NotFound: no such project, or nothing is known of the thing.
        UsageError: no IRI, no percentage, or a source that would be everything.
        Busy: another process holds the views.
        AnswerTooLarge: the lineage has more triples than the settings allow rows.
        TimedOut: the walk took too long.
    """
    from provrepo.checks.coverage import Sources
    from provrepo.repository.profiles.gate import gate as assess

    trusted = Sources.parse("\n".join(sources))
    return assess(
        lambda text: queries.query(context, text, project=project, public=public),
        iri,
        sources=trusted,
        minimum=min_coverage,
        where="the public projects" if public else f"project {project or DEFAULT}",
    )


def metrics(context: Context, project: str) -> dict[str, Any]:
    """How good the documents of a project are, as JSON holds it.

    ``documents`` (how many are current), ``without_findings``, ``profiles`` (of each version how many conform, and
    their share of all in percent), ``coverage`` (the mean of the documents that it was measured for, in percent),
    and ``over_time`` with the same for what was submitted in each month.

    Raises:
        NotFound: no such project.
    """
    from provrepo.repository.profiles.metrics import metrics

    context.require_read(project)
    return metrics(context.store, project)


def _administer(context: Context, project: str | None) -> None:
    if project is not None:
        context.require_read(project)
    if not access.may_administer(context.actor):
        raise Denied(f"{context.actor.name} may not add profiles; a token for all projects is needed")

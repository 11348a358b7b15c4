"""Verbs about quality: profiles, their effect on stored documents, coverage of lineage, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from provrepo.errors import Denied, UsageError
from provrepo.ledger.entries import REPOSITORY
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.exchange.notices.warnings import of_projects as origin_warnings
from provrepo.repository.people.roles import Right
from provrepo.repository.queries import verbs as queries
from provrepo.repository.records import DEFAULT, Backtest, GateResult, ProfileInfo

__all__ = ["add_profile", "backtest", "gate", "metrics", "profile", "profiles"]


def profiles(context: Context, project: str | None = None) -> list[ProfileInfo]:
    """Return the profiles against which submissions to a project can be checked, by name.

    Args:
        project: the project; None for the profiles that every project has.

    Raises:
        NotFound: no such project.
    """
    from provrepo.repository.profiles import user_defined

    if project is not None:
        context.require_read(project)
    return user_defined.listed(context.store, project)


def profile(context: Context, name: str, project: str | None = None) -> ProfileInfo:
    """Return one profile; errors as for ``profiles``, and UsageError for an unknown name."""
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
    """Add a user-defined profile, or a new version of one.

    It is checked first: SHACL Core and SHACL-SPARQL without SERVICE and FROM, of bounded size and depth, with regular
    expressions of bounded time; and against its own examples. Documents that were accepted before stay accepted;
    ``backtest`` lists those that would fail. Adding a profile that exists already changes nothing.

    Args:
        source: a folder with ``profile.toml``, ``shapes.ttl`` and ``examples``, or a file of shapes alone.
        name: its name; by default the name of the folder or file.
        project: the project that it belongs to; None for the whole repository.
        extends: for a file of shapes: names of the profiles that it extends.
        constraints: for a file of shapes: ``gate`` if a violation of PROV-CONSTRAINTS fails a document, ``report`` if
            it is only reported.

    Raises:
        UsageError: the profile was refused; the message contains the reason.
        ReadError: its shapes are not Turtle.
        Damaged: its ``profile.toml`` or shapes are malformed.
        Conflict: the name is that of a built-in profile, or the version exists with other content.
        Denied: the actor may not add profiles.
        WorkerFailed: the check took too long or too much memory.
    """
    from provrepo.repository.profiles import user_defined

    if project is None:
        context.store.make()
    _administer(context, project)
    return user_defined.add(
        context.store,
        context.actor,
        Path(source),
        name=name,
        project=project or REPOSITORY,
        extends=extends,
        constraints=constraints,
    )[0]


def backtest(context: Context, profile: str | Path, *, project: str) -> Backtest:
    """List the current documents of a project that would newly fail a profile. Nothing is changed.

    Args:
        profile: the name of a profile, or the folder of one that was not added yet. Documents that fail already the
            version in force under the name of the folder are only counted.
        project: the project.

    Raises:
        NotFound: no such project.
        UsageError: no such profile, or ``add_profile`` would refuse the folder.
    """
    from provrepo.repository.profiles import user_defined

    context.require_read(project)
    return user_defined.backtest(context.store, profile, project)


def gate(
    context: Context,
    iri: str,
    *,
    sources: Iterable[str],
    min_coverage: float = 100.0,
    project: str | None = None,
    public: bool = False,
) -> GateResult:
    """Check whether everything upstream of a thing comes from declared sources, and enough of it is complete.

    Args:
        iri: an entity or activity: a data set before a model is trained on it, a model before it is released.
        sources: the IRIs that may be sources; ``*`` in them stands for any characters.
        min_coverage: percent of the things upstream that have to be complete (``provrepo.checks.coverage``).
        project: the project whose dataset is queried; ``default`` if neither this nor ``public`` is given.
        public: query the dataset that merges all public projects.

    Raises:
        NotFound: no such project, or its dataset contains nothing about the thing.
        UsageError: ``iri`` is not an IRI, ``min_coverage`` is not a percentage, or a source matches everything.
        Busy: another process holds the views.
        AnswerTooLarge: the lineage has more triples than the limit of rows in the settings.
        TimedOut: the query took too long.
    """
    from provrepo.checks.coverage import Sources
    from provrepo.repository.profiles.gate import gate as assess

    trusted = Sources.parse("\n".join(sources))
    datasets = sorted(context.store.ledger.public()) if public else [project or DEFAULT]
    minter = context.store.minter()
    warned = {
        str(minter.version(*version)): found for version, found in origin_warnings(context.store, datasets).items()
    }
    return assess(
        lambda text: queries.query(context, text, project=project, public=public),
        iri,
        sources=trusted,
        minimum=min_coverage,
        where="the public projects" if public else f"project {project or DEFAULT}",
        warned=warned,
    )


def metrics(context: Context, project: str | None = None) -> dict[str, Any]:
    """Return metrics of the documents of a project as a JSON object.

    ``documents`` (the number of current ones), ``without_findings``, ``profiles`` (for each version the number of
    conforming documents and their share in percent), ``coverage`` (the mean over the measured documents, in percent),
    and ``over_time`` with the same for the submissions of each month.

    Args:
        project: None for all projects that the actor may read, together.

    Raises:
        NotFound: no such project.
    """
    from provrepo.repository.profiles.metrics import metrics

    if project is None:
        return metrics(context.store, context.readable_projects(), None)
    context.require_read(project)
    return metrics(context.store, [project], project)


def _administer(context: Context, project: str | None) -> None:
    if project is not None:
        context.require_change(project, Right.MANAGE)
    elif not access.may_administer(context.actor):
        raise Denied(f"{context.actor.name} may not add profiles; a token for all projects is needed")

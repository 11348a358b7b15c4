"""Verbs about the repository and its projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import Conflict, Denied, UsageError
from provrepo.ledger.entries import REPOSITORY
from provrepo.model.identifiers import web_address
from provrepo.repository import access, catalog
from provrepo.repository.context import Context
from provrepo.repository.profiles import own
from provrepo.repository.records import (
    ProjectInfo,
)

if TYPE_CHECKING:
    pass


__all__ = ["base", "create_project", "identity", "init", "project", "projects", "set_project"]


def init(context: Context, base: str | None = None) -> str:
    """Make the data directory, and record the base IRI under which everything is named.

    Args:
        base: an absolute http(s) IRI; ``/`` is added where it does not end in one. None changes nothing.

    Returns:
        The base IRI in force, empty where none has been set.

    Raises:
        UsageError: not an absolute http(s) IRI.
        Denied: only the owner may.
    """
    parts = None if base is None else web_address(base)
    if base is not None and (parts is None or parts.query or parts.fragment or not is_iri(base)):
        raise UsageError(f"{base!r} is no base IRI: an absolute http or https IRI without query and fragment is")
    context.store.make()
    # The owner is recorded from here on, so that a verb that reads appends nothing later.
    owner = context.actor.owner
    if base is None:
        return context.store.base()
    if not owner:
        raise Denied("only the owner of the data directory sets its base IRI")
    wanted = base if base.endswith("/") else base + "/"
    with context.store.ledger.appending(REPOSITORY) as appending:
        if appending.settings().get("base", "") != wanted:
            appending.append("settings", {"base": wanted}, actor=context.actor.id, token=context.actor.token)
    return wanted


def base(context: Context) -> str:
    """The base IRI in force; empty until one is set."""
    return context.store.base()


def identity(context: Context) -> str:
    """The UUID of this repository, drawn when it was made."""
    return context.store.ledger.identity().id


def create_project(
    context: Context, name: str, *, public: bool = False, title: str = "", profiles: Sequence[str] = ()
) -> ProjectInfo:
    """Make a project.

    Args:
        name: 1 to 100 letters, digits, ``_`` and ``-``.
        public: whether everybody may read it.
        title: for people.
        profiles: names of the profiles that each submission must satisfy.

    Raises:
        Conflict: there is one of that name.
        InvalidName: not a name.
        UsageError: an unknown profile, or a title that cannot be stored.
        Denied: the actor may not make projects.
    """
    access.name("project", name)
    access.text("title", title)
    context.store.make()
    access.require_administer(context.actor)
    own.chosen(context.store, None, profiles)
    with context.store.ledger.appending(name) as appending:
        if appending.exists():
            raise Conflict(f"there is a project {name!r} already")
        appending.append(
            "settings",
            {"public": public, "title": title, "profiles": list(dict.fromkeys(profiles))},
            actor=context.actor.id,
            token=context.actor.token,
        )
    return catalog.project_info(context.store, name)


def set_project(
    context: Context,
    name: str,
    *,
    public: bool | None = None,
    title: str | None = None,
    profiles: Sequence[str] | None = None,
) -> ProjectInfo:
    """Change a project's settings; None leaves one as it is. The ledger keeps what they were.

    Raises:
        NotFound: no such project.
        UsageError: an unknown profile, or a title that cannot be stored.
        Denied: the actor may not change it.
    """
    context.require_read(name)
    access.text("title", title or "")
    if not access.may_administer(context.actor):
        raise Denied(f"{context.actor.name} may not change the settings of {name!r}")
    own.chosen(context.store, name, profiles or ())
    wanted = {"public": public, "title": title, "profiles": None if profiles is None else list(profiles)}
    with context.store.ledger.appending(name) as appending:
        settings = appending.settings()
        changed = {k: v for k, v in wanted.items() if v is not None and settings.get(k) != v}
        if changed:
            appending.append("settings", changed, actor=context.actor.id, token=context.actor.token)
    context.store.index()
    return catalog.project_info(context.store, name)


def project(context: Context, name: str) -> ProjectInfo:
    """One project.

    Raises:
        NotFound: there is none that the actor may see.
    """
    context.require_read(name)
    return catalog.project_info(context.store, name)


def projects(context: Context) -> list[ProjectInfo]:
    """The projects that the actor may read, by name."""
    return [catalog.project_info(context.store, name) for name in context.readable_projects()]

"""Verbs about the repository and its projects."""

from __future__ import annotations

from collections.abc import Sequence

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import Conflict, Denied, UsageError
from provrepo.ledger.entries import REPOSITORY
from provrepo.model.identifiers import web_address
from provrepo.repository import access, catalog
from provrepo.repository.context import Context
from provrepo.repository.profiles import user_defined
from provrepo.repository.records import ProjectInfo

__all__ = ["base", "create_project", "identity", "init", "project", "projects", "set_project"]


def init(context: Context, base: str | None = None) -> str:
    """Create the data directory if it does not exist, and set the base IRI.

    Args:
        base: an absolute http(s) IRI; ``/`` is appended if it does not end in one. None changes nothing.

    Returns:
        The base IRI in force; empty if none was set.

    Raises:
        UsageError: not an absolute http(s) IRI.
        Denied: only the owner may.
    """
    parts = None if base is None else web_address(base)
    if base is not None and (parts is None or parts.query or parts.fragment or not is_iri(base)):
        raise UsageError(
            f"{base!r} is not a base IRI, which is an absolute http or https IRI without query and fragment"
        )
    context.store.make()
    # Record the owner now, so that a verb that reads appends nothing later.
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
    """Return the base IRI in force; empty until one is set."""
    return context.store.base()


def identity(context: Context) -> str:
    """Return the UUID of this repository, which was drawn when it was created."""
    return context.store.ledger.identity().id


def create_project(
    context: Context, name: str, *, public: bool = False, title: str = "", profiles: Sequence[str] = ()
) -> ProjectInfo:
    """Create a project.

    Args:
        name: 1 to 100 letters, digits, ``_`` and ``-``.
        public: whether anonymous clients may read it.
        title: a title; may be empty.
        profiles: names of the profiles that each submission must satisfy.

    Raises:
        Conflict: a project of that name exists.
        InvalidName: the name is malformed.
        UsageError: a profile is unknown, or the title cannot be stored.
        Denied: the actor may not create projects.
    """
    access.name("project", name)
    access.text("title", title)
    context.store.make()
    access.require_administer(context.actor)
    user_defined.chosen(context.store, None, profiles)
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
    """Change the settings of a project; None leaves a setting unchanged. The ledger keeps the former values.

    Raises:
        NotFound: no such project.
        UsageError: a profile is unknown, or the title cannot be stored.
        Denied: the actor may not change it.
    """
    context.require_read(name)
    access.text("title", title or "")
    if not access.may_administer(context.actor):
        raise Denied(f"{context.actor.name} may not change the settings of {name!r}")
    user_defined.chosen(context.store, name, profiles or ())
    wanted = {"public": public, "title": title, "profiles": None if profiles is None else list(profiles)}
    with context.store.ledger.appending(name) as appending:
        settings = appending.settings()
        changed = {k: v for k, v in wanted.items() if v is not None and settings.get(k) != v}
        if changed:
            appending.append("settings", changed, actor=context.actor.id, token=context.actor.token)
    context.store.index()
    return catalog.project_info(context.store, name)


def project(context: Context, name: str) -> ProjectInfo:
    """Return one project.

    Raises:
        NotFound: the project does not exist, or the actor may not read it.
    """
    context.require_read(name)
    return catalog.project_info(context.store, name)


def projects(context: Context) -> list[ProjectInfo]:
    """Return the projects that the actor may read, by name."""
    return [catalog.project_info(context.store, name) for name in context.readable_projects()]

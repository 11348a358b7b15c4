"""Verbs about the repository and its projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import Conflict, Denied, UsageError
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.governance import standing
from provrepo.ledger.governance.standing import QUOTAS
from provrepo.model.identifiers import web_address
from provrepo.repository import access, catalog
from provrepo.repository.context import Context
from provrepo.repository.exchange.rights import EVERYBODY, REVIEWS
from provrepo.repository.people.roles import Right
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
    context: Context,
    name: str,
    *,
    public: bool = False,
    title: str = "",
    profiles: Sequence[str] = (),
    license: str = "",  # noqa: A002 (the name of the setting)
) -> ProjectInfo:
    """Create a project.

    Args:
        name: 1 to 100 letters, digits, ``_`` and ``-``.
        public: whether anonymous clients may read it.
        title: a title; may be empty.
        profiles: names of the profiles that each submission must satisfy.
        license: the web address of the license under which the documents may be used; may be empty.

    Raises:
        Conflict: a project of that name exists.
        InvalidName: the name is malformed.
        UsageError: a profile is unknown, the title cannot be stored, or the license is not a web address.
        Denied: the actor may not create projects.
    """
    access.name("project", name)
    access.text("title", title)
    _license(license)
    context.store.make()
    access.require_administer(context.actor)
    user_defined.chosen(context.store, None, profiles)
    with context.store.ledger.appending(name) as appending:
        if appending.exists():
            raise Conflict(f"there is a project {name!r} already")
        settings = {"public": public, "title": title, "profiles": list(dict.fromkeys(profiles))}
        settings |= {"license": license} if license else {}
        appending.append("settings", settings, actor=context.actor.id, token=context.actor.token)
    return catalog.project_info(context.store, name, curator=True)


def set_project(
    context: Context,
    name: str,
    *,
    public: bool | None = None,
    title: str | None = None,
    profiles: Sequence[str] | None = None,
    license: str | None = None,  # noqa: A002 (the name of the setting)
    push: Sequence[str] | None = None,
    pushes: str | None = None,
    reviewed: Sequence[str] | None = None,
    review: str | None = None,
    announce: bool | None = None,
    archived: bool | None = None,
    quota_documents: int | None = None,
    quota_bytes: int | None = None,
    quota_submissions: int | None = None,
) -> ProjectInfo:
    """Change the settings of a project; None leaves a setting unchanged. The ledger keeps the former values.

    Args:
        name: the project.
        public: whether anonymous clients may read it.
        title: its title; may be empty.
        profiles: names of the profiles that each submission must satisfy.
        license: the web address of the license under which its documents may be used; empty for none.
        push: names of the peers to which each version is sent that is accepted from now on.
        pushes: what happens with documents that peers send: ``pending``, ``at-once``, or ``as-peer``, as the peer says.
        reviewed: names of the actors whose submissions wait for a review; ``*`` for all but the owner.
        review: ``submitters`` if the submissions of those wait who may submit and not curate; ``nobody`` for none
            beyond ``reviewed``.
        announce: whether peers are told that a version accepted from now on was derived from their documents.
        archived: True refuses all further changes of the project until it is set to False.
        quota_documents: the most documents that are not withdrawn; 0 for no limit.
        quota_bytes: the most bytes of all versions that were not erased; 0 for no limit.
        quota_submissions: the most versions that are accepted on a day of UTC; 0 for no limit.

    Raises:
        NotFound: no such project.
        UsageError: a profile, peer or actor is unknown, the title cannot be stored, the license is no web address, or a
            quota is negative.
        Denied: the actor may not change it, or it is a mirror; only the owner sets ``push`` and ``announce``, and only
            administrators set quotas.
        Conflict: it would become public during an embargo.
        Archived: it is archived, and that is not ended by this call.
    """
    context.require_read(name)
    access.text("title", title or "")
    _license(license or "")
    context.require(name, Right.MANAGE)
    context.store.ledger.require_own(name)
    user_defined.chosen(context.store, name, profiles or ())
    if push is not None or announce is not None:
        context.require_owner("decides what is sent to peers")
    if pushes is not None and pushes not in _PUSHES:
        raise UsageError(f"{pushes!r} is not what a peer's documents may meet: {', '.join(_PUSHES)}")
    if review is not None and review not in REVIEWS:
        raise UsageError(f"{review[:100]!r} is not whose submissions can wait for a review: {', '.join(REVIEWS)}")
    quotas = {"quota_documents": quota_documents, "quota_bytes": quota_bytes, "quota_submissions": quota_submissions}
    _quotas(context, quotas)
    wanted = {
        "public": public,
        "title": title,
        "profiles": None if profiles is None else list(profiles),
        "license": license,
        "push": None if push is None else _peers(context, push),
        "pushes": pushes,
        "reviewed": None if reviewed is None else _actors(context, reviewed),
        "review": review,
        "announce": announce,
        "archived": archived,
        **quotas,
    }
    with context.store.ledger.appending(name) as appending:
        settings = appending.settings()
        changed = {k: v for k, v in wanted.items() if v is not None and settings.get(k, _UNSET.get(k)) != v}
        if archived is not False:
            standing.require_active(name, settings)
        if changed:
            appending.append("settings", changed, actor=context.actor.id, token=context.actor.token)
    context.store.index()
    return catalog.project_info(context.store, name, curator=True)


def _quotas(context: Context, quotas: Mapping[str, int | None]) -> None:
    """Check quotas.

    Raises:
        UsageError: one is negative, or is more than JSON can represent.
        Denied: one is given, and the actor may not administer the repository.
    """
    given = {name: value for name, value in quotas.items() if value is not None}
    for name, value in given.items():
        if not 0 <= value <= _MOST:
            raise UsageError(f"{name} is {value}; a quota is a whole number up to {_MOST:,}, and 0 for no limit")
    if given and not access.may_administer(context.actor):
        raise Denied(f"{context.actor.name} may not set the quotas of a project; an administrator can")


_MOST = 2**53
_PUSHES = ("as-peer", "pending", "at-once")


def _peers(context: Context, names: Sequence[str]) -> list[str]:
    """Return the names of peers without repetitions.

    Raises:
        UsageError: one of them is unknown.
    """
    for peer in names:
        if context.store.peers.find(peer) is None:
            raise UsageError(f"there is no peer {peer[:100]!r}; `provrepo peers add` names one")
    return list(dict.fromkeys(names))


def _actors(context: Context, names: Sequence[str]) -> list[str]:
    """Return the identifiers of actors with a token by their names: the ledger contains no names of people.

    Raises:
        UsageError: one of them is unknown.
    """
    known = {token.name: token.actor for token in context.store.accounts.list()}
    for actor in names:
        if actor != EVERYBODY and actor not in known:
            raise UsageError(f"no token has the name {actor[:100]!r}; `provrepo token list` lists them")
    return list(dict.fromkeys(known.get(actor, actor) for actor in names))


_UNSET = {"license": "", "announce": False, "review": "nobody", "archived": False, **dict.fromkeys(QUOTAS, 0)}
"""The values of settings that the first entry of a project may lack."""


def _license(license_: str) -> None:
    """Check the web address of a license, or an empty text.

    Raises:
        UsageError: it is neither.
    """
    access.text("license", license_)
    if license_ and (web_address(license_) is None or not is_iri(license_)):
        raise UsageError(
            f"the license {license_[:120]!r} is not a web address; write that of the license, "
            "such as https://spdx.org/licenses/CC-BY-4.0"
        )


def project(context: Context, name: str) -> ProjectInfo:
    """Return one project.

    Raises:
        NotFound: the project does not exist, or the actor may not read it.
    """
    context.require_read(name)
    return _info(context, name)


def projects(context: Context) -> list[ProjectInfo]:
    """Return the projects that the actor may read, by name."""
    return [_info(context, name) for name in context.readable_projects()]


def _info(context: Context, name: str) -> ProjectInfo:
    member = Right.READ in access.rights(context.actor, name, public=False)
    return catalog.project_info(context.store, name, curator=context.curates(name), member=member)

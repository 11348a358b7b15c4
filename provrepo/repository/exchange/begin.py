"""The beginning of a mirror: its row, and what it must not be."""

from __future__ import annotations

from provrepo.errors import Conflict
from provrepo.ledger.exchange.mirrors import Mirror
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.exchange.import_entries import ALL
from provrepo.repository.exchange.origin import Origin
from provrepo.repository.records import DEFAULT
from provrepo.repository.store import Store

__all__ = ["begin_mirror", "require_foreign", "require_only_public"]


def begin_mirror(
    context: Context,
    name: str,
    origin: Origin,
    *,
    url: str = "",
    public: bool = False,
    blobs: str = ALL,
    most: int | None = None,
) -> Mirror:
    """Create a mirror without entries, or return the one of the same project that has this name.

    Args:
        context: the data directory, and its owner.
        name: the name of the mirror here.
        origin: what is mirrored.
        url: the URL of the project; empty for one that came in a package.
        public: whether anonymous clients may read the mirror, if the project is public at its origin too.
        blobs: one of ``BLOBS``.
        most: the size in bytes above which a blob is not copied; None for no limit.

    Raises:
        Denied: the actor is not the owner.
        Conflict: the name is taken; or it is a project of this repository; or its IRIs would be those of others.
        InvalidName: the name is malformed.
    """
    access.name("project", name)
    if name == DEFAULT:
        raise Conflict(f"{DEFAULT} is the project of submissions without one: choose another name for the mirror")
    context.store.make()
    context.require_owner("begins mirrors")
    require_foreign(context.store, origin)
    if public:
        require_only_public(context.store, name, origin.identity, origin.project)
    mirror = Mirror(
        project=name,
        stream=origin.project,
        origin=url,
        identity=origin.identity,
        setup=origin.setup,
        base=origin.base,
        former=origin.former,
        before=origin.before,
        public=public,
        blobs=blobs,
        most=most,
    )
    context.store.parts.mirroring.rename(origin.identity, origin.actors)
    return context.store.parts.mirroring.begin(mirror, actor=context.actor.id)


def require_only_public(store: Store, name: str, identity: str, stream: str) -> None:
    """Refuse a second public mirror of a project, whose graphs would have the names of those of the first.

    Raises:
        Conflict: there is another public mirror of the project.
    """
    for other in store.ledger.mirrors():
        if other.public and other.project != name and (other.identity, other.stream) == (identity, stream):
            raise Conflict(f"{other.project} is a public mirror of the same project: only one of them can be public")


def require_foreign(store: Store, origin: Origin) -> None:
    """Refuse an origin that is this repository, or whose base IRI is that of this repository or of another origin.

    Raises:
        Conflict: it is.
    """
    if origin.identity == store.ledger.identity().id:
        raise Conflict(f"project {origin.project} is one of this repository, which cannot mirror itself")
    others = [mirror for mirror in store.ledger.mirrors() if mirror.identity != origin.identity]
    bases = {other.base: f"mirror {other.project}" for other in others}
    bases[store.base()] = "this repository"
    if origin.base and origin.base in bases:
        raise Conflict(
            f"the origin says that its base IRI is {origin.base}, which is that of {bases[origin.base]}: its documents "
            "would have the IRIs of others"
        )

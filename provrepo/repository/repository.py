"""The verbs, bound to whoever asks. The command line, the server and scripts all go through here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from provrepo import __version__
from provrepo.checks.report import Report
from provrepo.codecs.formats import content
from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import Conflict, Denied, NotFound, UsageError
from provrepo.ledger.entries import REPOSITORY
from provrepo.model.document import Document
from provrepo.model.identifiers import web_address
from provrepo.repository import access, catalog
from provrepo.repository.audit import Audited
from provrepo.repository.exposure import Exposing
from provrepo.repository.lineage.accepted_at import Arrivals
from provrepo.repository.pingbacks import Pingable
from provrepo.repository.profiles import own
from provrepo.repository.queries.verbs import Asking
from provrepo.repository.records import (
    DEFAULT,
    Actor,
    Check,
    DocumentInfo,
    ProjectInfo,
    Receipt,
    VersionInfo,
)
from provrepo.repository.store import Store
from provrepo.repository.stream import Streamed
from provrepo.repository.submission import submit as submission
from provrepo.repository.submission.conversion import convert
from provrepo.repository.upkeep.beside import where_the_views_are
from provrepo.repository.withdrawals import Withdrawals
from provrepo.settings import Settings, load

if TYPE_CHECKING:
    from provrepo.codecs.formats import Source
    from provrepo.ledger.accounts import Token
    from provrepo.repository.upkeep.backup import Snapshot

__all__ = ["DEFAULT", "Repository", "open"]

log = logging.getLogger("provrepo.repository")


def open(  # noqa: A001 (provrepo.open is the promised name)
    data: str | Path | None = None, *, settings: Settings | None = None, follow: bool = True
) -> Repository:
    """Open a data directory and act as its local owner.

    Where there is none, the first verb that makes something (``init``, ``submit``, ``create_project``,
    ``add_profile``, ``create_token``) makes it; until then the others raise NoRepository.

    Args:
        data: the data directory; what the settings say where it is not given.
        settings: instead of those read from environment and ``provrepo.toml``.
        follow: False never takes the views: submissions are stored, and whoever holds the views indexes them.

    Raises:
        Damaged: the directory cannot be read, or a newer version wrote it.
    """
    chosen = settings or load()
    if data is not None:
        chosen = replace(chosen, data=Path(data))
    return Repository(Store.open(chosen, follow=follow, create=False))


class Repository(Asking, Pingable, Arrivals, Streamed, Withdrawals, Exposing, Audited):
    """A repository as one actor sees it."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._store.settings

    def as_actor(self, actor: Actor) -> Repository:
        """The same repository as somebody else sees it."""
        return Repository(self._store, actor)

    # Projects

    def init(self, base: str | None = None) -> str:
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
        self._store.make()
        # The owner is recorded from here on, so that a verb that reads appends nothing later.
        owner = self.actor.owner
        if base is None:
            return self._store.base()
        if not owner:
            raise Denied("only the owner of the data directory sets its base IRI")
        wanted = base if base.endswith("/") else base + "/"
        with self._store.ledger.appending(REPOSITORY) as appending:
            if appending.settings().get("base", "") != wanted:
                appending.append("settings", {"base": wanted}, actor=self.actor.id, token=self.actor.token)
        return wanted

    def base(self) -> str:
        """The base IRI in force; empty until one is set."""
        return self._store.base()

    def identity(self) -> str:
        """The UUID of this repository, drawn when it was made."""
        return self._store.ledger.identity().id

    def create_project(
        self, name: str, *, public: bool = False, title: str = "", profiles: Sequence[str] = ()
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
            UsageError: an unknown profile.
            Denied: the actor may not make projects.
        """
        access.name("project", name)
        self._store.make()
        access.require_administer(self.actor)
        own.chosen(self._store, None, profiles)
        with self._store.ledger.appending(name) as appending:
            if appending.exists():
                raise Conflict(f"there is a project {name!r} already")
            appending.append(
                "settings",
                {"public": public, "title": title, "profiles": list(dict.fromkeys(profiles))},
                actor=self.actor.id,
                token=self.actor.token,
            )
        return catalog.project_info(self._store, name)

    def set_project(
        self,
        name: str,
        *,
        public: bool | None = None,
        title: str | None = None,
        profiles: Sequence[str] | None = None,
    ) -> ProjectInfo:
        """Change a project's settings; None leaves one as it is. The ledger keeps what they were.

        Raises:
            NotFound: no such project.
            UsageError: an unknown profile.
            Denied: the actor may not change it.
        """
        self._readable(name)
        if not access.may_administer(self.actor):
            raise Denied(f"{self.actor.name} may not change the settings of {name!r}")
        own.chosen(self._store, name, profiles or ())
        wanted = {"public": public, "title": title, "profiles": None if profiles is None else list(profiles)}
        with self._store.ledger.appending(name) as appending:
            settings = appending.settings()
            changed = {k: v for k, v in wanted.items() if v is not None and settings.get(k) != v}
            if changed:
                appending.append("settings", changed, actor=self.actor.id, token=self.actor.token)
        self._store.index()
        return catalog.project_info(self._store, name)

    def project(self, name: str) -> ProjectInfo:
        """One project.

        Raises:
            NotFound: there is none that the actor may see.
        """
        self._readable(name)
        return catalog.project_info(self._store, name)

    def projects(self) -> list[ProjectInfo]:
        """The projects that the actor may read, by name."""
        return [catalog.project_info(self._store, name) for name in self._projects()]

    # Documents

    def submit(
        self,
        source: Source,
        *,
        project: str = DEFAULT,
        name: str | None = None,
        profiles: Sequence[str] = (),
        update: bool = False,
        if_match: str | None = None,
        format: str | None = None,  # noqa: A002
        base: str | None = None,
        note: str = "",
        again: bool = False,
        allow_empty: bool = False,
    ) -> Receipt:
        """Check a document and store it for good.

        It is stored whole or not at all: when this returns, bytes and ledger entry are on disk. Submitting the
        current version's bytes again changes nothing and returns its receipt.

        Args:
            source: a path, the bytes, or a binary file object.
            project: where to; ``default`` is made when its owner first needs it.
            name: the document's name; the file's name or part of the digest where it is not given.
            profiles: to hold it against, beyond the project's own.
            update: append a new version where the name is taken.
            if_match: replace only the version with this SHA-256, or any for ``"*"``.
            format: a format's name; detected where it is not given.
            base: the IRI against which relative IRIs are resolved.
            note: what the submitter says about it.
            again: take in bytes that were withdrawn from this document, as a new version; and, where the owner asks,
                bytes that were erased from the project.
            allow_empty: store a document that makes no statement, whatever its profiles say of that.

        Raises:
            TakenBack: the bytes were withdrawn or erased before; carries who, when and why.
            ReadError: unreadable, with line and column where there is one.
            Refused: it does not conform, or makes no statement; carries the report. Nothing is stored.
            Conflict: the name is taken by other bytes.
            Stale: the version named by ``if_match`` is not the current one.
            NotFound: no such project.
            Denied: the actor may not submit to it.
            TooLarge: more bytes than the settings allow.
            NoSpace: the disk is nearly full.
            WorkerFailed: checking took too long or too much memory.
        """
        data, file = content(source)
        self._store.make()
        if project == DEFAULT and self.actor.owner:
            self._ensure_default()
        return submission.submit(
            self._store,
            self.actor,
            data,
            file,
            project=project,
            name=name,
            profiles=profiles,
            update=update,
            if_match=if_match,
            format=format,
            base=base,
            note=note,
            again=again,
            allow_empty=allow_empty,
        )

    def validate(
        self,
        source: Source | Document,
        *,
        project: str | None = None,
        profiles: Sequence[str] = (),
        constraints: str | None = None,
        format: str | None = None,  # noqa: A002
        base: str | None = None,
    ) -> Report:
        """Check a document and keep nothing of it.

        Args:
            source: a path, the bytes, a binary file object, or a document.
            project: whose own profiles may be named beside those that every project has.
            profiles: to hold it against.
            constraints: ``gate``, ``report`` or ``off``; None leaves it to the profiles.
            format: a format's name; detected where it is not given.
            base: the IRI against which relative IRIs are resolved.

        Raises:
            NotFound: no such project.
            ReadError: unreadable.
            UsageError: an unknown profile.
        """
        if project is not None:
            self._readable(project)
        if isinstance(source, Document):
            from provrepo.checks.validation import check

            held = own.chosen(self._store, project, profiles)
            return check(source, profiles=held, constraints=constraints)
        return submission.validate(
            self._store,
            source,
            project=project,
            profiles=profiles,
            constraints=constraints,
            format=format,
            base=base,
        )

    def documents(
        self, project: str, *, after: str = "", limit: int | None = None, withdrawn: bool = False
    ) -> list[DocumentInfo]:
        """The documents of a project by name, each with its newest version.

        Args:
            project: which project.
            after: only names that come after this one.
            limit: at most so many.
            withdrawn: whether to list withdrawn ones too.

        Raises:
            NotFound: no such project.
        """
        self._readable(project)
        found: list[DocumentInfo] = []
        erased = self._store.ledger.erased(project)
        while limit is None or len(found) < limit:
            page = self._store.ledger.documents(project, after=after, limit=limit or 1000)
            if not page:
                break
            after = page[-1][0]
            for name, newest, withdrawal in page:
                if withdrawal is None or withdrawn:
                    info = catalog.document_info(
                        self._store, project, name, newest, withdrawal, erased, curator=self._curates(project)
                    )
                    found.append(info)
        return found[:limit]

    def document(self, project: str, name: str) -> DocumentInfo:
        """One document with its newest version; ``withdrawn`` says whether it still stands.

        Raises:
            NotFound: there has never been one of that name.
        """
        self._readable(project)
        versions = self._store.ledger.versions(project, name)
        last = self._store.ledger.last(project, name)
        if not versions or last is None:
            raise NotFound(f"there is no document {name!r} in project {project!r}")
        withdrawal = last if last.kind == "withdraw" else None
        erased = self._store.ledger.erased(project)
        return catalog.document_info(
            self._store, project, name, versions[-1], withdrawal, erased, curator=self._curates(project)
        )

    def history(self, project: str, name: str) -> list[VersionInfo]:
        """Every version of a document, oldest first.

        Raises:
            NotFound: there has never been one of that name.
        """
        self._readable(project)
        return catalog.history(self._store, project, name, curator=self._curates(project))

    def version(self, project: str, name: str, version: int | None = None) -> VersionInfo:
        """One version; the current one where none is named.

        A withdrawal covers every version that the document had then. These stay withdrawn where a later version is
        submitted; those who may change the project still read them, by their numbers.

        Raises:
            NotFound: no such document or version.
            Withdrawn: withdrawn or erased.
        """
        self._readable(project)
        return catalog.find_version(self._store, project, name, version, curator=self._curates(project))

    def original(self, project: str, name: str, version: int | None = None) -> tuple[bytes, VersionInfo]:
        """The bytes exactly as they were submitted, verified against their digest.

        Raises:
            NotFound: no such document or version.
            Withdrawn: withdrawn or erased.
            Damaged: the stored bytes are no longer what was submitted.
        """
        info = self.version(project, name, version)
        return self._store.blobs.get(info.sha256), info

    def read(self, project: str, name: str, version: int | None = None) -> Document:
        """A stored version as a document; raises what ``original`` does."""
        from provrepo.codecs import formats
        from provrepo.codecs.jsonld.own_contexts import using

        data, info = self.original(project, name, version)
        with using(self._store.settings.contexts):
            return formats.read(data, format=info.format, base=info.base or None)

    def export(
        self,
        project: str,
        name: str,
        version: int | None = None,
        *,
        format: str | None = None,  # noqa: A002
    ) -> bytes:
        """A stored version in a format; the submitted bytes where none is named or it is theirs already.

        Raises:
            UnknownFormat: no such format.
            NotFound: no such document or version.
            Withdrawn: withdrawn or erased.
            WriteError: the format cannot carry it.
            TimedOut: the document is large, and writing it took too long.
            WorkerFailed: it needed too much memory.
            Busy: too many large documents are being read.
        """
        from provrepo.codecs import formats

        if format is not None:
            formats.by_name(format)
        data, info = self.original(project, name, version)
        if format is None or format == info.format:
            return data
        return convert(self._store, info, data, format)

    def report(self, project: str, name: str, version: int | None = None) -> Report:
        """The report that was made when a version was accepted; raises what ``version`` does."""
        info = self.version(project, name, version)
        return catalog.stored_report(self._store, self._store.ledger.entry(project, info.sequence))

    # Maintenance

    def rebuild(self, progress: Callable[[str, int], None] | None = None) -> dict[str, int]:
        """Throw the views away and make them again from the ledger.

        Args:
            progress: called with each project and how many entries it has, once it is done.

        Returns:
            The number of quads of each dataset.

        Raises:
            Busy: another process holds the views.
            Denied: only the owner may.
        """
        self._owner("rebuilds")
        self._store.follower.rebuild(progress)
        quads = self._quads()
        return {dataset: quads.count(dataset) for dataset in quads.datasets()}

    def fsck(self, progress: Callable[[str, int], None] | None = None, *, views: bool = False) -> Check:
        """Read every entry and every blob again, and say what is not as it was written.

        Args:
            progress: called with what was read and how much of it there was.
            views: derive every view anew beside the former ones and compare all of them; without it some versions are
                compared.

        Raises:
            Denied: only the owner may.
        """
        from provrepo.repository.upkeep.fsck import fsck

        self._owner("checks the data directory")
        return fsck(self._store, progress, views=views)

    @where_the_views_are
    def check_views(self, whole: bool = False) -> list[str]:
        """Compare the views with what the ledger yields: the part of ``fsck`` that needs the process that has them.

        Args:
            whole: all of them; otherwise some versions.

        Returns:
            What is wrong, one sentence each.

        Raises:
            Denied: only the owner may.
        """
        from provrepo.repository.upkeep.fsck_views import check_views

        self._owner("checks the data directory")
        return check_views(self._store, whole=whole)

    def backup(
        self,
        target: str | Path,
        *,
        keep: int | None = None,
        progress: Callable[[str, int], None] | None = None,
    ) -> Snapshot:
        """Add a snapshot of the repository to a backup; writers and servers go on meanwhile.

        Args:
            target: a directory; made where there is none.
            keep: how many sound snapshots stay; None for all.
            progress: called with what was just done and how much of it there was.

        Returns:
            The snapshot, with its problems where it is not sound.

        Raises:
            Conflict: the directory holds something else.
            Busy: another process writes to it.
            Denied: only the owner may.
        """
        from provrepo.repository.upkeep.backup import back_up

        self._owner("makes backups")
        return back_up(self._store, Path(target), software=f"provrepo/{__version__}", keep=keep, progress=progress)

    def waiting(self) -> str:
        """Why the views could not be brought up to the ledger the last time; empty where they could."""
        return "; ".join(dict.fromkeys(self._store.follower.waiting.values()))

    def indexing_server(self) -> str:
        """The URL of the server that indexes what this process stores; empty where there is none.

        Without one, this process does, or whoever asks next.
        """
        return self._store.follower.server()

    # Tokens

    def create_token(
        self, name: str, *, projects: Sequence[str] | None = None, write: bool = True, days: int | None = None
    ) -> tuple[str, Token]:
        """Make a token. Its text is returned this once; only its digest is kept.

        Args:
            name: whom it stands for; the same name is the same actor.
            projects: the projects it is for; None for all.
            write: whether it may change anything.
            days: until it expires; None for never.

        Raises:
            UsageError: no name, or days that no calendar has.
            NotFound: one of the projects does not exist.
            Denied: only the owner makes tokens.
        """
        if not name.strip():
            raise UsageError("a token needs the name of whom it stands for")
        try:
            expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
        except OverflowError:
            raise UsageError(
                f"a token cannot expire after {days} days; without a number of days it never does"
            ) from None
        self._store.make()
        self._owner("makes tokens")
        for project in projects or ():
            self._readable(project)
        text, token = self._store.accounts.create(
            name.strip(),
            projects=None if projects is None else list(projects),
            write=write,
            expires=expires,
            by=self.actor.id,
        )
        return text, token

    def tokens(self) -> list[Token]:
        """Every token, without its secret; only for the owner."""
        self._owner("lists tokens")
        return self._store.accounts.list()

    def revoke_token(self, id: str) -> Token:  # noqa: A002
        """Make a token worthless.

        Raises:
            NotFound: no such token.
            Denied: only the owner may.
        """
        self._owner("revokes tokens")
        return self._store.accounts.revoke(id, by=self.actor.id)

    def close(self) -> None:
        """Close the data directory, for everybody who was bound to it."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

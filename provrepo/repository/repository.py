"""``Repository``: the table of verbs. The command line, the server and scripts all use it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from provrepo.repository import audit as of_audit
from provrepo.repository import changes as of_changes
from provrepo.repository import documents as of_documents
from provrepo.repository import exposure as of_exposure
from provrepo.repository import pingbacks as of_pingbacks
from provrepo.repository import projects as of_projects
from provrepo.repository import stream as of_stream
from provrepo.repository import withdrawals as of_withdrawals
from provrepo.repository.context import Context
from provrepo.repository.datasets import again as of_runs_again
from provrepo.repository.datasets import verbs as of_datasets
from provrepo.repository.events import verbs as of_events
from provrepo.repository.exchange import arrivals as of_arrivals
from provrepo.repository.exchange import peers as of_peers
from provrepo.repository.exchange import pushing as of_pushing
from provrepo.repository.exchange import serving as of_serving
from provrepo.repository.exchange.mirroring import verbs as of_mirroring
from provrepo.repository.exchange.notices import deriving as of_deriving
from provrepo.repository.exchange.notices import receiving as of_receiving
from provrepo.repository.exchange.notices import verbs as of_notices
from provrepo.repository.exchange.package import verbs as of_package
from provrepo.repository.exchange.reviewing import reviews as of_reviews
from provrepo.repository.exchange.reviewing import submitting as of_reviewed
from provrepo.repository.exchange.webhooks import verbs as of_webhooks
from provrepo.repository.exports import verbs as of_exports
from provrepo.repository.federation import surroundings as of_federation
from provrepo.repository.governance import embargo as of_embargo
from provrepo.repository.governance import invitations as of_invitations
from provrepo.repository.governance import publication as of_publication
from provrepo.repository.imports import verbs as of_imports
from provrepo.repository.lineage import accepted_at
from provrepo.repository.lineage import verbs as of_lineage
from provrepo.repository.logs import verbs as of_logs
from provrepo.repository.people import members as of_members
from provrepo.repository.people import ownership as of_ownership
from provrepo.repository.people import tokens as of_tokens
from provrepo.repository.people import users as of_users
from provrepo.repository.people.roles import Right
from provrepo.repository.profiles import verbs as of_profiles
from provrepo.repository.queries import runs as of_recordings
from provrepo.repository.queries import verbs as of_queries
from provrepo.repository.records import DEFAULT, Actor
from provrepo.repository.statements import verbs as of_statements
from provrepo.repository.store import Store
from provrepo.repository.submission import verbs as of_submission
from provrepo.repository.upkeep import beside
from provrepo.repository.upkeep import verbs as of_upkeep
from provrepo.repository.verb import verb
from provrepo.settings import Settings, load

__all__ = ["DEFAULT", "Repository", "open"]


def open(  # noqa: A001 (provrepo.open is the promised name)
    data: str | Path | None = None, *, settings: Settings | None = None, follow: bool = True
) -> Repository:
    """Open a data directory as its local owner.

    A project whose embargo has ended becomes public now.

    Where there is no directory, the first verb that stores something (``init``, ``submit``, ``create_project``,
    ``add_profile``, ``create_token``) creates it; until then the others raise NoRepository.

    Args:
        data: the data directory; by default that of the settings.
        settings: instead of those of environment and ``provrepo.toml``.
        follow: False never opens the views. Submissions are stored, and the process that holds the views indexes them.

    Raises:
        Damaged: the directory cannot be read, or a newer version wrote it.
    """
    chosen = settings or load()
    if data is not None:
        chosen = replace(chosen, data=Path(data))
    store = Store.open(chosen, follow=follow, create=False)
    if store.exists():
        of_embargo.publish_due(store)
    return Repository(store)


class Repository:
    """A repository, as one actor may use it. Each verb is a function over its context, in the module named here.

    Attributes:
        context: the data directory and the actor.
    """

    def __init__(self, store: Store, actor: Actor | None = None) -> None:
        """Bind an actor to a data directory.

        Args:
            store: the data directory.
            actor: None for the local owner.
        """
        self.context = Context(store, actor)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.context.store.settings

    @property
    def actor(self) -> Actor:
        """The actor for whom verbs are called.

        Raises:
            NoRepository: the actor is the local owner and the data directory does not exist.
        """
        return self.context.actor

    def as_actor(self, actor: Actor) -> Repository:
        """The same repository for another actor."""
        return Repository(self.context.store, actor)

    def require(self, project: str, right: Right = Right.READ) -> None:
        """Require that the actor has a right in a project; every verb does so itself.

        Raises:
            NotFound: the project does not exist, or the actor may not read it.
            Denied: the actor may read it, and lacks the right.
        """
        self.context.require(project, right)

    def serve(self, url: str) -> bool:
        """Index the entries of all processes, and answer calls of the owner's other processes; see ``beside.serve``."""
        return beside.serve(self, url)

    def close(self) -> None:
        """Close the data directory, for all repositories that share it."""
        self.context.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    init = verb(of_projects.init)
    base = verb(of_projects.base)
    identity = verb(of_projects.identity)
    create_project = verb(of_projects.create_project)
    set_project = verb(of_projects.set_project)
    set_embargo = verb(of_embargo.set_embargo)
    project = verb(of_projects.project)
    projects = verb(of_projects.projects)

    submit = verb(of_submission.submit)
    validate = verb(of_submission.validate)
    import_documents = verb(of_imports.import_documents)
    receive_events = verb(of_events.receive_events)

    documents = verb(of_documents.documents)
    newest_documents = verb(of_documents.newest_documents)
    document_pages = verb(of_documents.document_pages)
    document = verb(of_documents.document)
    history = verb(of_documents.history)
    version = verb(of_documents.version)
    original = verb(of_documents.original)
    read = verb(of_documents.read)
    export = verb(of_documents.export)
    export_project = verb(of_exports.export_project)
    report = verb(of_documents.report)
    statements = verb(of_statements.statements)
    diff = verb(of_statements.diff)
    withdraw = verb(of_withdrawals.withdraw)
    erase = verb(of_withdrawals.erase)
    remaining = verb(of_withdrawals.remaining)
    arrivals = verb(accepted_at.arrivals)
    changes = verb(of_changes.changes)
    entries = verb(of_stream.entries)
    log = verb(of_logs.log)
    log_tile = verb(of_logs.log_tile)
    receipt = verb(of_logs.receipt)
    rotate_log_key = verb(of_logs.rotate_log_key)
    retire_log_key = verb(of_logs.retire_log_key)
    audit = verb(of_audit.audit)
    exposure = verb(of_exposure.exposure, from_views=True)
    publication = verb(of_publication.publication, from_views=True)
    publish = verb(of_publication.publish)

    query = verb(of_queries.query, from_views=True)
    query_version = verb(of_queries.query_version)
    runs = of_recordings.runs
    compare_runs = of_recordings.compare_runs

    datasets = verb(of_datasets.datasets, from_views=True)
    dataset = verb(of_datasets.dataset, from_views=True)
    to_run_again = verb(of_runs_again.to_run_again, from_views=True)

    lineage = verb(of_lineage.lineage, from_views=True)
    surroundings = verb(of_federation.surroundings, from_views=True)
    impact = verb(of_lineage.impact, from_views=True)
    common = verb(of_lineage.common, from_views=True)
    thing = verb(of_lineage.thing, from_views=True)
    node = verb(of_lineage.node, from_views=True)
    labels = verb(of_lineage.labels, from_views=True)
    search = verb(of_lineage.search, from_views=True)

    profiles = verb(of_profiles.profiles)
    profile = verb(of_profiles.profile)
    add_profile = verb(of_profiles.add_profile)
    backtest = verb(of_profiles.backtest)
    gate = verb(of_profiles.gate, from_views=True)
    metrics = verb(of_profiles.metrics)

    pingback = verb(of_pingbacks.pingback)
    pingbacks = verb(of_pingbacks.pingbacks)
    discard_pingbacks = verb(of_pingbacks.discard_pingbacks)

    add_peer = verb(of_peers.add_peer)
    set_peer = verb(of_peers.set_peer)
    peers = verb(of_peers.peers)
    peer = verb(of_peers.peer)
    remove_peer = verb(of_peers.remove_peer)

    notices = verb(of_notices.notices)
    notice = verb(of_notices.notice)
    inbox = verb(of_notices.inbox)
    announce = verb(of_deriving.announce, from_views=True)
    receive_notice = verb(of_receiving.receive_notice)
    note_mirror = verb(of_receiving.note_mirror)
    send_notices = verb(of_notices.send_notices)
    webhooks = verb(of_webhooks.webhooks)
    add_webhook = verb(of_webhooks.add_webhook)
    remove_webhook = verb(of_webhooks.remove_webhook)
    rotate_webhook = verb(of_webhooks.rotate_webhook)
    enable_webhook = verb(of_webhooks.enable_webhook)
    test_webhook = verb(of_webhooks.test_webhook)
    holders = verb(of_notices.holders)
    add_holder = verb(of_notices.add_holder)
    remove_holder = verb(of_notices.remove_holder)
    push = verb(of_pushing.push)
    pushes = verb(of_pushing.pushes)
    send_pushes = verb(of_pushing.send_pushes)
    cancel_push = verb(of_pushing.cancel_push)
    receive = verb(of_arrivals.receive)
    submit_for_review = verb(of_reviewed.submit_for_review)
    replace_pending = verb(of_reviewed.replace_pending)
    pending = verb(of_reviews.pending)
    pending_document = verb(of_reviews.pending_document)
    pending_original = verb(of_reviews.pending_original)
    pending_report = verb(of_reviews.pending_report)
    accept_pending = verb(of_reviews.accept_pending)
    reject_pending = verb(of_reviews.reject_pending)
    ask_pending = verb(of_reviews.ask_pending)

    rebuild = verb(of_upkeep.rebuild)
    fsck = verb(of_upkeep.fsck)
    check_views = verb(of_upkeep.check_views, from_views=True)
    backup = verb(of_upkeep.backup)
    waiting = verb(of_upkeep.waiting)
    indexing_server = verb(of_upkeep.indexing_server)

    pack = verb(of_package.pack)
    unpack = verb(of_package.unpack)

    mirror = verb(of_mirroring.mirror)
    pull = verb(of_mirroring.pull)
    mirrors = verb(of_mirroring.mirrors)
    end_mirror = verb(of_mirroring.end_mirror)
    stream_end = verb(of_serving.stream_end)
    origin = verb(of_serving.origin)
    entry_bytes = verb(of_serving.entry_bytes)
    blob = verb(of_serving.blob)

    create_token = verb(of_tokens.create_token)
    tokens = verb(of_tokens.tokens)
    rotate_token = verb(of_tokens.rotate_token)
    revoke_token = verb(of_tokens.revoke_token)
    revoke_tokens = verb(of_tokens.revoke_tokens)
    members = verb(of_members.members)
    set_member = verb(of_members.set_member)
    remove_member = verb(of_members.remove_member)
    invite = verb(of_invitations.invite)
    invitations = verb(of_invitations.invitations)
    invitation = verb(of_invitations.invitation)
    accept_invitation = verb(of_invitations.accept_invitation)
    follow_review_link = verb(of_invitations.follow_review_link)
    revoke_invitation = verb(of_invitations.revoke_invitation)
    transfer_project = verb(of_ownership.transfer_project)
    administrators = verb(of_members.administrators)
    set_administrator = verb(of_members.set_administrator)
    users = verb(of_users.users)
    add_user = verb(of_users.add_user)
    set_user = verb(of_users.set_user)
    remove_user = verb(of_users.remove_user)
    user = verb(of_users.user)
    unlink_user = verb(of_users.unlink_user)

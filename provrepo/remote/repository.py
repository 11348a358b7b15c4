"""``RemoteRepository``: the verbs of ``Repository`` on a server, over HTTP."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, NoReturn, ParamSpec, Self, TypeVar

from provrepo.errors import UsageError
from provrepo.remote import datasets as of_datasets
from provrepo.remote import documents as of_documents
from provrepo.remote import exchange as of_exchange
from provrepo.remote import imports as of_imports
from provrepo.remote import invitations as of_invitations
from provrepo.remote import lineage as of_lineage
from provrepo.remote import members as of_members
from provrepo.remote import packages as of_packages
from provrepo.remote import profiles as of_profiles
from provrepo.remote import projects as of_projects
from provrepo.remote import queries as of_queries
from provrepo.remote import reviews as of_reviews
from provrepo.remote import submission as of_submission
from provrepo.remote import upkeep as of_upkeep
from provrepo.remote import webhooks as of_webhooks
from provrepo.remote.connection import Connection
from provrepo.remote.logs import verbs as of_logs
from provrepo.repository.queries import runs as of_recordings
from provrepo.repository.repository import Repository
from provrepo.settings import Settings, load

__all__ = ["RemoteRepository", "connect"]

P = ParamSpec("P")
R = TypeVar("R")


def connect(url: str, token: str | None = None, *, settings: Settings | None = None) -> RemoteRepository:
    """Return the repository of a server. Nothing is sent before the first verb.

    Args:
        url: the URL of the server, such as https://prov.example/.
        token: the access token, empty for none; by default that of the settings.
        settings: instead of those of environment and ``provrepo.toml``.

    Raises:
        UsageError: the URL is not an http or https URL, or the token is not valid.
    """
    chosen = settings or load()
    return RemoteRepository(Connection(url, chosen.token if token is None else token, chosen))


def _verb(
    local: Callable[Concatenate[Repository, P], R], function: Callable[Concatenate[Connection, P], R]
) -> Callable[Concatenate[RemoteRepository, P], R]:
    """Return a method that calls a function with the connection, with signature and docstring of the local verb.

    Options that the function does not have may only be given with their defaults.
    """
    known = inspect.signature(function).parameters
    defaults = {name: each.default for name, each in inspect.signature(local).parameters.items() if name not in known}

    @functools.wraps(local)
    def method(self: RemoteRepository, /, *args: P.args, **kwargs: P.kwargs) -> R:
        for name in kwargs.keys() & defaults.keys():
            if kwargs.pop(name) != defaults[name]:
                raise UsageError(
                    f"{local.__name__} takes {name} in the data directory only, and {self.connection.url} is a server; "
                    "call it on the machine that has the directory"
                )
        return function(self.connection, *args, **kwargs)

    method.implementation = function  # type: ignore[attr-defined]  # for the tests
    return _described(method, local)


def _local_only(
    local: Callable[Concatenate[Repository, P], R],
) -> Callable[Concatenate[RemoteRepository, P], NoReturn]:
    """Return a method that says that a verb needs the data directory."""

    @functools.wraps(local)
    def method(self: RemoteRepository, /, *args: P.args, **kwargs: P.kwargs) -> NoReturn:  # noqa: ARG001
        reason = _REASONS.get(local.__name__, _DIRECTORY)
        raise UsageError(f"this {reason}, and {self.connection.url} is a server; {_REMEDY}")

    return _described(method, local)


def _described(method: Callable[P, R], local: Callable[..., Any]) -> Callable[P, R]:
    method.__signature__ = inspect.signature(local)  # type: ignore[attr-defined]
    method.__module__ = __name__
    return method


_REMEDY = "run it on the machine that has the directory"
_DIRECTORY = "needs the data directory itself"
_REASONS = {
    **dict.fromkeys(
        ("tokens", "create_token", "rotate_token", "revoke_token", "revoke_tokens"),
        "needs the data directory itself, since a token must not make other tokens",
    ),
    **dict.fromkeys(
        ("users", "user", "add_user", "set_user", "remove_user", "unlink_user", "administrators", "set_administrator"),
        "needs the data directory itself, since its operator decides who uses it",
    ),
    **dict.fromkeys(
        ("add_peer", "set_peer", "remove_peer"),
        "needs the data directory itself, since its operator decides which addresses are contacted",
    ),
    "import_documents": "needs the data directory itself (one file can be given to `provrepo submit --from FORMAT`)",
    **dict.fromkeys(
        ("push", "send_pushes", "cancel_push", "announce"),
        "needs the data directory itself, since it uses the operator's tokens for the peers",
    ),
    **dict.fromkeys(
        ("send_notices", "add_holder", "remove_holder"),
        "needs the data directory itself, since its operator decides who is told of withdrawals",
    ),
    **dict.fromkeys(
        ("rotate_log_key", "retire_log_key"),
        "needs the data directory itself, since the key that signs is there",
    ),
    **dict.fromkeys(
        ("mirror", "pull", "end_mirror", "unpack"),
        "needs the data directory itself, since its operator decides what is copied into it",
    ),
}
"""Why verbs cannot be called at a distance, where it is not that they are about the directory."""


class RemoteRepository:
    """A repository at a distance, as the holder of a token may use it.

    It has the verbs of ``Repository``, with the same parameters, results and errors. Errors of the connection are
    ``RemoteError``, and ``Unreachable`` where there is no answer. Verbs that need the data directory itself raise
    ``UsageError``. Several threads may use it.

    Attributes:
        connection: the server and the token.
    """

    def __init__(self, connection: Connection) -> None:
        """Take a connection; ``connect`` makes it."""
        self.connection = connection

    @property
    def url(self) -> str:
        """The URL of the server."""
        return self.connection.url

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.connection.settings

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    create_project = _verb(Repository.create_project, of_projects.create_project)
    set_project = _verb(Repository.set_project, of_projects.set_project)
    set_embargo = _verb(Repository.set_embargo, of_projects.set_embargo)
    project = _verb(Repository.project, of_projects.project)
    projects = _verb(Repository.projects, of_projects.projects)
    members = _verb(Repository.members, of_members.members)
    set_member = _verb(Repository.set_member, of_members.set_member)
    remove_member = _verb(Repository.remove_member, of_members.remove_member)
    invite = _verb(Repository.invite, of_invitations.invite)
    invitations = _verb(Repository.invitations, of_invitations.invitations)
    revoke_invitation = _verb(Repository.revoke_invitation, of_invitations.revoke_invitation)
    transfer_project = _verb(Repository.transfer_project, of_members.transfer_project)
    exposure = _verb(Repository.exposure, of_projects.exposure)

    submit = _verb(Repository.submit, of_submission.submit)
    import_documents = _verb(Repository.import_documents, of_imports.import_documents)
    publication = _verb(Repository.publication, of_submission.publication)
    publish = _verb(Repository.publish, of_submission.publish)
    validate = _verb(Repository.validate, of_submission.validate)

    documents = _verb(Repository.documents, of_documents.documents)
    newest_documents = _verb(Repository.newest_documents, of_documents.newest_documents)
    document = _verb(Repository.document, of_documents.document)
    history = _verb(Repository.history, of_documents.history)
    version = _verb(Repository.version, of_documents.version)
    original = _verb(Repository.original, of_documents.original)
    read = _verb(Repository.read, of_documents.read)
    export = _verb(Repository.export, of_documents.export)
    report = _verb(Repository.report, of_documents.report)
    withdraw = _verb(Repository.withdraw, of_documents.withdraw)
    arrivals = _verb(Repository.arrivals, of_documents.arrivals)
    entries = _verb(Repository.entries, of_documents.entries)
    log = _verb(Repository.log, of_logs.log)
    log_tile = _verb(Repository.log_tile, of_logs.log_tile)
    receipt = _verb(Repository.receipt, of_logs.receipt)
    audit = _verb(Repository.audit, of_upkeep.audit)

    query = _verb(Repository.query, of_queries.query)
    query_version = _verb(Repository.query_version, of_queries.query_version)
    runs = of_recordings.runs
    compare_runs = of_recordings.compare_runs

    datasets = _verb(Repository.datasets, of_datasets.datasets)
    dataset = _verb(Repository.dataset, of_datasets.dataset)
    to_run_again = _verb(Repository.to_run_again, of_datasets.to_run_again)

    lineage = _verb(Repository.lineage, of_lineage.lineage)
    impact = _verb(Repository.impact, of_lineage.impact)
    common = _verb(Repository.common, of_lineage.common)
    thing = _verb(Repository.thing, of_lineage.thing)
    node = _verb(Repository.node, of_lineage.node)
    labels = _verb(Repository.labels, of_lineage.labels)
    search = _verb(Repository.search, of_lineage.search)

    profiles = _verb(Repository.profiles, of_profiles.profiles)
    profile = _verb(Repository.profile, of_profiles.profile)
    gate = _verb(Repository.gate, of_profiles.gate)
    metrics = _verb(Repository.metrics, of_profiles.metrics)

    pingbacks = _verb(Repository.pingbacks, of_upkeep.pingbacks)
    discard_pingbacks = _verb(Repository.discard_pingbacks, of_upkeep.discard_pingbacks)
    webhooks = _verb(Repository.webhooks, of_webhooks.webhooks)
    add_webhook = _verb(Repository.add_webhook, of_webhooks.add_webhook)
    remove_webhook = _verb(Repository.remove_webhook, of_webhooks.remove_webhook)
    rotate_webhook = _verb(Repository.rotate_webhook, of_webhooks.rotate_webhook)
    enable_webhook = _verb(Repository.enable_webhook, of_webhooks.enable_webhook)
    test_webhook = _verb(Repository.test_webhook, of_webhooks.test_webhook)
    pending = _verb(Repository.pending, of_reviews.pending)
    pending_document = _verb(Repository.pending_document, of_reviews.pending_document)
    pending_original = _verb(Repository.pending_original, of_reviews.pending_original)
    pending_report = _verb(Repository.pending_report, of_reviews.pending_report)
    accept_pending = _verb(Repository.accept_pending, of_reviews.accept_pending)
    reject_pending = _verb(Repository.reject_pending, of_reviews.reject_pending)
    ask_pending = _verb(Repository.ask_pending, of_reviews.ask_pending)
    replace_pending = _verb(Repository.replace_pending, of_reviews.replace_pending)

    export_project = _verb(Repository.export_project, of_packages.export_project)
    pack = _verb(Repository.pack, of_packages.pack)
    peers = _verb(Repository.peers, of_exchange.peers)
    peer = _verb(Repository.peer, of_exchange.peer)
    pushes = _verb(Repository.pushes, of_exchange.pushes)
    holders = _verb(Repository.holders, of_exchange.holders)
    notices = _verb(Repository.notices, of_exchange.notices)
    notice = _verb(Repository.notice, of_exchange.notice)
    mirrors = _verb(Repository.mirrors, of_exchange.mirrors)

    waiting = _verb(Repository.waiting, of_upkeep.waiting)
    indexing_server = _verb(Repository.indexing_server, of_upkeep.indexing_server)


def _complete() -> None:
    """Give the class the other verbs, which need the data directory; what is added to ``Repository`` is added here."""
    for name, local in vars(Repository).items():
        if inspect.isfunction(local) and hasattr(local, "__wrapped__") and name not in vars(RemoteRepository):
            setattr(RemoteRepository, name, _local_only(local))


_complete()

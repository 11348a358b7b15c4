"""The verbs ``run`` and ``outbox``: record the provenance of a command, and send recorded documents."""

from __future__ import annotations

import hashlib
import os
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.errors import Error, NotFound, RemoteError, UsageError

if TYPE_CHECKING:
    from provrepo.capture.delivery.outbox import Item
    from provrepo.http_client import HttpClient

__all__ = ["outbox", "run"]

_folder = click.argument(
    "folder", required=False, default="prov", type=click.Path(path_type=Path, file_okay=False), metavar="[DIR]"
)


@click.command(
    short_help="Run a command and record the files that it reads and writes.",
    context_settings={"allow_interspersed_args": False},
)
@click.option("-i", "--input", "inputs", multiple=True, metavar="GLOB", help="Files that it reads; repeatable.")
@click.option("-o", "--output", "outputs", multiple=True, metavar="GLOB", help="Files that it writes; repeatable.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file for the document; its suffix selects the format. A file that exists is not replaced: the "
    "second document is NAME-2.trig. Default: a new file in ./prov.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(inputs: tuple[str, ...], outputs: tuple[str, ...], out: Path | None, command: tuple[str, ...]) -> int:
    """Run COMMAND and record it as an activity, with its files.

    Files that Python processes of the command open are detected. Name the files of other programs with -i and -o; of
    those that -o names, new and changed files are recorded. Quote each GLOB; `**` is any number of folders. A command
    that fails has usages and no generations. Signals are passed on, and the exit code is that of the command. Errors
    of the recording never stop the command. Steps of provrepo.capture in the command are recorded as its parts.

    To record each line of a make recipe as an activity: make SHELL='provrepo run -- sh'
    """
    from provrepo.capture.commands.command import run as recorded
    from provrepo.capture.commands.processes import as_by_a_shell

    status = recorded(command, inputs, outputs, out)
    if status == -signal.SIGINT:  # a shell ends its script only if the command ended by SIGINT
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return as_by_a_shell(status)


@click.group()
def outbox() -> None:
    """The outbox: a folder with documents of captured sessions that are sent to a server.

    Documents of killed sessions are recovered first. Files of documents are never moved or deleted.
    """


@outbox.command("list")
@_folder
@json_option
def list_(folder: Path, style: str) -> int:
    """List the documents of DIR (./prov) with their states, after the recovery of killed sessions.

    A document waits, was sent, has changed since it was sent, was refused by the server, or was discarded; or its
    session is still running. REASON is the last error.
    """
    from provrepo.capture.delivery.outbox import items

    found = list(items(folder))
    if style == "json":
        output.records([
            {"document": item.path.name, "state": item.state, "attempts": item.attempts, "reason": item.reason or None}
            for item in found
        ])  # fmt: skip
    elif found:
        output.table(["DOCUMENT", "STATE", "REASON"], [(item.path.name, item.state, item.reason) for item in found])
    return 0


@outbox.command()
@_folder
@click.option(
    "--to", "server", metavar="URL", help="The server, which receives PROVREPO_TOKEN. Default: PROVREPO_SEND_TO."
)
@click.option("--project", metavar="P", help="The project there. Default: PROVREPO_SEND_PROJECT, or `default`.")
@click.option("--again", is_flag=True, help="Send refused documents again too.")
@click.option(
    "--background",
    is_flag=True,
    help="Send the documents that sessions queued, for up to 15 minutes, without output, as sessions do.",
)
@pass_invocation
def send(
    invocation: Invocation, folder: Path, server: str | None, project: str | None, again: bool, background: bool
) -> int:
    """Send the waiting documents of DIR (./prov) to a server.

    A document keeps its name. If the server does not answer, four more attempts are made within 30 seconds, or at the
    times that it requests (Retry-After). Sending a document twice has no effect: the same bytes are the same version.
    Documents that the server refuses permanently are set aside. Exit 1: a document could not be sent.
    """
    from provrepo.capture.delivery import sending
    from provrepo.http_client import HttpClient

    settings = invocation.settings(send_to=server, send_project=project)
    if not settings.send_to:
        raise UsageError("no server: name it with --to, or set PROVREPO_SEND_TO")
    # One attempt for each call: ``sending`` tries again itself.
    with HttpClient(
        settings.send_to,
        token=settings.token,
        timeout=settings.check_timeout,
        deadline=sending.BACKGROUND.seconds,
        attempts=1,
    ) as client:
        deliver = partial(_deliver, client, settings.send_project)
        if background:
            sending.in_background(folder, deliver)
            return 0
        return 0 if sending.now(folder, deliver, _show, again=again) else 1


@outbox.command()
@click.argument("documents", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
def discard(documents: tuple[Path, ...]) -> None:
    """Remove DOCUMENTS from the queue. The files stay; they are not sent unless they change."""
    from provrepo.capture.delivery.outbox import discard as discard_item
    from provrepo.capture.delivery.outbox import item
    from provrepo.codecs.formats import by_suffix

    for path in documents:
        if by_suffix(path) is None:
            raise UsageError(f"{path} is not a document of a session")
        discard_item(item(path))
        output.result(f"{path.name}: discarded")


def _show(item: Item, outcome: dict[str, Any] | Error, retried: bool) -> None:
    if not isinstance(outcome, Error):
        output.result(f"{item.path.name}: {outcome.get('iri') or 'sent'}")
    elif retried:
        output.note(f"{item.path.name}: {outcome}; trying again")
    else:
        output.note(f"error: {item.path.name}: {outcome}")


def _deliver(client: HttpClient, project: str, path: Path, data: bytes) -> dict[str, Any]:
    """Send one document; under a name that is taken it becomes a new version.

    Raises:
        Error: it was refused, or the server does not answer.
    """
    from provrepo.codecs.formats import detect
    from provrepo.problems import HIDDEN
    from provrepo.repository.submission.submit import name_for

    digest = hashlib.sha256(data).hexdigest()
    try:
        answer = client.post(
            ("projects", project, "documents"),
            data,
            query={"name": name_for(str(path), digest), "update": True},
            headers={"Content-Type": detect(data, path).media_type, "Accept": "application/json"},
        )
    except NotFound as error:
        if str(error) == HIDDEN:
            error.args = (
                f"{client.url} has no project {project!r} that your token may see; "
                "set PROVREPO_SEND_PROJECT and PROVREPO_TOKEN",
            )
        raise
    receipt = answer.json()
    if not isinstance(receipt, dict) or receipt.get("sha256") != digest:
        raise RemoteError(f"{client.url} did not confirm these bytes")
    return receipt

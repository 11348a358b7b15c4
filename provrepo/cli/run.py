"""The verbs ``run`` and ``outbox``: recording what a command does, and sending what was recorded."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.errors import Busy, Error, RemoteError

__all__ = ["outbox", "run"]

PAUSES = (0.0, 1.0, 4.0, 16.0)
"""Seconds to wait before each attempt to send."""

_folder = click.argument(
    "folder", required=False, default="prov", type=click.Path(path_type=Path, file_okay=False), metavar="[DIR]"
)


@click.command(
    short_help="Run a command and record what it read and wrote.",
    context_settings={"allow_interspersed_args": False},
)
@click.option("-i", "--input", "inputs", multiple=True, metavar="GLOB", help="Files that it reads; repeatable.")
@click.option("-o", "--output", "outputs", multiple=True, metavar="GLOB", help="Files that it writes; repeatable.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the document goes, in the format of its ending; otherwise below ./prov.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(inputs: tuple[str, ...], outputs: tuple[str, ...], out: Path | None, command: tuple[str, ...]) -> int:
    """Run COMMAND and record it as an activity, with its files.

    Of the files that -o names, those count that are new or changed; quote a GLOB, in which `**` is any number of
    folders. A command that fails has used things and generated nothing. Signals are passed on, and the exit code is
    the command's own. What cannot be recorded never stops the command. Python steps inside it may record themselves
    with provrepo.capture.
    """
    from provrepo.capture.commands import run as recorded
    from provrepo.capture.processes import as_by_a_shell

    status = recorded(command, inputs, outputs, out)
    if status == -signal.SIGINT:  # a shell ends its own script only where the command died of Ctrl-C itself
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return as_by_a_shell(status)


@click.group()
def outbox() -> None:
    """Documents of captured sessions: what waits to be sent, and sending it.

    Sessions that were killed are recovered first. Nothing is removed: documents stay where they are after sending.
    """


@outbox.command("list")
@_folder
@json_option
def list_(folder: Path, style: str) -> int:
    """List the documents of DIR (./prov), after recovering those of sessions that were killed.

    A document waits, was sent, or has changed since it was sent; a session may still be running.
    """
    from provrepo.capture.outbox import items

    found = [(item.path.name, item.state) for item in items(folder)]
    if style == "json":
        output.records([{"document": name, "state": state} for name, state in found])
    elif found:
        output.table(["DOCUMENT", "STATE"], found)
    return 0


@outbox.command()
@_folder
@click.option("--to", "server", required=True, metavar="URL", help="The server, which is shown PROVREPO_TOKEN.")
@click.option("--project", default="default", show_default=True, metavar="P", help="The project there.")
@pass_invocation
def send(invocation: Invocation, folder: Path, server: str, project: str) -> int:
    """Send what waits in DIR (./prov) to a server.

    A document keeps its name there. A server that does not answer is asked again, four times in all. Sending again
    after a crash does no harm: the same bytes are the same version. Exit 1: something could not be sent; it waits.
    """
    from provrepo.capture.outbox import items
    from provrepo.capture.outbox import send as send_item

    code = 0
    for item in [item for item in items(folder) if item.state in ("waiting", "changed")]:
        try:
            receipt = send_item(item, lambda path, data: _deliver(invocation, path, data, server, project))
        except Error as error:
            output.note(f"error: {item.path.name}: {error}")
            code = 1
        else:
            output.result(f"{item.path.name}: {receipt.get('iri') or 'sent'}")
    return code


def _deliver(invocation: Invocation, path: Path, data: bytes, server: str, project: str) -> dict[str, Any]:
    """Send one document, patiently.

    Raises:
        Error: it was refused, or every attempt failed.
    """
    from provrepo.cli.transfer import Destination
    from provrepo.cli.transfer import send as transfer
    from provrepo.codecs.formats import detect
    from provrepo.repository.submission import name_for

    settings = invocation.settings()
    destination = Destination(server, project, name_for(str(path), "") or None, settings.token, settings.check_timeout)
    media_type = detect(data, path).media_type
    for pause in PAUSES[:-1]:
        time.sleep(pause)
        try:
            return transfer(data, media_type, destination, update=True)
        except (RemoteError, Busy) as error:
            output.note(f"{path.name}: {error}; trying again")
    time.sleep(PAUSES[-1])
    return transfer(data, media_type, destination, update=True)

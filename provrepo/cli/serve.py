"""The verb ``serve``."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, keep_private, pass_invocation
from provrepo.errors import Busy

if TYPE_CHECKING:
    from provrepo.repository.store import Store
    from provrepo.settings import Settings

__all__ = ["free_port", "run", "serve"]

PATIENCE = 10.0
"""Seconds to wait for another process to let go of the views: commands hold them for moments, servers for good."""


@click.command(short_help="Serve pages, documents and SPARQL over HTTP.")
@click.option("--host", metavar="ADDRESS", help="The address to listen on; otherwise PROVREPO_HOST, or 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one; otherwise PROVREPO_PORT, or 8000.")
@pass_invocation
def serve(invocation: Invocation, host: str | None, port: int | None) -> None:
    """Serve the data directory over HTTP until SIGTERM or Ctrl-C: pages, documents, SPARQL.

    It ends within 10 seconds then: nothing new is accepted, running requests end, and those that take longer than 6
    seconds are cancelled. A second signal ends it at once. What was acknowledged is never lost.

    Everybody may read public projects. Private ones and all writing need a token (`provrepo token create`). An
    address that other machines reach is refused until a base IRI is set (`provrepo init --base`). Other processes may
    go on submitting to the same data directory; this one indexes what they submit. The URL is printed on stderr once
    connections are accepted.
    """
    from provrepo.server.protocol.headers import LogFilter

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s", level=logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.addFilter(LogFilter())
    run(invocation.settings(host=host, port=port))


def run(settings: Settings) -> None:
    """Serve until told to stop.

    Raises:
        Busy: another process keeps the views.
        UsageError: the address cannot be listened on, or needs a base IRI first.
    """
    from provrepo.repository.repository import Repository
    from provrepo.repository.store import Store
    from provrepo.repository.upkeep.permissions import lax
    from provrepo.server.serve import serve as listen

    keep_private()

    with Store.open(settings) as store:
        _take_views(store)

        def announce(url: str) -> None:
            Repository(store).serve(url)
            for warning in lax(settings.data):
                output.note(warning)
            output.note(f"provrepo serves {settings.data} at {url} (Ctrl-C stops it)")

        listen(store, announce=announce, on_signal=_end_in_time)


def _end_in_time() -> None:
    """End the process some seconds from now whatever it still does: a large load cannot be interrupted.

    Nothing is lost. What was acknowledged is durable, and the next process applies it to the views.
    """
    from provrepo.server.connections.drain import MAX_SECONDS

    def end() -> None:
        logging.getLogger("provrepo.cli.serve").warning(
            "ended before all work was done: the next start goes on with it"
        )
        logging.shutdown()
        os._exit(0)

    watch = threading.Timer(MAX_SECONDS, end)
    watch.daemon = True
    watch.start()


def _take_views(store: Store) -> None:
    deadline = time.monotonic() + PATIENCE
    while not store.may_follow():
        if time.monotonic() > deadline:
            raise Busy(f"another process serves {store.settings.data} already, and only one at a time can")
        time.sleep(0.1)


def free_port(settings: Settings) -> Settings:
    """The settings with the first free port from theirs on, on the loopback address."""
    for port in range(settings.port, min(settings.port + 50, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return replace(settings, host="127.0.0.1", port=port)
    return replace(settings, host="127.0.0.1", port=0)

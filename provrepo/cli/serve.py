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

LOCK_TIMEOUT = 10.0
"""Seconds to wait until another process releases the views. Commands hold them briefly, servers permanently."""


@click.command(short_help="Serve pages, documents and SPARQL over HTTP.")
@click.option("--host", metavar="ADDRESS", help="The address to listen on. Default: PROVREPO_HOST, or 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port; 0 selects a free one. Default: PROVREPO_PORT, or 8000."
)
@pass_invocation
def serve(invocation: Invocation, host: str | None, port: int | None) -> None:
    """Serve the data directory over HTTP until SIGTERM or Ctrl-C: pages, documents, SPARQL.

    After the signal it ends within 10 seconds: no new requests are accepted, and running requests are cancelled after 6
    seconds. A second signal ends it at once. Acknowledged submissions are never lost.

    Public projects can be read by everybody. Private projects and all writes need a token (`provrepo token create`).
    Addresses other than loopback need a base IRI (`provrepo init --base`). Other processes can submit to the same data
    directory meanwhile; the server indexes their documents. The URL is printed on stderr when connections are
    accepted.
    """
    from provrepo.server.protocol.headers import LogFilter

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s", level=logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.addFilter(LogFilter())
    run(invocation.settings(host=host, port=port))


def run(settings: Settings) -> None:
    """Serve until a signal ends the process.

    Raises:
        Busy: another process holds the views.
        UsageError: listening on the address fails, or needs a base IRI.
    """
    from provrepo.repository.events.making import start as start_making
    from provrepo.repository.exchange.mirroring.background import start as start_pulling
    from provrepo.repository.exchange.notices.background import start as start_sending
    from provrepo.repository.exchange.rounds import start as start_rounds
    from provrepo.repository.exchange.webhooks.watching import start as start_watching
    from provrepo.repository.governance.embargo import start as start_embargoes
    from provrepo.repository.profiles.metrics import start as start_counting
    from provrepo.repository.repository import Repository
    from provrepo.repository.store import Store
    from provrepo.repository.upkeep.permissions import lax
    from provrepo.server.serve import serve as listen

    keep_private()

    with Store.open(settings) as store:
        _take_views(store)

        def announce(url: str) -> None:
            Repository(store).serve(url)
            start_sending(store)
            start_watching(store)
            start_rounds(store)
            start_pulling(store)
            start_making(store)
            start_counting(store)
            start_embargoes(store)
            for warning in lax(settings.data):
                output.note(warning)
            output.note(f"provrepo serves {settings.data} at {url} (Ctrl-C stops it)")

        listen(store, announce=announce, on_signal=_end_in_time)


def _end_in_time() -> None:
    """End the process after some seconds, whatever it still does, because a large load cannot be interrupted.

    Acknowledged submissions are durable, and the next process applies them to the views.
    """
    from provrepo.server.connections.drain import MAX_SECONDS

    def end() -> None:
        logging.getLogger("provrepo.cli.serve").warning("ended before all work was done: the next start continues it")
        logging.shutdown()
        os._exit(0)

    timer = threading.Timer(MAX_SECONDS, end)
    timer.daemon = True
    timer.start()


def _take_views(store: Store) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT
    while not store.may_follow():
        if time.monotonic() > deadline:
            raise Busy(f"another process already serves {store.settings.data}, and only one can at a time")
        time.sleep(0.1)


def free_port(settings: Settings) -> Settings:
    """Return the settings with the first free port, counted from ``settings.port``, on the loopback address."""
    for port in range(settings.port, min(settings.port + 50, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return replace(settings, host="127.0.0.1", port=port)
    return replace(settings, host="127.0.0.1", port=0)

"""The verbs ``receipt`` and ``verify``."""

from __future__ import annotations

import sys

import click

from provrepo.cli import output
from provrepo.cli.context import REFERENCE, Invocation, Reference, json_option, pass_invocation

__all__ = ["receipt", "verify"]


@click.command(short_help="Print the receipt of a version, which proves it to others.")
@click.argument("document", metavar="P/N[@VERSION]", type=REFERENCE)
@pass_invocation
def receipt(invocation: Invocation, document: Reference) -> None:
    """Print the receipt of a version as JSON: its ledger entry, with the proof that it is in the signed log.

    Whoever has the receipt and the bytes can verify both later, offline, with `provrepo verify`. Each receipt is for
    the log as it is now; a receipt from an earlier day stays valid.
    """
    with invocation.repository() as repository:
        output.records(repository.receipt(document.project, document.name, document.version))


@click.command(short_help="Verify a receipt, offline.")
@click.argument("receipt", metavar="RECEIPT")
@click.argument("document", metavar="[DOCUMENT]", required=False)
@click.option("--key", metavar="FILE", help="The keys that you trust, one a line, as `provrepo log keys` prints them.")
@json_option
def verify(receipt: str, document: str | None, key: str | None, style: str) -> int:
    """Verify a RECEIPT, and that it is for the bytes of DOCUMENT; say what is proven and what is not.

    RECEIPT is what `provrepo receipt` or `submit --output json` printed, or `-` for stdin. No repository and no network
    are needed. Without --key the key that the receipt names is used: that shows that nothing was changed since, and not
    who made the receipt. Exit 0: proven, 1: not proven, 2: unreadable.
    """
    from provrepo import verify as offline

    given = sys.stdin.buffer.read() if receipt == "-" else receipt
    found = offline.receipt(given, document, key)
    if style == "json":
        output.records(found.to_dict())
    else:
        output.result(found.statement)
        if found.proven:
            output.result(found.limits)
    return 0 if found.proven else 1

"""The verb ``peers``: the other repositories with which documents are exchanged."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.errors import UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.ledger.exchange.peers import Peer

__all__ = ["peers"]

_LONGEST_TOKEN = 10_000
"""The most characters that are read of a token."""


@click.group(short_help="Name the repositories to exchange documents with.")
def peers() -> None:
    """Peers: other repositories, by a short name. Only peers are contacted, and only peers may send documents."""


def _options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The options that ``peers add`` and ``peers set`` share."""
    options = [
        click.option(
            "--project", metavar="P", help="The project there that gets documents. Default: the name of the one here."
        ),
        click.option(
            "--accept",
            "accepts",
            type=click.Choice(["nothing", "pending", "at-once"]),
            help="What it may send: nothing, documents that wait for a review, or documents that are stored at once.",
        ),
        click.option(
            "--into", "projects", multiple=True, metavar="P", help="A project that it may send to; repeatable."
        ),
        click.option(
            "--profile", "profiles", multiple=True, metavar="NAME", help="A profile for its documents; repeatable."
        ),
        click.option("--quota-bytes", type=click.IntRange(min=0), help="The most bytes that may wait for a review."),
        click.option(
            "--quota-documents", type=click.IntRange(min=0), help="The most documents that may wait for a review."
        ),
        click.option("--identity", metavar="UUID", help="The identity of its repository. Default: as it says first."),
        click.option(
            "--token-file",
            type=click.Path(dir_okay=False, allow_dash=True, path_type=str),
            metavar="FILE",
            help="The file with the token for its server; - is stdin. Default: PROVREPO_PEER_TOKEN.",
        ),
    ]
    for option in reversed(options):
        verb = option(verb)
    return verb


@peers.command("add")
@click.argument("name")
@click.argument("url")
@_options
@json_option
@pass_invocation
def peers_add(invocation: Invocation, /, name: str, url: str, token_file: str | None, style: str, **given: Any) -> None:
    """Add the peer NAME with the server at URL. It is not contacted.

    The token that its operator gave you is read from PROVREPO_PEER_TOKEN, a file or stdin. It is stored in the data
    directory and never shown. To let the peer send documents, create a token for its name: `provrepo token create NAME
    --push-only`.
    """
    chosen = {field: value for field, value in given.items() if value not in (None, ())}
    token = _token(invocation, token_file)
    with invocation.repository() as repository:
        made = repository.add_peer(name, url, token=token, **chosen)
    _show(made, style)


@peers.command("set")
@click.argument("name")
@click.option("--url", metavar="URL", help="The URL of its server.")
@_options
@click.option("--no-token", is_flag=True, help="Delete the stored token.")
@json_option
@pass_invocation
def peers_set(
    invocation: Invocation, /, name: str, token_file: str | None, no_token: bool, style: str, **given: Any
) -> None:
    """Change a peer. Values without an option stay the same; a repeatable option replaces all its values."""
    chosen = {field: value for field, value in given.items() if value not in (None, ())}
    token = _token(invocation, token_file)
    if no_token and token_file:
        raise UsageError("--token-file and --no-token contradict each other")
    with invocation.repository() as repository:
        made = repository.set_peer(name, token="" if no_token else token, **chosen)
    _show(made, style)


@peers.command("list")
@json_option
@pass_invocation
def peers_list(invocation: Invocation, style: str) -> None:
    """List all peers: server, what they may send, and the last contact."""
    with invocation.repository() as repository:
        found = repository.peers()
    if style == "json":
        output.records([one.to_dict() for one in found])
        return
    output.table(
        ["PEER", "URL", "ACCEPTS", "INTO", "LAST CONTACT"],
        [[one.name, one.url, one.accepts, ", ".join(one.projects) or "-", _contact(one)] for one in found],
    )


@peers.command("show")
@click.argument("name")
@json_option
@pass_invocation
def peers_show(invocation: Invocation, name: str, style: str) -> None:
    """Show a peer with its quota, its identity and the last contact; its token is not shown."""
    with invocation.repository() as repository:
        found = repository.peer(name)
    _show(found, style)


@peers.command("remove")
@click.argument("name")
@json_option
@pass_invocation
def peers_remove(invocation: Invocation, name: str, style: str) -> None:
    """Delete a peer with its token. What was exchanged with it stays. Tokens that it has for here stay valid."""
    with invocation.repository() as repository:
        gone = repository.remove_peer(name)
    if style == "json":
        output.records(gone.to_dict())
    else:
        output.result(f"{gone.name} removed")


def _token(invocation: Invocation, file: str | None) -> str | None:
    """Return the token of the file or the environment; None without one.

    Raises:
        UsageError: it is empty or too long.
    """
    if file is None:
        return invocation.settings().peer_token or None
    where = "stdin" if file == "-" else file
    if file == "-":
        text = sys.stdin.read(_LONGEST_TOKEN + 1)
    else:
        with Path(file).open(encoding="utf-8") as opened:
            text = opened.read(_LONGEST_TOKEN + 1)
    if not text.strip() or len(text) > _LONGEST_TOKEN:
        raise UsageError(f"{where} contains {'no token' if not text.strip() else 'more than a token'}")
    return text.strip()


def _show(found: Peer, style: str) -> None:
    if style == "json":
        output.records(found.to_dict())
        return
    into = f" into {', '.join(found.projects)}" if found.projects else ""
    quota = f"{counted(found.quota_documents, 'document')}, {counted(found.quota_bytes, 'byte')}"
    output.result(f"{found.name}: {found.url}")
    output.result(f"  sent to     {found.project or 'the project of the same name'}")
    output.result(f"  accepts     {found.accepts}{into}")
    output.result(f"  profiles    {', '.join(found.profiles) or 'those of the project'}")
    output.result(f"  may wait    {quota}")
    output.result(f"  token       {'stored' if found.has_token else 'none'}")
    output.result(f"  identity    {found.identity or 'not known yet'}")
    output.result(f"  contact     {_contact(found)}")


def _contact(found: Peer) -> str:
    good = found.contacted or "never"
    return f"{good}; failed {found.failed}: {found.failure}" if found.failed else good

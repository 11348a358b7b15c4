"""The verb ``webhook``: addresses that are told of events of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation

if TYPE_CHECKING:
    from provrepo.repository.exchange.webhooks.verbs import WebhookInfo

__all__ = ["webhook"]


@click.group(short_help="Tell an address of events of a project.")
def webhook() -> None:
    """Webhooks of a project: a running server sends a signed JSON message to an address for each event.

    Events: submitted, refused, pending, withdrawn, failing (a version that does not conform), coverage (it fell below a
    limit), schema (the columns of a dataset changed), silent (nothing was submitted for some hours).
    """


@webhook.command("add")
@click.argument("project")
@click.argument("url")
@click.option("--events", metavar="NAMES", help="Events, with commas between them. Default: the first five.")
@click.option("--coverage", type=float, metavar="PERCENT", help="The limit of the event `coverage`.")
@click.option("--hours", type=int, metavar="N", help="The hours of the event `silent`.")
@json_option
@pass_invocation
def webhook_add(
    invocation: Invocation,
    project: str,
    url: str,
    events: str | None,
    coverage: float | None,
    hours: int | None,
    style: str,
) -> None:
    """Tell URL of events of PROJECT from now on. The secret that signs the messages is shown once."""
    names = [name.strip() for name in (events or "").split(",") if name.strip()]
    with invocation.repository() as repository:
        added = repository.add_webhook(project, url, events=names, coverage=coverage, hours=hours)
    _show(added, f"{url} is told of {', '.join(added.events)}", style)


@webhook.command("list")
@click.argument("project")
@json_option
@pass_invocation
def webhook_list(invocation: Invocation, project: str, style: str) -> None:
    """List the webhooks of PROJECT, with what is wrong."""
    with invocation.repository() as repository:
        found = repository.webhooks(project)
    if style == "json":
        output.records([one.to_dict() for one in found])
        return
    output.table(
        ["ID", "URL", "EVENTS", "STATE", "WAITING", "DELIVERED", "FAILURE"],
        [
            [one.id, one.url, ",".join(one.events), one.state, one.waiting, one.delivered or "-", _failure(one)]
            for one in found
        ],
    )


@webhook.command("remove")
@click.argument("project")
@click.argument("id")
@pass_invocation
def webhook_remove(invocation: Invocation, project: str, id: str) -> None:  # noqa: A002
    """Remove a webhook. Messages that wait for it are not sent any more."""
    with invocation.repository() as repository:
        repository.remove_webhook(project, id)
    output.result(f"{id} removed")


@webhook.command("test")
@click.argument("project")
@click.argument("id")
@json_option
@pass_invocation
def webhook_test(invocation: Invocation, project: str, id: str, style: str) -> int:  # noqa: A002
    """Send a message of the type `test` to a webhook now. Exit 1: it was not delivered; the reason is printed."""
    with invocation.repository() as repository:
        found = repository.test_webhook(project, id)
    if style == "json":
        output.records(found.to_dict())
    else:
        output.result("delivered" if found.delivered else f"not delivered: {found.failure}")
    return 0 if found.delivered else 1


@webhook.command("rotate")
@click.argument("project")
@click.argument("id")
@json_option
@pass_invocation
def webhook_rotate(invocation: Invocation, project: str, id: str, style: str) -> None:  # noqa: A002
    """Replace the secret of a webhook. For a day, messages have signatures with both."""
    with invocation.repository() as repository:
        found = repository.rotate_webhook(project, id)
    _show(found, f"{found.url} has a new secret", style)


@webhook.command("enable")
@click.argument("project")
@click.argument("id")
@json_option
@pass_invocation
def webhook_enable(invocation: Invocation, project: str, id: str, style: str) -> None:  # noqa: A002
    """Tell a webhook of events again, from now on, after it was disabled because it failed for days."""
    with invocation.repository() as repository:
        found = repository.enable_webhook(project, id)
    _show(found, f"{found.url} is {found.state}", style)


def _show(found: WebhookInfo, what: str, style: str) -> None:
    if style == "json":
        output.records(found.to_dict())
        return
    output.result(what)
    output.result(f"  id      {found.id}")
    if found.secret:
        output.result(f"  secret  {found.secret}")
        output.note("The secret is not shown again: store it where the receiver checks signatures.")


def _failure(found: WebhookInfo) -> str:
    return f"since {found.failing_since}: {found.failure}" if found.failing_since else "-"

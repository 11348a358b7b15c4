"""The table of verbs. The module of a verb is imported when it is called: all together take longer than most calls."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import cast

import click

__all__ = ["verbs"]

_VERBS = {
    "init": "repository:init",
    "convert": "documents:convert",
    "compare": "documents:compare",
    "normalize": "documents:normalize",
    "validate": "documents:validate",
    "submit": "submit:submit",
    "receipt": "logs.verify:receipt",
    "verify": "logs.verify:verify",
    "import": "imports.imports:import_",
    "list": "repository:list_",
    "datasets": "imports.datasets:datasets",
    "to-run-again": "imports.datasets:to_run_again",
    "history": "repository:history",
    "export": "repository:export",
    "redact": "exchange.redact:redact",
    "withdraw": "repository:withdraw",
    "erase": "repository:erase",
    "query": "query:query",
    "lineage": "lineage:lineage",
    "thing": "lineage:thing",
    "search": "lineage:search",
    "project": "projects:project",
    "embargo": "projects:embargo",
    "publish": "people.publish:publish",
    "profile": "profiles:profile",
    "gate": "profiles:gate",
    "user": "people.users:user",
    "member": "people.members:member",
    "invite": "people.invitations:invite",
    "invitation": "people.invitations:invitation",
    "token": "people.tokens:token",
    "pingbacks": "pingbacks:pingbacks",
    "peers": "exchange.peers:peers",
    "mirror": "exchange.mirrors:mirror",
    "pull": "exchange.mirrors:pull",
    "notices": "exchange.notices:notices",
    "push": "exchange.pushing:push",
    "pushes": "exchange.pushing:pushes",
    "review": "exchange.review:review",
    "webhook": "exchange.webhooks:webhook",
    "log": "logs.log:log",
    "audit": "audit:audit",
    "serve": "serve:serve",
    "run": "recording.run:run",
    "record": "recording.record:record",
    "runs": "recording.runs:runs",
    "compare-runs": "recording.runs:compare_runs",
    "outbox": "recording.run:outbox",
    "demo": "demo:demo",
    "rebuild": "repository:rebuild",
    "fsck": "repository:fsck",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "pack": "exchange.package:pack",
    "unpack": "exchange.package:unpack",
}
"""Verb → module below ``provrepo.cli`` and name of its command, in the order of the help."""


class _Verbs(MutableMapping[str, click.Command]):
    """Commands by verb, each imported when it is first looked up."""

    def __init__(self) -> None:
        self._commands: dict[str, str | click.Command] = dict(_VERBS)

    def __getitem__(self, verb: str) -> click.Command:
        found = self._commands[verb]
        if isinstance(found, str):
            module, _, name = found.partition(":")
            found = cast("click.Command", getattr(import_module(f"provrepo.cli.{module}"), name))
            self._commands[verb] = found
        return found

    def __setitem__(self, verb: str, command: click.Command) -> None:
        self._commands[verb] = command

    def __delitem__(self, verb: str) -> None:
        del self._commands[verb]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)


def verbs() -> MutableMapping[str, click.Command]:
    """All verbs in the order of the table."""
    return _Verbs()

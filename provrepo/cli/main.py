"""The command ``provrepo``: one verb for each method of the library, and what each outcome means to a shell."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from provrepo import errors
from provrepo._version import __version__
from provrepo.cli.audit import audit
from provrepo.cli.backup import backup, restore
from provrepo.cli.context import Invocation
from provrepo.cli.demo import demo
from provrepo.cli.documents import compare, convert, normalize, validate
from provrepo.cli.lineage import lineage, search, thing
from provrepo.cli.pingbacks import pingbacks
from provrepo.cli.profiles import gate, profile
from provrepo.cli.projects import project, token
from provrepo.cli.query import query
from provrepo.cli.repository import erase, export, fsck, history, init, list_, rebuild, withdraw
from provrepo.cli.run import outbox, run
from provrepo.cli.serve import serve
from provrepo.cli.submit import submit

__all__ = ["EXIT_CODES", "cli", "main"]

EXIT_CODES: dict[type[Exception], int] = {
    # 1: understood, and the answer is no.
    errors.NotFound: 1,
    errors.Denied: 1,
    errors.Conflict: 1,
    errors.Refused: 1,
    errors.WriteError: 1,
    errors.NoSpace: 1,
    errors.Busy: 1,
    errors.WorkerFailed: 1,
    errors.RemoteError: 1,
    errors.Damaged: 1,
    # 2: not understood, or not readable.
    errors.UsageError: 2,
    errors.ReadError: 2,
    errors.TooLarge: 2,
    errors.NotAvailable: 2,
    OSError: 2,
    UnicodeError: 2,
}
"""The exit code of each class of error. Of a class and its parent, the class itself decides."""

_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
"""What a stream fails with that takes no more."""

INTERRUPTED = 130
"""What shells expect after Ctrl-C: 128 + SIGINT."""

UNREAD = 141
"""What shells expect of a program whose output is read no further, as by ``head``: 128 + SIGPIPE."""


class _Command(click.Group):
    """Verbs in the order of a first day's work, and every error as one line on stderr."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's interface)
        return list(self.commands)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        invoke = partial(super().main, args, prog_name, complete_var, standalone_mode=False, **extra)
        return sys.exit(_run(invoke)) if standalone_mode else invoke()


def _run(invoke: Callable[[], Any]) -> int:
    """The exit code of one call. What a verb returns is its exit code; nothing is 0."""
    before = sys.stdout
    try:
        return _answered(invoke)
    except BrokenPipeError:
        return _unread()
    except SystemExit:
        # click itself ends with 1 then, which would say that documents differ. It has replaced both streams.
        if sys.stdout is before:
            raise
        return UNREAD


def _answered(invoke: Callable[[], Any]) -> int:
    try:
        code = invoke() or 0
        _flush()
        return int(code)
    except click.UsageError as error:
        verb = error.ctx.command_path if error.ctx else "provrepo"
        _complain(f"{error.format_message().rstrip('.')} (see `{verb} --help`)")
        return 2
    except click.ClickException as error:
        _complain(error.format_message())
        return 2
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except (errors.Error, OSError, UnicodeError) as error:
        if getattr(error, "errno", None) == errno.EPIPE:
            return _unread()
        _complain(_sentence(error))
        return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


def _flush() -> None:
    if sys.stdout is not None:  # it is None where the caller closed it
        sys.stdout.flush()


def _unread() -> int:
    # The interpreter flushes both once more when it ends, and would complain then.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    return UNREAD


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        if error.errno in _UNWRITTEN and not error.filename:
            # Errors of files name them. What was to be shown on the stream has been done all the same.
            return f"the output cannot be written: {error.strerror}"
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _complain(text: str) -> None:
    click.echo(f"error: {text}", err=True)


@click.group(
    "provrepo",
    cls=_Command,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, conforms, same; 1 does not conform, differs, not found, refused; 2 wrong usage or "
    "unreadable input. Results go to stdout, everything else to stderr.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The data directory. Otherwise PROVREPO_DATA, or the platform's place for a user's data.",
)
@click.option(
    "--contexts",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="A folder of JSON-LD contexts of one's own; nothing is ever fetched. Otherwise PROVREPO_CONTEXTS.",
)
@click.version_option(__version__, "--version", prog_name="provrepo", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, data: Path | None, contexts: Path | None) -> None:
    """A repository for W3C PROV documents: check, keep, query and exchange provenance."""
    ctx.obj = Invocation(data, contexts)
    if contexts is not None:
        from provrepo.codecs.jsonld.user_contexts import contexts_from

        ctx.with_resource(contexts_from(contexts))


for _verb in (
    init,
    convert,
    compare,
    normalize,
    validate,
    submit,
    list_,
    history,
    export,
    withdraw,
    erase,
    query,
    lineage,
    thing,
    search,
    project,
    profile,
    gate,
    token,
    pingbacks,
    audit,
    serve,
    run,
    outbox,
    demo,
    rebuild,
    fsck,
    backup,
    restore,
):
    cli.add_command(_verb)


def main() -> None:
    """Run the command and leave with its exit code."""
    cli(prog_name="provrepo")

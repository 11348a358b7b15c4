"""The command ``provrepo``: its verbs, the exit code of each outcome, and errors as one line on stderr."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from provrepo import errors
from provrepo._version import __version__
from provrepo.cli import output
from provrepo.cli.context import WAITS, Invocation
from provrepo.cli.verbs import verbs

__all__ = ["EXIT_CODES", "cli", "main"]

EXIT_CODES: dict[type[Exception], int] = {
    # 1: a negative result, or the request cannot be fulfilled.
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
    # 3: done, and somebody has to accept it.
    errors.Waits: WAITS,
    # 2: wrong usage or unreadable input.
    errors.UsageError: 2,
    errors.ReadError: 2,
    errors.TooLarge: 2,
    errors.NotAvailable: 2,
    OSError: 2,
    UnicodeError: 2,
}
"""The exit code of each class of errors. An entry for a class precedes that of its parent."""

_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
"""The error numbers of a stream to which no more can be written."""

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 + SIGINT."""

BROKEN_PIPE = 141
"""The exit code when the reader of the output has closed the pipe, as ``head`` does: 128 + SIGPIPE."""


class _Command(click.Group):
    """The group of all verbs: lists them in the order of the table, and ends with our exit codes."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.commands = verbs()

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
    """Run one call and return its exit code. A verb returns its exit code, or None for 0."""
    before = sys.stdout
    try:
        return _exit_code(invoke)
    except BrokenPipeError:
        return _broken_pipe()
    except SystemExit:
        # click ends with 1 on a broken pipe, which would mean that documents differ. It has replaced both streams then.
        if sys.stdout is before:
            raise
        return BROKEN_PIPE


def _exit_code(invoke: Callable[[], Any]) -> int:
    try:
        code = invoke() or 0
        _flush()
        return int(code)
    except click.UsageError as error:
        verb = error.ctx.command_path if error.ctx else "provrepo"
        _print_error(f"{error.format_message().rstrip('.')} (see `{verb} --help`)")
        return 2
    except click.ClickException as error:
        _print_error(error.format_message())
        return 2
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except (errors.Error, OSError, UnicodeError) as error:
        if getattr(error, "errno", None) == errno.EPIPE:
            return _broken_pipe()
        _print_error(_message(error))
        return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


def _flush() -> None:
    if sys.stdout is not None:  # it is None if the caller has closed it
        sys.stdout.flush()


def _broken_pipe() -> int:
    # The interpreter flushes both streams at its end, and would print an error.
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(null, stream.fileno())
    os.close(null)
    return BROKEN_PIPE


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        if error.errno in _UNWRITTEN and not error.filename:
            # Errors of files have a file name. The work itself has been done; only its output is lost.
            return f"the output cannot be written: {error.strerror}"
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _print_error(text: str) -> None:
    output.note(f"error: {text}")


def _place(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The value of ``--data``; a path that is a file is refused."""
    if value is not None and not re.match(r"https?://", value, re.IGNORECASE):
        click.Path(file_okay=False).convert(value, parameter, ctx)
    return value


@click.group(
    "provrepo",
    cls=_Command,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, conforms, same; 1 does not conform, differs, not found, refused; 2 wrong usage or "
    "unreadable input; 3 stored, and waits for a review. Results are written to stdout, messages to stderr.",
)
@click.option(
    "--data",
    metavar="DIR|URL",
    callback=_place,
    help="The data directory, or the URL of a server, asked with PROVREPO_TOKEN. Default: PROVREPO_DATA, or the "
    "platform's directory for user data.",
)
@click.option(
    "--contexts",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="A folder of additional JSON-LD contexts. Contexts are never fetched. Default: PROVREPO_CONTEXTS.",
)
@click.version_option(__version__, "--version", prog_name="provrepo", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, data: str | None, contexts: Path | None) -> None:
    """A repository for W3C PROV documents: validate, store, query and export provenance."""
    ctx.obj = Invocation(data, contexts)
    if contexts is not None:
        from provrepo.codecs.jsonld.user_contexts import contexts_from

        ctx.with_resource(contexts_from(contexts))


def main() -> None:
    """Run the command and exit with its exit code."""
    cli(prog_name="provrepo")

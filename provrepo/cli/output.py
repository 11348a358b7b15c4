"""What goes to stdout and what to stderr: results there, everything else here."""

from __future__ import annotations

import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

__all__ = ["Progress", "columns", "data", "note", "records", "result", "save", "saving", "table"]

_SPOOLED = 1 << 24
"""Bytes of a result for stdout that are held in memory; more go to a temporary file."""


def result(text: str) -> None:
    """A line of the result."""
    click.echo(text)


def data(content: bytes) -> None:
    """The result as it is, byte for byte."""
    click.echo(content, nl=False)


def records(value: Any) -> None:
    """The result as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def note(text: str) -> None:
    """Something that is not the result, for the person at the terminal."""
    click.echo(text, err=True)


def columns(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Rows under headings as lines, columns aligned, none wrapped."""
    cells = [[str(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """The result as rows under headings."""
    for line in columns(heads, rows):
        click.echo(line)


def save(content: bytes, target: str) -> None:
    """Write a result to a file, whole or not at all; ``-`` is stdout.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    with saving(target) as file:
        file.write(content)


@contextmanager
def saving(target: str) -> Iterator[IO[bytes]]:
    """A file to write a result to in pieces, which is there whole or not at all; ``-`` is stdout.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    if target == "-":
        # Held back until it is whole: nothing comes out of a conversion that fails.
        with tempfile.SpooledTemporaryFile(_SPOOLED) as held:
            yield held
            held.seek(0)
            shutil.copyfileobj(held, sys.stdout.buffer)
        return
    path = Path(target)
    if path.exists() and not path.is_file():
        with path.open("wb") as device:  # a pipe or a device: there is nothing to replace
            yield device
        return
    path = path.resolve()  # through a symbolic link, and not in its place
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            yield file
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.filename == str(temporary):
            error.filename = target  # the user has never heard of the other one
        raise
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


class Progress:
    """One line on stderr that is written over, on a terminal only.

    Called with what was just done and how much of it there was, as ``rebuild`` and ``fsck`` do.
    """

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, what: str, count: int) -> None:
        """Show how far it has come."""
        if self._shown:
            click.echo(f"\r\x1b[K{what}: {count}", err=True, nl=False)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)

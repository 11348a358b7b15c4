"""Output of the verbs: results on stdout, messages and progress on stderr."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from provrepo.errors import UsageError
from provrepo.text import UNSEEN, marked, on_one_line

__all__ = [
    "Progress",
    "columns",
    "data",
    "json_text",
    "note",
    "records",
    "result",
    "save",
    "save_folder",
    "saving",
    "table",
    "written",
]

_SPOOLED = 1 << 24
"""The bytes of a result for stdout that are kept in memory; a larger result uses a temporary file."""

_LONGEST = 10_000
"""The most characters of a message."""


def result(text: str) -> None:
    """Print a line of the result, with marks in place of characters that act on a terminal: it may quote others."""
    click.echo(marked(text).replace("\r", "<U+000D>"))


def written(text: str) -> None:
    """Print a result that was written for a terminal, with its colors, or in a format."""
    click.echo(text)


def data(content: bytes) -> None:
    """Write the bytes of the result unchanged."""
    click.echo(content, nl=False)


def records(value: Any) -> None:
    """Print the result as JSON, with escapes in place of characters that act on a terminal."""
    click.echo(_escaped(json.dumps(value, indent=2, ensure_ascii=False)))


def json_text(content: bytes) -> None:
    """Write a JSON text with escapes in place of characters that act on a terminal; its value is the same."""
    click.echo(_escaped(content.decode("utf-8")), nl=False)


def _escaped(text: str) -> str:
    return UNSEEN.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    # JSON itself escapes no DEL.
    return "\\u007f" if found[0] == "\x7f" else json.dumps(found[0])[1:-1]


def note(text: str) -> None:
    """Print a message to stderr, on one line: it may quote what others have sent."""
    click.echo(on_one_line(text, _LONGEST), err=True)


def columns(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Return rows under headings as lines with aligned columns, and each cell on one line."""
    cells = [[on_one_line(str(cell)) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print the result as rows under headings."""
    for line in columns(heads, rows):
        click.echo(line)


def save(content: bytes, target: str) -> None:
    """Write a result to a file, completely or not at all; ``-`` is stdout.

    Raises:
        OSError: it cannot be written; an existing file is unchanged.
    """
    with saving(target) as file:
        file.write(content)


def save_folder(files: Mapping[str, bytes], target: str) -> None:
    """Write files into a new folder, completely or not at all.

    Args:
        files: path in the folder → content.
        target: the folder, which must not exist, or be empty.

    Raises:
        UsageError: the folder has files.
        OSError: it cannot be written.
    """
    path = Path(target).resolve()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(f"{target} has files already; name a new folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        for name, content in files.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(content)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def saving(target: str) -> Iterator[IO[bytes]]:
    """Context manager: a file for a result that is written in pieces, completely or not at all; ``-`` is stdout.

    Raises:
        OSError: it cannot be written; an existing file is unchanged.
    """
    if target == "-":
        # Written to stdout at the end: a conversion that fails has no output.
        with tempfile.SpooledTemporaryFile(_SPOOLED) as buffer:
            yield buffer
            buffer.seek(0)
            shutil.copyfileobj(buffer, sys.stdout.buffer)
        return
    path = Path(target)
    if path.exists() and not path.is_file():
        with path.open("wb") as device:  # a pipe or a device: there is nothing to replace
            yield device
        return
    path = path.resolve()  # replace the target of a symbolic link, not the link
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
            error.filename = target  # the user does not know the temporary file
        raise
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


class Progress:
    """Progress as one line on stderr that is overwritten; nothing if stderr is not a terminal.

    Called with the name and the size of each part that is done, as ``rebuild`` and ``fsck`` do.
    """

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, what: str, count: int) -> None:
        """Show the part that is done."""
        if self._shown:
            click.echo(f"\r\x1b[K{what}: {count}", err=True, nl=False)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)

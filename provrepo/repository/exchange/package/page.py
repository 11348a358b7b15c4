"""``index.html``: the content of a package for people. One file, without scripts and remote resources."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from provrepo.repository.exchange.package.bag import Spool
from provrepo.repository.exchange.package.layout import CRATE, ENTRIES, FILES, PACKAGE, Contents

__all__ = ["Cell", "Page"]

Cell = str | Sequence[tuple[str, str]]
"""The content of a cell of a table: a text, or links as (text, path)."""

_STYLE = """\
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1b1b1b; }
h1, h2 { line-height: 1.2; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #ccc;
  overflow-wrap: anywhere; }
thead th { border-bottom: 2px solid #444; }
code { font-size: .9em; }
a { color: #00539b; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that HTML forbids."""

_DOCUMENTS = ("Document", "Title", "Newest version", "State", "Submitted", "By", "Verdict", "Files")
_ENTRIES = ("Entry", "Time", "By", "What", "Files")


class Page:
    """The page of a package, collected row by row."""

    def __init__(self, scratch: Path) -> None:
        """Begin a page.

        Args:
            scratch: an existing folder for temporary files.
        """
        self._documents, self._entries = Spool(scratch), Spool(scratch)

    def close(self) -> None:
        """Remove the temporary files."""
        self._documents.close()
        self._entries.close()

    def document(self, *cells: Cell) -> None:
        """Add a row about a document."""
        self._documents.add(_row(cells))

    def entry(self, *cells: Cell) -> None:
        """Add a row about a ledger entry."""
        self._entries.add(_row(cells))

    def chunks(self, contents: Contents, *, title: str, facts: Sequence[tuple[str, str]]) -> Iterator[bytes]:
        """Yield the whole page.

        Args:
            contents: what the package contains.
            title: the title of the project; may be empty.
            facts: names and values for the first table.
        """
        heading = _text(title or f"Project {contents.project}")
        yield (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_text(_POLICY)}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{heading}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{heading}</h1>\n"
        ).encode()
        yield (
            f"<p>A copy of project <code>{_text(contents.project)}</code>, as of ledger entry {contents.last}. Its "
            "documents describe in W3C PROV how data were made. Versions are here as they were submitted, and "
            "current versions as PROV-JSON too.</p>\n"
        ).encode()
        yield b"<table>\n<tbody>\n"
        for name, value in facts:
            yield f'<tr><th scope="row">{_text(name)}</th><td><bdi>{_text(value)}</bdi></td></tr>\n'.encode()
        yield b"</tbody>\n</table>\n<h2>Documents</h2>\n"
        yield from self._table(_DOCUMENTS, self._documents, "These entries concern no document.")
        yield b"<h2>Ledger entries</h2>\n"
        yield from self._table(_ENTRIES, self._entries, "None.")
        files = ", ".join(_link((name, name)) for name in (PACKAGE, ENTRIES, FILES, CRATE))
        yield (
            "<h2>How to check and use it</h2>\n"
            f"<p>Files for programs: {files}. The folder above this one is a bag (RFC 8493): any program for BagIt "
            "compares all files with <code>manifest-sha512.txt</code>. <code>provrepo unpack</code> also verifies the "
            "chain of ledger entries, and makes a read-only copy of the project in another repository. Whether the "
            "chain is that of the laboratory can be seen by comparing the digest of the last entry with theirs.</p>\n"
            "</main>\n</body>\n</html>\n"
        ).encode()

    @staticmethod
    def _table(heads: Sequence[str], rows: Spool, without: str) -> Iterator[bytes]:
        if not rows.count:
            yield f"<p>{without}</p>\n".encode()
            return
        head = "".join(f'<th scope="col">{name}</th>' for name in heads)
        yield f"<table>\n<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n".encode()
        yield from rows.chunks()
        yield b"</tbody>\n</table>\n"


def _row(cells: Sequence[Cell]) -> str:
    return f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in cells)}</tr>\n"


def _cell(cell: Cell) -> str:
    # Without bdi, a name in one direction of writing could reorder the text after it.
    return f"<bdi>{_text(cell)}</bdi>" if isinstance(cell, str) else ", ".join(map(_link, cell))


def _link(link: tuple[str, str]) -> str:
    text, path = link
    return f'<a href="{_text(quote(path))}">{_text(text)}</a>'


def _text(text: str) -> str:
    return html.escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))

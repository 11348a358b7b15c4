"""The verb ``redact``: a copy of a document without what must not be shared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import REFERENCE, Invocation, json_option, pass_invocation
from provrepo.errors import UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.model.document import Document
    from provrepo.redaction.redacting import Redacted

__all__ = ["redact"]


@click.command()
@click.argument("source", metavar="P/N[@VERSION]|FILE")
@click.option("--remove", multiple=True, metavar="IRI", help="A thing, relation or bundle; repeatable.")
@click.option("--drop", multiple=True, metavar="NAME", help="An attribute, or prov:atTime and the like; repeatable.")
@click.option("--pseudonymize", multiple=True, metavar="TYPE", help="Things of this type lose their names; repeatable.")
@click.option("--collapse", multiple=True, metavar="IRI", help="An activity of the group that becomes one; repeatable.")
@click.option("--to", metavar="FORMAT", help="The format. Default: by the suffix of -o, or that of the document.")
@click.option("-o", "--out", metavar="FILE", help="Where to write the copy; `-` is stdout.")
@click.option("--preview", is_flag=True, help="Write nothing; show what would be withheld and can be inferred.")
@json_option
@pass_invocation
def redact(
    invocation: Invocation,
    source: str,
    remove: tuple[str, ...],
    drop: tuple[str, ...],
    pseudonymize: tuple[str, ...],
    collapse: tuple[str, ...],
    to: str | None,
    out: str | None,
    preview: bool,
    style: str,
) -> None:
    """Write a copy of a document without what must not be shared, and say what can still be inferred.

    Names are IRIs, or have a prefix of the document. What is withheld stands in no name and no text of the copy. Its
    statements are those of the document, or follow from them and are marked. Lineage among what remains is the same,
    unless it led through what was removed. A group is collapsed with all that is between its activities, to an activity
    for each set of causes, so that nothing depends on what it did not depend on. Nothing is stored: submit the copy
    where it may be seen.
    """
    from provrepo.codecs.formats import WRITABLE, by_name, by_suffix
    from provrepo.redaction.redacting import redact as redacted

    if preview == (out is not None):
        raise UsageError("give -o FILE for the copy, or --preview")
    document = _document(invocation, source)
    own = document.format if document.format in [each.name for each in WRITABLE] else "provn"
    target = by_name(to) if to else (by_suffix(out) if out else None) or by_name(own or "provn")
    found = redacted(document, remove=remove, drop=drop, pseudonymize=pseudonymize, collapse=collapse)
    if out is not None:
        output.save(found.document.write(target.name), out)
    if style == "json" and out != "-":
        output.records(found.to_dict())
    else:
        _show(found)


def _document(invocation: Invocation, source: str) -> Document:
    from provrepo.cli.documents import source as file
    from provrepo.codecs.formats import read

    if source == "-" or Path(source).is_file():
        return read(file(source))
    with invocation.repository() as repository:
        return repository.read(*REFERENCE.convert(source, None, None))


def _show(found: Redacted) -> None:
    output.note(
        f"{counted(found.verbatim, 'statement')} as in the document, {found.changed:,} changed, {found.added:,} added, "
        f"{found.removed:,} left out; {counted(found.renamed, 'name')} replaced"
    )
    if found.unmapped:
        output.note(f"left out, too: {counted(found.unmapped, 'triple')} without a statement of PROV")
    for activity in found.closed:
        output.note(f"collapsed, too, since it is between the others: {activity}")
    for each in found.inferences:
        output.note(f"can be inferred ({each.way}): " + (f"{each.subject}: " if each.subject else "") + each.message)

"""The verb ``record``: a step that no code did, from a form, options, or rows of a table."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from provrepo.cli import output
from provrepo.errors import Conflict, UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.authoring.steps import DescribedStep
    from provrepo.model.document import Document

__all__ = ["record"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = {
    "what": "What was done, in a few words.",
    "who": "Who did it: a name, an IRI, an ORCID iD, or both, as in 'Ana Lima <0000-0002-1825-0097>'; repeatable.",
    "when": "When: a time such as 2026-01-31T09:30, START/END, or a day, which is all of that day.",
    "input": "What was used: a file, or an IRI; repeatable.",
    "output": "What was made: a file, or an IRI; repeatable.",
    "why": "The reason.",
    "plan": "The protocol: a file, an IRI, or its name.",
    "parameter": "A setting, as NAME=VALUE; repeatable.",
}
_SEVERAL = ("who", "input", "output", "parameter")


def _fields(command: _Command) -> _Command:
    for name, text in reversed(_OPTIONS.items()):
        flags = [*([f"-{name[0]}"] if name in ("input", "output") else []), f"--{name}"]
        command = click.option(*flags, f"of_{name}", multiple=name in _SEVERAL, metavar="TEXT", help=text)(command)
    return command


@click.command(short_help="Record a step that no code did: who, what, when, inputs, outputs, why.")
@click.option("--form", is_flag=True, help="One step, from the options below; on a terminal the others are asked for.")
@click.option(
    "--rows",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="One step for each row of a table (CSV in UTF-8, headings in the first row).",
)
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="For --rows: the heading of the column of a field; repeatable. Default: the name of the field.",
)
@_fields
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file for the document; its suffix selects the format. Default: a new file in ./prov.",
)
def record(form: bool, rows: Path | None, mapping: tuple[str, ...], out: Path | None, **options: Any) -> int:
    """Record what no code did, such as the work at a bench, as a document that conforms to the profile core.

    Fields are the names of the options: what, who, when, input, output, why, plan and parameter. Files stand for
    their present bytes. With --rows options are the values of rows without their own; a cell has several values with
    semicolons between them; two columns mapped to `when` are start and end; a column mapped to `parameter` is the
    setting that its heading names. If any row is wrong, all such rows are listed with their columns, and nothing is
    recorded. The same description is the same document. A file that exists is never overwritten: exit 1.
    """
    from provrepo.authoring.steps import document

    found = {name: options[f"of_{name}"] for name in _OPTIONS}
    given = {name: list(value) if name in _SEVERAL else [value] for name, value in found.items() if value}
    if form == (rows is not None):
        raise UsageError("give either --form, for one step, or --rows FILE, for one step a row")
    if rows is not None:
        steps = _of_rows(rows, mapping, given)
    else:
        if mapping:
            raise UsageError("--map is for --rows")
        steps = [_of_form(given)]
    path = _saved(document(steps), steps, out)
    output.result(str(path))
    output.note(f"{counted(len(steps), 'step')} recorded; store with: provrepo submit {path}")
    return 0


def _of_rows(rows: Path, mapping: Sequence[str], given: dict[str, list[str]]) -> Sequence[DescribedStep]:
    from provrepo.authoring.rows import RowsError, read

    pairs = [tuple(part.strip() for part in each.partition("=")[::2]) for each in mapping]
    if unpaired := [each for each, pair in zip(mapping, pairs, strict=True) if not all(pair)]:
        raise UsageError(f"--map {unpaired[0]}: write FIELD=COLUMN")
    try:
        found = read(rows.read_bytes(), str(rows), [(field, title) for field, title in pairs], given, here=True)
    except RowsError as error:
        for problem in error.problems:
            output.note(f"{rows}: {problem}")
        wrong = len({problem.row for problem in error.problems})
        raise UsageError(f"{counted(wrong, 'row')} of {rows} cannot be recorded; nothing was written") from None
    if found.unused:
        output.note(f"columns that no field comes from: {', '.join(found.unused)}")
    return found.steps


def _of_form(given: dict[str, list[str]]) -> DescribedStep:
    from provrepo.authoring.fields import FIELDS, FieldError
    from provrepo.authoring.steps import described

    if not sys.stdin.isatty():
        return described(given, here=True)
    for field in FIELDS:
        if field.name not in given:
            given[field.name] = _asked(field)
    while True:
        try:
            return described(given, here=True)
        except FieldError as error:
            output.note(str(error))
            given[error.field] = _asked(next(field for field in FIELDS if field.name == error.field))


def _asked(field: Any) -> list[str]:
    """The answers to a question: one, or for a field with several values, one for each line, up to an empty one."""
    found: list[str] = []
    output.note(f"{field.question} ({field.hint}{'; an empty line ends the list' if field.several else ''})")
    while True:
        answer = click.prompt(field.name, default="", show_default=False, err=True).strip()
        if answer:
            found.append(answer)
        if (not answer or not field.several) and (found or not field.required):
            return found


def _saved(document: Document, steps: Sequence[DescribedStep], out: Path | None) -> Path:
    from provrepo.capture.delivery.outbox import queue
    from provrepo.capture.journal.document import save
    from provrepo.capture.sessions import default_name, document_path
    from provrepo.codecs import formats

    path = out
    if path is None:
        name = re.sub(r"[^A-Za-z0-9_]+", "-", steps[0].what).strip("-")[:40] or "step"
        path = document_path(default_name(name), None)
    if path.exists():
        if path.read_bytes() == formats.write(document, (formats.by_suffix(path) or formats.by_name("trig")).name):
            return path
        raise Conflict(f"{path} exists with other content; name another file with --out")
    save(document, path)
    queue(path)
    return path

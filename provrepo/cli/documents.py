"""The verbs ``convert``, ``compare``, ``normalize`` and ``validate``, which use no data directory."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from provrepo.cli import output
from provrepo.cli.context import json_option
from provrepo.errors import ReadError, Refused, UsageError

if TYPE_CHECKING:
    from provrepo.checks.report import Report
    from provrepo.codecs.formats import Source
    from provrepo.model.document import Document, Loss, ReaderWarning

__all__ = ["compare", "convert", "normalize", "report_losses", "source", "validate"]

SHOWN = 3
"""The number of subjects that are named for losses with the same reason."""


def source(name: str) -> Source:
    """Return the source for a file argument: the bytes of stdin for ``-``, else the path."""
    return sys.stdin.buffer.read() if name == "-" else name


def _read(name: str, *, format: str | None, base: str | None) -> Document:  # noqa: A002
    from provrepo.codecs.formats import check_base, read

    check_base(base)
    document = read(source(name), format=format, base=base)
    _warn(name, document.warnings)
    return document


def _warn(name: str, warnings: Iterable[ReaderWarning]) -> None:
    for warning in warnings:
        place = f"{name}, line {warning.line}" if warning.line else name
        output.note(f"note: {place}: {warning.message}")


@click.command()
@click.argument("src")
@click.argument("dst")
@click.option("--from", "from_", metavar="FORMAT", help="The format of SRC. Default: detected by suffix and content.")
@click.option("--to", metavar="FORMAT", help="The format of DST. Default: by its suffix.")
@click.option("--base", metavar="IRI", help="The base for relative IRIs in SRC.")
def convert(src: str, dst: str, from_: str | None, to: str | None, base: str | None) -> None:
    """Write the document SRC as DST, from any format to any format.

    `-` is stdin or stdout. Identifiers and literals keep their lexical form. Content that the new format cannot
    represent is listed on stderr. DST is written completely or not at all. The same document always gives the same
    bytes.
    """
    from provrepo.codecs.convert import convert as convert_
    from provrepo.codecs.formats import WRITABLE, by_name, by_suffix, check_base, names

    check_base(base)
    target = by_name(to) if to else by_suffix(dst)
    if target is None:
        raise UsageError(f"the suffix of {dst} names no format; name it with --to: {', '.join(names(WRITABLE))}")
    with output.saving(dst) as file:
        done = convert_(source(src), file, to=target.name, format=from_, base=base)
    _warn(src, done.warnings)
    report_losses(done.losses)


def report_losses(losses: Iterable[Loss]) -> None:
    """Print to stderr what a format could not represent, grouped by reason."""
    subjects: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    words: dict[str, str] = {}
    for loss in losses:
        counts[loss.reason] += 1
        words[loss.reason] = "note" if loss.kept else "loss"
        known = subjects.setdefault(loss.reason, [])
        if loss.subject and loss.subject not in known and len(known) < SHOWN:
            known.append(loss.subject)
    for reason, count in counts.items():
        named = f" ({', '.join(subjects[reason])}{', …' if count > len(subjects[reason]) else ''})"
        times = f", {count} times" if count > 1 else ""
        output.note(f"{words[reason]}: {reason}{times}{named if subjects[reason] else ''}")


@click.command(short_help="Compare the statements of two documents.")
@click.argument("a")
@click.argument("b")
@click.option(
    "--equivalent", is_flag=True, help="Test equivalence as defined by PROV-CONSTRAINTS, for valid documents."
)
@click.option("--base", metavar="IRI", help="The base for relative IRIs in both.")
@json_option
def compare(a: str, b: str, equivalent: bool, base: str | None, style: str) -> int:
    """Compare the statements of the documents A and B, which may be in different formats.

    Order, repetition and the names of blank nodes do not matter; the lexical form of literals does. Prints statements
    of A only (`-`), statements of B only (`+`), and differences between statements about the same thing (`~`). Exit 0:
    the same; 1: different. Triples without a PROV statement are not compared.

    With --equivalent, A and B are the same if their normal forms by PROV-CONSTRAINTS are isomorphic. An invalid
    document is not equivalent to any document: exit 1, with the reason.
    """
    from provrepo.model.compare import compare as same_statements

    if a == b == "-":
        raise UsageError("only one of the two documents can be stdin")
    found = same_statements(_read(a, format=None, base=base), _read(b, format=None, base=base))
    judged = found.equivalence if equivalent else None
    difference = judged.difference if judged else found.difference
    answer = judged.equivalent if judged else found.same
    if style == "json":
        record = {"same": found.same, "equivalent": judged and judged.equivalent}
        reason = {"reason": judged.reason} if judged else {}
        changed = [change._asdict() for change in difference.changed]
        output.records(
            {**record, **reason, "only_left": difference.left, "only_right": difference.right, "changed": changed}
        )
    elif judged:
        verdict = {True: "equivalent", False: "not equivalent", None: "neither equivalent nor not"}[judged.equivalent]
        output.result(f"{verdict}: {judged.reason}" + (f"\n{difference}" if difference else ""))
    else:
        output.result("the same statements" if answer else str(difference))
    return 0 if answer else 1


@click.command()
@click.argument("file")
@click.option("--to", metavar="FORMAT", help="The format of the result. Default: that of FILE.")
@click.option("--from", "from_", metavar="FORMAT", help="The format of FILE. Default: detected by suffix and content.")
@click.option("--base", metavar="IRI", help="The base for relative IRIs.")
@click.option("-o", "--out", metavar="FILE", default="-", help="The file for the result. Default: stdout.")
def normalize(file: str, to: str | None, from_: str | None, base: str | None, out: str) -> None:
    """Write the PROV-CONSTRAINTS normal form of FILE: its statements and all inferred statements, merged.

    Existential variables have blank identifiers (`_:n1`). The normal form of a normal form is the same. It does not
    depend on the order of statements or the format. An invalid document has no normal form: exit 1, with the report
    on stdout.
    """
    from provrepo.checks.render import render
    from provrepo.codecs.formats import by_name, by_suffix

    document = _read(file, format=from_, base=base)
    suffix = by_suffix(out) if out != "-" else None
    target = by_name(to) if to else suffix or by_name(document.format or "provn")
    try:
        normal = document.normalized()
    except Refused as refusal:
        report = cast("Report", refusal.report)
        output.written(render(report, "text", file, color=sys.stdout.isatty()).rstrip("\n"))
        raise
    output.save(normal.write(target.name), out)
    report_losses(normal.losses(target.name))


@click.command(short_help="Validate documents and print a report.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--profile", "profiles", multiple=True, metavar="NAME", help="The name or folder of a profile; repeatable."
)
@click.option(
    "--constraints",
    type=click.Choice(["gate", "report", "off"]),
    help="Violations of PROV-CONSTRAINTS fail the document, are reported only, or are not checked.",
)
@click.option("--from", "from_", metavar="FORMAT", help="The format. Default: detected by suffix and content.")
@click.option("--base", metavar="IRI", help="The base for relative IRIs.")
@click.option(
    "--output",
    "style",
    type=click.Choice(["text", "json", "turtle", "html", "junit", "sarif"]),
    default="text",
    show_default=True,
    help="The format of the report.",
)
@click.option(
    "--fix-template",
    metavar="FILE",
    help="Write missing triples as Turtle with placeholders to this file; `-` is stdout.",
)
def validate(
    files: tuple[str, ...],
    profiles: tuple[str, ...],
    constraints: str | None,
    from_: str | None,
    base: str | None,
    style: str,
    fix_template: str | None,
) -> int:
    """Validate documents and print a report: each finding with its place in the file and a suggested repair.

    Nothing is stored. A submission gives the same report. Exit 0: each FILE conforms (warnings are allowed); 1: at
    least one does not; 2: at least one cannot be read (the others are still validated).
    """
    if len(files) > 1 and style not in ("text", "json"):
        raise UsageError(f"a report in {style} is for one FILE; text and json are for several")
    reports: dict[str, Report] = {}
    for name in files:
        try:
            reports[name] = _check(name, profiles, constraints, from_, base)
        except ReadError as error:
            output.note(f"error: {error}" if f" {name}: " in str(error) else f"error: {name}: {error}")
    _show(reports, style, several=len(files) > 1)
    if fix_template is not None:
        from provrepo.checks.repairs import template

        output.save(template(reports).encode("utf-8"), fix_template)
    if len(reports) < len(set(files)):
        return 2
    return 0 if all(report.conforms for report in reports.values()) else 1


def _check(
    name: str, profiles: tuple[str, ...], constraints: str | None, from_: str | None, base: str | None
) -> Report:
    from provrepo.checks.profiles import read_from_user
    from provrepo.checks.validation import validate as check
    from provrepo.codecs.formats import by_name, check_base, content, detect, read

    check_base(base)
    chosen_profiles = [read_from_user(Path(named)) if "/" in named else named for named in profiles]
    data, path = content(source(name))
    chosen = by_name(from_) if from_ else detect(data, path)
    document = read(data, format=chosen.name, base=base)
    # With the bytes, findings in RDF formats have a line number too.
    return check(document, profiles=chosen_profiles, constraints=constraints, source=data)


def _show(reports: Mapping[str, Report], style: str, *, several: bool) -> None:
    """Print the reports: text one after the other, JSON as an object, or as a list for several files."""
    from provrepo.checks.render import render

    if style == "json":
        listed = [{"file": name, **report.to_dict()} for name, report in reports.items()]
        if several or listed:
            output.records(listed if several else listed[0])
        return
    for name, report in reports.items():
        output.written(render(report, style, name, color=sys.stdout.isatty()).rstrip("\n"))

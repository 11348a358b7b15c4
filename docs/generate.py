"""Writes the pages of the reference that are derived from the code: command line, settings, Python API and others.

``python docs/generate.py`` writes them, ``python docs/generate.py --check`` lists those that are out of date.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import runpy
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import click

from provrepo import limits as default_limits
from provrepo.checks.constraints.rules import BUNDLES, MENTION, RULES, TIMES
from provrepo.cli.main import cli
from provrepo.importers.openlineage.dataset_facets import LOGICAL, OWN, VERSION
from provrepo.importers.openlineage.job_facets import ELSEWHERE, JOB_FACETS
from provrepo.importers.openlineage.run_facets import RUN_FACETS
from provrepo.ledger.kinds import COMMON, KINDS, SETTINGS, EntryField
from provrepo.repository.lineage.query import LineageQuery
from provrepo.repository.options import Kind, options
from provrepo.repository.queries.named import load
from provrepo.settings import OTHERS, Settings, environment_name

PYTHON = runpy.run_path(str(Path(__file__).with_name("python_api.py")))
REFERENCE = Path(__file__).resolve().parent / "reference"
NOTICE = "<!-- Written by docs/generate.py; `make reference` writes it again. -->\n"
WIDTH = 100
COMPETENCY = {
    "configuration",
    "containers",
    "durations",
    "environments",
    "inputs-outputs",
    "outcomes",
    "parameters",
    "resources",
    "scripts",
    "software-versions",
    "workflow-duration",
}
"""What answers a competency question of Workflow Run RO-Crate."""


def command_line() -> str:
    """Every verb with its help, as `--help` prints it."""
    parts = [
        "# The command line",
        NOTICE,
        "`python -m provrepo` is the same command. A document is named `PROJECT/NAME`, one version of it "
        "`PROJECT/NAME@VERSION`. Both names are `[A-Za-z0-9][A-Za-z0-9_-]{0,99}`.",
    ]
    for path, command in _commands("provrepo", cli):
        context = click.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH)
        context.help_option_names = ["-h", "--help"]
        parts.append(f"## {path}\n\n```text\n{command.get_help(context).rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _commands(f"{path} {name}", child)


def settings() -> str:
    """Every setting with its default and what sets it."""
    described = dict(PYTHON["items"](PYTHON["sections"](inspect.getdoc(Settings) or "")["Attributes"]))
    rows = []
    for field in dataclasses.fields(Settings):
        default = "the platform's directory for a user's data" if field.name == "data" else f"`{field.default!r}`"
        meaning = described[field.name].replace("``", "`")
        rows.append(f"| `{field.name}` | `{environment_name(field.name)}` | {default} | {meaning} |")
    return "\n".join(
        [
            "# Settings",
            "",
            NOTICE,
            "An option of the command line has precedence over the environment, the environment over `provrepo.toml`",
            "in the working directory, and that over the default. `provrepo.toml` has these names at its top level:",
            "",
            "```toml",
            'data = "/srv/provenance"',
            "query_timeout = 10",
            "```",
            "",
            "| setting | environment | default | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
            "An unknown name in the file or in the environment is an error, and so is a value of the wrong type: the",
            "message has its place, and the command ends with 2. These variables are not settings:",
            "",
            "| variable | meaning |",
            "|---|---|",
            *(f"| `{name}` | {meaning} |" for name, meaning in OTHERS.items()),
            "",
            "For a service named provrepo, Kubernetes sets variables such as `PROVREPO_PORT`, which conflict with",
            "these settings: set `enableServiceLinks: false` for the pod, or give the service another name.",
            "",
        ]
    )


def limits() -> str:
    """Every limit of ``provrepo.limits`` with its value and docstring."""
    tree = ast.parse(inspect.getsource(default_limits))
    rows = []
    for assignment, comment in pairwise(tree.body):
        if isinstance(assignment, ast.Assign) and isinstance(comment, ast.Expr):
            name = ast.unparse(assignment.targets[0])
            meaning = ast.literal_eval(comment.value).replace("``", "`").replace("\n", " ")
            rows.append(f"| {meaning.removesuffix('.')} | {_quantity(getattr(default_limits, name), meaning)} |")
    return "\n".join(
        [
            "# Default limits",
            "",
            NOTICE,
            "These limits apply where neither a parameter, an option nor a [setting](settings.md) gives another. Pages",
            "of the server show fewer things.",
            "",
            "| limit | value |",
            "|---|---|",
            *rows,
            "",
            "[Settings](settings.md) has the limits that an administrator can change. [HTTP](http.md) has those of",
            "requests and connections.",
            "",
        ]
    )


def _quantity(value: float, meaning: str) -> str:
    """A number for readers; bytes in MiB."""
    if meaning.startswith("Bytes"):
        return f"{value / (1 << 20):g} MiB"
    return f"{value:g} s" if meaning.startswith("Seconds") else f"{value:,}"


def python() -> str:
    """Every public name, with signature and docstring."""
    return str(PYTHON["page"](NOTICE))


def constraints() -> str:
    """Every rule of PROV-CONSTRAINTS by number."""
    groups = {
        "Definitions and inferences": (1, 21),
        "Uniqueness": (22, 29),
        "Order of events": (30, 49),
        "Types and impossibility": (50, 56),
    }
    parts = [
        "# Rules of PROV-CONSTRAINTS",
        NOTICE,
        "Findings name a rule as `prov-constraints:42`. Definitions and inferences cannot be violated. The "
        "[explanation](../explanation/constraints.md) describes how the rules are applied; the "
        "[Recommendation](https://www.w3.org/TR/prov-constraints/) has their full text.",
    ]
    for group, (first, last) in groups.items():
        rows = [f"| {rule.number} | `{rule.title}` | {rule.meaning} |" for rule in RULES.values()]
        parts.append(
            "\n".join([f"## {group}", "", "| rule | name | meaning |", "|---|---|---|", *rows[first - 1 : last]])
        )
    parts.append(
        "## Beyond the numbers\n\n"
        "| rule | from | meaning |\n|---|---|---|\n"
        f"| `{BUNDLES}` | PROV-CONSTRAINTS section 7.2 | No two bundles of a document have one identifier. |\n"
        f"| `{MENTION}` | PROV-Links | An entity is a mention of one entity in one bundle. |\n"
        f"| `{TIMES}` | provrepo | A warning: times contradict the order of events. |"
    )
    return "\n\n".join(parts) + "\n"


def conformance() -> str:
    """Which concepts of PROV each format can represent, measured when the page is written."""
    matrix = runpy.run_path(str(Path(__file__).with_name("conformance.py")))["matrix"]
    return "\n\n".join(
        [
            "# Conformance",
            NOTICE,
            "The concepts of PROV-DM, PROV-Links and PROV-Dictionary that each format can represent. For every cell a "
            "document with that concept was written and read again. *yes*: the statements are the same, including "
            "lexical forms. *no*: the number refers to the reason, as reported by `Document.losses` and "
            "`provrepo convert`. *kept*: the statements are the same, but the format has a place for them only in an "
            "extension that only provrepo reads; `provrepo convert` says which these are.",
            matrix(),
        ]
    )


def named_queries() -> str:
    """Every named query with its question, its parameters and its text."""
    parts = [
        "# Named queries",
        NOTICE,
        "Queries for common questions about provenance. They are run with `provrepo query --name NAME --param "
        "KEY=VALUE`, at `/queries`, or in Python with `repository.query(queries.by_name(NAME).bind({...}))` from "
        "`provrepo.repository.queries.named`. The first eleven answer the competency questions of Workflow Run "
        "RO-Crate in terms of PROV. A parameter is written as `$name` in the query; an optional one without a value is "
        "`UNDEF`, which matches everything.",
    ]
    for query in sorted(load(), key=lambda query: (query.name not in COMPETENCY, query.name)):
        rows = [
            f"| `{p.name}` | {p.kind} | {'optional' if p.optional else f'`{p.default}`' if p.default else 'required'} "
            f"| {p.description} |"
            for p in query.parameters
        ]
        table = "\n".join(["| parameter | kind | | |", "|---|---|---|---|", *rows]) if rows else ""
        body = [f"## {query.name}", query.question, table, f"```sparql\n{query.text.rstrip()}\n```"]
        parts.append("\n\n".join(part for part in body if part))
    return "\n\n".join(parts) + "\n"


def ledger() -> str:
    """Every kind of ledger entry with its fields."""
    streams = {"project": "a project's", "repository": "the repository's own", "both": "either"}
    parts = [
        "# Entries of the ledger",
        NOTICE,
        "[The ledger](../explanation/ledger.md) describes the purpose of entries, how they are linked, and how "
        "software treats unknown kinds. A *reserved* kind is not written by any verb yet: its fields are fixed, and "
        "this version stores, reads and verifies it, without an effect on documents.",
        "| type | meaning |\n|---|---|\n"
        "| name | `[A-Za-z0-9][A-Za-z0-9_-]{0,99}` |\n"
        "| SHA-256 | 64 lower-case hexadecimal digits |\n"
        "| time | xsd:dateTime in UTC, ending in `Z` |\n"
        "| UUID | in its usual lower-case form |\n"
        "| salted digest | SHA-256 of a random salt and the UTF-8 text. The salt is stored beside the ledger. With the "
        "salt the text can be proven; after its deletion the text cannot be guessed |",
        "## Every entry\n\n" + _fields(COMMON),
        "## Kinds\n\n| kind | stream | may be skipped | |\n|---|---|---|---|\n"
        + "\n".join(
            f"| [`{kind.name}`](#{kind.name}) | {streams[kind.stream]} | {'yes' if kind.ignorable else 'no'} "
            f"| {'reserved' if kind.reserved else ''} |"
            for kind in KINDS.values()
        ),
    ]
    for kind in KINDS.values():
        known = ", ".join(f"`{name}` ({type_.name})" for name, type_ in SETTINGS.items())
        fields = (
            _fields(kind.fields)
            if kind.fields
            else f"Of any keys, which are kept as they are. Those in use: {known}, and `profile:NAME` (an object with "
            "`version`, `title` and `blob`), of which an entry has one at most."
        )
        reserved = " *Reserved.*" if kind.reserved else ""
        parts.append(f"## {kind.name}\n\n{kind.meaning}{reserved}\n\n{fields}")
    return "\n\n".join(parts) + "\n"


def _fields(fields: Mapping[str, EntryField]) -> str:
    rows = [
        f"| `{name}` | {field.type.name} | {field.meaning}{' (may be absent)' if field.optional else ''} |"
        for name, field in fields.items()
    ]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *rows])


def lineage() -> str:
    """The reference of lineage as it is, with the table of the options of ``lineage``."""
    rows = []
    for named in options(LineageQuery):
        if named.positional:
            continue
        several = ", repeatable" if named.option.kind.several else ""
        python = "" if named.name == named.parameter else f"; in Python `{named.name}`"
        value = f" {named.option.metavar}" if named.option.metavar == "FILE" else ""
        true = "true" if named.option.kind is Kind.FLAG else ""
        rows.append(f"| `{named.parameter}={true}`{several}{python} | `{named.flag}{value}` | {named.described()} |")
    table = "\n".join(["| parameter | option | meaning |", "|---|---|---|", *rows])
    page = (REFERENCE / "lineage.md").read_text("utf-8")
    return re.sub(r"(?s)(?<=<!-- options -->\n\n).*?(?=\n\n<!-- end of the options -->)", lambda _: table, page)


def tools() -> str:
    """The other tools that are read and written, from the tables of formats and of integration groups."""
    table = runpy.run_path(str(Path(__file__).with_name("tools_table.py")))["table"]
    return (
        "\n\n".join(
            [
                "# Other tools",
                NOTICE,
                "**in**: the formats in which the records of the tool are read; `provrepo import` recognizes them "
                "(`provrepo import --list`), or the hooks that record it. **out**: the formats that are written and "
                "that the tool reads. **tried live**: the groups of [integration tests]"
                "(../development/integration-tests.md) in which the tool itself runs, with its version there. What is "
                "not tried live is tested with records that the tool wrote, or that follow its specification.",
                table(),
            ]
        )
        + "\n"
    )


def openlineage() -> str:
    """The page about OpenLineage as it is, with the table of its facets."""
    places = (
        ("run", RUN_FACETS),
        ("job", {**JOB_FACETS, **ELSEWHERE}),
        ("dataset", {**VERSION, **LOGICAL}),
        ("input, output", OWN),
    )
    rows = [f"| {place} | `{key}` | {row.becomes} |" for place, table in places for key, row in table.items()]
    table = "\n".join(["| facet of a | key | becomes |", "|---|---|---|", *rows])
    page = (REFERENCE / "openlineage.md").read_text("utf-8")
    return re.sub(r"(?s)(?<=<!-- facets -->\n\n).*?(?=\n\n<!-- end of the facets -->)", lambda _: table, page)


PAGES = {
    "lineage.md": lineage,
    "openlineage.md": openlineage,
    "ledger.md": ledger,
    "cli.md": command_line,
    "settings.md": settings,
    "limits.md": limits,
    "python.md": python,
    "constraints.md": constraints,
    "conformance.md": conformance,
    "queries.md": named_queries,
    "tools.md": tools,
}


def main() -> int:
    """Write the pages, or with ``--check`` only compare them; exit 1 where one was out of date."""
    stale = []
    for name, page in PAGES.items():
        target = REFERENCE / name
        text = page()
        if not target.exists() or target.read_text("utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                target.write_text(text, "utf-8")
    for name in stale:
        print(f"{name} {'is out of date' if '--check' in sys.argv else 'written'}", file=sys.stderr)
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())

"""The table of other tools: what comes from each, what it can read, and the integration tests in which it runs."""

from __future__ import annotations

import runpy
from dataclasses import dataclass, field
from pathlib import Path

from provrepo.codecs.formats import FORMATS, IMPORTED, Format
from provrepo.repository.exports.rows import EXPORTS

__all__ = ["systems", "table"]

HOOKS = {"Kedro": "1", "Luigi": "3", "Prefect": "3"}
"""The tools with hooks, ``provrepo.hooks.NAME``, and their versions."""

ROOT = Path(__file__).resolve().parent.parent


@dataclass(slots=True)
class System:
    """One tool.

    Attributes:
        reads: what of it can be read: formats, as links.
        writes: what is written that it reads.
        tried: the groups of integration tests in which it runs, with its version there.
        versions: the versions of its records that are known.
    """

    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)


def systems() -> dict[str, System]:
    """Each tool by its name, from the tables of formats, of exports and of integration groups.

    Raises:
        KeyError: a group of integration tests runs a tool that no format names, and that has no hooks.
    """
    found: dict[str, System] = {}
    for format_ in FORMATS:
        written_by = format_.systems or ((format_.title,) if format_ in IMPORTED else ())
        for name in dict.fromkeys([*(written_by if format_.reads else ()), *format_.readers]):
            system = found.setdefault(name, System())
            if name in written_by and format_.reads:
                system.reads.append(_linked(format_))
            if name in format_.readers and format_.writes:
                system.writes.append(_linked(format_))
            if format_.versions and format_.versions not in system.versions:
                system.versions.append(format_.versions)
    for name, version in HOOKS.items():
        hooks = f"[`provrepo.hooks.{name.lower()}`](../how-to/record-workflows.md)"
        found[name] = System(reads=[hooks], versions=[f"{name} {version}"])
    for row in EXPORTS.values():
        for name in row.readers:
            system = found.setdefault(name, System())
            if not row.graph:
                system.writes.append(f"[`{row.name}`](exports.md#a-whole-project)")
                if row.versions not in system.versions:
                    system.versions.append(row.versions)
    for group in runpy.run_path(str(ROOT / "tests" / "integration" / "groups.py"))["GROUPS"]:
        for name, version in group.tried.items():
            found[name].tried.append(f"`{group.name}` ({version})")
    return found


def _linked(format_: Format) -> str:
    page = f"{format_.module.split('.')[1]}.md"
    known = format_ in IMPORTED and (ROOT / "docs" / "reference" / page).exists()
    return f"[`{format_.name}`]({page})" if known else f"`{format_.name}`"


def table() -> str:
    """The table in Markdown, by name."""
    rows = [
        f"| {name} | {', '.join(one.reads)} | {', '.join(one.writes)} | {', '.join(one.tried)} "
        f"| {'; '.join(one.versions)} |"
        for name, one in sorted(systems().items(), key=lambda item: item[0].casefold())
    ]
    return "\n".join(["| tool | in | out | tried live | versions of its records |", "|---|---|---|---|---|", *rows])

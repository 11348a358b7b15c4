"""The truth of the pipelines, from their docstrings."""

from __future__ import annotations

from tests.integration.pipelines import arrays, files, tables

__all__ = ["PIPELINES", "TRUTH"]

PIPELINES = {
    name: kind
    for module in (tables, arrays, files)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and hasattr(kind, "work")
}


def _truth(kind: type) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    used, generated = set(), set()
    for line in (kind.__doc__ or "").rstrip(".").split(";"):
        name, _, names = line.partition(":")
        read, _, written = names.partition("->")
        used |= {(name.strip(), file) for file in read.split()}
        generated |= {(file, name.strip()) for file in written.split()}
    return used, generated


TRUTH = {name: _truth(kind) for name, kind in PIPELINES.items()}
"""Of each pipeline, the usages as step and file, and the generations as file and step."""

"""Quality of data: assertions, metrics and tests, as measurements of the Data Quality Vocabulary (DQV)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provrepo.importers.json_values import canonical
from provrepo.importers.masking import masked
from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.facets import Context, date_time, items, shape, text_of
from provrepo.importers.openlineage.fold import Side
from provrepo.importers.openlineage.names import TERMS
from provrepo.importers.runs import state_measurement
from provrepo.importers.statements import json_value, value, words
from provrepo.model.statements import Attribute
from provrepo.vocab import DCTERMS, DQV

__all__ = ["ASSERTIONS", "METRICS", "TESTS", "measured", "tests"]


_ASSERTION = ("column", "severity", "name", "description", "expected", "actual", "content", "contentType")
_TEST = ("type", "description", "expected", "actual", "content", "contentType")

ASSERTIONS = shape("assertions[].assertion!", *(f"assertions[].{name}" for name in (*_ASSERTION, "success", "params")))
METRICS = shape("rowCount", "bytes", "fileCount", "lastUpdated", "columnMetrics{}{}")
TESTS = shape("tests[].name!", *(f"tests[].{name}" for name in (*_TEST, "status", "severity", "params")))
"""What is mapped of each facet."""


def tests(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    """The tests that a run carried out. A status is a text: it need not be success or failure."""
    for number, test in enumerate(items(facet.get("tests")), 1):
        attributes = [
            *words(f"{TERMS}status", test.get("status")),
            *words(f"{TERMS}severity", test.get("severity")),
            *_details(test, _TEST),
        ]
        _measurement(context, None, number, text_of(test.get("name")), attributes, about="")
    return []


def measured(context: Context, side: Side) -> list[Attribute]:
    """The measurements of a dataset, in its own facets and in those of the input or output.

    Args:
        context: its subject is the version, or the logical dataset where nothing ran.
        side: its facets. The same assertion in both places counts once.

    Returns:
        Attributes of the version.
    """
    attributes: list[Attribute] = []
    number = 0
    found: dict[bytes, Mapping[str, Any]] = {}
    for facets in (side.facets, side.own):
        for assertion in items(facets.get("dataQualityAssertions", {}).get("assertions")):
            found.setdefault(canonical(assertion), assertion)
    for assertion in found.values():
        number += 1
        details = [*value(f"{DQV}value", assertion.get("success")), *_details(assertion, _ASSERTION)]
        _measurement(
            context, context.dataset, number, text_of(assertion.get("assertion")), details, about=context.subject
        )
    metrics: dict[bytes, tuple[str, str, Any]] = {}
    for facets in (side.facets, side.own):
        facet = facets.get("dataQualityMetrics", {})
        attributes += date_time(f"{DCTERMS}modified", facet.get("lastUpdated"))
        for metric in _metrics(facet):
            metrics.setdefault(canonical(metric), metric)
    for name, field, result in metrics.values():
        number += 1
        details = [*value(f"{DQV}value", result), *words(f"{TERMS}column", field)]
        _measurement(context, context.dataset, number, name, details, about=context.subject)
    return attributes


def _metrics(facet: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """Name, column and value of each metric; the column is empty for a metric of the whole dataset."""
    found = [(name, "", facet[name]) for name in ("rowCount", "bytes", "fileCount") if facet.get(name) is not None]
    columns = facet.get("columnMetrics")
    for field, metrics in columns.items() if isinstance(columns, dict) else ():
        for name, result in masked(metrics).items() if isinstance(metrics, dict) else ():
            if name == "quantiles" and isinstance(result, dict):
                found += [(f"quantile {quantile}", str(field), each) for quantile, each in result.items()]
            elif result is not None:
                found.append((str(name), str(field), result))
    return found


def _details(item: Mapping[str, Any], members: tuple[str, ...]) -> list[Attribute]:
    attributes = [attribute for member in members for attribute in value(TERMS + member, item.get(member))]
    if item.get("params") is not None:
        attributes.append(json_value(f"{TERMS}params", item["params"]))
    return attributes


def _measurement(
    context: Context, dataset: Dataset | None, number: int, metric: str, attributes: list[Attribute], *, about: str
) -> None:
    names, key = context.names, context.run or "declared"
    state_measurement(
        context.statements,
        names.quality(key, dataset, f"{'output/' if context.output else ''}{number}"),
        names.metric(metric),
        about,
        names.run(context.run) if context.run else "",
        attributes,
    )

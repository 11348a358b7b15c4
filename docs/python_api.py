"""The page of the Python API, from signatures and docstrings in the style of Google."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import provrepo
from provrepo import capture
from provrepo.capture.recorder import Activity
from provrepo.codecs.results import QueryResult
from provrepo.ledger.accounts import Token
from provrepo.ledger.exchange.peers import Peer
from provrepo.ledger.pingbacks import Pingback, Pinged
from provrepo.model.compare import Comparison
from provrepo.redaction.inference import Inference
from provrepo.redaction.redacting import Redacted
from provrepo.repository.audit import Audit, AuditEvent
from provrepo.repository.datasets.records import (
    DatasetDetails,
    DatasetInfo,
    DatasetVersion,
    Field,
    JobUse,
    Owner,
    Quality,
    RunAgain,
    RunsAgain,
    SchemaChange,
)
from provrepo.repository.exchange.notices.receiving import Received
from provrepo.repository.exchange.notices.verbs import Holder, ReceivedNotice, Sending, SentNotice
from provrepo.repository.exchange.package.layout import Contents
from provrepo.repository.exchange.package.pack import Package
from provrepo.repository.exchange.package.unpack import Unpacked
from provrepo.repository.exports.verbs import ProjectExport
from provrepo.repository.federation.records import (
    FederatedLineage,
    FederatedSource,
    LaboratoryReport,
    LineageSurroundings,
    Missing,
    StatedRelation,
    SurroundingThing,
)
from provrepo.repository.lineage.assertions import Assertion
from provrepo.repository.lineage.records import (
    CommonNode,
    LineageCommon,
    LineageEdge,
    LineageGraph,
    LineageImpact,
    LineageNode,
    SearchResult,
    SourceReference,
)
from provrepo.repository.lineage.things import KnownThing, VersionAssertions
from provrepo.repository.queries.runs import Run, RunComparison, RunDifference
from provrepo.repository.records import Check, DocumentInfo, ProjectInfo, Receipt, VersionInfo
from provrepo.repository.repository import Repository

__all__ = ["items", "page", "sections"]

RETURNED = (
    Comparison,
    Redacted,
    ProjectExport,
    Inference,
    QueryResult,
    LineageGraph,
    LineageNode,
    LineageEdge,
    SourceReference,
    FederatedLineage,
    FederatedSource,
    LaboratoryReport,
    Missing,
    LineageImpact,
    LineageCommon,
    CommonNode,
    KnownThing,
    VersionAssertions,
    Assertion,
    SearchResult,
    Run,
    RunComparison,
    RunDifference,
    LineageSurroundings,
    SurroundingThing,
    StatedRelation,
    Receipt,
    VersionInfo,
    DocumentInfo,
    ProjectInfo,
    Token,
    Check,
    Pingback,
    Pinged,
    Peer,
    Holder,
    SentNotice,
    ReceivedNotice,
    Received,
    Sending,
    Audit,
    AuditEvent,
    Package,
    Contents,
    Unpacked,
    DatasetInfo,
    DatasetDetails,
    DatasetVersion,
    Field,
    Quality,
    RunsAgain,
    RunAgain,
    SchemaChange,
    JobUse,
    Owner,
)
SECTIONS = ("Args", "Attributes", "Raises", "Returns", "Yields")


def page(notice: str) -> str:
    """Every public name, with signature and docstring.

    Args:
        notice: says that the page is generated.
    """
    parts = [
        "# The Python API",
        notice,
        "`import provrepo` is fast: the module of each name is loaded on first use.",
    ]
    for name in provrepo.__all__:
        value = getattr(provrepo, name)
        if name == "__version__":
            continue
        parts.append(f"## provrepo.{name}\n\n{_described(name, value)}")
        if inspect.isclass(value):
            parts += [f"### {name}.{method}\n\n{_described(method, f)}" for method, f in _methods(value)]
    parts.append(
        "## Repository\n\nWhat `provrepo.open` returns. What `provrepo.connect` returns has the same verbs: "
        "[at a distance](../how-to/work-at-a-distance.md).\n\n" + _described("Repository", Repository)
    )
    parts += [f"### Repository.{method}\n\n{_described(method, f)}" for method, f in _verbs(Repository)]
    parts.append(
        "## provrepo.capture\n\nRecords the provenance of a pipeline; see [the guide](../how-to/capture.md). "
        "`with step(...) as run` returns the activity `run`."
    )
    parts += [f"### {name}\n\n{_described(name, getattr(capture, name))}" for name in capture.__all__]
    told = ("parameter", "used", "generated")
    parts += [f"### run.{name}\n\n{_described(name, getattr(Activity, name))}" for name in told]
    parts.append("## Returned records")
    parts += [f"### {cls.__name__}\n\n{_prose(inspect.getdoc(cls) or '')}" for cls in RETURNED]
    return "\n\n".join(parts) + "\n"


def _methods(cls: type) -> Iterator[tuple[str, Any]]:
    for name, value in vars(cls).items():
        if name.startswith("_"):
            continue
        if isinstance(value, classmethod | staticmethod):
            yield name, value.__func__
        elif inspect.isfunction(value) or isinstance(value, property):
            yield name, value


def _verbs(cls: type) -> Iterator[tuple[str, Any]]:
    """The methods of a class and of those that it inherits from, as they are in the class."""
    names = [name for base in cls.__mro__[:-1] for name, _ in _methods(base)]
    for name in dict.fromkeys(names):
        yield name, inspect.getattr_static(cls, name)


class _Bare:
    """An annotation that shows itself without quotes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _described(name: str, value: Any) -> str:
    text = _prose(inspect.getdoc(value) or "")
    if isinstance(value, property) or (inspect.isclass(value) and issubclass(value, str | tuple | Exception)):
        return text
    return f"```python\n{_signature(name, value)}\n```\n\n{text}"


def _signature(name: str, value: Any) -> str:
    signature = inspect.signature(value)
    parameters = [
        parameter.replace(annotation=_bare(parameter.annotation))
        for parameter in signature.parameters.values()
        if parameter.name not in {"self", "cls"}
    ]
    returns = inspect.Signature.empty if inspect.isclass(value) else _bare(signature.return_annotation)
    shown = str(signature.replace(parameters=parameters, return_annotation=returns))
    shown = re.sub(r"<factory>", "...", shown)
    return f"{name}{shown}"


def _bare(annotation: Any) -> Any:
    return _Bare(annotation) if isinstance(annotation, str) else annotation


def sections(doc: str) -> dict[str, str]:
    """A Google-style docstring by section; the prose before the first is under the empty name."""
    parts = re.split(rf"(?m)^({'|'.join(SECTIONS)}):\n", doc)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def items(section: str) -> list[tuple[str, str]]:
    """The ``name: description`` items of a section, continuation lines joined."""
    items = re.split(r"(?m)^ {4}(?=\S)", section)
    pairs = (" ".join(item.split()).partition(": ") for item in items if item.strip())
    return [(name, description) for name, _, description in pairs]


def _prose(doc: str) -> str:
    parts = []
    for section, text in sections(doc).items():
        body = inspect.cleandoc(text)
        if section in {"Returns", "Yields"}:
            body = f"{section}: {' '.join(body.split())}"
        elif section:
            body = f"{section}:\n\n" + "\n".join(f"* `{name}`: {what}" for name, what in items(text))
        parts.append(body.replace("``", "`").replace("::\n", ":\n"))
    return "\n\n".join(part for part in parts if part.strip())

"""The layer ``shapes``: validation of each instance of a document against SHACL profiles.

The engine runs in a worker process. It validates the completed graph, so that both forms of a relation count and a
plan is an entity. Its results are then confirmed on the asserted triples (``asserted``).
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias, TypedDict, cast

from provrepo.checks import repairs
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.profiles import Profile
from provrepo.checks.repairs import first_path
from provrepo.checks.shapes.asserted import confirmed
from provrepo.checks.shapes.instances import InstanceGraph, SourceTriples
from provrepo.codecs.collector import collection_paused
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Value, is_blank
from provrepo.settings import load
from provrepo.vocab import PREDECLARED, SH, XSD_STRING
from provrepo.workers.child import in_worker
from provrepo.workers.pool import Pool, default_pool

__all__ = ["LAYER", "Engine", "RawResult", "Results", "check", "ntriples"]

LAYER = "shapes"

_ENGINE = "provrepo.checks.shapes.pyshacl_engine"


class RawResult(TypedDict):
    """One SHACL validation result (SHACL section 3.6.2), as JSON.

    Attributes:
        root: IRI of the shape with the target.
        monotone: whether further triples can satisfy the constraint but never break it, nested shapes included.
        shape: IRI of the shape, or of the nearest named shape around an anonymous one.
        component: IRI of the constraint component; None where the engine could not evaluate the shape.
        severity: ``violation``, ``warning``, ``info``, or the IRI of a severity that SHACL does not define.
        focus: IRI or ``_:`` label of the focus node; None where the engine could not evaluate the shape.
        path: property path as an IRI or in SPARQL syntax, or None.
        value: in N-Triples syntax, or None.
        message: one sentence.
        expected: IRI of the class or datatype that the shape requires, or None.
        repair: the shape's ``provrepo:repair``: advice for the author, or None.
        patch: the shape's ``provrepo:patch``: missing triples, with ``$this`` for the focus, or None.
    """

    root: str
    monotone: bool
    shape: str
    component: str | None
    severity: str
    focus: str | None
    path: str | None
    value: str | None
    message: str
    expected: str | None
    repair: str | None
    patch: str | None


class Engine(Protocol):
    """Interface of a SHACL engine. It runs in a worker process, which bounds its time and memory."""

    def validate(self, data: bytes, shapes: Path, only: Collection[str] | None = None) -> list[RawResult]:
        """Validate one graph.

        Args:
            data: the data graph in N-Triples, ``rdfs:subClassOf`` triples included.
            shapes: a file of shapes in Turtle.
            only: IRIs of the shapes with targets to validate against; None is all.

        Raises:
            Damaged: the shapes cannot be parsed or are not well-formed.
        """


def check(
    graphs: Iterable[InstanceGraph],
    profiles: Sequence[Profile],
    *,
    source_triples: SourceTriples | None = None,
    timeout: float | None = None,
    pool: Pool | None = None,
) -> list[Finding]:
    """The findings of the profiles on each instance, without lines and columns (``places`` adds them).

    Args:
        graphs: of the instances, the top level first.
        profiles: to validate against.
        source_triples: the asserted triples of the instances. Results that they do not confirm are left out; None
            keeps all results.
        timeout: in seconds; by default the setting ``check_timeout``. Ignored inside a worker process, which has its
            own deadline.
        pool: the workers to use; by default the shared pool.

    Raises:
        WorkerFailed: it took too long or too much memory.
    """
    bundles: list[Identifier | None] = []

    def triples() -> Iterator[Iterable[Quad]]:
        for graph in graphs:
            bundles.append(graph.bundle)
            yield graph.triples

    validate = _Validator(profiles, timeout, pool)
    results = validate(triples())
    if source_triples is not None and any(found for by_instance in results for found in by_instance):
        results = confirmed(results, source_triples, validate)
    return [
        _finding(raw, profile, bundle)
        for profile, by_instance in zip(profiles, results, strict=True)
        for bundle, found in zip(bundles, by_instance, strict=True)
        for raw in sorted(found, key=_order)
    ]


Results: TypeAlias = "list[list[list[RawResult]]]"
"""For each profile, for each graph, its results."""


class _Validator:
    """Validates graphs against the shapes of some profiles, within one deadline."""

    def __init__(self, profiles: Sequence[Profile], timeout: float | None, pool: Pool | None) -> None:
        self._files = [str(profile.shapes) for profile in profiles]
        self._pool = pool
        self._inside = in_worker()
        self._remaining = load().check_timeout if timeout is None and not self._inside else timeout or 0.0

    def __call__(self, graphs: Iterable[Iterable[Quad]], only: Collection[str] | None = None) -> Results:
        """The results of each graph; ``only``: IRIs of the shapes with targets to validate against, None is all."""
        sizes: list[int] = []
        content = bytearray()
        with collection_paused():
            for graph in graphs:
                before = len(content)
                content += b"".join(ntriples(graph))
                sizes.append(len(content) - before)
        roots = None if only is None else sorted(only)
        if self._inside:
            # In this process and without a temporary file, which a killed worker would leave behind.
            from provrepo.checks.shapes.pyshacl_engine import validate_graphs

            return validate_graphs(bytes(content), sizes, self._files, roots)
        with tempfile.NamedTemporaryFile(prefix="provrepo-", suffix=".nt") as file:
            file.write(content)
            file.flush()
            arguments = {"data": file.name, "sizes": sizes, "shapes": self._files, "only": roots}
            started = time.monotonic()
            found = (self._pool or default_pool()).call(f"{_ENGINE}:validate_file", arguments, timeout=self._remaining)
            self._remaining = max(round(self._remaining - (time.monotonic() - started), 1), 0.1)
            return cast("Results", found)


def _order(raw: RawResult) -> tuple[str, ...]:
    return tuple(str(part or "") for part in cast("dict[str, object]", raw).values())


# N-Triples -----------------------------------------------------------------------------------------------------

_UNSAFE = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


def ntriples(triples: Iterable[Quad]) -> Iterable[bytes]:
    """Lines of N-Triples; the graphs of the quads are ignored."""
    cache: dict[Value, str] = {}

    def term(value: Value) -> str:
        written = cache.get(value)
        if written is None:
            written = cache[value] = _written(value)
        return written

    for subject, predicate, value, _ in triples:
        yield f"{term(subject)} {term(predicate)} {term(value)} .\n".encode()


def _written(value: Value) -> str:
    if isinstance(value, Identifier):
        return value if value.startswith("_:") else f"<{_safe(value)}>"
    lexical = value.lexical.translate(_ESCAPES)
    if value.language:
        return f'"{lexical}"@{value.language}'
    return f'"{lexical}"' if value.datatype == XSD_STRING else f'"{lexical}"^^<{_safe(value.datatype)}>'


def _safe(iri: str) -> str:
    return _UNSAFE.sub(lambda m: f"\\u{ord(m[0]):04X}", iri)


# Findings ------------------------------------------------------------------------------------------------------


def _finding(raw: RawResult, profile: Profile, bundle: Identifier | None) -> Finding:
    component = (raw["component"] or "").removeprefix(SH)
    return Finding(
        layer=LAYER,
        rule=raw["shape"],
        # The meaning of a user-defined severity is unknown; in SHACL any result means that the graph does not conform.
        severity=Severity(raw["severity"]) if ":" not in raw["severity"] else Severity.VIOLATION,
        message=raw["message"] or f"This does not satisfy {short(raw['shape'])}.",
        focus=raw["focus"],
        profile=profile.name,
        component=raw["component"],
        path=raw["path"],
        value=raw["value"],
        bundle=bundle,
        repair=_repair(component, raw),
        patch=_patch(component, raw),
    )


def _repair(component: str, raw: RawResult) -> str | None:
    """Advice for the author: the shape's own, or one derived from the constraint component; None where neither."""
    if raw["repair"]:
        return raw["repair"]
    steps = first_path(raw["path"] or "")
    path = " with ".join(short(step.predicate) for step in steps)
    match component:
        case "MinCountConstraintComponent" | "QualifiedMinCountConstraintComponent" if not any(
            s.inverse for s in steps
        ):
            return f"Add {path} to {short(raw['focus'] or '')}."
        case "MaxCountConstraintComponent":
            return f"Keep one {path} of {short(raw['focus'] or '')}."
        case "ClassConstraintComponent" if (raw["value"] or "").startswith(("<", "_:")):
            return f"Describe {short((raw['value'] or '').strip('<>'))} in the same document or bundle."
        case "DatatypeConstraintComponent" if path.endswith("Time"):
            return "Write it as an xsd:dateTime, such as 2024-05-31T14:05:00Z."
        case _:
            return None


def _patch(component: str, raw: RawResult) -> str | None:
    focus = raw["focus"]
    if raw["patch"] and focus is not None and not is_blank(focus) and focus == _safe(focus):
        return raw["patch"].replace("$this", f"<{focus}>")
    return repairs.patch(component, focus=focus, path=raw["path"], value=raw["value"], expected=raw["expected"])


def short(iri: str) -> str:
    """An IRI as a prefixed name for messages, where a predeclared prefix fits."""
    for prefix, namespace in PREDECLARED.items():
        if iri.startswith(namespace):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri

"""The layer ``shapes``: SHACL profiles, each instance of a document by itself.

The engine works in a worker process. It sees what a document asserts together with what follows from it, so that
either form of a relation counts and a plan is an entity. What it then finds wrong is held against what was asserted
(``shapes_held``).
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
from provrepo.checks.shapes.asserted import held
from provrepo.checks.shapes.instances import Instance, Sent
from provrepo.codecs.collector import paused
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Value, is_blank
from provrepo.settings import load
from provrepo.vocab import PREDECLARED, SH, XSD_STRING
from provrepo.workers.child import inside
from provrepo.workers.pool import Pool, default_pool

__all__ = ["LAYER", "Engine", "RawResult", "Results", "check"]

LAYER = "shapes"

_ENGINE = "provrepo.checks.shapes.pyshacl_engine"


class RawResult(TypedDict):
    """One SHACL validation result (SHACL section 3.6.2), as JSON.

    Attributes:
        root: IRI of the shape with the target.
        asks: whether the constraint asks for triples only, so that no triple can break it, whatever shapes it nests.
        shape: IRI of the shape, or of the nearest named shape around an anonymous one.
        component: IRI of the constraint component; None where the engine could not evaluate the shape.
        severity: ``violation``, ``warning``, ``info``, or the IRI of a severity that is none of SHACL's.
        focus: IRI or ``_:`` label of the focus node; None where the engine could not evaluate the shape.
        path: property path as an IRI or in SPARQL syntax, or None.
        value: in N-Triples syntax, or None.
        message: one sentence.
        expected: IRI of the class or datatype that the shape asks for, or None.
        repair: what the shape says is to be done (``provrepo:repair``), or None.
        patch: the triples that the shape says are missing (``provrepo:patch``), with ``$this`` for the focus, or None.
    """

    root: str
    asks: bool
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
    """What a SHACL engine has to do. It runs in a worker process and needs no bounds of its own."""

    def validate(self, data: bytes, shapes: Path, only: Collection[str] | None = None) -> list[RawResult]:
        """Validate one graph.

        Args:
            data: the graph in N-Triples, subclass facts included.
            shapes: a file of shapes in Turtle.
            only: the shapes with targets to be judged; None is all.

        Raises:
            Damaged: the shapes cannot be understood.
        """


def check(
    instances: Iterable[Instance],
    profiles: Sequence[Profile],
    *,
    sent: Sent | None = None,
    timeout: float | None = None,
    pool: Pool | None = None,
) -> list[Finding]:
    """The findings of the profiles on each instance; without places, which only the document knows.

    Args:
        instances: the top level first.
        profiles: what to hold them against.
        sent: what of the instances their author wrote. Results that are due to the rest are left out; without it, none.
        timeout: seconds that this may take, by default what the settings say; inside a worker process the deadline is
            the worker's own.
        pool: the workers to use, instead of the shared ones.

    Raises:
        WorkerFailed: it took too long or too much memory.
    """
    bundles: list[Identifier | None] = []

    def graphs() -> Iterator[Iterable[Quad]]:
        for instance in instances:
            bundles.append(instance.bundle)
            yield instance.triples

    judge = _Judge(profiles, timeout, pool)
    results = judge(graphs())
    if sent is not None and any(found for by_instance in results for found in by_instance):
        results = held(results, sent, judge)
    return [
        _finding(raw, profile, bundle)
        for profile, by_instance in zip(profiles, results, strict=True)
        for bundle, found in zip(bundles, by_instance, strict=True)
        for raw in sorted(found, key=_order)
    ]


Results: TypeAlias = "list[list[list[RawResult]]]"
"""For each profile, for each graph, its results."""


class _Judge:
    """Holds graphs against the shapes of some profiles, within one deadline."""

    def __init__(self, profiles: Sequence[Profile], timeout: float | None, pool: Pool | None) -> None:
        self._files = [str(profile.shapes) for profile in profiles]
        self._pool = pool
        self._inside = inside()
        self._left = load().check_timeout if timeout is None and not self._inside else timeout or 0.0

    def __call__(self, graphs: Iterable[Iterable[Quad]], only: Collection[str] | None = None) -> Results:
        """Judge each of the graphs by itself; ``only`` names the shapes with targets that are asked, None is all."""
        sizes: list[int] = []
        content = bytearray()
        with paused():
            for graph in graphs:
                before = len(content)
                content += b"".join(_lines(graph))
                sizes.append(len(content) - before)
        roots = None if only is None else sorted(only)
        if self._inside:
            # In place, and without a file: a worker that is killed leaves nothing behind.
            from provrepo.checks.shapes.pyshacl_engine import judge

            return judge(bytes(content), sizes, self._files, roots)
        with tempfile.NamedTemporaryFile(prefix="provrepo-", suffix=".nt") as file:
            file.write(content)
            file.flush()
            arguments = {"data": file.name, "sizes": sizes, "shapes": self._files, "only": roots}
            started = time.monotonic()
            found = (self._pool or default_pool()).call(f"{_ENGINE}:run", arguments, timeout=self._left)
            self._left = max(round(self._left - (time.monotonic() - started), 1), 0.1)
            return cast("Results", found)


def _order(raw: RawResult) -> tuple[str, ...]:
    return tuple(str(part or "") for part in cast("dict[str, object]", raw).values())


# N-Triples -----------------------------------------------------------------------------------------------------

_UNSAFE = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


def _lines(triples: Iterable[Quad]) -> Iterable[bytes]:
    known: dict[Value, str] = {}

    def term(value: Value) -> str:
        written = known.get(value)
        if written is None:
            written = known[value] = _written(value)
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
        # Nobody can know what a severity of somebody's own means; SHACL counts every result as not conforming.
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
    """Plain words: the shape's own, or where the kind of constraint says what is missing."""
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
    """An IRI with a well-known prefix where there is one, for people."""
    for prefix, namespace in PREDECLARED.items():
        if iri.startswith(namespace):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri

"""Admission test for user-defined profiles: which terms, patterns and queries their shapes may have, and how many.

Shapes are programs. Refused are shapes that would access the network or other files, never terminate, or be ignored
silently. Admitted shapes still run in a worker process with a deadline and a memory limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from provrepo import resources
from provrepo.checks.profiles import Profile, read, resolve
from provrepo.checks.shapes.matching import python_flags
from provrepo.checks.shapes.patterns import NOT_UNDERSTOOD, why_refused, why_replace_refused
from provrepo.checks.shapes.well_formed import TARGETS, require_shapes
from provrepo.errors import ReadError, UsageError
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.settings import load
from provrepo.vocab import OWL, RDF, SH
from provrepo.workers.child import in_worker
from provrepo.workers.pool import default_pool

__all__ = ["MOST_BYTES", "MOST_SHAPES", "MOST_TRIPLES", "require_vetted", "vet", "vet_shapes"]

MOST_BYTES = 256 * 1024
"""The most bytes of a file of shapes."""

MOST_TRIPLES = 20_000
"""The most triples of a file of shapes."""

MOST_SHAPES = 500
"""The most shapes of a profile, nested ones included."""

DEEPEST = 16
"""The most levels of nested shapes, and of nested paths."""

LONGEST_QUERY = 8_192
"""The most characters of a SPARQL constraint."""

DEEPEST_QUERY = 32
"""The most levels of brackets in a SPARQL constraint: its parser recurses with them."""

_NESTING = frozenset(SH + name for name in ("property", "node", "not", "and", "or", "xone", "qualifiedValueShape"))
_PATHS = frozenset(
    SH + name for name in ("path", "inversePath", "alternativePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath")
)
_LIST = frozenset((RDF + "first", RDF + "rest"))


def require_vetted(profile: Profile) -> None:
    """Refuse a user-defined profile that ``profile add`` would refuse; its examples are not tried.

    Raises:
        UsageError: it may not be used; the message states why.
        Damaged: the shapes cannot be parsed.
        WorkerFailed: the test took too long.
    """
    if profile.folder.parent != resources.root() / "shapes":
        try:
            _require_vetted(profile.folder, profile.shapes.stat().st_mtime_ns)
        except (OSError, ReadError) as error:
            raise UsageError(f"the shapes of the profile {profile.name!r} cannot be read: {error}") from error


@lru_cache(maxsize=64)
def _require_vetted(folder: Path, stamp: int) -> None:  # noqa: ARG001 (a changed file has another stamp)
    if in_worker():
        vet(str(folder), [], examples=False)
    else:
        arguments = {"folder": str(folder), "extends": [], "examples": False}
        default_pool().call("provrepo.checks.shapes.vetting:vet", arguments, timeout=load().check_timeout)


def vet(folder: str, extends: list[str], examples: bool = True) -> dict[str, Any]:
    """Worker entry point: test the profile in a folder, and refuse it where it may not be stored or used.

    Its shapes are vetted and compiled, and the profile's examples are validated against them.

    Args:
        folder: with ``profile.toml``, ``shapes.ttl`` and ``examples``.
        extends: folders of all profiles that it extends.
        examples: whether to validate its examples; False where the profile is not stored.

    Returns:
        ``title``, ``version`` and, as ``shapes``, the number of shapes with targets.

    Raises:
        UsageError: it may not be stored or used; the message states why.
        ReadError: its shapes are not in Turtle.
        Damaged: ``profile.toml`` or the shapes cannot be parsed.
    """
    from provrepo.checks.shacl.graph import Graph
    from provrepo.checks.shapes.pyshacl_engine import PyShacl

    profile = read(Path(folder))
    count = vet_shapes(profile.shapes.read_bytes())
    PyShacl().validate(Graph(), profile.shapes)
    if examples:
        _examples(profile, [read(Path(other)) for other in extends])
    return {"title": profile.title, "version": profile.version, "shapes": count}


def _examples(profile: Profile, extends: list[Profile]) -> None:
    from provrepo.checks.render import rule_name
    from provrepo.checks.validation import check
    from provrepo.codecs import formats

    known = {other.name: other for other in extends}
    chosen = resolve([profile], find=known.__getitem__)
    for example in [*profile.good(), *profile.bad()]:
        data = example.path.read_bytes()
        report = check(formats.read(example.path), profiles=chosen, constraints="off", source=data)
        found = {rule_name(f).removeprefix(f"{profile.name}:") for f in report.findings if f.profile is not None}
        if not example.violates and not report.conforms:
            raise UsageError(f"the good example {example.path.name} does not conform: {', '.join(sorted(found))}")
        if not example.violates <= found:
            missing = ", ".join(sorted(example.violates - found))
            raise UsageError(f"the bad example {example.path.name} does not violate {missing}")


def vet_shapes(turtle: bytes) -> int:
    """Refuse a file of shapes that may not be stored or used.

    Returns:
        The number of shapes with targets.

    Raises:
        UsageError: it has forbidden or malformed parts, or too many; the message names the shape.
        ReadError: it is not in Turtle.
    """
    from provrepo.codecs.guards import check
    from provrepo.codecs.rdf.codec import parse, remarks

    if len(turtle) > MOST_BYTES:
        raise UsageError(f"{len(turtle):,} bytes of shapes are more than {MOST_BYTES:,}")
    check(turtle, "turtle")
    for remark in remarks(turtle, "turtle"):
        # The engine parses the original text, without the repairs that our reader makes.
        raise ReadError(remark.message, line=remark.line, column=remark.column, format="turtle")
    quads = parse(turtle, "turtle").quads
    if len(quads) > MOST_TRIPLES:
        raise UsageError(f"{len(quads):,} triples of shapes are more than {MOST_TRIPLES:,}")
    for quad in quads:
        if quad.predicate == OWL + "imports":
            raise UsageError(f"owl:imports is not followed: put the shapes of {quad.object} into the file, or extend")
    _structure(quads)
    targeted = require_shapes(quads)
    prefixes = _prefixes(quads)
    flags = {q.subject: _text(q) for q in quads if q.predicate == SH + "flags"}
    for quad in quads:
        if quad.predicate == SH + "pattern":
            _pattern(_text(quad), flags.get(quad.subject, ""), quad.subject)
        elif quad.predicate in (SH + "select", SH + "ask"):
            _query(_text(quad), prefixes, quad.subject, selects=quad.predicate == SH + "select")
    return len(targeted)


def _text(quad: Quad) -> str:
    if isinstance(quad.object, Literal):
        return quad.object.lexical
    raise UsageError(f"sh:{quad.predicate.removeprefix(SH)} of {quad.subject} is not a text")


# Structure ------------------------------------------------------------------------------------------------------


def _structure(quads: Iterable[Quad]) -> None:
    """Refuse too many shapes, and shapes and paths that are nested too deeply or cyclic."""
    shapes: Edges = {}
    paths: Edges = {}
    found: set[Value] = set()
    for subject, predicate, value, _ in quads:
        if predicate in _NESTING:
            found.update((subject, value))
        if predicate in TARGETS or predicate == SH + "path":
            found.add(subject)
        for edges, nesting in ((shapes, _NESTING), (paths, _PATHS)):
            if predicate in nesting or predicate in _LIST:
                edges.setdefault(subject, []).append((value, int(predicate in nesting)))
    if len(found) > MOST_SHAPES:
        raise UsageError(f"{len(found):,} shapes are more than {MOST_SHAPES:,}")
    _require_shallow(shapes, "shapes")
    _require_shallow(paths, "paths")


Edges = dict[Value, list[tuple[Value, int]]]
"""The successors of each node, each with the levels of nesting that the edge adds: 0 within a list, otherwise 1."""


def _require_shallow(edges: Edges, what: str) -> None:
    """Refuse cycles and too many levels, by a depth-first traversal from every node without recursion."""
    depths: dict[Value, int] = {}
    for start, inner in edges.items():
        stack = [(start, iter(inner))]
        above = {start}
        while stack:
            node, rest = stack[-1]
            following = next((value for value, _ in rest if value in edges and value not in depths), None)
            if following is not None:
                if following in above:
                    raise UsageError(f"{what} refer to themselves at {following}")
                above.add(following)
                stack.append((following, iter(edges[following])))
                continue
            stack.pop()
            above.discard(node)
            depths[node] = max(depths.get(value, 0) + step for value, step in edges[node])
            if depths[node] > DEEPEST:
                raise UsageError(f"{what} are nested deeper than {DEEPEST} levels at {node}")


# Patterns and queries -------------------------------------------------------------------------------------------


def _pattern(pattern: str, flags: str, where: str) -> None:
    """Refuse a pattern that backtracking engines may need too long for."""
    reason = why_refused(pattern, python_flags(flags))
    if reason is not None:
        slow = "" if reason.startswith(NOT_UNDERSTOOD) else "could take forever: "
        raise UsageError(f"the pattern {pattern[:80]!r} of {where} {slow}{reason}")


def _prefixes(quads: Iterable[Quad]) -> dict[str, str]:
    """The prefixes of all values of ``sh:declare`` in the file."""
    declarations: dict[Identifier, dict[str, str]] = {}
    for subject, predicate, value, _ in quads:
        if predicate in (SH + "prefix", SH + "namespace") and isinstance(value, Literal):
            declarations.setdefault(subject, {})[predicate] = value.lexical
    return {one[SH + "prefix"]: one[SH + "namespace"] for one in declarations.values() if len(one) == 2}


_BRACKET = re.compile(r"[{}()\[\]]")


def _query(text: str, prefixes: dict[str, str], where: str, *, selects: bool) -> None:
    """Refuse a query that accesses other data or is too expensive; rdflib parses it, as when it runs."""
    from rdflib.plugins.sparql.parser import parseQuery

    if len(text) > LONGEST_QUERY:
        raise UsageError(f"the query of {where} has more than {LONGEST_QUERY:,} characters")
    depth = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "{([" else -1
        if depth > DEEPEST_QUERY:
            raise UsageError(f"the query of {where} nests brackets deeper than {DEEPEST_QUERY} levels")
    declared = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in prefixes.items())
    try:
        parsed = parseQuery(declared + text)
    except Exception as error:
        raise UsageError(f"the query of {where} cannot be understood: {error}") from error
    if selects and not _selects_this(parsed):
        # SHACL-SPARQL, sections 5.2.1 and 6.2.2: without $this the results would have no focus node.
        raise UsageError(f"the query of {where} has to be a SELECT of $this")
    for part in _parts(parsed):
        match part.name:
            case "ServiceGraphPattern":
                raise UsageError(f"the query of {where} calls another server (SERVICE), which shapes may not")
            case "DatasetClause":
                raise UsageError(f"the query of {where} reads other data (FROM), which shapes may not")
            case "Builtin_REGEX" | "Builtin_REPLACE":
                _regex(part, where, replaces=part.name == "Builtin_REPLACE")


def _selects_this(parsed: Any) -> bool:
    query = parsed[1]
    if query.name != "SelectQuery":
        return False
    chosen = query.get("projection")
    # For "SELECT *" there is no projection, and the parser returns its name instead.
    return isinstance(chosen, str) or any("this" in (str(one.get("var")), str(one.get("evar"))) for one in chosen)


def _regex(part: Any, where: str, *, replaces: bool) -> None:
    """Refuse a call of REGEX or REPLACE whose pattern is computed, or that could take too long."""
    pattern = part.get("pattern")
    texts = [inner.get("string") for inner in _parts(pattern) if inner.name == "literal"]
    computed = any(inner.name.startswith(("Builtin_", "Function")) for inner in _parts(pattern))
    if len(texts) != 1 or computed:
        raise UsageError(f"the query of {where} computes a regular expression, which cannot be checked in advance")
    given = [str(inner.get("string")) for inner in _parts(part.get("flags")) if inner.name == "literal"]
    _pattern(str(texts[0]), "".join(given), where)
    if replaces and (reason := why_replace_refused(str(texts[0]))):
        raise UsageError(f"the query of {where} could take forever to replace {str(texts[0])[:80]!r}: {reason}")


def _parts(parsed: Any) -> Iterator[Any]:
    """Every part of a parsed query that has a name."""
    pending = [parsed]
    while pending:
        item = pending.pop()
        if hasattr(item, "name") and isinstance(item, dict):
            yield item
            pending.extend(item.values())
        elif isinstance(item, str):
            continue
        elif isinstance(item, Iterable):
            pending.extend(item)

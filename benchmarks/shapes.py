"""SHACL: triples per second for each profile, on documents that conform and on documents with many violations."""

from __future__ import annotations

import gc
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.generate import pipeline
from benchmarks.measure import isolated, stopwatch
from provrepo.checks.profiles import Profile, available, load, resolve
from provrepo.checks.shacl import ntriples
from provrepo.checks.shapes.instances import HIERARCHY, instance_graphs
from provrepo.codecs import formats
from provrepo.model.document import Quad

_OURS = re.compile(rb"<(http://example\.org/|https://lab\.example\.org/)|_:")


def copies(profile: Profile, bad: bool, triples: int) -> bytes:
    """Copies of the examples of a profile, each with other names, as N-Triples.

    Persistent identifiers and terms are unchanged, since profiles check them.

    Args:
        profile: the profile.
        bad: use the examples that violate the profile.
        triples: the least number of triples.
    """
    examples = profile.bad() if bad else profile.good()
    once = [b"".join(ntriples.lines(_triples(example.path))) for example in examples]
    written = [b"".join(ntriples.lines(HIERARCHY))]
    count, number = len(HIERARCHY), 0
    while count < triples:
        text = once[number % len(once)]
        written.append(_OURS.sub(lambda found, n=number: found[0] + b"n%d-" % n, text))  # type: ignore[misc]
        count += text.count(b"\n")
        number += 1
    return b"".join(written)


def _triples(path: Path) -> Iterator[Quad]:
    for instance in instance_graphs(formats.read(path)):
        yield from (triple for triple in instance.graph.quads() if triple not in HIERARCHY)


def measure(profile: str, bad: bool, triples: int) -> dict[str, Any]:
    """Check one document against a profile and those that it extends, in a process of its own, as in a worker."""
    from provrepo.checks.shapes.validator import validate_graph

    chosen = resolve([profile])
    data = copies(load(profile), bad, triples)
    files = [each.shapes for each in chosen]
    validate_graph(ntriples.read(b""), files)
    with stopwatch() as watch:
        results = validate_graph(ntriples.read(data), files)
    return {"triples": data.count(b"\n"), "seconds": watch.seconds, "results": sum(map(len, results))}


def whole(statements: int, profile: str) -> dict[str, Any]:
    """Read and check one PROV-JSON document, as for a submission."""
    from provrepo.repository.submission.worker import run

    folders = [str(each.folder) for each in resolve([profile])]
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(pipeline(statements).write("provjson"))
        file.flush()
        gc.collect()
        with stopwatch() as watch:
            result = run(file.name, format="provjson", profiles=folders, constraints="off")
    return {"statements": statements, "seconds": watch.seconds, "findings": len(result["report"]["findings"])}


def table(sizes: list[int]) -> list[str]:
    """The rows of the Markdown table."""
    rows = [
        "| profile | document | triples | results | seconds | triples/s | peak MiB |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for size in dict.fromkeys(sizes):
        # A million triples are measured with the profile of most submissions.
        for profile in available() if size <= 100_000 else [load("core")]:
            for bad in (False, True):
                found = isolated("shapes", profile=profile.name, bad=bad, triples=size)
                rows.append(
                    f"| {profile.name} | {'violations' if bad else 'conforms'} | {found['triples']:,} "
                    f"| {found['results']:,} | {found['seconds']:.2f} | {found['triples'] / found['seconds']:,.0f} "
                    f"| {found['peak_mib']:.0f} |"
                )
    return rows


def peers(bad: bool, triples: int) -> dict[str, Any]:
    """Seconds of unmodified pySHACL on a graph of rdflib, and on a store of Oxigraph with the same triples."""
    import pyoxigraph
    import pyshacl
    import rdflib

    data = copies(load("core"), bad, triples)
    shapes = rdflib.Graph().parse(load("core").shapes)
    graph = rdflib.Graph().parse(data=data.decode(), format="nt")
    store = pyoxigraph.Store()
    store.load(data, format=pyoxigraph.RdfFormat.N_TRIPLES)
    seconds: dict[str, Any] = {"triples": data.count(b"\n")}
    for name, loaded in (("rdflib", graph), ("oxigraph", store)):
        with stopwatch() as watch:
            pyshacl.validate(loaded, shacl_graph=shapes, inference="none", inplace=True)
        seconds[name] = watch.seconds
    return seconds

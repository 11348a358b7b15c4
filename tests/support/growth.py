"""The growth of processor time with the size of a document: families of inputs at n, 2n, 4n …, read, checked, written.

``python -m tests.support.growth [--only PATTERN] [--seconds S]`` measures each family and operation, and prints those
that grow faster than n log n. ``tests/codecs/test_growth.py`` counts executed lines for small inputs, which do not
depend on the load of the machine; this module measures time, because loops in C execute no lines of Python.
"""

from __future__ import annotations

import argparse
import fnmatch
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from provrepo.errors import Error
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier
from tests.support.growth_documents import DOCUMENTS
from tests.support.growth_sources import SOURCES

__all__ = ["OPERATIONS", "READ", "TOO_FAST", "Job", "cases", "growth"]

# --- operations --------------------------------------------------------------------------------------------------

Job = Callable[[], object]


def _prepared(document: Document) -> bytes:
    from provrepo.codecs import formats

    return formats.write(document, "provn")


def read(data: bytes, name: str) -> Job:
    """Read a source."""
    from provrepo.codecs import formats

    return lambda: formats.read(data, format=name)


def dataset(data: bytes, name: str) -> Job:
    """Read a source and write its quads with their completion."""
    from provrepo.codecs import formats
    from provrepo.codecs.rdf.dataset import read_for_dataset, write_nquads

    format_ = formats.by_name(name)

    def run() -> object:
        document, quads = read_for_dataset(data, format_, None)
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder, "quads.nq")
            version = Identifier("urn:v")
            return write_nquads(
                data,
                document,
                format_,
                None,
                version=version,
                mint_blank=lambda number: Identifier(f"urn:genid:{number}"),
                output=output,
                quads=quads,
            )

    return run


def checked(document: Document, source: bytes) -> Job:
    """Check a document by PROV-CONSTRAINTS and write the report."""
    from provrepo.checks.render import render
    from provrepo.checks.validation import validate

    def run() -> object:
        report = validate(document, constraints="gate", source=source)
        return [render(report, output, "a") for output in ("text", "html", "json", "junit", "sarif", "turtle")]

    return run


def _write(name: str) -> Callable[[Document], Job]:
    from provrepo.codecs import formats

    return lambda document: lambda: (formats.write(document, name), formats.losses(document, name))


def compared(document: Document) -> Job:
    """Compare a document with a copy, and with one that has half of its statements."""
    from provrepo.codecs import formats

    other = formats.read(formats.write(document, "nquads"), format="nquads")
    half = Document(document.statements[::2], document.bundles[::2], document.prefixes)
    return lambda: (document.compare(other), document.compare(half))


def normalized(document: Document) -> Job:
    """Compute the normal form of PROV-CONSTRAINTS and compare it with that of a copy."""
    return lambda: (document.normalized(), document.compare(document).equivalent)


READ = ("provn", "provjson", "provxml", "provjsonld", "turtle", "trig", "nquads", "rdfxml", "rdfjsonld")


OPERATIONS: dict[str, Callable[[Document], Job]] = {
    "check": lambda document: checked(document, _prepared(document)),
    "compare": compared,
    "normalize": normalized,
    **{
        f"write {name}": _write(name)
        for name in (
            *READ, "ntriples", "svg",
        )
    },
}  # fmt: skip
"""The operations on a document, by name."""


def cases() -> Iterator[tuple[str, str, Callable[[int], Job]]]:
    """Each family and operation, with a function that makes the job of a size."""
    from provrepo.codecs import formats

    for family, shape in DOCUMENTS.items():
        for operation, prepare in OPERATIONS.items():
            yield family, operation, lambda n, shape=shape, prepare=prepare: prepare(shape(n))
        for name in READ:
            yield (
                family,
                f"take in {name}",
                lambda n, shape=shape, name=name: dataset(formats.write(shape(n), name), name),
            )
    for family, (name, spelled) in SOURCES.items():
        yield family, "take in", lambda n, spelled=spelled, name=name: dataset(spelled(n).encode(), name)
        yield family, "check", lambda n, spelled=spelled, name=name: _checked_source(spelled(n).encode(), name)


def _checked_source(data: bytes, name: str) -> Job:
    from provrepo.codecs import formats

    try:
        document = formats.read(data, format=name)
    except Error:
        return lambda: None
    return checked(document, data)


# --- measuring ---------------------------------------------------------------------------------------------------

TOO_FAST = 1.4
"""The largest accepted exponent: n log n over a doubling has about 1.1, and noise adds 0.2."""


def seconds(job: Job) -> float:
    """The processor seconds of a job, whether its input is accepted or refused."""
    before = time.process_time()
    try:
        job()
    except Error:
        pass
    return time.process_time() - before


def growth(prepare: Callable[[int], Job], least: float) -> tuple[int, float, float]:
    """The largest measured size, its seconds, and the exponent over the last two doublings."""
    measured: list[float] = []
    size = 250
    while True:
        try:
            job = prepare(size)
        except Error:
            return size, 0.0, 0.0
        measured.append(seconds(job))
        if measured[-1] >= least or size >= 256_000:
            break
        size *= 2
    if len(measured) < 3 or measured[-1] < least / 4:
        exponent = math.log2(measured[-1] / max(measured[-2], 1e-3)) if len(measured) > 1 else 0.0
        return size, measured[-1], exponent if measured[-1] >= least / 4 else 0.0
    return size, measured[-1], math.log2(measured[-1] / max(measured[-3], 1e-4)) / 2


def main() -> int:
    """Measure and print what grows too fast; returns 1 where there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", help="families and operations as FAMILY/OPERATION, with wildcards")
    parser.add_argument("--seconds", type=float, default=0.4, help="how long the largest size takes at least")
    parser.add_argument("--all", action="store_true", help="print everything that is measured")
    options = parser.parse_args()
    bad = 0
    for family, operation, prepare in cases():
        name = f"{family}/{operation}"
        if not fnmatch.fnmatch(name, options.only):
            continue
        size, spent, exponent = growth(prepare, options.seconds)
        if exponent > TOO_FAST:
            size, spent, exponent = growth(prepare, options.seconds * 2)  # once more, against noise
        if exponent > TOO_FAST or options.all:
            print(f"{exponent:5.2f}  n={size:<7} {spent:6.2f} s  {name}", flush=True)
        bad += exponent > TOO_FAST
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

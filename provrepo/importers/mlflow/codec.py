"""The codec of MLflow: snapshots of runs, which are made of a tracking store or asked of a tracking server."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from provrepo.errors import Error
from provrepo.http_client.client import HttpClient
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import Problem, parse, unwritable
from provrepo.importers.mlflow.database import opened, tracked_in, waiting
from provrepo.importers.mlflow.file_store import stores_in
from provrepo.importers.mlflow.names import FORMAT, ROOT, TERMS, Names
from provrepo.importers.mlflow.records import SNAPSHOT, snapshots
from provrepo.importers.mlflow.server import Server, run_of
from provrepo.importers.mlflow.stating import Stating
from provrepo.importers.parts import Collected, Part, Skipped
from provrepo.importers.payload import state_payload
from provrepo.importers.sources import SourceFile
from provrepo.importers.statements import Statements
from provrepo.model.document import Document, SourceBytes
from provrepo.settings import mlflow_token
from provrepo.vocab import DCAT, DCTERMS, MLS, PROVREPO, RDF, RDFS, SCHEMA, SPDX, XSD

__all__ = ["MAPPING", "ask", "collect", "read"]

MAPPING = "mlflow/1"
"""The version of the mapping from snapshots to statements."""

_PREFIXES = {
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "mlflow": TERMS,
    "mls": MLS,
    "provrepo": PROVREPO,
    "rdf": RDF,
    "rdfs": RDFS,
    "run": f"{ROOT}run/",
    "schema": SCHEMA,
    "spdx": SPDX,
    "xsd": XSD,
}
_MEMBERS = (SNAPSHOT, "experiment", "run", "models", "links", "versions")


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Read snapshots, or the runs that an answer of REST has (``runs/get``, ``runs/search``), as a document.

    Args:
        data: UTF-8: a JSON object, an array of such, or JSON lines.
        format: ``mlflow``.
        base: the beginning of minted IRIs.

    Raises:
        ReadError: not JSON, with line and column.
    """
    names = Names.below(base)
    statements, findings = Statements(), Findings(FORMAT, "snapshot")
    state_payload(statements, names.made(sha256(data).hexdigest()), data, MAPPING, [])
    for line, pointer, found in parse(data, FORMAT):
        wrong = next(unwritable(found, ""), None)
        snapshot = [("", found)] if isinstance(found, dict) and SNAPSHOT in found else list(_answered(found))
        if wrong is not None or not snapshot:
            problem = wrong or Problem("", "no run of MLflow", fatal=True)
            findings.add([problem], line, pointer)
            continue
        for place, each in snapshot:
            problems: list[Problem] = []
            stating = Stating(statements, names, problems)
            stating.known(each, _MEMBERS, "")
            stating.state(each)
            findings.add(problems, line, f"{pointer}{place}")
    document = statements.document(_PREFIXES)
    document.warnings = findings.warnings()
    document.source = SourceBytes(data, FORMAT, base, len(document))
    return document


def _answered(found: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The runs of an answer of REST as snapshots."""
    if not isinstance(found, dict):
        return
    runs = found.get("runs")
    for number, each in enumerate(runs if isinstance(runs, list) else []):
        if run := run_of(each):
            yield f"/runs/{number}", {SNAPSHOT: 1, "run": run}
    if run := run_of(found.get("run")):
        yield "/run", {SNAPSHOT: 1, "run": run}


def collect(files: Sequence[SourceFile], root: Path | None) -> Iterator[Collected]:  # noqa: ARG001
    """The runs of the tracking stores among some files: of databases of SQLite, and of folders with ``meta.yaml``."""
    of_artifacts = frozenset(file.path for file in files if "/artifacts/" in f"/{file.path}")
    taken: frozenset[str] = frozenset()
    for store in stores_in(files):
        own = frozenset(file.path for file in store.files.values())
        try:
            parts = list(snapshots(store.tracked(), store.folder or "the folder"))
        except OSError as error:
            yield Collected(Skipped(store.folder, error.strerror or str(error)), own)
            continue
        yield from (Collected(part, own) for part in parts)
        yield from (Collected(skipped, own) for skipped in store.skipped)
        taken |= own
    for file in files:
        if file.path in taken or file.size < 100:
            continue
        paths = frozenset({file.path})
        try:
            connection = opened(file)
            if connection is None:
                continue
            if waiting(file):
                text = "the latest changes are in a file beside it (-wal), which is not read; stop the server first"
                yield Collected(Skipped(file.place, text), paths)
            try:
                parts = list(snapshots(tracked_in(connection, list(files)), file.place))
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as error:
            yield Collected(Skipped(file.place, f"this database cannot be read: {error}"), paths)
            continue
        for part in parts:
            yield Collected(part, paths | of_artifacts)


def ask(url: str, chosen: Collection[str]) -> Iterator[Part | Skipped]:
    """The runs that a tracking server has. Only addresses below that of the server are asked.

    Args:
        url: the address of the server. The token of ``MLFLOW_TRACKING_TOKEN`` is sent if ``MLFLOW_TRACKING_URI`` is
            this address.
        chosen: names or numbers of experiments; all without any.

    Raises:
        UsageError: there is no such experiment.
        Error: the server cannot be reached, or is none of MLflow.
    """
    with HttpClient(url, token=mlflow_token(url)) as client:
        server = Server(client)
        for experiment in server.experiments(chosen):
            try:
                tracked = server.tracked(experiment)
                server.versions(tracked)
            except Error as error:
                yield Skipped(f"{client.url}: experiment {experiment.get('name')}", str(error))
                continue
            yield from snapshots(tracked, client.url)
        yield from (Skipped(client.url, note) for note in server.notes)

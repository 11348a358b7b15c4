"""Reads a tracking store of MLflow in SQLite, which nobody has to trust.

The file is opened as immutable, and nothing is written. SQLite may only select from tables: no views, functions,
triggers or extensions are evaluated, values have a limit, and a deadline ends a read that takes too long.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from provrepo.importers.json_values import canonical
from provrepo.importers.mlflow.artifacts import artifacts_in, described
from provrepo.importers.mlflow.records import (
    DATASET,
    EXPERIMENT,
    LINK,
    MODEL,
    MODEL_STATUSES,
    RUN,
    VERSION,
    Tracked,
    history,
    kept,
)
from provrepo.importers.sources import SourceFile

__all__ = ["MAGIC", "opened", "tracked_in", "waiting"]

MAGIC = b"SQLite format 3\0"
"""The beginning of a file of SQLite (https://www.sqlite.org/fileformat2.html, section 1.3)."""

_NEEDED = {"experiments", "runs", "params", "tags", "metrics"}
"""The tables by which a tracking store is recognized."""

_SECONDS = 300.0
_LONGEST = 16 << 20
"""The most bytes of a value or row."""

_STEPS = 100_000
"""Instructions of SQLite between two looks at the clock."""


def opened(file: SourceFile) -> sqlite3.Connection | None:
    """A connection to a tracking store; None if the file is no database or no such store.

    Raises:
        sqlite3.Error: it is damaged.
        OSError: it cannot be read.
    """
    if file.read(len(MAGIC)) != MAGIC:
        return None
    if file.open is not None:
        address = f"file:{quote(file.place)}?mode=ro&immutable=1"
        connection = sqlite3.connect(address, uri=True, isolation_level=None)
    else:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.deserialize(file.read(file.size))
    try:
        _restrict(connection)
        if _tables(connection) >= _NEEDED:
            return connection
    except sqlite3.Error:
        connection.close()
        raise
    connection.close()
    return None


def _restrict(connection: sqlite3.Connection) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 1 << 16)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    connection.set_authorizer(_authorized)
    end = time.monotonic() + _SECONDS
    connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)


def _authorized(action: int, *_: Any) -> int:
    return sqlite3.SQLITE_OK if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ) else sqlite3.SQLITE_DENY


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def waiting(file: SourceFile) -> bool:
    """Whether changes of a database wait in a file beside it, which is not read."""
    beside = Path(f"{file.place}-wal")
    return file.open is not None and beside.is_file() and beside.stat().st_size > 0


class _Reader:
    """Reads rows as objects, of tables that the version of the store may not have."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.tables = _tables(connection)

    def rows(self, table: str, column: str = "", value: Any = None) -> Iterator[dict[str, Any]]:
        if table not in self.tables:
            return
        where = f' WHERE "{column}" = ?' if column else ""
        cursor = self._connection.execute(
            f'SELECT * FROM "{table}"{where}',  # noqa: S608  # names of this module
            (value,) if column else (),
        )
        names = [str(each[0]) for each in cursor.description]
        for row in cursor:
            yield dict(zip(names, (None if isinstance(each, bytes) else each for each in row), strict=True))

    def pairs(self, table: str, column: str, value: Any, key: str = "key", found: str = "value") -> dict[str, str]:
        """The parameters or tags of something."""
        return {
            str(row[key]): str(row[found])
            for row in self.rows(table, column, value)
            if row.get(key) is not None and row.get(found) is not None
        }


def tracked_in(connection: sqlite3.Connection, files: list[SourceFile]) -> Tracked:
    """What a store has tracked.

    Args:
        connection: of ``opened``.
        files: those of the folder, among which artifacts are found.

    Raises:
        sqlite3.Error: it is damaged, or something in it is no table.
        OSError: an artifact cannot be read.
    """
    reader, found = _Reader(connection), Tracked()
    artifacts = artifacts_in(files)
    for row in reader.rows("experiments"):
        tags = reader.pairs("experiment_tags", "experiment_id", row.get("experiment_id"))
        row["experiment_id"] = str(row.get("experiment_id"))
        found.experiments[row["experiment_id"]] = {**kept(row, EXPERIMENT), **kept({"tags": tags}, ["tags"])}
    datasets = {row.get("dataset_uuid"): _dataset(row) for row in reader.rows("datasets")}
    inputs = _inputs(reader, datasets)
    for row in reader.rows("runs"):
        id_ = row.get("run_uuid")
        if isinstance(id_, str) and id_:
            found.runs.append(_run(reader, id_, row, inputs.get(id_, {}), artifacts))
    for row in reader.rows("logged_models"):
        if isinstance(id_ := row.get("model_id"), str) and id_:
            found.models[id_] = _model(reader, id_, row, artifacts)
    for row in reader.rows("logged_model_metrics"):
        found.links.append(kept({**row, "key": row.get("metric_name")}, LINK))
    aliases: dict[tuple[Any, str], list[str]] = {}
    for row in reader.rows("registered_model_aliases"):
        aliases.setdefault((row.get("name"), str(row.get("version"))), []).append(str(row.get("alias")))
    tags_of: dict[tuple[Any, str], dict[str, str]] = {}
    for row in reader.rows("model_version_tags"):
        tags_of.setdefault((row.get("name"), str(row.get("version"))), {})[str(row.get("key"))] = str(row.get("value"))
    for row in reader.rows("model_versions"):
        key = row.get("name"), str(row.get("version"))
        more = {"aliases": sorted(aliases.get(key, [])), "tags": tags_of.get(key, {})}
        about = {**row, "version": key[1], "creation_timestamp": row.get("creation_time")}
        found.versions.append({**kept(about, VERSION), **kept(more, more)})
    return found


def _dataset(row: dict[str, Any]) -> dict[str, Any]:
    of_source = {name.removeprefix("dataset_"): each for name, each in row.items() if name.startswith("dataset_")}
    return kept({**row, **of_source}, DATASET)


def _inputs(reader: _Reader, datasets: dict[Any, dict[str, Any]]) -> dict[str, dict[str, list[Any]]]:
    """The datasets and models that each run used and made: run → ``datasets``, ``inputs``, ``outputs``."""
    tags: dict[Any, dict[str, str]] = {}
    for row in reader.rows("input_tags"):
        tags.setdefault(row.get("input_uuid"), {})[str(row.get("name"))] = str(row.get("value"))
    found: dict[str, dict[str, list[Any]]] = {}
    for row in reader.rows("inputs"):
        kind, source, target = row.get("source_type"), row.get("source_id"), row.get("destination_id")
        if kind == "DATASET" and source in datasets:
            of_input = kept({"tags": tags.get(row.get("input_uuid"), {})}, ["tags"])
            found.setdefault(str(target), {}).setdefault("datasets", []).append({**datasets[source], **of_input})
        elif kind in ("RUN_OUTPUT", "RUN_INPUT"):
            member = "outputs" if kind == "RUN_OUTPUT" else "inputs"
            found.setdefault(str(source), {}).setdefault(member, []).append(str(target))
    return found


def _run(
    reader: _Reader,
    id_: str,
    row: dict[str, Any],
    inputs: dict[str, list[Any]],
    artifacts: dict[str, list[tuple[str, SourceFile]]],
) -> dict[str, Any]:
    points: dict[str, list[tuple[Any, Any, Any]]] = {}
    for metric in reader.rows("metrics", "run_uuid", id_):
        value = "NaN" if metric.get("is_nan") else metric.get("value")
        points.setdefault(str(metric.get("key")), []).append((metric.get("step"), metric.get("timestamp"), value))
    more = {
        "params": reader.pairs("params", "run_uuid", id_),
        "tags": reader.pairs("tags", "run_uuid", id_),
        "metrics": {key: history(each) for key, each in points.items()},
        "datasets": sorted(inputs.get("datasets", []), key=canonical),
        "inputs": sorted(inputs.get("inputs", [])),
        "outputs": sorted(inputs.get("outputs", [])),
        "files": described(artifacts.get(id_, [])),
    }
    about = {**row, "run_id": id_, "run_name": row.get("name"), "experiment_id": str(row.get("experiment_id"))}
    return {**kept(about, RUN), **kept(more, more)}


def _model(
    reader: _Reader, id_: str, row: dict[str, Any], artifacts: dict[str, list[tuple[str, SourceFile]]]
) -> dict[str, Any]:
    more = {
        "params": reader.pairs("logged_model_params", "model_id", id_, "param_key", "param_value"),
        "tags": reader.pairs("logged_model_tags", "model_id", id_, "tag_key", "tag_value"),
        "files": described(artifacts.get(id_, [])),
    }
    about = {
        **row,
        "experiment_id": str(row.get("experiment_id")),
        "artifact_uri": row.get("artifact_location"),
        "lifecycle_stage": None if row.get("lifecycle_stage") == "active" else row.get("lifecycle_stage"),
        "status": MODEL_STATUSES.get(row.get("status"), str(row.get("status"))),  # type: ignore[arg-type]
    }
    return {**kept(about, MODEL), **kept(more, more)}

"""The same runs in the three stores of MLflow: a database, files, and the answers of a server."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ["BROKEN", "MODEL", "PARENT", "TRAIN", "database", "file_store", "server"]

PARENT, TRAIN, BROKEN = "0" * 31 + "1", "0" * 31 + "2", "0" * 31 + "3"
MODEL = "m-" + "a" * 32
COMMIT = "d3b218b49706921e4f32c4336e5e4e4f05c18a5a"
START = 1_795_187_006_000
USER = {"mlflow.user": "ana", "mlflow.source.name": "train.py", "mlflow.source.git.commit": COMMIT}

RUNS: list[dict[str, Any]] = [
    {"id": PARENT, "name": "search", "status": 3, "tags": USER, "params": {}, "metrics": {}},
    {
        "id": TRAIN,
        "name": "train",
        "status": 3,
        "tags": {**USER, "mlflow.parentRunId": PARENT, "team": "agro"},
        "params": {"alpha": "1.0", "random_state": "7", "api_token": "hush-hush"},
        "metrics": {"loss": [(START + n, 1 / (n + 1), n) for n in range(3)], "r2": [(START, 0.9, 0)]},
    },
    {"id": BROKEN, "name": "broken", "status": 4, "tags": USER, "params": {}, "metrics": {"loss": [(START, 2.0, 0)]}},
]
DATASETS = [("plots", "454d8bfd", "training"), ("held", "86b470dc", "validation")]
STATUSES = {3: "FINISHED", 4: "FAILED"}
FILES = {
    "MLmodel": "mlflow_version: 3.17.2\nflavors:\n  python_function:\n    python_version: 3.11.7\n",
    "requirements.txt": "mlflow==3.17.2\nscikit-learn==1.9.1\n",
    "model.pkl": "a model",
}


def database(path: Path) -> Path:
    """Write a database as SQLAlchemy's store has it."""
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE experiments (experiment_id INTEGER, name TEXT, lifecycle_stage TEXT, creation_time BIGINT);
        CREATE TABLE runs (run_uuid TEXT, name TEXT, user_id TEXT, status TEXT, start_time BIGINT, end_time BIGINT,
            lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER);
        CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
        CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
        CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan BOOLEAN);
        CREATE TABLE datasets (dataset_uuid TEXT, experiment_id INTEGER, name TEXT, digest TEXT,
            dataset_source_type TEXT, dataset_source TEXT);
        CREATE TABLE inputs (input_uuid TEXT, source_type TEXT, source_id TEXT, destination_type TEXT,
            destination_id TEXT);
        CREATE TABLE input_tags (input_uuid TEXT, name TEXT, value TEXT);
        CREATE TABLE logged_models (model_id TEXT, experiment_id INTEGER, name TEXT, artifact_location TEXT,
            creation_timestamp_ms BIGINT, status INTEGER, lifecycle_stage TEXT, source_run_id TEXT);
        CREATE TABLE logged_model_metrics (model_id TEXT, metric_name TEXT, run_id TEXT, dataset_name TEXT,
            dataset_digest TEXT);
        CREATE TABLE model_versions (name TEXT, version INTEGER, creation_time BIGINT, current_stage TEXT,
            source TEXT, run_id TEXT, status TEXT);
        CREATE TABLE registered_model_aliases (name TEXT, version INTEGER, alias TEXT);
        """
    )

    def insert(table: str, *values: Any) -> None:
        connection.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(values))})", values)

    insert("experiments", 1, "crop-yield", "active", START)
    for run in RUNS:
        state = STATUSES[run["status"]]
        uri = f"mlruns/1/{run['id']}/artifacts"
        insert("runs", run["id"], run["name"], "ana", state, START, START + 9000, "active", uri, 1)
        for table in ("params", "tags"):
            for key, value in run[table].items():
                insert(table, key, value, run["id"])
        for key, points in run["metrics"].items():
            for time, value, step in points:
                insert("metrics", key, value, time, run["id"], step, 0)
    for name, digest, context in DATASETS:
        insert("datasets", name, 1, name, digest, "local", json.dumps({"uri": f"{name}.csv"}))
        insert("inputs", f"in-{name}", "DATASET", name, "RUN", TRAIN)
        insert("input_tags", f"in-{name}", "mlflow.data.context", context)
    insert("inputs", "out", "RUN_OUTPUT", TRAIN, "MODEL_OUTPUT", MODEL)
    insert("logged_models", MODEL, 1, "model", f"mlruns/1/models/{MODEL}/artifacts", START, 2, "active", TRAIN)
    insert("logged_model_metrics", MODEL, "r2", TRAIN, "held", "86b470dc")
    insert("model_versions", "ridge", 1, START, "None", f"models:/{MODEL}", TRAIN, "READY")
    insert("registered_model_aliases", "ridge", 1, "champion")
    connection.commit()
    connection.close()
    return path


def file_store(root: Path) -> Path:
    """Write the files of a FileStore."""

    def write(path: str, text: str | dict[str, Any]) -> None:
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text if isinstance(text, str) else json.dumps(text), "utf-8")  # JSON is YAML

    about = {"experiment_id": "1", "name": "crop-yield", "lifecycle_stage": "active", "creation_time": START}
    write("1/meta.yaml", about)
    for run in RUNS:
        folder = f"1/{run['id']}"
        meta = {"run_id": run["id"], "run_name": run["name"], "experiment_id": "1", "user_id": "ana"}
        meta |= {"status": run["status"], "start_time": START, "end_time": START + 9000, "lifecycle_stage": "active"}
        write(f"{folder}/meta.yaml", {**meta, "artifact_uri": f"mlruns/1/{run['id']}/artifacts"})
        for kind in ("params", "tags"):
            for key, value in run[kind].items():
                write(f"{folder}/{kind}/{key}", value)
        for key, points in run["metrics"].items():
            write(f"{folder}/metrics/{key}", "".join(f"{time} {value!r} {step}\n" for time, value, step in points))
    for name, digest, context in DATASETS:
        source = json.dumps({"uri": f"{name}.csv"})
        write(
            f"1/datasets/{name}/meta.yaml", {"name": name, "digest": digest, "source_type": "local", "source": source}
        )
        tags = {"mlflow.data.context": context}
        link = {"source_type": "DATASET", "source_id": name, "destination_type": "RUN", "tags": tags}
        write(f"1/{TRAIN}/inputs/in-{name}/meta.yaml", link)
    write(f"1/{TRAIN}/outputs/{MODEL}/meta.yaml", {"destination_id": MODEL, "destination_type": "MODEL_OUTPUT"})
    model = {"model_id": MODEL, "experiment_id": "1", "name": "model", "creation_timestamp": START, "status": 2}
    model |= {"artifact_location": f"mlruns/1/models/{MODEL}/artifacts", "source_run_id": TRAIN}
    write(f"1/models/{MODEL}/meta.yaml", model)
    write(f"1/models/{MODEL}/metrics/r2", f"{START} 0.9 0 {TRAIN} held 86b470dc\n")
    for name, text in FILES.items():
        write(f"1/models/{MODEL}/artifacts/{name}", text)
    version = {"name": "ridge", "version": 1, "creation_timestamp": START, "current_stage": "None", "run_id": TRAIN}
    write("models/ridge/version-1/meta.yaml", {**version, "source": f"models:/{MODEL}", "status": "READY"})
    write("models/ridge/meta.yaml", {"name": "ridge"})
    write("models/ridge/aliases/champion", "1")
    return root


def _pairs(found: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in found.items()]


def _answers() -> dict[str, Any]:
    """Path of REST → the member of its answer and the whole list, or an object."""
    runs = []
    for run in RUNS:
        last = [{"key": key, "value": each[-1][1], "timestamp": each[-1][0], "step": each[-1][2]}
                for key, each in run["metrics"].items()]  # fmt: skip
        used = [
            {
                "tags": _pairs({"mlflow.data.context": context}),
                "dataset": {"name": name, "digest": digest, "source_type": "local",
                            "source": json.dumps({"uri": f"{name}.csv"})},
            }
            for name, digest, context in DATASETS
            if run["id"] == TRAIN
        ]  # fmt: skip
        info = {"run_id": run["id"], "run_name": run["name"], "experiment_id": "1", "user_id": "ana"}
        info |= {"status": STATUSES[run["status"]], "start_time": START, "end_time": START + 9000}  # type: ignore[dict-item]
        info |= {"lifecycle_stage": "active", "artifact_uri": f"mlruns/1/{run['id']}/artifacts"}
        runs.append(
            {
                "info": info,
                "data": {"params": _pairs(run["params"]), "tags": _pairs(run["tags"]), "metrics": last},
                "inputs": {"dataset_inputs": used},
                "outputs": {"model_outputs": [{"model_id": MODEL}] if run["id"] == TRAIN else []},
            }
        )
    model = {"model_id": MODEL, "experiment_id": "1", "name": "model", "creation_timestamp_ms": START}
    model |= {"artifact_uri": f"mlruns/1/models/{MODEL}/artifacts", "status": "LOGGED_MODEL_READY"}
    metric = {"key": "r2", "run_id": TRAIN, "dataset_name": "held", "dataset_digest": "86b470dc", "value": 0.9}
    version = {"name": "ridge", "version": "1", "creation_timestamp": START, "current_stage": "None", "run_id": TRAIN}
    about = {"experiment_id": "1", "name": "crop-yield", "lifecycle_stage": "active", "creation_time": START}
    return {
        "experiments/search": ("experiments", [about]),
        "runs/search": ("runs", runs),
        "logged-models/search": (
            "models",
            [{"info": {**model, "source_run_id": TRAIN}, "data": {"metrics": [metric]}}],
        ),
        "registered-models/search": (
            "registered_models",
            [{"name": "ridge", "aliases": [{"alias": "champion", "version": "1"}]}],
        ),
        "model-versions/search": ("model_versions", [{**version, "source": f"models:/{MODEL}", "status": "READY"}]),
        f"logged-models/{MODEL}/artifacts/directories": (
            "files",
            [{"path": name, "is_dir": False, "file_size": len(text)} for name, text in FILES.items()],
        ),
        "artifacts/list": ("files", []),
    }


@contextmanager
def server(broken: frozenset[str] = frozenset()) -> Iterator[tuple[str, list[str]]]:
    """A server that answers as MLflow does, one element on each page.

    Args:
        broken: paths for which it fails.

    Yields:
        Its address, and the paths that were asked for.
    """
    answers, asked = _answers(), []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({key: each[0] for key, each in parse_qs(urlsplit(self.path).query).items()})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, query: dict[str, Any]) -> None:
            path = urlsplit(self.path).path
            asked.append(path)
            name = path.removeprefix("/api/2.0/mlflow/")
            if name in broken:
                self._send(500, b"{}")
            elif path.startswith("/ajax-api/"):
                self._send(200, FILES[query["artifact_file_path"]].encode())
            elif name == "metrics/get-history":
                run = next(each for each in RUNS if each["id"] == query["run_id"])
                points = run["metrics"][query["metric_key"]]
                self._page("metrics", [{"timestamp": t, "value": v, "step": s} for t, v, s in points], query)
            else:
                self._page(*answers[name], query)

        def _page(self, member: str, found: list[Any], query: dict[str, Any]) -> None:
            number = int(query.get("page_token") or 0)
            more = {"next_page_token": str(number + 1)} if number + 1 < len(found) else {}
            self._send(200, json.dumps({member: found[number : number + 1], **more}).encode())

        def _send(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{found.server_address[1]}", asked
        finally:
            found.shutdown()
            thread.join()

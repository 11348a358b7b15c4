"""Asks a tracking server of MLflow for its runs (REST API 2.0), and only the server that the user names.

https://mlflow.org/docs/latest/api_reference/rest-api.html. Artifacts are listed and not fetched, but for the small
files that describe the environment of a model.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from provrepo.errors import Error, RemoteError, Unreachable, UsageError
from provrepo.http_client.client import HttpClient
from provrepo.importers.json_values import canonical
from provrepo.importers.mlflow.artifacts import ARTIFACTS, ENVIRONMENT, TEXT_BYTES, text_of
from provrepo.importers.mlflow.records import (
    DATASET,
    EXPERIMENT,
    LINK,
    MODEL,
    RUN,
    VERSION,
    Tracked,
    history,
    kept,
    model_of,
)

__all__ = ["Server", "run_of"]

_API = "api/2.0/mlflow/"
_PAGES = 10_000
"""The most pages of one list."""

_BYTES = 64 << 20
"""The most bytes of one answer."""

_DEPTH = 8
"""The most folders below each other in which artifacts are listed."""


class Server:
    """A tracking server.

    Attributes:
        notes: what it did not tell.
    """

    def __init__(self, client: HttpClient) -> None:
        """Take the server.

        Args:
            client: for its address, without redirects.
        """
        self._client = client
        self.notes: list[str] = []

    def experiments(self, names: Collection[str]) -> list[dict[str, Any]]:
        """The experiments with these names or numbers; all without any.

        Raises:
            UsageError: there is no experiment of a name.
            Error: the server does not answer as MLflow does.
        """
        found = list(self._pages("experiments/search", "experiments", {"view_type": "ALL", "max_results": 1000}))
        if not names:
            return found
        chosen = [each for each in found if each.get("name") in names or each.get("experiment_id") in names]
        for name in names:
            if not any(name in (each.get("name"), each.get("experiment_id")) for each in chosen):
                raise UsageError(f"there is no experiment {name!r}; there are: {_some(found)}")
        return chosen

    def tracked(self, experiment: Mapping[str, Any]) -> Tracked:
        """What the server has tracked for an experiment."""
        number = _text(experiment.get("experiment_id"))
        found = Tracked({number: {**kept(experiment, EXPERIMENT), **kept({"tags": _pairs(experiment)}, ["tags"])}})
        query = {"experiment_ids": [number], "run_view_type": "ALL", "max_results": 1000}
        for each in self._pages("runs/search", "runs", query):
            run = run_of(each)
            if not run:
                continue
            id_ = str(run["run_id"])
            if "metrics" in run:
                run["metrics"] = {key: self._history(id_, key, metric) for key, metric in run["metrics"].items()}
            files = self._artifacts("artifacts/list", {"run_id": id_}, "get-artifact", {"run_uuid": id_})
            found.runs.append({**run, **kept({"files": files}, ["files"])})
        self._models(number, found)
        return found

    def versions(self, tracked: Tracked) -> None:
        """Add the versions of registered models that are of these runs or models."""
        runs = {str(run["run_id"]) for run in tracked.runs}
        aliases: dict[str, dict[str, list[str]]] = {}
        try:
            for each in self._pages("registered-models/search", "registered_models", {"max_results": 100}, get=True):
                of_name = aliases.setdefault(_text(each.get("name")), {})
                for alias in _objects(each.get("aliases")):
                    of_name.setdefault(_text(alias.get("version")), []).append(_text(alias.get("alias")))
            for each in self._pages("model-versions/search", "model_versions", {"max_results": 1000}, get=True):
                if model_of(_text(each.get("source"))) in tracked.models or each.get("run_id") in runs:
                    names = aliases.get(_text(each.get("name")), {}).get(_text(each.get("version")), [])
                    more = {"aliases": sorted(names), "tags": _pairs(each)}
                    tracked.versions.append({**kept(each, VERSION), **kept(more, more)})
        except (Unreachable, UsageError):
            raise
        except Error as error:
            self.notes.append(f"the registry of models was not read: {error}")

    def _models(self, experiment: str, found: Tracked) -> None:
        """The logged models of an experiment. Servers before MLflow 3 have none."""
        outputs = {id_ for run in found.runs for name in ("outputs", "inputs") for id_ in run.get(name, ())}
        try:
            models: list[Any] = list(self._pages("logged-models/search", "models", {"experiment_ids": [experiment]}))
        except Unreachable:
            raise
        except Error as error:
            # MLflow 3 fails on a metric that is no number; then each model is asked for.
            models = []
            if outputs:
                self.notes.append(f"the list of models of experiment {experiment} was not read: {error}")
            for id_ in sorted(outputs):
                try:
                    models.append(self._get(["logged-models", id_], {}).get("model"))
                except Error as one:
                    self.notes.append(f"model {id_} was not read: {one}")
        for each in _objects(models):
            self._model(each, found)

    def _model(self, each: Mapping[str, Any], found: Tracked) -> None:
        info, data = _object(each.get("info")), _object(each.get("data"))
        id_ = _text(info.get("model_id"))
        if not id_:
            return
        status = _text(info.get("status")).removeprefix("LOGGED_MODEL_")
        files = self._artifacts(
            f"logged-models/{id_}/artifacts/directories",
            {},
            f"ajax-api/2.0/mlflow/logged-models/{id_}/artifacts/files",
            {},
            "artifact_file_path",
        )
        more = {"params": _pairs(data, "params"), "tags": _pairs(info), "files": files}
        found.models[id_] = {**kept({**info, "status": status}, MODEL), **kept(more, more)}
        for metric in _objects(data.get("metrics")):
            found.links.append(kept({**metric, "model_id": id_}, LINK))

    def _history(self, run: str, key: str, last: dict[str, Any]) -> dict[str, Any]:
        query = {"run_id": run, "metric_key": key, "max_results": 25_000}
        try:
            points = [_point(each) for each in self._pages("metrics/get-history", "metrics", query, get=True)]
        except Unreachable:
            raise
        except Error as error:
            self.notes.append(f"the history of {key} of run {run} was not read: {error}")
            return last
        return history(points) if points else last

    def _artifacts(
        self,
        listing: str,
        about: Mapping[str, str],
        fetching: str,
        named: Mapping[str, str],
        path: str = "path",
    ) -> list[dict[str, Any]]:
        """The artifacts of a run or model: path and size; the text of those that describe an environment."""
        found: list[dict[str, Any]] = []
        folders = [("", 0)]
        parameter = "artifact_directory_path" if not about else "path"
        try:
            while folders and len(found) < ARTIFACTS:
                folder, depth = folders.pop(0)
                query = {**about, **({parameter: folder} if folder else {})}
                for each in self._pages(listing, "files", query, get=True):
                    name = _text(each.get("path"))
                    if each.get("is_dir") and depth < _DEPTH:
                        folders.append((name, depth + 1))
                    elif not each.get("is_dir"):
                        size = each.get("file_size")
                        found.append({"path": name, "size": int(size) if isinstance(size, int | str) else 0})
            for file in found:
                if str(file["path"]).rpartition("/")[2] in ENVIRONMENT and file["size"] <= TEXT_BYTES:
                    query = {**named, path: file["path"]}
                    file.update(text_of(self._client.get(fetching, query=query, limit=TEXT_BYTES).content))
        except Unreachable:
            raise
        except (Error, ValueError) as error:
            self.notes.append(f"the artifacts of {about.get('run_id') or listing} were not all read: {error}")
        return sorted(found, key=lambda file: str(file["path"]))[:ARTIFACTS]

    def _pages(
        self, path: str, member: str, query: Mapping[str, Any], *, get: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The objects of a list, over its pages."""
        token, seen = "", set[str]()
        for _ in range(_PAGES):
            about = {**query, **({"page_token": token} if token else {})}
            answer = self._get(path, about) if get else self._post(path, about)
            yield from _objects(answer.get(member))
            token = _text(answer.get("next_page_token"))
            if not token or token in seen:
                return
            seen.add(token)

    def _get(self, path: Any, query: Mapping[str, Any]) -> Mapping[str, Any]:
        steps = path.split("/") if isinstance(path, str) else path
        return self._object(self._client.get([*_API.strip("/").split("/"), *steps], query=query, limit=_BYTES))

    def _post(self, path: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
        headers = {"Content-Type": "application/json"}
        content = json.dumps(query).encode()
        return self._object(self._client.post(f"{_API}{path}", content, headers=headers, limit=_BYTES))

    def _object(self, answer: Any) -> Mapping[str, Any]:
        try:
            found = json.loads(answer.content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise RemoteError(f"{answer.where} did not answer as a tracking server of MLflow does")
        return found


def run_of(found: Any) -> dict[str, Any]:
    """A run as REST has it, as a record; empty if it is none. The history of a metric has its last point alone."""
    info, data = _object(_object(found).get("info")), _object(_object(found).get("data"))
    id_ = _text(info.get("run_id")) or _text(info.get("run_uuid"))
    if not id_:
        return {}
    inputs, outputs = _object(found.get("inputs")), _object(found.get("outputs"))
    datasets = [
        {**kept(_object(each.get("dataset")), DATASET), **kept({"tags": _pairs(each)}, ["tags"])}
        for each in _objects(inputs.get("dataset_inputs"))
    ]
    metrics = {_text(each.get("key")): history([_point(each)]) for each in _objects(data.get("metrics"))}
    more = {
        "params": _pairs(data, "params"),
        "tags": _pairs(data),
        "metrics": metrics,
        "datasets": sorted(datasets, key=canonical),
        "inputs": sorted(_text(each.get("model_id")) for each in _objects(inputs.get("model_inputs"))),
        "outputs": sorted(_text(each.get("model_id")) for each in _objects(outputs.get("model_outputs"))),
    }
    return {**kept({**info, "run_id": id_}, RUN), **kept(more, more)}


def _point(found: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return found.get("step"), found.get("timestamp"), found.get("value")


def _object(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _objects(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(found: Any) -> str:
    return found if isinstance(found, str) else "" if found is None else str(found)


def _pairs(found: Mapping[str, Any], member: str = "tags") -> dict[str, str]:
    """Parameters or tags, which are a list of keys and values."""
    return {
        _text(each.get("key")): _text(each.get("value"))
        for each in _objects(found.get(member))
        if each.get("value") is not None
    }


def _some(found: list[dict[str, Any]]) -> str:
    names = [str(each.get("name")) for each in found]
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")

"""Nodes of Kedro, by the calls of its runners in their order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest

from provrepo.model.statements import USAGE
from provrepo.vocab import DCTERMS, PROV_ROLE, SCHEMA
from tests.support.captured import Captured


class Memory:
    """A dataset in memory."""

    def __init__(self) -> None:
        self.data: Any = None

    def load(self) -> Any:
        return self.data

    def save(self, data: Any) -> None:
        self.data = data


class Json:
    """A dataset in a file, with versions or without."""

    _protocol = "file"

    def __init__(self, path: str, version: str | None = None) -> None:
        self._filepath, self._version = PurePosixPath(path), version

    def resolve_save_version(self) -> str | None:
        return self._version

    resolve_load_version = resolve_save_version

    def _get_versioned_path(self, version: str) -> PurePosixPath:
        return self._filepath / version / self._filepath.name

    def _path(self) -> Path:
        return Path(self._get_versioned_path(self._version) if self._version else self._filepath)

    def load(self) -> Any:
        return json.loads(self._path().read_text("utf-8"))

    def save(self, data: Any) -> None:
        self._path().parent.mkdir(parents=True, exist_ok=True)
        self._path().write_text(json.dumps(data), "utf-8")


class Remote(Memory):
    _protocol, _filepath = "s3", PurePosixPath("lab/model.pkl")


def node(name: str, function: Any, inputs: list[str], outputs: list[str]) -> Any:
    return SimpleNamespace(name=name, func=function, inputs=inputs, outputs=outputs)


def run(hooks: Any, catalog: dict[str, Any], *nodes: Any) -> None:
    """What ``kedro.framework.session`` and ``kedro.runner.task`` do."""
    about = {"run_id": "2026-11-20T15.15.50.469Z", "project_path": ".", "runtime_params": {"alpha": 2}, "tags": None}
    hooks.before_pipeline_run(about, SimpleNamespace(nodes=nodes))
    try:
        for each in nodes:
            inputs = {}
            for name in each.inputs:
                hooks.before_dataset_loaded(each)
                inputs[name] = catalog[name].load()
                hooks.after_dataset_loaded(each)
            hooks.before_node_run(each, catalog, inputs)
            try:
                results = each.func(*inputs.values())
            except Exception as error:
                hooks.on_node_error(error, each)
                raise
            hooks.after_node_run(each)
            for name, data in zip(each.outputs, results or (), strict=True):
                hooks.before_dataset_saved(each)
                catalog[name].save(data)
                hooks.after_dataset_saved(name, each)
    except Exception as error:
        hooks.on_pipeline_error(error)
        raise
    hooks.after_pipeline_run()


@pytest.fixture
def catalog(folder: Path) -> dict[str, Any]:
    (folder / "raw.json").write_text("[1, 2]", "utf-8")
    constant = Memory()
    constant.data = 1.0
    return {
        "raw": Json("raw.json"), "clean": Json("clean.json", "2026-11-20T15.15.50.469Z"), "n": Memory(),
        "params:alpha": constant, "model": Remote(),
    }  # fmt: skip


def test_nodes_use_and_generate_their_datasets(
    kedro: Any, catalog: dict[str, Any], recorded: Callable[[], Captured]
) -> None:
    run(
        kedro(), catalog,
        node("clean_node", lambda raw: [raw[:1]], ["raw"], ["clean"]),
        node("count", lambda rows, alpha: [len(rows), object()], ["clean", "params:alpha"], ["n", "model"]),
        node("last", lambda n, model: None, ["n", "model"], []),
    )  # fmt: skip
    found = recorded()
    assert found.problems("core", "pipeline") == []
    assert found.used == {
        ("clean_node", "raw.json"), ("count", "clean.json"), ("last", "n"), ("last", "model"),
    }  # fmt: skip
    assert found.generated == {("clean.json", "clean_node"), ("n", "count"), ("model", "count")}
    roles = {(found.label(s.args[0]), *found.values(s, PROV_ROLE)) for s in found.document if s.kind is USAGE}
    assert roles == {("clean_node", "raw"), ("count", "clean"), ("last", "n"), ("last", "model")}
    assert found.parameters("count") == {"alpha=1.0"}
    (clean,) = found.elements("clean.json")
    assert found.values(clean, SCHEMA + "name") == ["clean"]
    assert found.values(clean, DCTERMS + "hasVersion") == ["2026-11-20T15.15.50.469Z"]
    (whole,) = [s for s in found.activities() if found.values(s, SCHEMA + "identifier")]
    assert found.values(whole, SCHEMA + "identifier") == ["kedro:2026-11-20T15.15.50.469Z"]
    assert found.values(whole, SCHEMA + "additionalProperty") == ["alpha=2"]


def test_a_node_that_fails_generates_nothing(
    kedro: Any, catalog: dict[str, Any], recorded: Callable[[], Captured]
) -> None:
    with pytest.raises(ZeroDivisionError):
        run(kedro(), catalog, node("bad", lambda raw: 1 / 0, ["raw"], ["clean"]))
    assert recorded().status("bad") == "Failed"
    assert (recorded().used, recorded().generated) == ({("bad", "raw.json")}, set())


def test_a_dataset_that_cannot_be_saved_fails_its_node(
    kedro: Any, catalog: dict[str, Any], recorded: Callable[[], Captured]
) -> None:
    with pytest.raises(TypeError):
        run(kedro(), catalog, node("bad", lambda raw: [object()], ["raw"], ["clean"]))
    assert recorded().status("bad") == "Failed"
    assert recorded().generated == set()


def test_hooks_return_nothing_and_survive_what_they_do_not_know(kedro: Any) -> None:
    hooks, strange = kedro(), SimpleNamespace(name="x")
    assert hooks.before_pipeline_run(None, None) is None
    assert hooks.before_dataset_loaded(strange) is None
    assert hooks.before_node_run(strange, None, {}) is None
    assert hooks.before_dataset_saved(SimpleNamespace()) is None
    assert hooks.after_dataset_saved("x", strange) is None
    assert hooks.after_pipeline_run() is None

"""The files of dbt: which of them make a document, and what of them is kept.

A document is an invocation: canonical JSON with the whole of ``run_results.json`` and those parts of ``manifest.json``
and ``catalog.json`` that are about its nodes. Macros and documentation of packages, which are most of a manifest, are
not kept, nor is ``profiles.yml``, which has passwords: the address of the database alone is taken from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provrepo.codecs.yaml_values import parse_yaml
from provrepo.errors import ReadError
from provrepo.importers.dbt.names import FORMAT, namespace_of
from provrepo.importers.json_values import canonical, parse
from provrepo.importers.parts import Collected, Part, Skipped
from provrepo.importers.sources import SourceFile, digests_of

__all__ = ["ARTIFACTS", "collect"]

ARTIFACTS = "dbt_artifacts"
"""The key by which documents are recognized; its value is the version of their layout."""

COMMANDS = ("build", "run", "seed", "snapshot", "test")
"""The commands whose results are those of runs. ``docs generate``, ``compile`` and others overwrite the file, too."""

VERSIONS = range(2, 13)
"""The versions of manifests whose shared parts are known."""

_BYTES = 1 << 30
_NODE = (
    *("unique_id", "name", "alias", "identifier", "database", "schema", "resource_type", "package_name", "description"),
    *("original_file_path", "checksum", "depends_on", "columns", "column_name", "test_metadata", "attached_node"),
    *("compiled_code", "compiled_sql", "language", "tags", "source_name", "loader", "version", "file_key_name"),
    *("type", "owner", "url", "label", "maturity"),
)
_CONFIG = ("materialized", "severity", "meta", "incremental_strategy", "unique_key")
_METADATA = ("dbt_schema_version", "dbt_version", "project_name", "project_id", "adapter_type", "invocation_id")
_SEED_BYTES = 64 << 20


def collect(files: Sequence[SourceFile]) -> Iterator[Collected]:
    """The invocations of which some folders have results, and those that looked how fresh sources are.

    Args:
        files: those of a project, or of its ``target/``.
    """
    by_path = {file.path: file for file in files}
    for path in sorted(by_path):
        folder, name = path.rpartition("/")[0], path.rpartition("/")[2]
        if name == "manifest.json" and (manifest := _manifest(by_path[path])) is not None:
            inside = {each: by_path[each] for each in by_path if each.rpartition("/")[0] == folder}
            # Compiled SQL is in the results.
            own = frozenset(each for each in by_path if _is_own(each, folder))
            if isinstance(manifest, Skipped):
                yield Collected(manifest, own)
                continue
            for part in _Target(folder, manifest, inside, by_path).parts():
                yield Collected(part, own)


def _is_own(path: str, folder: str) -> bool:
    inside = path.removeprefix(f"{folder}/") if folder else path
    if folder and not path.startswith(f"{folder}/"):
        return False
    first = inside.split("/")[0]
    known = ("manifest", "run_results", "catalog", "sources", "semantic_manifest", "graph_summary")
    return first in ("compiled", "run") or (inside.endswith(".json") and inside.startswith(known))


def _manifest(file: SourceFile) -> dict[str, Any] | Skipped | None:
    """A manifest of dbt; why it cannot be read; None for one of another tool."""
    if b"schemas.getdbt.com/dbt/manifest/" not in file.read(4096):
        return None
    try:
        found = _object(file)
    except (ReadError, OSError) as error:
        return Skipped(file.place, str(error))
    number = _version(found)
    if number not in VERSIONS:
        return Skipped(file.place, f"a manifest of version {number or 'unknown'}; versions 2 to 12 are known")
    return found


def _object(file: SourceFile) -> dict[str, Any]:
    values = [each for *_, each in parse(file.read(_BYTES), FORMAT)]
    if len(values) != 1 or not isinstance(values[0], dict):
        raise ReadError("an object is needed", format=FORMAT)
    return values[0]


def _version(found: Mapping[str, Any]) -> int:
    metadata = found.get("metadata")
    schema = metadata.get("dbt_schema_version") if isinstance(metadata, dict) else None
    digits = str(schema).rpartition("/v")[2].removesuffix(".json")
    return int(digits) if digits.isdecimal() and len(digits) < 4 else 0


class _Target:
    """The files of one folder ``target/``."""

    def __init__(
        self,
        folder: str,
        manifest: dict[str, Any],
        inside: Mapping[str, SourceFile],
        everything: Mapping[str, SourceFile],
    ) -> None:
        self._manifest, self._inside, self._all = manifest, inside, everything
        # ``target`` is below the folder of the project; a lone target has none.
        self._project = f"{above}/" if (above := folder.rpartition("/")[0]) else ""
        self._here = f"{folder}/" if folder else ""

    def parts(self) -> Iterator[Part | Skipped]:
        """Each invocation."""
        catalog, found = None, False
        for path, file in sorted(self._inside.items()):
            if path.rpartition("/")[2] == "catalog.json":
                try:
                    catalog = _object(file)
                except (ReadError, OSError) as error:
                    yield Skipped(file.place, str(error))
        for path, file in sorted(self._inside.items()):
            name = path.rpartition("/")[2]
            kind = next((each for each in ("run_results", "sources") if name.startswith(each)), "")
            if not kind or not name.endswith(".json"):
                continue
            found = True
            try:
                results = _object(file)
            except (ReadError, OSError) as error:
                yield Skipped(file.place, str(error))
                continue
            yield self._sources(file, results) if kind == "sources" else self._results(file, results, catalog)
        if not found:
            place = f"{self._here}manifest.json"
            yield Skipped(place, "there is no run_results.json beside it: a manifest alone is no record of a run")

    def _results(self, file: SourceFile, results: dict[str, Any], catalog: dict[str, Any] | None) -> Part | Skipped:
        args = results.get("args")
        args = args if isinstance(args, dict) else {}
        command = args.get("which") or args.get("rpc_method")
        if command not in COMMANDS:
            called = "docs generate" if command == "generate" else command or "?"
            text = f"the results of `dbt {called}`, which overwrote those of the last run and ran nothing; "
            return Skipped(file.place, f"{text}import after `dbt build`, or keep run_results.json before `dbt docs`")
        invocation = _text(_member(results, "metadata"), "invocation_id")
        if not invocation:
            return Skipped(file.place, "no metadata/invocation_id: nothing says which run this is")
        content = {
            "run_results": results,
            "manifest": self._kept(("nodes", "sources", "exposures")),
            **({"catalog": self._catalog(catalog)} if catalog else {}),
            **self._files(),
        }
        return self._part(f"run-{invocation}", content, file)

    def _sources(self, file: SourceFile, results: dict[str, Any]) -> Part | Skipped:
        invocation = _text(_member(results, "metadata"), "invocation_id")
        if not invocation:
            return Skipped(file.place, "no metadata/invocation_id: nothing says which run this is")
        return self._part(f"freshness-{invocation}", {"freshness": results, "manifest": self._kept(("sources",))}, file)

    def _part(self, name: str, content: dict[str, Any], file: SourceFile) -> Part:
        namespace = self._namespace()
        about = {ARTIFACTS: 1, **({"namespace": namespace} if namespace else {})}
        return Part(name, canonical({**about, **content}), FORMAT, file.place)

    def _kept(self, members: Sequence[str]) -> dict[str, Any]:
        metadata = _member(self._manifest, "metadata")
        found: dict[str, Any] = {"metadata": {key: metadata[key] for key in _METADATA if metadata.get(key) is not None}}
        for member in members:
            found[member] = {
                key: _node(node) for key, node in _member(self._manifest, member).items() if isinstance(node, dict)
            }
        return found

    @staticmethod
    def _catalog(found: Mapping[str, Any]) -> dict[str, Any]:
        return {
            member: {
                key: {"columns": node.get("columns"), "metadata": node.get("metadata")}
                for key, node in _member(found, member).items()
                if isinstance(node, dict)
            }
            for member in ("nodes", "sources")
        }

    def _files(self) -> dict[str, Any]:
        """The digests of the files of seeds that are still those that were loaded.

        The checksum of dbt is that of the text without the space around it: no digest of a file, but it says whether
        this is the file.
        """
        found: dict[str, Any] = {}
        for key, node in sorted(_member(self._manifest, "nodes").items()):
            checksum = node.get("checksum") if isinstance(node, dict) else None
            if not isinstance(checksum, dict) or node.get("resource_type") != "seed":
                continue
            file = self._all.get(f"{self._project}{node.get('original_file_path')}")
            if file is None or checksum.get("name") != "sha256" or file.size > _SEED_BYTES:
                continue
            data = file.read(file.size)
            texts = (data, data.strip(), data.replace(b"\r\n", b"\n").strip())
            if checksum.get("checksum") in [hashlib.sha256(each).hexdigest() for each in texts]:
                found[key] = {"size": file.size, "digests": digests_of(file, ("md5", "sha1", "sha256"))}
        return {"files": found} if found else {}

    def _namespace(self) -> str:
        if _member(self._manifest, "metadata").get("adapter_type") == "bigquery":
            return "bigquery"
        project = self._yaml("dbt_project.yml")
        profiles = self._yaml("profiles.yml")
        profile = profiles.get(str(project.get("profile")))
        if not isinstance(profile, dict):
            return ""
        outputs, target = profile.get("outputs"), profile.get("target", "default")
        found = outputs.get(target) if isinstance(outputs, dict) and isinstance(target, str) else None
        return namespace_of(found) if isinstance(found, dict) else ""

    def _yaml(self, name: str) -> dict[str, Any]:
        file = self._all.get(f"{self._project}{name}")
        try:
            found = parse_yaml(file.read(1 << 20), FORMAT) if file else None
        except (ReadError, OSError):
            return {}
        return found if isinstance(found, dict) else {}


def _node(found: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: found[key] for key in _NODE if found.get(key) not in (None, "", [], {})}
    config = _member(found, "config")
    depends = _member(found, "depends_on").get("nodes")
    some = {key: config[key] for key in _CONFIG if config.get(key) not in (None, "", [], {})}
    if "depends_on" in kept:
        kept["depends_on"] = {"nodes": depends if isinstance(depends, list) else []}
    return {**kept, **({"config": some} if some else {})}


def _member(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    each = found.get(name)
    return each if isinstance(each, dict) else {}


def _text(found: Mapping[str, Any], name: str) -> str:
    each = found.get(name)
    return each if isinstance(each, str) else ""

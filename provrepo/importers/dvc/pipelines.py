"""The stages that ``dvc.yaml`` defines: ``foreach`` and ``matrix`` as one for each item, with templates replaced.

https://dvc.org/doc/user-guide/project-structure/dvcyaml-files, https://dvc.org/doc/user-guide/pipelines/templating.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

from provrepo.errors import ReadError
from provrepo.importers.json_values import Problem, escaped
from provrepo.importers.shapes import Shapes

__all__ = ["Pipeline", "Stage", "parameter_files", "read_pipeline"]

_REFERENCE = re.compile(r"(\\?)\$\{\s*([^${}]+?)\s*\}")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_MOST = 10_000
"""The most stages of a ``foreach`` or ``matrix``."""

_TOP = ("stages", "vars", "params", "metrics", "plots", "artifacts", "datasets")
_STAGE = (
    *("cmd", "wdir", "deps", "params", "outs", "metrics", "plots", "desc", "meta"),
    *("frozen", "always_changed", "vars"),
)


@dataclass(frozen=True)
class Stage:
    """A stage.

    Attributes:
        name: its name in ``dvc.lock``.
        group: the name in ``dvc.yaml``, which differs for an item of ``foreach`` or ``matrix``.
        wdir: the folder to which its paths are relative, from that of the file.
        description: what people say of it.
        kinds: path of an output from the folder of the file → ``metric`` or ``plot``.
    """

    name: str
    group: str
    wdir: str = ""
    description: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Pipeline:
    """One ``dvc.yaml``.

    Attributes:
        stages: them by name.
        kinds: path of a file from the folder of this one → ``metric`` or ``plot``, outside of stages.
        artifacts: path from the folder → what is said of it, with its ``name``.
    """

    stages: dict[str, Stage] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Mapping[str, Any]] = field(default_factory=dict)


def parameter_files(found: Any) -> Iterator[str]:
    """The files with variables of a ``dvc.yaml``, from its folder."""
    yield "params.yaml"
    variables = found.get("vars") if isinstance(found, dict) else None
    for each in variables if isinstance(variables, list) else []:
        if isinstance(each, str):
            yield each.partition(":")[0]


def read_pipeline(shapes: Shapes, found: Any, files: Mapping[str, Any], pointer: str) -> Pipeline:
    """Read a ``dvc.yaml``.

    Args:
        shapes: reads values, and keeps the problems.
        found: its value.
        files: the values of files with variables, by path from its folder.
        pointer: the path of the file.
    """
    top = shapes.object(found, pointer)
    shapes.known(top, _TOP, pointer)
    pipeline = Pipeline()
    variables = _variables(top, files)
    for name, stage in shapes.object(top.get("stages"), f"{pointer}/stages").items():
        place = f"{pointer}/stages/{escaped(name)}"
        for made, body, items in _instances(shapes, name, shapes.object(stage, place), variables, place):
            pipeline.stages[made] = _stage(shapes, made, name, body, variables | items, place)
    for kind, member in (("metric", "metrics"), ("plot", "plots")):
        listed = top.get(member)
        for path, _ in _paths(list(listed) if isinstance(listed, dict) else listed):
            pipeline.kinds[posixpath.normpath(path)] = kind
    for name, artifact in shapes.object(top.get("artifacts"), f"{pointer}/artifacts").items():
        about = shapes.object(artifact, f"{pointer}/artifacts/{escaped(name)}")
        path = shapes.text(about.get("path"), f"{pointer}/artifacts/{escaped(name)}/path")
        if path:
            pipeline.artifacts[posixpath.normpath(path)] = {**about, "name": name}
    return pipeline


def _variables(top: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(files["params.yaml"]) if isinstance(files.get("params.yaml"), dict) else {}
    listed = top.get("vars")
    for each in listed if isinstance(listed, list) else []:
        values = each
        if isinstance(each, str):
            path, _, keys = each.partition(":")
            values = files.get(path)
            if keys and isinstance(values, dict):
                values = {key: values[key] for key in keys.split(",") if key in values}
        found |= values if isinstance(values, dict) else {}
    return found


def _instances(
    shapes: Shapes, name: str, stage: Mapping[str, Any], variables: Mapping[str, Any], pointer: str
) -> Iterator[tuple[str, Mapping[str, Any], dict[str, Any]]]:
    """The stages of a definition: name, body, and the variables of the item."""
    if "foreach" in stage:
        items = _value(shapes, stage["foreach"], variables, f"{pointer}/foreach")
        body = shapes.object(stage.get("do"), f"{pointer}/do")
        if isinstance(items, dict):
            pairs = [(str(key), {"key": key, "item": item}) for key, item in items.items()]
        else:
            listed = items if isinstance(items, list) else []
            plain = all(not isinstance(item, dict | list) for item in listed)
            pairs = [(_shown(item) if plain else str(number), {"item": item}) for number, item in enumerate(listed)]
        for key, more in pairs[:_MOST]:
            yield f"{name}@{key}", body, more
    elif "matrix" in stage:
        axes = {
            key: _value(shapes, items, variables, f"{pointer}/matrix/{escaped(key)}")
            for key, items in shapes.object(stage["matrix"], f"{pointer}/matrix").items()
        }
        several = [list(enumerate(items)) if isinstance(items, list) else [] for items in axes.values()]
        for chosen in islice(product(*several), _MOST):
            named = zip(axes, chosen, strict=True)
            keys = [
                f"{key}{number}" if isinstance(item, dict | list) else _shown(item) for key, (number, item) in named
            ]
            items = {key: item for key, (_, item) in zip(axes, chosen, strict=True)}
            yield f"{name}@{'-'.join(keys)}", {k: v for k, v in stage.items() if k != "matrix"}, {"item": items}
    else:
        yield name, stage, {}


def _stage(
    shapes: Shapes, name: str, group: str, body: Mapping[str, Any], variables: Mapping[str, Any], pointer: str
) -> Stage:
    shapes.known(body, _STAGE, pointer)
    wdir = _value(shapes, shapes.text(body.get("wdir"), f"{pointer}/wdir"), variables, f"{pointer}/wdir")
    kinds = {}
    for kind, member in (("metric", "metrics"), ("plot", "plots")):
        for path, _ in _paths(body.get(member)):
            whole = _value(shapes, path, variables, f"{pointer}/{member}")
            kinds[posixpath.normpath(posixpath.join(str(wdir), str(whole)))] = kind
    text = shapes.text(body.get("desc"), f"{pointer}/desc")
    return Stage(name, group, str(wdir), text, kinds)


def _paths(listed: Any) -> Iterator[tuple[str, Any]]:
    """The paths of a list, each a text or an object with the path as its key."""
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, str):
            yield each, {}
        elif isinstance(each, dict):
            yield from ((str(path), about) for path, about in each.items())


def _value(shapes: Shapes, found: Any, variables: Mapping[str, Any], pointer: str) -> Any:
    """A value with its references replaced; one that is a reference as a whole is the value that it refers to."""
    if not isinstance(found, str):
        return found
    whole = _REFERENCE.fullmatch(found)
    try:
        if whole and not whole[1]:
            return _looked_up(whole[2], variables)
        return _REFERENCE.sub(lambda m: m[0][1:] if m[1] else _shown(_looked_up(m[2], variables)), found)
    except ReadError as error:
        shapes.problems.append(Problem(pointer, error.message))
        return found


def _looked_up(path: str, variables: Mapping[str, Any]) -> Any:
    found: Any = variables
    for step in _STEP.finditer(path):
        key: Any = step[1] if step[1] is not None else int(step[2])
        if isinstance(found, list) and str(key).isdigit() and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, dict) and key in found:
            found = found[key]
        else:
            raise ReadError(f"${{{path[:100]}}} is not known: no file with this variable was read")
    return found


def _shown(value: Any) -> str:
    """A value as it is in a command or a name."""
    return str(value).lower() if isinstance(value, bool) else str(value)

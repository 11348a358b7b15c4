"""Run by the Python of the group ``openlineage_python``: sends events with the client that the environment configures.

``flow N`` sends N runs, each of which reads what the one before it wrote, and one that fails; ``facets`` sends a run, a
job and a dataset with every facet of the package in every place. Prints what was sent as JSON lines.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import uuid
from collections.abc import Iterator
from enum import Enum
from itertools import count
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from unittest.mock import Mock

import attr
from openlineage.client import OpenLineageClient, generated
from openlineage.client import event_v2 as ol
from openlineage.client.generated import base
from openlineage.client.serde import Serde

NAMESPACE = "farm"
PRODUCER = "https://lab.example/pipeline/1.0"
CANDIDATES = ("text", "2026-01-31T10:00:00.123456789Z", "https://lab.example/", str(uuid.UUID(int=0xA11)))

KEYS = {
    "DatasourceDatasetFacet": "dataSource",
    "DatasetVersionDatasetFacet": "version",
    "DatasetTypeDatasetFacet": "datasetType",
    "InputSubsetInputDatasetFacet": "subset",
    "OutputSubsetOutputDatasetFacet": "subset",
    "ProcessingEngineRunFacet": "processing_engine",
    "SQLJobFacet": "sql",
}
"""The keys that do not follow from the name of the class."""

PLACES = {
    base.RunFacet: "RunFacet",
    base.JobFacet: "JobFacet",
    base.InputDatasetFacet: "InputDatasetFacet",
    base.OutputDatasetFacet: "OutputDatasetFacet",
    base.DatasetFacet: "DatasetFacet",
}
NUMBERS = count(1)
WITHIN: list[type] = []
"""The classes of which an instance is being made, since fields and conditions contain others."""


def every(class_: type) -> Iterator[type]:
    for child in class_.__subclasses__():
        yield child
        yield from every(child)


def sample(type_: Any, hint: str, accepts: Any = lambda _: None) -> Any:
    """A value of a type. Texts and numbers differ from all others, so that each can be found again."""
    origin, arguments = get_origin(type_), get_args(type_)
    if type_ is Any or type_ is str:
        return text(hint, accepts)
    if type_ in (int, float):
        return type_(1000 + next(NUMBERS))
    if type_ is bool:
        return True
    if origin is Literal:
        return arguments[0]
    if origin is list:
        (item,) = arguments
        return [sample(one, hint) for one in alternatives(item)]
    if origin is dict:
        # The facets of a parent's job are not those of an event.
        values = [one for one in alternatives(arguments[1]) if not (attr.has(one) and issubclass(one, base.BaseFacet))]
        return {text(f"{hint} key", lambda _: None): sample(one, hint) for one in values}
    if origin is Union or type(type_).__name__ == "UnionType":
        return sample(next(one for one in arguments if one is not type(None)), hint, accepts)
    if issubclass(type_, Enum):
        return next(iter(type_))
    return made(next(alternatives(type_)))


def alternatives(type_: Any) -> Iterator[Any]:
    """The classes that may stand for one: the members of a union, and the children of a class that is only a parent."""
    if get_origin(type_) is Union or type(type_).__name__ == "UnionType":
        for one in get_args(type_):
            yield from alternatives(one)
    elif isinstance(type_, type) and attr.has(type_) and not attr.fields(type_) and type_.__subclasses__():
        yield from type_.__subclasses__()
    elif type_ is not type(None) and WITHIN.count(type_) < 2:
        yield type_


def text(hint: str, accepts: Any) -> str:
    for candidate in CANDIDATES:
        number = next(NUMBERS)
        found = f"{hint} {number}" if candidate == "text" else candidate
        if candidate.startswith("https"):
            found += str(number)
        try:
            accepts(found)
        except Exception:  # noqa: BLE001 (whatever a validator raises, the next candidate is tried)
            continue
        return found
    raise ValueError(f"no text is accepted for {hint}")


def made(class_: type) -> Any:
    """An instance with all of its members."""
    hints = get_type_hints(class_)
    values = {}
    WITHIN.append(class_)
    for field in attr.fields(class_):
        if not field.init or field.name in ("_producer", "_deleted") or isinstance(field.default, str):
            continue

        def accepts(found: str, field: Any = field) -> None:
            if field.validator is not None:
                field.validator(Mock(), field, found)  # some validators ask for the other members

        values[field.alias] = sample(hints[field.name], field.name, accepts)
    WITHIN.pop()
    return class_(**values)


def facets() -> dict[str, dict[str, Any]]:
    """Every facet of the package by its place and key."""
    for module in pkgutil.iter_modules(generated.__path__):
        importlib.import_module(f"{generated.__name__}.{module.name}")
    found: dict[str, dict[str, Any]] = {suffix: {} for suffix in PLACES.values()}
    for class_ in every(base.BaseFacet):
        if class_ in PLACES:
            continue
        suffix = next(suffix for parent, suffix in PLACES.items() if issubclass(class_, parent))
        name = class_.__name__.removesuffix("Facet")
        for end in ("InputDataset", "OutputDataset", "Dataset", "Job", "Run"):
            name = name.removesuffix(end) if name != end else name
        key = KEYS.get(class_.__name__) or name[0].lower() + name[1:]
        found[suffix][key] = made(class_)
    return found


def event(type_: str, run: ol.Run, job: ol.Job, second: int, **more: Any) -> ol.RunEvent:
    return ol.RunEvent(
        eventType=ol.RunState[type_],
        eventTime=f"2026-11-20T10:{second // 60:02}:{second % 60:02}.000000001Z",
        run=run,
        job=job,
        producer=PRODUCER,
        **more,
    )


def flow(number: int) -> Iterator[ol.RunEvent]:
    for step in range(number):
        # The client adds facets to the run and the job of an event, so that each event has its own.
        run, job = str(uuid.uuid4()), f"step-{step}"
        inputs = [ol.InputDataset(NAMESPACE, f"table-{step}")]
        outputs = [ol.OutputDataset(NAMESPACE, f"table-{step + 1}")]
        yield event("START", ol.Run(run), ol.Job(NAMESPACE, job), 3 * step, inputs=inputs)
        yield event("RUNNING", ol.Run(run), ol.Job(NAMESPACE, job), 3 * step + 1)
        yield event("COMPLETE", ol.Run(run), ol.Job(NAMESPACE, job), 3 * step + 2, inputs=inputs, outputs=outputs)
    failed, job = str(uuid.uuid4()), "fails"
    never = [ol.OutputDataset(NAMESPACE, "never")]
    yield event("START", ol.Run(failed), ol.Job(NAMESPACE, job), 3 * number)
    yield event("FAIL", ol.Run(failed), ol.Job(NAMESPACE, job), 3 * number + 1, outputs=never)


def everywhere() -> Iterator[Any]:
    found = facets()
    run = ol.Run(str(uuid.uuid4()), facets=found["RunFacet"])
    job = ol.Job(NAMESPACE, "all", facets=found["JobFacet"])
    dataset = found["DatasetFacet"]
    inputs = [ol.InputDataset(NAMESPACE, "in", facets=dataset, inputFacets=found["InputDatasetFacet"])]
    outputs = [ol.OutputDataset(NAMESPACE, "out", facets=dataset, outputFacets=found["OutputDatasetFacet"])]
    yield event("START", ol.Run(run.runId), ol.Job(NAMESPACE, "all"), 0)
    yield event("COMPLETE", run, job, 1, inputs=inputs, outputs=outputs)
    moment = "2026-11-20T11:00:00Z"
    static = ol.StaticDataset(NAMESPACE, "static", facets=dataset)
    yield ol.DatasetEvent(eventTime=moment, dataset=static, producer=PRODUCER)
    yield ol.JobEvent(eventTime=moment, job=job, inputs=inputs, outputs=outputs, producer=PRODUCER)


def main() -> None:
    client = OpenLineageClient()
    for one in flow(int(sys.argv[2])) if sys.argv[1] == "flow" else everywhere():
        client.emit(one)
        print(Serde.to_json(one))
    client.close()


if __name__ == "__main__":
    main()

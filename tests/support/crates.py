"""Crates that are written by hand from Workflow Run RO-Crate 0.5."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["crate", "metadata", "process", "provenance", "ref"]

CONTEXT = ["https://w3id.org/ro/crate/1.2/context", "https://w3id.org/ro/terms/workflow-run/context"]
ANA = "https://orcid.org/0000-0002-1825-0097"
RAW = "f8afde172821fb322d42be1e3761af11f53698e9c403c75a9550eaa524d8dfea"


def ref(*identifiers: str) -> Any:
    """References to nodes."""
    found = [{"@id": identifier} for identifier in identifiers]
    return found[0] if len(found) == 1 else found


def crate(*nodes: dict[str, Any], profile: str = "process/0.5", context: Any = None, **root: Any) -> dict[str, Any]:
    """A crate with some nodes."""
    return {
        "@context": CONTEXT if context is None else context,
        "@graph": [
            {
                "@id": "ro-crate-metadata.json",
                "@type": "CreativeWork",
                "about": ref("./"),
                "conformsTo": ref("https://w3id.org/ro/crate/1.2"),
            },
            {
                "@id": "./",
                "@type": "Dataset",
                "name": "a crate",
                "conformsTo": ref(f"https://w3id.org/ro/wfrun/{profile}"),
                **root,
            },
            *nodes,
        ],
    }


def metadata(*nodes: dict[str, Any], **more: Any) -> bytes:
    """The bytes of a crate with some nodes."""
    return json.dumps(crate(*nodes, **more)).encode()


def process() -> list[dict[str, Any]]:
    """Two runs of tools, one after the other, of which the second fails."""
    return [
        {"@id": ANA, "@type": "Person", "name": "Ana Example"},
        {"@id": "raw.csv", "@type": "File", "sha256": RAW, "encodingFormat": "text/csv", "contentSize": "10609"},
        {"@id": "clean.csv", "@type": "File", "name": "clean data"},
        {"@id": "half.pkl", "@type": "File"},
        {"@id": "clean.py", "@type": ["File", "SoftwareSourceCode"], "name": "clean.py", "version": "3"},
        {"@id": "#mill", "@type": "SoftwareApplication", "name": "mill", "softwareVersion": "2.1"},
        {"@id": "#rate", "@type": "PropertyValue", "name": "rate", "value": "0.1"},
        {"@id": "#token", "@type": "PropertyValue", "name": "API_TOKEN", "value": "hush-hush"},
        {"@id": "#size", "@type": "PropertyValue", "name": "BATCH_SIZE", "value": "100"},
        {
            "@id": "#memory",
            "@type": "PropertyValue",
            "name": "memory",
            "propertyID": "https://lab.example/memory",
            "unitCode": "https://qudt.org/vocab/unit/MegaBYTE",
            "value": "512",
        },
        {
            "@id": "#image",
            "@type": "ContainerImage",
            "additionalType": ref("https://w3id.org/ro/terms/workflow-run#DockerImage"),
            "registry": "docker.io",
            "name": "lab/clean",
            "tag": "3",
        },
        {"@id": "log.txt", "@type": "File", "about": ref("#clean")},
        {
            "@id": "#clean",
            "@type": "CreateAction",
            "name": "clean the data",
            "startTime": "2026-11-20T15:00:00Z",
            "endTime": "2026-11-20T15:01:00+00:00",
            "actionStatus": "http://schema.org/CompletedActionStatus",
            "instrument": ref("clean.py"),
            "agent": ref(ANA),
            "object": ref("raw.csv", "#rate"),
            "result": ref("clean.csv"),
            "environment": ref("#size", "#token"),
            "containerImage": ref("#image"),
            "resourceUsage": ref("#memory"),
            "subjectOf": ref("log.txt"),
        },
        {
            "@id": "#train",
            "@type": "CreateAction",
            "name": "train",
            "startTime": "2026-11-20T16:00:00Z",
            "actionStatus": ref("http://schema.org/FailedActionStatus"),
            "error": "disk full",
            "instrument": ref("#mill"),
            "agent": ref(ANA),
            "object": ref("clean.csv"),
            "result": ref("half.pkl"),
            "containerImage": "docker.io/lab/train:1",
        },
    ]


def provenance() -> list[dict[str, Any]]:
    """The run of a workflow with two steps, by an engine."""
    parameters = ["main/raw", "main/rate", "main/model", "clean/in", "clean/out"]
    parameters += ["train/data", "train/rate", "train/out"]
    pandas = "https://pypi.org/project/pandas/3.0/"
    return [
        {"@id": ANA, "@type": "Person", "name": "Ana Example"},
        {
            "@id": "flow.cwl",
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": "flow",
            "programmingLanguage": ref("#cwl"),
            "hasPart": ref("flow.cwl#clean", "flow.cwl#train"),
            "input": ref("#main/raw", "#main/rate"),
            "output": ref("#main/model"),
            "step": ref("flow.cwl#main/clean", "flow.cwl#main/train"),
            "connection": ref("#c-out"),
            "buildInstructions": ref("environment.yml"),
        },
        {"@id": "#cwl", "@type": "ComputerLanguage", "name": "Common Workflow Language"},
        {"@id": "environment.yml", "@type": "File", "name": "Conda environment"},
        *({"@id": f"#{name}", "@type": "FormalParameter", "name": name.partition("/")[2]} for name in parameters),
        {
            "@id": "flow.cwl#clean",
            "@type": "SoftwareApplication",
            "name": "clean tool",
            "softwareVersion": "1.4",
            "input": ref("#clean/in"),
            "output": ref("#clean/out"),
            "softwareRequirements": ref("scripts/clean.py", pandas),
            "mainEntity": ref("scripts/clean.py"),
        },
        {"@id": "scripts/clean.py", "@type": "SoftwareApplication", "version": "0.1"},
        {
            "@id": "https://pypi.org/project/pandas/3.0/",
            "@type": "SoftwareApplication",
            "name": "pandas",
            "version": "3.0",
        },
        {
            "@id": "flow.cwl#train",
            "@type": "SoftwareApplication",
            "name": "train tool",
            "input": ref("#train/data", "#train/rate"),
            "output": ref("#train/out"),
        },
        *(
            {
                "@id": f"flow.cwl#main/{name}",
                "@type": "HowToStep",
                "position": str(number),
                "workExample": ref(f"flow.cwl#{name}"),
                "connection": ref(*connections),
            }
            for number, (name, connections) in enumerate({"clean": ["#c-raw"], "train": ["#c-data", "#c-rate"]}.items())
        ),
        *(
            {
                "@id": name,
                "@type": "ParameterConnection",
                "sourceParameter": ref(source),
                "targetParameter": ref(target),
            }
            for name, source, target in (
                ("#c-raw", "#main/raw", "#clean/in"),
                ("#c-data", "#clean/out", "#train/data"),
                ("#c-rate", "#main/rate", "#train/rate"),
                ("#c-out", "#train/out", "#main/model"),
            )
        ),
        {"@id": "raw.csv", "@type": "File", "sha256": RAW, "exampleOfWork": ref("#main/raw", "#clean/in")},
        {"@id": "clean.csv", "@type": "File", "exampleOfWork": ref("#clean/out", "#train/data")},
        {"@id": "model.pkl", "@type": "File", "exampleOfWork": ref("#train/out", "#main/model")},
        {
            "@id": "#pv-rate",
            "@type": "PropertyValue",
            "name": "rate",
            "value": "0.1",
            "exampleOfWork": ref("#main/rate"),
        },
        {
            "@id": "#pv-train",
            "@type": "PropertyValue",
            "name": "r",
            "value": "0.1",
            "exampleOfWork": ref("#train/rate"),
        },
        {"@id": "engine.yml", "@type": "File", "name": "engine configuration"},
        {"@id": "#engine", "@type": "SoftwareApplication", "name": "StreamFlow 0.2", "softwareVersion": "0.2"},
        {
            "@id": "#organize",
            "@type": "OrganizeAction",
            "name": "run of the engine",
            "startTime": "2026-11-20T14:59:59Z",
            "instrument": ref("#engine"),
            "agent": ref(ANA),
            "object": ref("#step-clean", "#step-train", "engine.yml"),
            "result": ref("#flow"),
        },
        {
            "@id": "#flow",
            "@type": "CreateAction",
            "name": "run of flow",
            "startTime": "2026-11-20T15:00:00Z",
            "endTime": "2026-11-20T15:10:00Z",
            "instrument": ref("flow.cwl"),
            "object": ref("raw.csv", "#pv-rate"),
            "result": ref("model.pkl"),
        },
        {
            "@id": "#step-clean",
            "@type": "ControlAction",
            "name": "step clean",
            "instrument": ref("flow.cwl#main/clean"),
            "object": ref("#run-clean"),
        },
        {
            "@id": "#step-train",
            "@type": "ControlAction",
            "name": "step train",
            "instrument": ref("flow.cwl#main/train"),
            "object": ref("#run-train"),
        },
        {
            "@id": "#run-clean",
            "@type": "CreateAction",
            "name": "run of clean",
            "startTime": "2026-11-20T15:00:01Z",
            "endTime": "2026-11-20T15:02:00Z",
            "instrument": ref("flow.cwl#clean"),
            "object": ref("raw.csv"),
            "result": ref("clean.csv"),
        },
        {
            "@id": "#run-train",
            "@type": "CreateAction",
            "name": "run of train",
            "startTime": "2026-11-20T15:02:00Z",
            "endTime": "2026-11-20T15:09:00Z",
            "instrument": ref("flow.cwl#train"),
            "object": ref("clean.csv", "#pv-train"),
            "result": ref("model.pkl"),
        },
    ]

"""``python -m benchmarks.crates``: the import of a crate with many tasks, from a folder."""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import provrepo
from benchmarks.measure import isolated, peak_mib, stopwatch

_TIME = "2026-11-20T15:{:02}:{:02}Z"
_USAGE = ("realTime", "percentCPU")


def nodes(tasks: int) -> Iterator[dict[str, Any]]:
    """The run of a workflow with a step and a tool run for each task, as StreamFlow describes them."""
    steps = [{"@id": f"#step-{number}"} for number in range(tasks)]
    yield {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"}}
    files = [{"@id": f"out/{number}.csv"} for number in range(tasks)]
    profile = {"@id": "https://w3id.org/ro/wfrun/provenance/0.5"}
    yield {"@id": "./", "@type": "Dataset", "name": "tasks", "conformsTo": profile, "hasPart": files}
    kinds = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
    yield {"@id": "main.nf", "@type": kinds, "hasPart": {"@id": "#tool"}, "step": {"@id": "#task"}}
    yield {"@id": "#tool", "@type": "SoftwareApplication", "input": {"@id": "#in"}, "output": {"@id": "#out"}}
    yield {"@id": "#task", "@type": "HowToStep", "workExample": {"@id": "#tool"}}
    yield from ({"@id": f"#{name}", "@type": "FormalParameter", "name": name} for name in ("in", "out"))
    engine = {"@id": "#engine", "@type": "SoftwareApplication", "name": "engine", "softwareVersion": "1"}
    yield engine
    run = {"@id": "#run"}
    yield {"@id": "#o", "@type": "OrganizeAction", "instrument": {"@id": "#engine"}, "object": steps, "result": run}
    yield {**run, "@type": "CreateAction", "instrument": {"@id": "main.nf"}, "result": files[-1]}
    for number in range(tasks):
        yield from _task(number)


def _task(number: int) -> Iterator[dict[str, Any]]:
    clock = _TIME.format(number // 60 % 60, number % 60)
    usage = [f"#{number}-{name}" for name in _USAGE]
    used = [{"@id": f"out/{number - 1}.csv"}] if number % 100 else [{"@id": f"in/{number}.csv"}]
    task, tool = {"@id": f"#task-{number}"}, {"@id": "#tool"}
    yield {"@id": f"#step-{number}", "@type": "ControlAction", "instrument": {"@id": "#task"}, "object": task}
    yield {
        **task,
        "@type": "CreateAction",
        "name": f"task {number}",
        "startTime": clock,
        "endTime": clock,
        "instrument": tool,
        "object": used,
        "result": {"@id": f"out/{number}.csv"},
        "resourceUsage": [{"@id": name} for name in usage],
    }
    digest = f"{number + 1:064x}"
    yield {"@id": f"out/{number}.csv", "@type": "File", "sha256": digest, "exampleOfWork": {"@id": "#out"}}
    for name, each in zip(_USAGE, usage, strict=True):
        iri = f"https://w3id.org/ro/terms/nf-trace#{name}"
        yield {"@id": each, "@type": "PropertyValue", "name": name, "propertyID": iri, "value": str(number)}


def measure(tasks: int, directory: str) -> dict[str, Any]:
    """Import the crate into an empty repository, in a process of its own."""
    folder = Path(directory) / "crate"
    folder.mkdir()
    context = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
    data = json.dumps({"@context": context, "@graph": list(nodes(tasks))}).encode()
    (folder / "ro-crate-metadata.json").write_bytes(data)
    with provrepo.open(Path(directory) / "data") as repository, stopwatch() as watch:
        found = repository.import_documents(folder, project="default")
    (receipt,) = found.receipts
    workers = peak_mib(resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(each.ru_utime + each.ru_stime for each in used)
    return {
        "seconds": watch.seconds,
        "bytes": len(data),
        "statements": receipt.version.statements,
        "workers": workers,
        "processor": processor,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes only, to check that it runs")
    sizes = (100,) if parser.parse_args().quick else (1_000, 10_000)
    print(
        "| tasks | metadata, MB | statements | s | processor, s | peak memory, MiB | of a worker, MiB |\n|"
        + "---:|" * 7
    )
    for tasks in sizes:
        with tempfile.TemporaryDirectory() as directory:
            found = isolated("crates", tasks=tasks, directory=directory)
        cells = [
            f"{tasks:,}",
            f"{found['bytes'] / 1e6:.1f}",
            f"{found['statements']:,}",
            f"{found['seconds']:.1f}",
            f"{found['processor']:.1f}",
            f"{found['peak_mib']:,.0f}",
            f"{found['workers']:,.0f}",
        ]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

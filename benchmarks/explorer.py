"""Steps of the lineage explorer on a large lineage: what one costs the server."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.measure import isolated
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings
from tests.support.lineages import BULLETIN, HYDRO, outlook

_LARGE, _SMALL = (1500, 120, 1000), (150, 12, 100)
_TIMES = 5

STEPS = (
    ("first page", ""),
    ("picture again", "&part=explorer"),
    ("collapse by plan", "&part=explorer&collapse=plan"),
    ("open a group", f"&part=explorer&open=activity:{HYDRO}Calibration"),
    ("six steps", "&part=explorer&depth=6"),
    ("seven steps, with the list", "&depth=7"),
    ("expand a thing", f"&part=explorer&depth=6&expand={HYDRO}run1"),
    ("the list by project", "&group=project"),
    ("another direction", "&part=explorer&direction=both"),
    ("the same again", "&part=explorer&direction=both"),
)
"""Names with what is added to the address, in the order of a visit."""


def measure(folder: str, *, large: bool) -> dict[str, Any]:
    """The steps of a visit, in a process of its own: CPU seconds of each, at first and the least."""
    found: dict[str, Any] = {}
    with Store.open(Settings(data=Path(folder), workers=1, threads=4)) as store:
        owner = Repository(store, store.owner())
        owner.create_project("hydro", public=True)
        owner.submit(outlook(*(_LARGE if large else _SMALL)), project="hydro", name="outlook", format="provn")
        client = create_app(store).test_client()
        found["things"] = client.get(f"/lineage?iri={BULLETIN}&format=json").get_json()["total_nodes"]
        for name, query in STEPS:
            # What is kept after the first visit of an address is part of some steps, and not of others.
            again = 1 if name in ("first page", "another direction") else _TIMES
            seconds, size = [], 0
            for _ in range(again):
                begun = time.process_time()
                answer = client.get(f"/lineage?iri={BULLETIN}{query}", headers={"Accept": "text/html"})
                seconds.append(time.process_time() - begun)
                assert answer.status_code == 200, answer.text
                size = len(answer.data)
            found[name] = (seconds[0], min(seconds), size)
    return found


def table(directory: Path, *, large: bool = True) -> list[str]:
    """The rows of the Markdown table."""
    found = isolated("explorer", folder=str(directory / "explorer"), large=large)
    rows = [
        f"{found['things']:,} things upstream of a bulletin.",
        "",
        "| step | CPU s | again | kB |",
        "|---|---:|---:|---:|",
    ]
    for name, _ in STEPS:
        first, least, size = found[name]
        rows.append(f"| {name} | {first:.3f} | {least:.3f} | {size / 1000:.0f} |")
    return rows

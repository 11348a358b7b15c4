"""The table of benchmarks/README.md: ``python -m tests.integration.table`` prints it, in about a minute."""

from __future__ import annotations

import tempfile
from pathlib import Path

from provrepo.codecs.formats import by_name
from tests.integration.documents import NUMBER
from tests.integration.environments import NotHere
from tests.integration.peers import Peer
from tests.integration.round_trips import SUFFIXES
from tests.integration.test_prov import prov
from tests.integration.test_provtoolbox import provtoolbox

TOOLS = {"ProvToolbox 2.2.1": provtoolbox, "prov 3.2.3": prov}


def rows() -> list[str]:
    """The lines of the table; it states which tools cannot be installed."""
    found: dict[str, Peer | None] = {}
    with tempfile.TemporaryDirectory() as work:
        for name, tool in TOOLS.items():
            try:
                found[name] = tool(Path(work, name.split()[0]))
            except NotHere:
                found[name] = None
    lines = [
        f"| of {NUMBER} documents | " + " | ".join(f"{name} reads | comes back the same" for name in found) + " |",
        "|---|" + "---:|" * (2 * len(found)),
    ]
    for name, suffix in SUFFIXES.items():
        cells = []
        for peer in found.values():
            number, read, same = peer.counts(suffix) if peer is not None else (0, 0, 0)
            cells += [f"{read:,}", f"{same:,}"] if number else ["", ""]
        lines.append(f"| {by_name(name).title} | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    print(*rows(), sep="\n")

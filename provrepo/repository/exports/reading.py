"""The things and relations of one version; those of a large one are read in a worker process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from provrepo.codecs.property_graph.graph import GraphParts, Origin, PropertyEdge, PropertyNode, of_document
from provrepo.ledger.entries import Entry
from provrepo.limits import WORKER_WAIT
from provrepo.model.minting import Minter
from provrepo.repository.exchange.blobs import require_blob
from provrepo.repository.store import Store
from provrepo.repository.submission.conversion import LARGE
from provrepo.workers.blob import read_blob

__all__ = ["parts_of", "run"]

_NODE, _EDGE = "n", "e"


def parts_of(store: Store, entry: Entry, folder: Path) -> Iterator[PropertyNode | PropertyEdge]:
    """Yield the nodes of a version, then its edges. Blank nodes have the IRIs that they have in queries.

    Args:
        store: the data directory with its workers.
        entry: the submission of the version.
        folder: an existing folder for temporary files.

    Raises:
        NotFound: the mirror has not the bytes.
        Damaged: the bytes have changed.
        TimedOut: reading it took too long.
        WorkerFailed: reading it needed too much memory.
        Busy: no worker became free.
    """
    body = entry.body
    require_blob(store, entry.project, body["blob"])
    minter = store.minter().of(entry.project, body["document"], body["version"])
    origin = Origin(entry.project, body["document"], body["version"], entry.sequence)
    source, base = store.blobs.path(body["blob"]), body["base"] or None
    if body["size"] <= LARGE:
        from provrepo.codecs.jsonld.user_contexts import contexts_from

        with contexts_from(store.settings.contexts):
            parts = _read(source, body["format"], base, body["blob"], minter, origin)
        yield from parts.nodes.values()
        yield from parts.edges
        return
    output = folder / "version.jsonl"
    arguments = {
        "source": str(source),
        "format": body["format"],
        "base": base,
        "blob": body["blob"],
        "minting": (minter.base, minter.identity),
        "output": str(output),
    }
    seconds = store.pool.seconds(store.settings.check_timeout)
    store.pool.call(f"{__name__}:run", arguments, timeout=seconds, queue_timeout=WORKER_WAIT)
    with output.open(encoding="utf-8") as lines:
        for line in lines:
            if line[0] == _NODE:
                yield PropertyNode.from_row(line[1:])
            else:
                yield PropertyEdge._make(json.loads(line[1:]))._replace(origin=origin)
    output.unlink()


def run(*, source: str, format: str, base: str | None, blob: str, minting: tuple[str, str], output: str) -> None:  # noqa: A002
    """Write the nodes and edges of a version as lines, in a worker; see ``parts_of``."""
    parts = _read(Path(source), format, base, blob, Minter(minting[0], minting[1]), None)
    with Path(output).open("w", encoding="utf-8", errors="surrogatepass") as lines:
        lines.writelines(f"{_NODE}{node.to_row()}\n" for node in parts.nodes.values())
        lines.writelines(f"{_EDGE}{json.dumps(edge, ensure_ascii=False)}\n" for edge in parts.edges)


def _read(
    source: Path,
    format: str,  # noqa: A002
    base: str | None,
    blob: str,
    minter: Minter,
    origin: Origin | None,
) -> GraphParts:
    from provrepo.codecs import formats
    from provrepo.codecs.rdf import dataset

    chosen = formats.by_name(format)
    document, _ = dataset.read_for_dataset(read_blob(source, blob), chosen, base)
    names = dataset.blank_names(document, chosen, lambda number: minter.genid(blob, number))
    return of_document(document, name=lambda name: str(names.get(name, name)), origin=origin)

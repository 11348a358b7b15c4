"""The log of a project over HTTP, as clients of C2SP's formats read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from provrepo import verify
from provrepo.verify.merkle import inclusion_proof, is_included, leaf_hash, perfect_root, root
from provrepo.verify.notes import VerifierKey, parse_checkpoint, parse_note, signers
from tests.support.serving import Site, opened

DOCUMENT = b"document\nprefix ex <http://example.org/>\nentity(ex:e)\nendDocument\n"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with opened(tmp_path / "data") as found:
        yield found


def submitted(site: Site, project: str, name: str) -> dict[str, object]:
    answer = site.client.post(
        f"/projects/{project}/documents?name={name}&again=true",
        data=DOCUMENT,
        content_type="text/provenance-notation",
        headers=site.auth("all"),
    )
    assert answer.status_code == 201
    found: dict[str, object] = answer.get_json()
    return found


def test_a_client_verifies_an_entry_with_tiles_alone(site: Site) -> None:
    submitted(site, "open", "one")
    submitted(site, "open", "two")
    answer = site.client.get("/projects/open/log/checkpoint")
    assert answer.content_type == "text/plain; charset=utf-8"
    note = parse_note(answer.text)
    stated = parse_checkpoint(note)
    keys = [VerifierKey.from_text(key) for key in site.client.get("/projects/open/log").get_json()["keys"]]
    assert signers(note, stated.origin, keys)
    tile = site.client.get(f"/projects/open/log/tile/0/000.p/{stated.size}")
    assert tile.content_type == "application/octet-stream"
    hashes = [tile.data[start : start + 32] for start in range(0, len(tile.data), 32)]
    assert len(hashes) == stated.size

    def subtree(level: int, index: int) -> bytes:
        return perfect_root(hashes[index << level : (index + 1) << level])

    assert root(subtree, stated.size) == stated.root
    bundle = site.client.get(f"/projects/open/log/tile/entries/000.p/{stated.size}").data
    assert len(bundle) == 34 * stated.size
    entries = site.client.get("/projects/open/ledger").get_json()["entries"]
    for index, entry in enumerate(entries):
        leaf = bundle[34 * index + 2 : 34 * index + 34]
        assert leaf.hex() == entry["sha256"]
        proof = inclusion_proof(subtree, index, stated.size)
        assert is_included(leaf_hash(leaf), index, stated.size, proof, stated.root)


def test_receipts_over_http(site: Site) -> None:
    answer = submitted(site, "open", "proof")
    key = site.client.get("/projects/open/log").get_json()["keys"][0]
    assert verify.receipt(json.dumps(answer).encode(), DOCUMENT, key).proven
    found = site.client.get("/projects/open/documents/proof/versions/1/receipt")
    assert found.status_code == 200
    assert verify.receipt(found.data, DOCUMENT, key).proven
    assert site.client.get("/projects/open/documents/proof/versions/2/receipt").status_code == 404


def test_a_private_log_is_hidden(site: Site) -> None:
    submitted(site, "secret", "proof")
    below = ("log", "log/checkpoint", "log/tile/0/000.p/1", "documents/proof/versions/1/receipt")
    for path in below:
        assert site.client.get(f"/projects/secret/{path}").status_code == 404
        assert site.client.get(f"/projects/secret/{path}", headers=site.auth("open")).status_code == 404
        answer = site.client.get(f"/projects/secret/{path}", headers=site.auth("all"))
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, no-cache"


def test_a_tile_is_not_sent_twice(site: Site) -> None:
    submitted(site, "open", "proof")
    tag = site.client.get("/projects/open/log/tile/0/000.p/1").headers["ETag"]
    again = site.client.get("/projects/open/log/tile/0/000.p/1", headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert site.client.get("/projects/open/log/tile/0/999.p/1").status_code == 404
    assert site.client.get("/projects/open/log/tile/nonsense").status_code == 404


def test_without_the_key_the_log_is_not_available(site: Site) -> None:
    site.owner.context.store.parts.log.keys.file.unlink()
    assert site.client.get("/projects/open/log").status_code == 501
    assert submitted(site, "open", "proof")["receipt"] is None

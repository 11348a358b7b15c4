"""A project as one file over HTTP: what the caller may read, within the limits of the caller."""

from __future__ import annotations

import base64
import hashlib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from provrepo.repository.upkeep.restore import restore
from provrepo.server.exchange import files
from tests.support.command import serving
from tests.support.packages import payload, verified
from tests.support.serving import BROWSER, PROVN, PROVN_TYPE, Site, opened, sha256


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


def test_it_is_the_file_that_the_command_writes(site: Site, tmp_path: Path) -> None:
    answer = site.client.get("/projects/open/package", headers=site.auth("all"))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="open.zip"'
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    digest = base64.b64encode(hashlib.sha256(answer.data).digest()).decode()
    assert answer.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    site.owner.pack("open", tmp_path / "p.zip")
    assert answer.data == (tmp_path / "p.zip").read_bytes()
    last = int(answer.headers["Provrepo-Sequence"])
    assert last == site.store.ledger.length("open")
    assert site.client.get(f"/projects/open/package?since={last}").status_code == 404
    one = site.client.get(f"/projects/open/package?since={last - 1}")
    assert payload(one.data)["entries.ndjson"].count(b"\n") == 1


def test_callers_get_what_they_may_read(site: Site) -> None:
    for name in ("lost", "stays"):
        data = PROVN + f"// {name}\n".encode()
        assert (
            site.client.put(
                f"/projects/open/documents/{name}",
                data=data,
                headers={**site.auth("all"), "If-None-Match": "*"},
                content_type=PROVN_TYPE,
            ).status_code
            == 201
        )
    site.client.delete("/projects/open/documents/lost?reason=wrong", headers={**site.auth("all"), "If-Match": "*"})
    stays, gone = sha256(PROVN + b"// stays\n"), sha256(PROVN + b"// lost\n")
    for who, query, sees in (("all", "", True), ("all", "?for_readers=true", False), (None, "", False)):
        answer = site.client.get(f"/projects/open/package{query}", headers=site.auth(who) if who else {})
        blobs = verified(answer.data)
        assert stays in blobs
        assert (gone in blobs) is sees
    private = site.client.get("/projects/secret/package")
    missing = site.client.get("/projects/nothing/package")
    assert private.status_code == missing.status_code
    assert private.status_code in (401, 404)


@pytest.mark.parametrize(
    "query", ["since=x", "since=-1", "since=1e3", "since=" + "9" * 16, "for_readers=maybe", "until=3"]
)
def test_wrong_parameters_are_refused(site: Site, query: str) -> None:
    assert site.client.get(f"/projects/open/package?{query}").status_code == 400


def test_a_head_writes_no_package(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "tempfile", None)
    answer = site.client.head("/projects/open/package")
    assert (answer.status_code, answer.headers["Content-Type"], answer.data) == (200, "application/zip", b"")
    assert site.client.head("/projects/nothing/package").status_code in (401, 404)


def test_it_ends_at_the_deadline_of_the_caller(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_INTERVAL", 0.0)
    now = iter(range(0, 10**9, 1000))
    monkeypatch.setattr(files.time, "monotonic", lambda: float(next(now)))
    answer = site.client.get("/projects/open/package")
    assert answer.status_code == 503
    assert "since=" in answer.get_json()["detail"]


def test_the_page_of_a_project_links_to_it(site: Site) -> None:
    page = site.client.get("/projects/open", headers={"Accept": BROWSER}).get_data(as_text=True)
    assert 'href="/projects/open/package"' in page


def test_it_comes_over_a_connection(site: Site, tmp_path: Path) -> None:
    site.owner.backup(tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "data")
    with serving(tmp_path / "data") as url, urllib.request.urlopen(f"{url}/projects/open/package") as answer:
        data = answer.read()
    assert verified(data)

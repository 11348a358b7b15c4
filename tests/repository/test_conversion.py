"""Exports of large documents: in a worker, with a deadline and a limit of memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provrepo.errors import TimedOut
from provrepo.repository.submission import conversion
from provrepo.workers.pool import Pool
from tests.support.serving import PROVN, Site, opened

MANY = "".join(f"entity(e:n{number})\nwasDerivedFrom(e:n{number}, e:n{number + 1})\n" for number in range(3000))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions that were called in workers."""
    calls: list[str] = []
    call = Pool.call

    def noted(self: Pool, function: str, *args: object, **options: object) -> object:
        calls.append(function)
        return call(self, function, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(conversion, "LARGE", 0)
    monkeypatch.setattr(Pool, "call", noted)
    return calls


@pytest.mark.parametrize("suffix", ["json", "ttl", "provn", "xml", "nq", "jsonld"])
def test_a_large_document_is_written_in_a_worker_and_as_before(
    site: Site, suffix: str, monkeypatch: pytest.MonkeyPatch, everything_is_large: list[str]
) -> None:
    large = site.client.get(f"/projects/open/documents/run.{suffix}")
    assert everything_is_large == ([] if suffix == "provn" else ["provrepo.repository.submission.conversion:run"])
    monkeypatch.setattr(conversion, "LARGE", 1 << 20)
    small = site.client.get(f"/projects/open/documents/run.{suffix}")
    assert (large.status_code, large.data) == (200, small.data)
    assert list((site.store.settings.data / "spool").glob("*.in")) == []


def test_a_graph_of_a_large_document_is_written_in_a_worker_without_its_bundles(
    site: Site, monkeypatch: pytest.MonkeyPatch, everything_is_large: list[str]
) -> None:
    document = b"document prefix e <urn:e:> entity(e:top) bundle e:b entity(e:inner) endBundle endDocument"
    site.submit("bundled", document)
    asked = {"graph": site.owner.version("open", "bundled").iri}
    everything_is_large.clear()
    large = site.client.get("/projects/open/graphs", query_string=asked)
    assert "provrepo.repository.submission.conversion:run" in everything_is_large
    assert b"top" in large.data
    assert b"inner" not in large.data
    monkeypatch.setattr(conversion, "LARGE", 1 << 20)
    assert site.client.get("/projects/open/graphs", query_string=asked).data == large.data


def test_the_page_of_a_large_document_does_not_read_it(site: Site, everything_is_large: list[str]) -> None:
    assert "Draw it" in site.client.get("/projects/open/documents/run.html").text
    assert everything_is_large == []


def test_how_large(site: Site, everything_is_large: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "LARGE", len(PROVN))
    site.owner.export("open", "run", format="turtle")
    assert everything_is_large == []
    monkeypatch.setattr(conversion, "LARGE", len(PROVN) - 1)
    site.owner.export("open", "run", format="turtle")
    assert len(everything_is_large) == 1


def test_the_deadline_and_the_memory_hold(
    site: Site, monkeypatch: pytest.MonkeyPatch, everything_is_large: list[str]
) -> None:
    document = f"document\nprefix e <https://example.org/>\n{MANY}endDocument".encode()
    site.submit("many", document)
    monkeypatch.setattr(conversion, "_SECONDS", 0.001)
    answer = site.client.get("/projects/open/documents/many.ttl")
    assert answer.status_code == 503
    assert "many as turtle took longer" in answer.get_json()["detail"]
    with pytest.raises(TimedOut):
        site.owner.export("open", "many", format="turtle")
    monkeypatch.undo()
    assert site.client.get("/projects/open/documents/many.ttl").status_code == 200
